/** The real OpenOCD in front of a DAP shim: its packets, its polling, its flash driver. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DapShim } from "./dap-shim.ts";
import { onFreePort, Program } from "./programs.ts";
import type { Rp2040Board } from "./rp2040-board.ts";

interface OpenOcdOptions {
  /** OpenOCD's own driver for the RP2040's flash, which needs a boot ROM on the board. */
  readonly hasFlashDriver?: boolean;
  /** Of free ports. */
  readonly choosePort?: () => Promise<number>;
}

export class OpenOcd implements AsyncDisposable {
  /** Of its GDB server. */
  readonly port: number;
  readonly shim: DapShim;
  readonly program: Program;
  readonly #folder: string;

  private constructor(port: number, shim: DapShim, program: Program, folder: string) {
    this.port = port;
    this.shim = shim;
    this.program = program;
    this.#folder = folder;
  }

  static async start(board: Rp2040Board, options: OpenOcdOptions = {}): Promise<OpenOcd> {
    const shim = await DapShim.start(board);
    const folder = mkdtempSync(join(tmpdir(), "deltaflash-openocd-"));
    try {
      return await onFreePort(async (port) => {
        const config = join(folder, "openocd.cfg");
        writeFileSync(config, configuration(shim.port, port, options));
        const program = new Program("openocd", ["-f", config]);
        try {
          const ready = `Listening on port ${port} for gdb connections`;
          const isOver = (): boolean => /couldn't bind/.test(program.complaints);
          // It lives on without a port.
          await program.until(() => isOver() || program.complaints.includes(ready), ready);
          if (isOver()) throw new Error(program.complaints);
          return new OpenOcd(port, shim, program, folder);
        } catch (error) {
          await program[Symbol.asyncDispose]();
          throw error;
        }
      }, options.choosePort);
    } catch (error) {
      await shim[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await this.shim[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function configuration(probePort: number, port: number, { hasFlashDriver = false }: OpenOcdOptions): string {
  return [
    "adapter driver remote_bitbang",
    "remote_bitbang host 127.0.0.1",
    `remote_bitbang port ${probePort}`,
    "transport select jtag",
    "adapter speed 1000",
    "jtag newtap sim cpu -irlen 4 -expected-id 0x4ba00477",
    "dap create sim.dap -chain-position sim.cpu",
    "target create sim.core cortex_m -dap sim.dap -ap-num 0",
    "sim.core configure -work-area-phys 0x20020000 -work-area-size 0x8000 -work-area-backup 0",
    "cortex_m reset_config sysresetreq",
    ...(hasFlashDriver ? ["flash bank rpf rp2040_flash 0x10000000 0 0 0 sim.core"] : []),
    `gdb_port ${port}`,
    "tcl_port disabled",
    "telnet_port disabled",
    "bindto 127.0.0.1",
    "",
  ].join("\n");
}
