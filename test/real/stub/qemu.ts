/** The core's code for generic processors, run by Debian's QEMU; its UART is QEMU's standard input and output. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Wire } from "./conversation.ts";
import type { Blob } from "./script.ts";

export const machines = {
  riscv: ["qemu-system-riscv32", "-machine", "virt", "-bios", "none"],
  // With register windows, as ESP32, S2 and S3 have them.
  de212: ["qemu-system-xtensa", "-machine", "lx60-nommu", "-cpu", "de212"],
  // The ESP8266's core.
  lx106: ["qemu-system-xtensa", "-machine", "lx60-nommu", "-cpu", "lx106"],
} as const;

/** An emulated processor is slow only where the machine below it is busy. */
const silenceMs = 10_000;

/** All programs, in a folder that is to be removed. */
export function buildForQemu(): string {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-qemu-"));
  const { status } = spawnSync(process.execPath, ["stubs/build.mjs", "--qemu", folder], { stdio: "inherit" });
  if (status !== 0) throw new Error("the programs for QEMU could not be built");
  return folder;
}

export function blobForQemu(machine: keyof typeof machines, folder: string): Blob {
  return JSON.parse(readFileSync(join(folder, `${machine}.json`), "utf8")) as Blob;
}

export class QemuWire implements Wire, Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  #arrived: Buffer[] = [];
  #wake: (() => void) | undefined;

  constructor(machine: keyof typeof machines, folder: string) {
    const [command, ...args] = machines[machine];
    const wire = ["-nographic", "-monitor", "none", "-serial", "stdio", "-no-reboot"];
    this.#child = spawn(command, [...args, ...wire, "-kernel", join(folder, `${machine}.elf`)]);
    this.#child.stdout.on("data", (bytes: Buffer) => {
      this.#arrived.push(bytes);
      this.#wake?.();
    });
    this.#child.stderr.on("data", (text: Buffer) => process.stderr.write(text));
  }

  send(bytes: Uint8Array): void {
    this.#child.stdin.write(bytes);
  }

  async receive(): Promise<Uint8Array> {
    if (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, silenceMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return Buffer.concat(this.#arrived.splice(0));
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
