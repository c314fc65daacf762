/** The command line, as its users run it, against GDB servers and chips that we did not write. */
import { expect, test, afterAll } from "vitest";
import { Desk } from "../cli-helper.ts";
import { firstLine, qemuBoard, rp2040 } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { Rp2040Board } from "./rp2040-board.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

const corpus = "../shared/corpus/meter/elf/nrf51";
const done = { code: 0, report: { result: "flashed", error: null } };

test("the corpus firmware boots from a real nRF51 of QEMU's; an edit writes one page, and nothing writes nothing", async () => {
  await using desk = new Desk();
  await using board = await QemuBoard.start("microbit");
  const port = `gdb://127.0.0.1:${board.port}`;
  const flash = (kind: string) => desk.flash([`${corpus}/${kind}.elf.gz`, "--port", port]);

  const first = await flash("base");
  expect(first).toMatchObject({ ...done, report: { ...done.report, chip: "nrf51822", written: { sectors: 138 } } });
  expect(await board.uart.line("meter 2.3.1")).toContain("on nrf51822");
  await board.uart.line("16 of 16 tests passed");

  board.uart.forget();
  const again = await flash("base");
  expect(again).toMatchObject({ code: 0, report: { result: "unchanged", written: { sectors: 0, erasedBytes: 0 } } });
  expect(await board.uart.line("meter 2.3.1")).toContain("on nrf51822");

  board.uart.forget();
  const edited = await flash("const");
  expect(edited).toMatchObject({ ...done, report: { ...done.report, written: { sectors: 1, erasedBytes: 1024 } } });
  await board.uart.line("16 of 16 tests passed");

  const shifted = await flash("string");
  expect(shifted).toMatchObject(done);
  expect(shifted.report.spans.some(({ phase, roundTrips = 0 }) => phase === "write" && roundTrips > 0)).toBe(true);
});

test("somebody else's write between two flashes is found and repaired", async () => {
  await using desk = new Desk();
  await using board = await QemuBoard.start("microbit");
  const port = `gdb://127.0.0.1:${board.port}`;
  const elf = (version: number) =>
    firmware.firmware({ board: qemuBoard("microbit"), place: "flash", version, defines: [] });
  await desk.flash([elf(1), "--port", port]);
  await using other = new Desk(); // has a record of its own
  await other.flash([elf(2), "--port", port]);
  board.uart.forget();
  const { report } = await desk.flash([elf(1), "--port", port]);
  expect(report).toMatchObject({ result: "flashed", error: null });
  expect(report.notes.join()).toContain("Something else has written to this board");
  expect(await board.uart.line("data=")).toBe(firstLine(1));
});

test("through the real OpenOCD our loader streams to an RP2040, which starts what was written", async () => {
  await using desk = new Desk();
  const board = new Rp2040Board(firmware.bootRom());
  await using server = await OpenOcd.start(board, { hasFlashDriver: true });
  const port = `gdb://127.0.0.1:${server.port}`;
  const flash = (version: number, ...options: readonly string[]) =>
    desk.flash([firmware.firmware({ board: rp2040, place: "flash", version }), "--port", port, ...options]);

  const first = await flash(1);
  expect(first).toMatchObject({ ...done, report: { ...done.report, chip: "rp2040", written: { sectors: 1 } } });
  expect(await board.uart.line("data=")).toBe(firstLine(1));
  expect(await flash(1)).toMatchObject({ code: 0, report: { result: "unchanged" } });

  board.uart.forget();
  expect(await flash(2)).toMatchObject({ ...done, report: { ...done.report, written: { sectors: 1 } } });
  expect(await board.uart.line("data=")).toBe(firstLine(2));

  board.uart.forget();
  const byServer = await flash(3, "--no-stub");
  expect(byServer).toMatchObject(done);
  expect(byServer.report.spans.some(({ label }) => label === "server's flash driver")).toBe(true);
  expect(await board.uart.line("data=")).toBe(firstLine(3));
  expect(board.nor.takeCounters()).toMatchObject({ missingEnables: 0, whileBusy: 0, strange: 0 });
});

test.each(["mps2-an385", "mps2-an500", "mps2-an505", "netduinoplus2", "microbit"])(
  "a program for RAM runs on %s, and a program for flash is refused by its sections",
  async (machine) => {
    await using desk = new Desk();
    const target = qemuBoard(machine);
    await using board = await QemuBoard.start(machine);
    const port = `gdb://127.0.0.1:${board.port}`;
    const loaded = await desk.flash([firmware.firmware({ board: target, place: "ram" }), "--port", port, "--ram"]);
    expect(loaded).toMatchObject({ code: 0, report: { result: "loaded", error: null } });
    expect(await board.uart.line("data=")).toBe(firstLine(1));
    const refused = await desk.flash([`${corpus}/base.elf.gz`, "--port", port, "--ram"]);
    expect(refused).toMatchObject({ code: 1, report: { result: "failed", error: { code: "refused" } } });
    expect(refused.stderr).toMatch(/is no RAM program: \.\w+.* at 0x0/);
  },
);

test("a port on which nobody serves, and a program for another processor, are said in a sentence", async () => {
  await using desk = new Desk();
  const nobody = await desk.flash([`${corpus}/base.elf.gz`, "--port", "gdb://127.0.0.1:9"]);
  expect(nobody).toMatchObject({ code: 1, report: { error: { code: "board-not-found" } } });
  const esp = await desk.flash(["test/fixtures/firmware/meter-esp32c3-base.elf.gz", "--port", "gdb://127.0.0.1:9"]);
  expect(esp.report.error).toMatchObject({ code: "wrong-chip" });
});
