/** Compiles the programs of test/fixtures/cortex-m with Debian's compiler, each only once; knows nothing of who loads them. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CortexBoard } from "./boards.ts";

const sources = join(import.meta.dirname, "../../fixtures/cortex-m");
/** One setting for every core; loops stay loops, since there is no memcpy. */
const flags = ["-mcpu=cortex-m0", "-mthumb", "-Os", "-g", "-ffreestanding", "-nostdlib"];
const noCalls = ["-fno-tree-loop-distribute-patterns", "-fno-builtin", "-Wall", "-Wextra", "-Werror"];
const linked = ["-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"];
const limitMs = 30_000;

interface Wanted {
  readonly board: CortexBoard;
  readonly place: "flash" | "ram";
  /** Is in the line that the firmware prints; 1 unless given. */
  readonly version?: number;
  /** Further -D. */
  readonly defines?: readonly string[];
}

/** The folder goes away with `using`. */
export class FirmwareFolder implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "deltaflash-cortex-m-"));

  /** @returns the ELF file's path */
  firmware({ board, place, version = 1, defines = [] }: Wanted): string {
    const { start, bytes } = board.ram;
    const symbols = [`ram_base=${start}`, `ram_top=${start + bytes}`, `flash_base=${board.flashBase ?? 0}`];
    return this.#link(`${board.machine}-${place}-${start}-${[version, ...defines].join("-")}`, [
      `-DBOARD_${board.define}`,
      `-DVERSION=${version}`,
      ...defines.map((define) => `-D${define}`),
      ...symbols.map((symbol) => `-Wl,--defsym=${symbol}`),
      "-T",
      join(sources, `${place}.ld`),
      join(sources, "firmware.c"),
    ]);
  }

  /** The RP2040's boot ROM as far as a flash driver and a start need it; bytes from address 0. */
  bootRom(): Uint8Array {
    return readFileSync(this.#binary(this.#link("rom", ["-T", join(sources, "rom.ld"), join(sources, "rom.c")])));
  }

  /** Code that is entered and left as a loader is; see runs.S. */
  runs(): Uint8Array {
    return readFileSync(this.#binary(this.#link("runs", ["-Wl,-Ttext=0", "-Wl,-e0", join(sources, "runs.S")])));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #link(name: string, args: readonly string[]): string {
    const path = join(this.folder, `${name}.elf`);
    if (existsSync(path)) return path;
    run("arm-none-eabi-gcc", [...flags, ...noCalls, ...linked, ...args, "-lgcc", "-o", path]);
    return path;
  }

  #binary(elf: string): string {
    const path = `${elf}.bin`;
    if (!existsSync(path)) run("arm-none-eabi-objcopy", ["-O", "binary", elf, path]);
    return path;
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: limitMs });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
