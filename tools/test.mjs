// `npm test`: installs what is missing (Debian packages too, as root), then runs every level. Nothing is skipped.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { build, checkNode, installDebianPackages, installPackages } from "./setup.mjs";
import { closingLine, runChecks, runTests } from "./levels.mjs";
import { installVscode, runVscodeTests } from "./vscode-tests.mjs";

checkNode();
installPackages();
const python = "/usr/bin/python3";
const answers = (command) => spawnSync(command, ["--version"]).status === 0;
const riscvCompiler = "riscv64-unknown-elf-gcc";
/** A full path where the compiler knows the library. */
const specsOfLibrary = () =>
  spawnSync(riscvCompiler, ["-print-file-name=picolibc.specs"], { encoding: "utf8" }).stdout?.trim() ?? "";
installDebianPackages([
  { name: "python3", isThere: () => spawnSync(python, ["--version"]).status === 0 },
  // The other end of our RFC 2217 and raw TCP links, not written by us.
  { name: "python3-serial", isThere: () => spawnSync(python, ["-c", "import serial.rfc2217"]).status === 0 },
  // Compiles the stub, and the demo firmware, which is edited, built and flashed.
  { name: "make", isThere: () => answers("make") },
  { name: "gcc-riscv64-unknown-elf", isThere: () => answers(riscvCompiler) },
  { name: "picolibc-riscv64-unknown-elf", isThere: () => existsSync(specsOfLibrary()) },
  // The timing panel is looked at in a browser.
  { name: "chromium", isThere: () => existsSync(process.env.VSCH_CHROMIUM ?? "/usr/bin/chromium") },
  // The stub is built anew for every chip, and run on emulated processors.
  { name: "gcc-xtensa-lx106", isThere: () => answers("xtensa-lx106-elf-gcc") },
  { name: "qemu-system-misc", isThere: () => answers("qemu-system-riscv32") && answers("qemu-system-xtensa") },
  { name: "clang", isThere: () => answers("clang") },
  { name: "lld", isThere: () => answers("wasm-ld") },
  // Cortex-M: firmware and loaders are compiled, servers that are not ours are flashed through, a client that is not ours is the judge.
  { name: "gcc-arm-none-eabi", isThere: () => answers("arm-none-eabi-gcc") },
  { name: "qemu-system-arm", isThere: () => answers("qemu-system-arm") },
  { name: "openocd", isThere: () => answers("openocd") },
  { name: "gdb-multiarch", isThere: () => answers("gdb-multiarch") },
  // For the core under sanitizers and fuzzing.
  { name: "libclang-rt-14-dev", isThere: () => existsSync("/usr/lib/llvm-14/lib/clang") },
]);
installVscode();
build();
const results = [
  ...(await runChecks()),
  runTests("fast", { ...process.env, DELTAFLASH_CAMPAIGN: "full" }),
  runTests("real"),
  ...(await runVscodeTests()),
];
process.exitCode = closingLine(results);
