/** Programs that run from RAM alone, put there by our own client on every board that we know. */
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { equalBytes } from "../../../src/core/bytes.ts";
import { readElf } from "../../../src/core/elf.ts";
import { makeCortexBoard } from "../../../src/sim/cortex-m/cortex-boards.ts";
import { serve } from "../../../src/sim/serve.ts";
import { systemClock } from "../../../src/engine/system-clock.ts";
import { checkRamProgram, type RamProgram } from "../../../src/targets/gdb/ram-image.ts";
import { loadIntoRam } from "../../../src/targets/gdb/ram-loader.ts";
import { failureOf } from "../transport-helpers.ts";
import { firstLine, qemuBoard, qemuBoards, rp2040, simulatedBoards, type CortexBoard } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { GdbSession } from "./gdb-session.ts";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { Rp2040Board } from "./rp2040-board.ts";
import { Rp2040JsServer } from "./rp2040js-server.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

/** At least 2 MHz: some thousand instructions for the line. */
const runMs = 50;

function programFor(board: CortexBoard, version = 1, place: "ram" | "flash" = "ram"): RamProgram {
  const path = firmware.firmware({ board, place, version });
  return checkRamProgram(readElf(readFileSync(path), `${board.machine}.elf`), {
    title: board.machine,
    ram: [{ address: board.ram.start, size: board.ram.bytes }],
    hasVectorTableOffset: board.define !== "MICROBIT",
  });
}

test.each(qemuBoards)("$machine runs a program from RAM, and another one after it", async (board) => {
  await using machine = await QemuBoard.start(board.machine);
  for (const version of [1, 2]) {
    await using session = await GdbSession.open(machine.port);
    let written = 0;
    const program = programFor(board, version);
    await loadIntoRam(session.client, program, (bytes) => (written += bytes));
    expect(await machine.uart.line(`v${version}`)).toBe(firstLine(version));
    expect(written).toBe(program.segments.reduce((sum, { data }) => sum + data.length, 0));
  }
});

test("an RP2040 behind OpenOCD runs a program from RAM, and its flash is as it was", async () => {
  const board = new Rp2040Board(firmware.bootRom());
  await using server = await OpenOcd.start(board);
  for (const version of [1, 2]) {
    await using session = await GdbSession.open(server.port);
    await loadIntoRam(session.client, programFor(rp2040, version));
    expect(await board.uart.line(`v${version}`)).toBe(firstLine(version));
  }
  expect(board.nor.takeCounters()).toEqual({
    erases: 0,
    erasedBytes: 0,
    pages: 0,
    missingEnables: 0,
    whileBusy: 0,
    strange: 0,
  });
  expect(board.nor.bytes.every((value) => value === 0xff)).toBe(true);
});

test("rp2040js, which cannot reset, runs a program from RAM", async () => {
  const board = new Rp2040Board();
  await using server = await Rp2040JsServer.start(board);
  await using session = await GdbSession.open(server.port);
  await loadIntoRam(session.client, programFor(rp2040));
  expect(await board.uart.line("v1")).toBe(firstLine(1));
});

test.each(
  simulatedBoards.flatMap((board) =>
    (["openocd", "pyocd", "st-util", "black-magic", "plain"] as const).map((server) => ({ board, server })),
  ),
)(
  "a simulated $board.machine behind $server runs a program from RAM, and another one after it",
  async ({ board, server }) => {
    const simulated = makeCortexBoard({ board: board.machine, server });
    const flash = simulated.flash.slice();
    await using served = await serve(simulated, "gdb://127.0.0.1:0", { speed: "real" });
    const port = Number(new URL(served.address).port);
    for (const version of [1, 2]) {
      {
        await using session = await GdbSession.open(port);
        await loadIntoRam(session.client, programFor(board, version));
        await systemClock.sleep(runMs);
      }
      // A simulated board has run so far as somebody asked it.
      await using again = await GdbSession.open(port);
      await again.client.readWords(board.ram.start, 1);
      expect(simulated.bootLog).toContain(firstLine(version));
    }
    expect(equalBytes(simulated.flash, flash)).toBe(true);
  },
);

test("a program for flash is refused with the sections that are to blame, before anything is asked of the board", async () => {
  const said = await failureOf(Promise.resolve().then(() => programFor(qemuBoard("microbit"), 1, "flash")));
  expect(said).toMatch(
    /^refused: microbit\.elf is no RAM program: \.text at 0x0, \.data at 0x[0-9a-f]+ are outside the RAM of the microbit \(0x20000000 to 0x20004000\)$/,
  );
});

test("memory that refuses, or does not hold what was written, is told by its address", async () => {
  const board = qemuBoard("lm3s811evb");
  await using machine = await QemuBoard.start(board.machine);
  await using session = await GdbSession.open(machine.port);
  const nowhere = programFor({ ...board, ram: { start: 0x30000000, bytes: 0x2000 } });
  expect(await failureOf(loadIntoRam(session.client, nowhere))).toMatch(/^refused: m 0x30000000 .* answered E14$/);

  await using server = await OpenOcd.start(new Rp2040Board());
  await using other = await GdbSession.open(server.port);
  const rom = programFor({ ...rp2040, ram: { start: 0x1000, bytes: 0x2000 } });
  expect(await failureOf(loadIntoRam(other.client, rom))).toBe(
    "verify-failed: .text: 0x1001 does not hold what was written",
  );
});
