/** The rig of OpenOCD, our debug port and rp2040js, judged by Debian's GDB. */
import { afterAll, expect, test } from "vitest";
import { firstLine, rp2040 } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { gdb } from "./gdb-program.ts";
import { OpenOcd } from "./openocd.ts";
import { Rp2040Board } from "./rp2040-board.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());
const withRom = (): Rp2040Board => new Rp2040Board(firmware.bootRom());

test("OpenOCD finds a Cortex-M0+ and halts it; memory is what was written", async () => {
  await using server = await OpenOcd.start(new Rp2040Board());
  const said = await gdb({
    port: server.port,
    commands: [
      "set {int}0x20000000 = 0x11223344",
      "set {char}0x20000001 = 0x99",
      "set {short}0x20000006 = 0x7788",
      "x/2xw 0x20000000",
      "x/1xb 0x20000003",
      "x/1xh 0x20000006",
      "set $r3 = 77",
      "info registers r3",
    ],
  });
  expect(server.program.complaints).toContain("Cortex-M0+ r0p1 processor detected");
  expect(said).toMatch(/0x20000000:\t0x11229944\t0x7788/);
  expect(said).toMatch(/0x20000003:\t0x11\n/);
  expect(said).toMatch(/0x20000006:\t0x7788\n/);
  expect(said).toMatch(/r3 +0x4d/);
});

test("OpenOCD's own driver flashes the board, which then starts and prints its line", async () => {
  const elf = firmware.firmware({ board: rp2040, place: "flash" });
  const board = withRom();
  await using server = await OpenOcd.start(board, { hasFlashDriver: true });
  const said = await gdb({
    port: server.port,
    elf,
    commands: ["monitor reset init", "load", "compare-sections", "monitor reset run"],
  });
  expect(server.program.complaints).toContain("win w25q16jv");
  expect(said).toContain("Section .text");
  expect(said).not.toContain("MIS-MATCHED");
  expect(await board.uart.line("data=")).toBe(firstLine(1));
  expect(board.nor.takeCounters()).toMatchObject({ erases: 1, missingEnables: 0, whileBusy: 0, strange: 0 });
  expect(board.strayWrites).toBe(0);
});

test("a breakpoint in flash stops the core where it stands, and single steps go on from there", async () => {
  const elf = firmware.firmware({ board: rp2040, place: "flash" });
  await using server = await OpenOcd.start(withRom(), { hasFlashDriver: true });
  const commands = ["monitor reset init", "load", "monitor reset halt", "thbreak report", "continue", "stepi", "stepi"];
  const said = await gdb({ port: server.port, elf, commands: [...commands, "p/x in_data", "p $pc >= report"] });
  expect(said).toContain("Temporary breakpoint 1, report ()");
  expect(said).toContain("$1 = 0xcafef00d");
});
