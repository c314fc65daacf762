/** What a profiler stands on: samples of the program counter through OpenOCD, without a halt. */
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { readElf } from "../../../src/core/elf.ts";
import { readSymbols } from "../../../src/core/symbols.ts";
import { checkRamProgram } from "../../../src/targets/gdb/ram-image.ts";
import { loadIntoRam } from "../../../src/targets/gdb/ram-loader.ts";
import { rp2040 } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { GdbSession } from "./gdb-session.ts";
import { OpenOcd } from "./openocd.ts";
import { rp2040Board } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());
const PCSR = 0xe000101c;
const samples = 400;

test("OpenOCD samples a running program, and never halts it", async () => {
  const elf = readElf(readFileSync(firmware.firmware({ board: rp2040, place: "ram", defines: ["SPIN"] })), "spin.elf");
  const chip = { title: "RP2040", ram: [{ address: 0x20000000, size: 0x40000 }], hasVectorTableOffset: true };
  const board = rp2040Board(firmware);
  await using server = await OpenOcd.start(board);
  await using session = await GdbSession.open(server.port);
  await loadIntoRam(session.client, checkRamProgram(elf, chip));
  await board.uart.line("data=");
  const { halts } = server.shim.core;

  const functions = readSymbols(elf).filter(({ kind }) => kind === "function");
  const found = new Map<string, number>();
  for (let sample = 0; sample < samples; sample++) {
    const [pc = 0] = await session.client.readWords(PCSR, 1);
    const name = functions.find(({ address, size }) => pc >= address && pc < address + size)?.name ?? "?";
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  expect(found.get("?") ?? 0).toBeLessThan(samples / 20);
  expect(found.get("spin_long") ?? 0).toBeGreaterThan(2 * (found.get("spin_short") ?? 0));
  expect(found.get("spin_short") ?? 0).toBeGreaterThan(samples / 20);
  expect(server.shim.core.halts).toBe(halts);
});
