/** Opens a port by the word that the user has for it. `sim:` is no byte transport: its callers come first. */
import { FlashError } from "../core/errors.ts";
import { parsePortName } from "./port-name.ts";
import { openRfc2217 } from "./rfc2217.ts";
import { openSerial } from "./serial.ts";
import { openTcp } from "./tcp.ts";
import type { SerialTransport } from "./transport.ts";

/**
 * `/dev/ttyUSB0`, `COM3`, `tcp://host:port`, `gdb://host:port`, `gdb:/dev/ttyBmpGdb` or `rfc2217://host:port`. Whoever opens closes.
 * @throws FlashError `board-not-found`, `port-busy`, `refused` or `protocol`: see the four.
 */
export async function openPort(name: string, options: { readonly baudRate: number }): Promise<SerialTransport> {
  const port = parsePortName(name);
  switch (port.kind) {
    case "serial":
      return openSerial(port.path, options);
    case "tcp":
    case "gdb":
      return openTcp(name);
    case "rfc2217":
      return openRfc2217(name, options);
    case "gdb-serial":
      return openSerial(port.path, options);
    case "gdb-launch":
    case "gdb-settings":
      throw new FlashError("board-not-found", `${name} is the name of a GDB server that has to be looked up`, {
        remedy: "Name its address, for example gdb://localhost:3333.",
      });
    case "sim":
      throw new FlashError("board-not-found", `${name} is no serial port`, {
        remedy: "Boards that are flashed over a serial line need /dev/…, COM…, tcp:// or rfc2217://.",
      });
  }
}
