/**
 * Runs the core on this machine under sanitizers. `node stubs/host/run.mjs [seconds] [seed]`: random streams against a second reading of
 * the protocol, 10 s unless told. `--fuzz [seconds] [folder]`: libFuzzer, with a corpus that is kept in the folder. `--cortex-m [seconds] [seed]`: random
 * records for the Cortex-M loader. Needs clang.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const host = dirname(fileURLToPath(import.meta.url));
const core = join(host, "..", "core");

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error !== undefined) throw error;
  return status ?? 1;
}

function build(program, sanitizers, sources) {
  const coreSources = readdirSync(core).filter((name) => name.endsWith(".c"));
  const flags = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", `-I${core}`];
  const files = [...coreSources.map((name) => join(core, name)), ...sources.map((name) => join(host, name))];
  return run("clang", [...flags, `-fsanitize=${sanitizers}`, "-fno-sanitize-recover=all", ...files, "-o", program]);
}

/** One input of each kind that `fuzz.c` knows, to begin with. */
function seedCorpus(folder) {
  mkdirSync(folder, { recursive: true });
  const text = Buffer.from("the quick brown fox jumps over the lazy dog ".repeat(20));
  for (const level of [0, 1, 9]) {
    for (const strategy of [0, 2, 4]) {
      const deflated = deflateRawSync(text, { level, strategy });
      writeFileSync(join(folder, `deflate-${level}-${strategy}`), Buffer.concat([Buffer.of(0x82, 255), deflated]));
    }
  }
  const compose = [
    0x20, 0, 1, 129, 130, 131, 132, 4, 0x22, 128, 32, 6, 2, 0x21, 1, 2, 0xe1, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x28, 3,
  ];
  const inspect = [0x11, 0, 4, 128, 32, 0x12, 5, 200, 1, 0x30, 0, 3];
  for (const mode of [0x81, 0x83])
    writeFileSync(join(folder, `operations-${mode}`), Buffer.of(mode, 255, ...inspect, ...compose));
}

function fuzz(folder, seconds, corpus) {
  const program = join(folder, "fuzz");
  const built = build(program, "fuzzer,address,undefined", ["board.c", "peer.c", "fuzz.c"]);
  if (built !== 0) return built;
  seedCorpus(corpus);
  return run(program, [
    `-max_total_time=${seconds}`,
    "-max_len=4000",
    `-artifact_prefix=${corpus}/`,
    "-print_final_stats=1",
    corpus,
  ]);
}

/** As a program that looks up nothing by itself: what of the core it does not need is left out. */
function cortexM(folder, words) {
  const program = join(folder, "loader");
  const loader = join(host, "..", "cortex-m");
  const sources = [join(loader, "loader.c"), join(loader, "patch.c"), join(host, "loader-main.c")];
  const flags = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", `-I${core}`, `-I${loader}`, `-I${host}`];
  const defines = [
    '-DDRIVER_FILE="loader-driver.h"',
    "-DLOADER_BUILD=1",
    "-Wno-unused-parameter",
    "-Wno-sign-compare",
    "-Wno-unknown-attributes",
  ];
  // Without guards around variables, which would keep them all.
  const link = ["-mllvm", "-asan-globals=0", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"];
  const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  const built = run("clang", [...flags, ...defines, ...link, ...sanitizers, ...sources, "-o", program]);
  return built === 0 ? run(program, words.length === 0 ? ["10"] : words) : built;
}

function main(words, folder) {
  if (words[0] === "--cortex-m") return cortexM(folder, words.slice(1));
  if (words[0] === "--fuzz") return fuzz(folder, words[1] ?? "300", words[2] ?? join(folder, "corpus"));
  const program = join(folder, "streams");
  const built = build(program, "address,undefined", ["board.c", "peer.c", "streams.c", "main.c"]);
  return built === 0 ? run(program, words.length === 0 ? ["10"] : words) : built;
}

const folder = mkdtempSync(join(tmpdir(), "stubs-host-"));
try {
  process.exitCode = main(process.argv.slice(2), folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
