/** Makes the loaders for Cortex-M, one for each flash driver. `../build.mjs` says which, and writes what comes out. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readElf } from "../elf.mjs";
import { buildNumber, stubs } from "../sources.mjs";
import { loaderHash } from "./sources.mjs";

const compiler = "arm-none-eabi-gcc";
const source = join(stubs, "cortex-m");

/** Flash and ROM may well begin at address 0. */
const flags = [
  ...["-mcpu=cortex-m0", "-mthumb", "-std=c11", "-Os", "-fPIE", "-ffreestanding", "-fno-builtin", "-fno-common"],
  ...["-ffunction-sections", "-fdata-sections", "-fno-jump-tables", "-fno-tree-loop-distribute-patterns", "-fno-ident"],
  ...[
    "-fno-asynchronous-unwind-tables",
    "--param=min-pagesize=0",
    "-fno-delete-null-pointer-checks",
    "-frandom-seed=0",
    "-Wall",
    "-Wextra",
    "-Werror",
  ],
  ...["-Wno-unused-parameter", "-Wno-sign-compare", `-ffile-prefix-map=${stubs}=.`, `-I${join(stubs, "core")}`],
  `-I${source}`,
];
/** Nothing of a library, but for what the compiler itself may call. */
const link = ["-nostdlib", "-static", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"];

/**
 * @param {string} driver
 * @param {string} folder that exists; what is made on the way lies there
 * @param {(command: string, args: string[], cwd: string) => Promise<string>} run
 * @returns {Promise<Record<string, Buffer>>} the blob by its file's name
 */
export async function buildLoader(driver, folder, run) {
  const hash = loaderHash(driver);
  const build = buildNumber(hash);
  // The link script finds the patch machine by its folder.
  mkdirSync(join(folder, "machine"), { recursive: true });
  const own = [`-DDRIVER_FILE="drivers/${driver}.c"`, `-DLOADER_BUILD=${build}u`];
  const object = async (name, target, more) => {
    const path = join(folder, target);
    await run(compiler, [...flags, ...more, "-c", join(source, name), "-o", path], folder);
    return path;
  };
  const objects = await Promise.all([
    object("entry.S", "entry.o", []),
    object("hash.S", "hash.o", []),
    object("loader.c", "loader.o", own),
    object("patch.c", join("machine", "patch.o"), ["-fwhole-program"]),
  ]);
  const elf = join(folder, "loader.elf");
  await run(compiler, [...flags, ...link, "-T", join(source, "loader.ld"), ...objects, "-lgcc", "-o", elf], folder);
  const { sections, symbols } = readElf(readFileSync(elf));
  const unwanted = sections.filter(({ name }) => name !== ".text");
  if (unwanted.length > 0) throw new Error(`${driver}: ${unwanted.map(({ name }) => name).join(", ")} in the loader`);
  const symbol = (name) => {
    const value = symbols.get(name);
    if (value === undefined) throw new Error(`${driver}: no symbol ${name}`);
    return value;
  };
  const macros = await run(compiler, [...flags, ...own, "-E", "-dM", join(source, "loader.c")], folder);
  const macro = (name) => Number(new RegExp(`^#define ${name} (\\d+)u?$`, "m").exec(macros)?.[1]);
  const codeBytes = symbol("code_end");
  const blob = {
    driver,
    code: sections[0].bytes.toString("base64"),
    codeBytes,
    coreBytes: symbol("core_end"),
    stateBytes: symbol("state_end") - codeBytes,
    programUnit: macro("PROGRAM_UNIT"),
    driverId: macro("DRIVER_ID"),
    build,
    sourceHash: hash,
    compiler: (await run(compiler, ["--version"], folder)).split("\n")[0],
  };
  const { coreBytes, stateBytes } = blob;
  process.stdout.write(
    `${`cortex-m-${driver}`.padEnd(22)} ${coreBytes} bytes, patch machine ${codeBytes - coreBytes} and ${stateBytes} of state\n`,
  );
  return { [`cortex-m-${driver}.json`]: Buffer.from(`${JSON.stringify(blob, undefined, 2)}\n`) };
}
