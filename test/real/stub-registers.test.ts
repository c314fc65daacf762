import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { u32, v } from "../unit/stubs/frames.ts";
import { Conversation } from "./stub/conversation.ts";
import { startChip, xtensaChips, type ChipUnderTest } from "./stub/esp-machine.ts";
import { chipRow, parts } from "./stub/esp-parts.ts";
import { dataOf, flashBytes, loadParts } from "./stub/script.ts";

const chips = Object.keys(parts);
const sector = 0x1000;

async function greeted(chip: string, link: 0 | 1 = 0): Promise<{ machine: ChipUnderTest; stub: Conversation }> {
  const machine = startChip(chip, link);
  const stub = new Conversation(machine.wire);
  const { write, inflate } = machine.blob;
  await loadParts(stub, ...write, ...inflate);
  await stub.hello(flashBytes);
  return { machine, stub };
}

const perform = (stub: Conversation, ...ops: readonly number[]): Promise<string> => stub.perform(Uint8Array.from(ops));
const ram = (address: number, bytes: readonly number[]): readonly number[] => [
  0x40,
  ...v(address),
  ...v(bytes.length),
  ...bytes,
];
const run = (address: number): readonly number[] => [0x7f, ...v(address)];

/** Code RAM behind the stub and its other parts, of which the write part comes first. */
const freeCode = (machine: ChipUnderTest): number => {
  const start = Math.min(
    ...machine.blob.write.map(({ address }) => address).filter((address) => address >= 0x40000000),
  );
  return start + 0x3500;
};
/** Adds its first two arguments. */
const add = (chip: string): readonly number[] =>
  xtensaChips.includes(chip) ? [0x30, 0x22, 0x80, 0x0d, 0xf0] : [0x33, 0x05, 0xb5, 0x00, 0x67, 0x80, 0x00, 0x00];

describe.each(chips)("the stub of %s", (chip) => {
  test("puts code into RAM and calls it", async () => {
    const { machine, stub } = await greeted(chip);
    const at = freeCode(machine);
    const ops = [...ram(at, add(chip)), 0x41, ...v(at), ...v(40), ...v(2), ...v(0), ...v(0)];
    expect(await perform(stub, ...ops)).toBe(
      `reply 1 op 41 status 00 ${Buffer.from(u32(42)).toString("hex")}\nstatus 00 ops 3`,
    );
  });

  test("does not let itself be overwritten, under no address", async () => {
    const { machine, stub } = await greeted(chip);
    const { dataIsBelow = 0 } = chipRow(chip).ram.find(({ dataIsBelow: below }) => below !== undefined) ?? {};
    const own = machine.blob.segments.flatMap(({ address, data }) => [
      address,
      address + dataOf({ address, data }).length - 4,
    ]);
    const aliases = dataIsBelow === 0 ? [] : own.map((at) => (at >= 0x40000000 ? at - dataIsBelow : at + dataIsBelow));
    for (const at of [...own, ...aliases, machine.blob.bssStart, machine.blob.bssEnd - 4, 0x60000000, 0xfffffffe]) {
      expect(`${at.toString(16)} ${await perform(stub, ...ram(at, [1, 2, 3, 4]))}`).toContain("op 40 status 02");
      await stub.hello(flashBytes);
    }
  });

  test("reads and sets registers", async () => {
    const { machine, stub } = await greeted(chip);
    const divider = chipRow(chip).uartBase + 0x14;
    const read = [0x42, ...v(divider), ...v(0), ...v(0)];
    expect(await perform(stub, ...read)).toContain(
      `status 00 ${Buffer.from(u32(machine.board.divider)).toString("hex")}`,
    );
    const free = machine.blob.bssEnd;
    const set = [0x42, ...v(free), ...v(0x12345678), ...v(0xffffffff), 0x42, ...v(free), ...v(0xff), ...v(0x0f)];
    expect(await perform(stub, ...set)).toContain("op 42 status 00 7f563412");
  });

  test("leaves with the ROM's stack and interrupts", async () => {
    const { machine, stub } = await greeted(chip);
    const stack = machine.blob.bssEnd - 64;
    const at = freeCode(machine);
    expect(machine.state()).toMatchObject({ interrupts: false });
    machine.stopAt = at;
    expect(await stub.performLast(Uint8Array.from(run(at)))).toContain("op 7f status 00");
    await machine.wire.receive();
    expect(machine.processor.pc).toBe(at);
    expect(machine.state()).toEqual({ stack, interrupts: true });
  });

  test("changes the rate when the answer is out, and goes back if nobody follows", async () => {
    const { machine, stub } = await greeted(chip);
    const { board } = machine;
    const before = board.divider;
    await stub.control(2, u32(0x56));
    expect(board.divider).toBe(before);
    machine.run(10_000);
    expect(board.divider).toBe(0x56);
    await stub.control(3);
    machine.run(300_000);
    expect(board.divider).toBe(0x56);
    await stub.control(2, u32(0x11));
    machine.run(150_000);
    expect(board.divider).toBe(0x11);
    machine.run(100_000);
    expect(board.divider).toBe(0x56);
  });

  test("clears what protects the flash and leaves the rest of its status", async () => {
    const { machine, stub } = await greeted(chip);
    const { board } = machine;
    const flash = (opcode: number, ...out: readonly number[]): number =>
      board.nor.transact(opcode, 0, Uint8Array.from(out), { inBytes: 1, nowMs: board.us / 1000 })[0] ?? 0;
    flash(0x06);
    flash(0x01, 0x5c, 0x02);
    const crc = crc32(new Uint8Array(sector));
    const block = [0x20, ...v(2), ...v(1), ...v(crc), 0x24, ...v(sector), 0, 0x28, 0];
    expect(await perform(stub, ...block)).toBe("reply 2 op 28 status 00 00010000\nstatus 00 ops 4");
    expect([flash(0x05), flash(0x35)]).toEqual([0x40, 0x02]);
  });
});

const overUsb = chips.filter((chip) => parts[chip]?.usb !== undefined);

test.each(overUsb)(
  "the stub of %s leaves the watchdogs to the host, which stops them through the ROM",
  async (chip) => {
    for (const link of [0, 1] as const) {
      const { machine } = await greeted(chip, link);
      const touched = machine.board.log.map(([at]) => at);
      expect(touched).not.toContain(chipRow(chip).watchdog?.protect);
      expect(touched).not.toContain(parts[chip]?.superWatchdog?.protect);
    }
  },
);
