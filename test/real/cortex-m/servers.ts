/** The three servers that are not ours, each with a board behind it. */
import type { FirmwareFolder } from "./firmware.ts";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { Rp2040Board } from "./rp2040-board.ts";
import { Rp2040JsServer } from "./rp2040js-server.ts";

interface Server extends AsyncDisposable {
  readonly port: number;
}

export interface ServerRow {
  readonly title: string;
  readonly kind: string;
  readonly hasX: boolean;
  readonly start: (firmware: FirmwareFolder) => Promise<Server>;
}

/** A board that can start from its flash. */
export const rp2040Board = (firmware: FirmwareFolder): Rp2040Board => new Rp2040Board(firmware.bootRom());

export const servers: readonly ServerRow[] = [
  { title: "QEMU", kind: "qemu", hasX: false, start: () => QemuBoard.start("microbit") },
  {
    title: "OpenOCD",
    kind: "openocd",
    hasX: true,
    start: (firmware) => OpenOcd.start(rp2040Board(firmware), { hasFlashDriver: true }),
  },
  {
    title: "rp2040js",
    kind: "rp2040js",
    hasX: false,
    start: (firmware) => Rp2040JsServer.start(rp2040Board(firmware)),
  },
];
