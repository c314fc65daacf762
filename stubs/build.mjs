/**
 * `npm run stubs`: makes every file of `blobs/` from the sources, byte for byte the same on every machine with the same compilers.
 * `--check` makes them in a temporary folder and compares; names of chips limit it to those. `--qemu FOLDER` makes the test programs for
 * generic processors.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildLoader } from "./cortex-m/build.mjs";
import { drivers } from "./cortex-m/sources.mjs";
import { readElf } from "./elf.mjs";
import { blobs, buildNumber, chips, sourceHash, stubs } from "./sources.mjs";

/** Code and constants of the boot part, which the ROM loads: 44 ms at 921600 baud. */
const MOST_CODE_BYTES = 4096;

/** The parts that the stub itself loads later: their sources. Everything else is the boot part. */
const laterParts = (hasRateInBoot) => ({
  write: [
    ...(hasRateInBoot ? [] : ["core/rate.c", "esp/uart-rate.c"]),
    ...["flash-write", "kinds", "compose", "commit", "crc-words", "inspect", "packed", "run"].map(
      (name) => `core/${name}.c`,
    ),
    ...["esp/call.c", "esp/ram-free.c", "esp/spi-write.c"],
  ],
  inflate: ["core/inflate.c"],
});
/** Functions of the write part that are not C. */
const assembled = { write: [".text.start_program"], inflate: [] };

const machines = {
  riscv: {
    compiler: "riscv64-unknown-elf-gcc",
    flags: ["-march=rv32imc", "-mabi=ilp32", "-mcmodel=medlow", "-msmall-data-limit=300", "-msave-restore"],
  },
  // Made for the ESP8266; without windows its code runs on the other Xtensa chips as well.
  xtensa: { compiler: "xtensa-lx106-elf-gcc", flags: ["-mtext-section-literals", "-mno-serialize-volatile"] },
};

const flags = [
  ...["-std=c11", "-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-fno-common"],
  ...["-fno-tree-loop-distribute-patterns", "-fno-ident", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"],
  ...[
    "-Wno-sign-compare",
    "-fno-asynchronous-unwind-tables",
    "-fno-jump-tables",
    "-fno-ipa-sra",
    // A function of the boot part must not become another name of one that is loaded later.
    "-fno-ipa-icf",
    "-flto",
    "-frandom-seed=0",
    `-ffile-prefix-map=${stubs}=.`,
  ],
];

async function run(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const output = [];
  child.stdout.on("data", (part) => output.push(part));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}`);
  return Buffer.concat(output).toString();
}

function sourcesIn(folder, pattern) {
  return readdirSync(join(stubs, folder))
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(stubs, folder, name));
}

/** Objects of one folder, in a folder of their own because names repeat. @returns their paths */
async function compile(compiler, args, sources, folder) {
  if (sources.length === 0) return [];
  mkdirSync(folder, { recursive: true });
  await run(compiler, [...args, "-c", ...sources], folder);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".o"))
    .sort()
    .map((name) => join(folder, name));
}

/** Names of the sections that these files are compiled to, one for each function and constant: nothing is inlined or left out. */
async function sectionsOf(compiler, args, files, folder) {
  const objects = await compile(compiler, [...args, "-fno-lto", "-O0"], files, folder);
  return objects.flatMap((path) => readElf(readFileSync(path)).sections.map(({ name }) => name));
}

/**
 * Link-time optimisation knows no files any more, so each part is told by the names of its functions; what the optimiser makes of one
 * has its name and a suffix, behind a full stop or, on Xtensa, a dollar. @returns definitions for the link script
 */
async function partsOf(compiler, args, { header, layers }, folder) {
  const parts = laterParts(/^#define RATE_IN_BOOT 1$/m.test(readFileSync(join(stubs, header), "utf8")));
  const all = [...sourcesIn("core", /\.c$/), ...layers];
  const isOf = (part) => (path) => part.some((name) => path.endsWith(`/${name}`));
  const later = Object.values(parts).flat();
  const boot = await sectionsOf(
    compiler,
    args,
    all.filter((path) => !isOf(later)(path)),
    join(folder, "boot"),
  );
  const names = await Promise.all(
    Object.entries(parts).map(async ([part, files]) => {
      const sections = await sectionsOf(compiler, args, all.filter(isOf(files)), join(folder, part));
      return [part, [...new Set([...sections, ...assembled[part]])].filter((name) => !boot.includes(name)).sort()];
    }),
  );
  for (const [part, sections] of names) {
    const shared = names.find(([other, own]) => other !== part && own.some((name) => sections.includes(name)));
    if (shared !== undefined) throw new Error(`${part} and ${shared[0]} have functions of one name`);
  }
  const list = (part, sections, pattern) => {
    const own = sections.filter((name) => pattern.test(name));
    return `#define ${part} ${own.map((name) => `*(${name} ${name}[.$]*)`).join(" ")}\n`;
  };
  return names
    .map(([part, sections]) => {
      const kind = part.toUpperCase();
      return (
        list(`${kind}_DATA`, sections, /^\.s?(rodata|data)\./) + list(`${kind}_TEXT`, sections, /^\.(literal|text)\./)
      );
    })
    .join("");
}

function segment({ address, bytes }) {
  return { address, data: bytes.toString("base64") };
}

/**
 * @param {{ header: string, machine: keyof typeof machines, layers: string[], build: number }} what header: below `stubs`, says where
 * things are; layers: C files of the hardware layer
 * @returns the path of a linked program
 */
async function buildElf({ header, machine, layers, build }, folder) {
  const { compiler, flags: own } = machines[machine];
  const defines = [`-DCHIP_FILE="${header}"`, `-DSTUB_BUILD=${build}u`, `-I${stubs}`];
  const args = [...flags, ...own, ...defines, `-I${join(stubs, "core")}`, `-I${join(stubs, "esp")}`];
  // The core knows nothing of a chip but its buffers.
  const core = [...args, "-include", join(stubs, "esp", "chip.h")];
  const start = join(stubs, "esp", `start-${machine}.S`);
  const objects = [
    ...(await compile(compiler, args, [start, ...layers], join(folder, "layer"))),
    ...(await compile(compiler, core, sourcesIn("core", /\.c$/), join(folder, "core"))),
  ];
  writeFileSync(join(folder, "parts.ld"), await partsOf(compiler, core, { header, layers }, join(folder, "names")));
  const script = join(folder, "stub.ld");
  await run(
    compiler,
    ["-E", "-P", "-x", "c", ...defines, `-I${folder}`, join(stubs, "esp", "stub.ld.in"), "-o", script],
    folder,
  );
  const elf = join(folder, "stub.elf");
  const link = ["-nostdlib", "-static", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"];
  await run(compiler, [...flags, ...own, ...link, "-T", script, ...objects, "-lgcc", "-o", elf], folder);
  return elf;
}

const machineOf = (header) =>
  /^#define XTENSA 1$/m.test(readFileSync(join(stubs, header), "utf8")) ? "xtensa" : "riscv";

/** What a host has to know of a linked program. */
function describe(elf, build) {
  const { entry, sections, symbols } = readElf(readFileSync(elf));
  const [write, inflate] = ["write", "inflate"].map((part) =>
    sections.filter(({ name }) => name.startsWith(`.${part}_`)),
  );
  const loaded = sections.filter((section) => !write.includes(section) && !inflate.includes(section));
  return {
    entry,
    segments: loaded.map(segment),
    write: write.map(segment),
    inflate: inflate.map(segment),
    linkWord: symbols.get("stub_link"),
    clockWord: symbols.get("stub_mhz"),
    bssStart: symbols.get("stub_bss_start"),
    bssEnd: symbols.get("stub_bss_end"),
    codeBytes: sum(loaded),
    writeBytes: sum(write),
    inflateBytes: sum(inflate),
    build,
  };
}

async function buildChip(chip, folder) {
  const header = `esp/chips/${chip}.h`;
  const machine = machineOf(header);
  const { compiler } = machines[machine];
  const hash = sourceHash();
  const build = buildNumber(hash);
  const elf = await buildElf({ header, machine, layers: sourcesIn("esp", /\.c$/), build }, folder);
  const blob = {
    chip,
    ...describe(elf, build),
    sourceHash: hash,
    compiler: (await run(compiler, ["--version"], folder)).split("\n")[0],
  };
  const { codeBytes, writeBytes, inflateBytes } = blob;
  process.stdout.write(`${chip.padEnd(13)} ${codeBytes} bytes, write ${writeBytes}, inflate ${inflateBytes}\n`);
  if (codeBytes > MOST_CODE_BYTES) throw new Error(`${chip}: ${codeBytes} bytes of code, more than ${MOST_CODE_BYTES}`);
  return { [`${chip}.json`]: Buffer.from(`${JSON.stringify(blob, undefined, 2)}\n`) };
}

function sum(sections) {
  return sections.reduce((total, { bytes }) => total + bytes.length, 0);
}

/** By the headers in `qemu`. */
const emulated = { riscv: "riscv", de212: "xtensa", lx106: "xtensa" };

/** The core for the processors of QEMU: `<name>.elf` in `target`, and the same as blobs. */
async function buildForQemu(target, folder) {
  for (const [name, machine] of Object.entries(emulated)) {
    const shared = ["main.c", "ram.c", "call.c", "ram-free.c", "time.c"].map((file) => join(stubs, "esp", file));
    const layers = [join(stubs, "qemu", "board.c"), ...shared];
    const build = buildNumber(sourceHash());
    const elf = await buildElf({ header: `qemu/${name}.h`, machine, layers, build }, join(folder, name));
    writeFileSync(join(target, `${name}.elf`), readFileSync(elf));
    writeFileSync(join(target, `${name}.json`), JSON.stringify(describe(elf, build)));
  }
}

/** The core for simulated chips, whose hardware layer is what it imports as "hw". */
async function buildWasm(folder) {
  mkdirSync(folder, { recursive: true });
  const hash = sourceHash();
  const file = join(folder, "core.wasm");
  const sources = [...sourcesIn("wasm", /\.c$/), ...sourcesIn("core", /\.c$/)];
  const own = ["--target=wasm32", "-std=c11", "-Os", "-ffreestanding", "-fno-builtin", "-nostdlib", "-fno-ident"];
  const warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-sign-compare"];
  const include = [
    `-DSTUB_BUILD=${buildNumber(hash)}u`,
    "-include",
    join(stubs, "wasm", "imports.h"),
    `-I${join(stubs, "core")}`,
  ];
  const link = ["-Wl,--no-entry", "-Wl,--allow-undefined", "-Wl,--strip-all"];
  await run("clang", [...own, ...warnings, ...include, ...link, ...sources, "-o", file], folder);
  const wasm = readFileSync(file);
  const foreign = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(({ module }) => module !== "hw");
  if (foreign.length > 0) throw new Error(`core.wasm wants ${foreign.map(({ name }) => name).join(", ")}`);
  const compiler = (await run("clang", ["--version"], folder)).split("\n")[0];
  const blob = { wasm: wasm.toString("base64"), sourceHash: hash, build: buildNumber(hash), compiler };
  process.stdout.write(`${"core.wasm".padEnd(13)} ${wasm.length} bytes\n`);
  return { "core.wasm": wasm, "core.json": Buffer.from(`${JSON.stringify(blob, undefined, 2)}\n`) };
}

const loaderPrefix = "cortex-m-";

/** @param name core, of a chip, or cortex-m-<driver> */
function makerOf(name) {
  if (name === "core") return buildWasm;
  if (!name.startsWith(loaderPrefix)) return buildChip.bind(undefined, name);
  return (folder) => buildLoader(name.slice(loaderPrefix.length), folder, run);
}

/** @returns files by name */
async function buildAll(names, folder) {
  const files = {};
  const waiting = [...names];
  const worker = async () => {
    for (let chip = waiting.shift(); chip !== undefined; chip = waiting.shift()) {
      Object.assign(files, await makerOf(chip)(join(folder, chip)));
    }
  };
  const ends = await Promise.allSettled([worker(), worker()]);
  const failure = ends.find(({ status }) => status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return files;
}

const everything = ["core", ...chips, ...drivers.map((driver) => `${loaderPrefix}${driver}`)];

async function main(words, folder) {
  if (words[0] === "--qemu") return buildForQemu(words[1], folder);
  const isCheck = words.includes("--check");
  const wanted = words.filter((word) => word !== "--check");
  const files = await buildAll(wanted.length > 0 ? wanted : everything, folder);
  for (const [name, bytes] of Object.entries(files)) {
    const place = join(blobs, name);
    if (!isCheck) {
      mkdirSync(blobs, { recursive: true });
      writeFileSync(place, bytes);
    } else if (!existsSync(place) || !readFileSync(place).equals(bytes)) {
      process.stderr.write(`${name} is not what its sources make: npm run stubs\n`);
      process.exitCode = 1;
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "deltaflash-stubs-"));
try {
  await main(process.argv.slice(2), folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
