/** A board of Debian's QEMU behind its GDB server: halted before its first instruction, its UART on a pipe. */
import { setTimeout as wait } from "node:timers/promises";
import type { Console } from "./console.ts";
import { isListening, onFreePort, Program } from "./programs.ts";

const listenMs = 15_000;

interface QemuOptions {
  /** Further arguments of QEMU, such as a drive. */
  readonly args?: readonly string[];
  /** Of free ports. */
  readonly choosePort?: () => Promise<number>;
}

export class QemuBoard implements AsyncDisposable {
  readonly port: number;
  readonly program: Program;

  private constructor(port: number, program: Program) {
    this.port = port;
    this.program = program;
  }

  get uart(): Console {
    return this.program.output;
  }

  static start(machine: string, { args = [], choosePort }: QemuOptions = {}): Promise<QemuBoard> {
    return onFreePort(async (port) => {
      // Whoever listens there now would be taken for QEMU.
      if (await isListening(port)) throw new Error(`port ${port} is in use`);
      const wires = ["-nographic", "-monitor", "none", "-serial", "stdio", "-gdb", `tcp:127.0.0.1:${port}`, "-S"];
      const program = new Program("qemu-system-arm", ["-M", machine, ...wires, ...args]);
      try {
        await listening(port, program);
        return new QemuBoard(port, program);
      } catch (error) {
        await program[Symbol.asyncDispose]();
        throw error;
      }
    }, choosePort);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]();
  }
}

async function listening(port: number, program: Program): Promise<void> {
  const endMs = performance.now() + listenMs;
  while (!(await isListening(port))) {
    if (program.hasEnded || performance.now() > endMs)
      throw new Error(`qemu-system-arm does not listen: ${program.complaints}`);
    await wait(10);
  }
}
