/** The rig of QEMU's boards, judged by Debian's GDB. */
import { afterAll, expect, test } from "vitest";
import { firstLine, qemuBoard, qemuBoards } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { gdb } from "./gdb-program.ts";
import { QemuBoard } from "./qemu.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

test("the firmware starts from the microbit's flash and prints its line", async () => {
  const elf = firmware.firmware({ board: qemuBoard("microbit"), place: "flash" });
  await using board = await QemuBoard.start("microbit");
  // QEMU takes a debugger's writes to flash as they are: that tests the image, not the flashing of it.
  const said = await gdb({
    port: board.port,
    elf,
    commands: ["load", "compare-sections", "monitor system_reset", "tbreak report", "continue", "detach"],
  });
  expect(said).toContain("Section .text");
  expect(said).not.toContain("MIS-MATCHED");
  expect(said).toContain("report");
  expect(await board.uart.line("data=")).toBe(firstLine(1));
});

test.each(qemuBoards)("the firmware runs from the RAM of $machine and prints its line", async (board) => {
  const elf = firmware.firmware({ board, place: "ram" });
  await using machine = await QemuBoard.start(board.machine);
  const table = `*(unsigned *)0x${board.ram.start.toString(16)}`;
  await gdb({
    port: machine.port,
    elf,
    commands: ["load", "compare-sections", `set $sp = ${table}`, "set $xpsr = 0x1000000", "set $pc = reset", "detach"],
  });
  expect(await machine.uart.line("data=")).toBe(firstLine(1));
});
