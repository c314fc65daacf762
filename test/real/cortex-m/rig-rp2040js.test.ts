/** The rig of rp2040js's own GDB server, judged by Debian's GDB. */
import { afterAll, expect, test } from "vitest";
import { firstLine, rp2040 } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { gdb } from "./gdb-program.ts";
import { Rp2040Board } from "./rp2040-board.ts";
import { Rp2040JsServer } from "./rp2040js-server.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

test("a program in RAM runs from its reset handler and prints its line", async () => {
  const elf = firmware.firmware({ board: rp2040, place: "ram" });
  const board = new Rp2040Board();
  await using server = await Rp2040JsServer.start(board);
  const stack = "set $sp = *(unsigned *)0x20000000";
  const said = await gdb({
    port: server.port,
    elf,
    commands: [
      "load",
      "compare-sections",
      stack,
      "set $pc = reset",
      "tbreak report",
      "continue",
      "backtrace",
      "finish",
    ],
  });
  expect(said).not.toContain("MIS-MATCHED");
  expect(said).toContain("report ()");
  expect(await board.uart.line("data=")).toBe(firstLine(1));
});
