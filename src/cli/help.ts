/** All help texts. */
import { UsageError } from "./exit.ts";

const usage = {
  flash: `deltaflash flash <artifact…> [options]        write what changed and run it

Artifacts: firmware.elf · firmware.hex · 0x10000:app.bin (any number) · flasher_args.json ·
a build folder (ESP-IDF, PlatformIO, Arduino, or one with an .elf in it)

  --port P        the board's port: /dev/ttyUSB0, COM3, tcp://host:port, rfc2217://host:port,
                  gdb://host:port (Cortex-M behind a GDB server: OpenOCD, pyOCD, J-Link, …),
                  gdb:launch/<name> (the server that this folder's .vscode/launch.json names; started if need be),
                  sim:esp32c3 (simulated; sim:esp32c3?speed=max does not wait for real time).
                  Default: the only board that is plugged in
  --chip C        the chip, where the artifact does not tell: esp32, esp32c3, STM32F407VG, …
  --board ID      refuse any board but this one: its MAC, or its name as 'deltaflash boards' has it
  --baud N        bit rate to work at. Default 921600; 115200 over tcp://
  --full          write everything, whatever the board holds
  --ram           load into RAM and run; the flash is not touched
  --app-only      of a build, write the application only
  --app-offset N  where an application made from an .elf goes. Default: the board's partition table, else 0x10000
  --flash-size S  size of the flash chip, when it cannot be asked: 4MB
  --official-stub use Espressif's program in RAM instead of Deltaflash's own
  --no-stub       use the chip's ROM loader, or the GDB server's flash driver, only (slower)
  --dry-run       connect, look, say what would be written, write nothing
  --no-reset      leave the board in the loader
  --json FILE|-   the report as JSON
  --trace FILE    the trace for ui.perfetto.dev
  --verbose       every decision, one line each`,
  plan: `deltaflash plan <old artifact> <new artifact> [options]        what a flash would write; needs no board

  --chip C        the chip, where the artifacts do not tell
  --baud N        bit rate for the estimate. Default 921600
  --json FILE|-   the plan as JSON`,
  sim: `deltaflash sim <board> [options]        serve a simulated board until SIGINT, SIGTERM or a pulled cable

  --listen A      tcp://127.0.0.1:0 (default), rfc2217://127.0.0.1:0 or pty; port 0 takes a free one. Cortex-M boards
                  listen at gdb://127.0.0.1:0 as a GDB server does: rp2040, or rp2040?server=openocd&clock=1800000
  --flash FILE    keep the flash contents in this file: the raw contents of the whole chip, created as 0xff
  --speed S       real (default), 10x or max
  --fault SPEC    misbehave, separated by commas: unplug@in:5000, power-cut@erase:2, drop@out:rate=0.001,
                  silence@SYNC:1 … (all of them: --fault help)
  --seed N        for faults at random places. Default 1
  --factory       start with a boot loader and a partition table in an otherwise empty flash

The first line on standard output says where it listens; the last one, when it ends, holds its counters as JSON.`,
  boards: `deltaflash boards [--json]        boards that Deltaflash knows, and what each was tried on`,
  ports: `deltaflash ports [--json]        serial ports of this machine, and who holds them`,
  history: `deltaflash history [--json]        boards that were flashed from here, and what is known of them`,
} as const;

export function overview(): string {
  return `deltaflash: edit, build, flash only what changed, run

Usage:
  deltaflash flash <artifact…> [--port P]      write what changed and run it
  deltaflash plan <old> <new>                  what a flash would write; needs no board
  deltaflash sim <board>                       serve a simulated board
  deltaflash boards | ports | history          tables; --json
  deltaflash help <command>                    options of a command
  deltaflash --version

Exit codes: 0 done · 1 the flash failed · 2 the words are off · 130 cancelled.
What Deltaflash remembers is kept in $DELTAFLASH_STATE, else in the platform's state folder.
`;
}

/** @throws UsageError for a command that does not exist */
export function helpFor(name: string): string {
  if (!isCommand(name)) throw noSuchCommand(name);
  return `${usage[name]}\n`;
}

export function noSuchCommand(name: string): UsageError {
  return new UsageError(`there is no command '${name}'`);
}

function isCommand(name: string): name is keyof typeof usage {
  return Object.hasOwn(usage, name);
}
