import { expect, test } from "vitest";
import { hex } from "../../../src/core/bytes.ts";
import {
  decodeDigests,
  encodeRanges,
  loaderCommand,
  loaderDigest,
  progressOf,
} from "../../../src/targets/gdb/loader-abi.ts";
import { noise } from "../stubs/operations.ts";
import { layout, ram, registers, Rig } from "./machine.ts";

const names = new Map([
  [0x4000f000, "RESETS clear"],
  [0x40024000, "XOSC"],
  [0x4002400c, "XOSC startup"],
  [0x40028000, "PLL CS"],
  [0x40028008, "PLL FBDIV"],
  [0x4002800c, "PLL PRIM"],
  [0x4002b004, "PLL PWR clear"],
  [0x4000803c, "CLK_SYS"],
  [0x40010004, "PSM FRCE_OFF"],
]);

/** @param hasCrystal or the oscillator never gets stable */
function chip(state: { readonly hasCrystal: boolean; readonly isLocked: boolean }) {
  const flash = ram(0x10000000, 0x1000);
  flash.bytes.set(noise(0x1000, 3));
  const log: string[] = [];
  const values = new Map<number, number>();
  const peripherals = registers(0x40000000, 0x30000, {
    load: (offset) => {
      const address = 0x40000000 + offset;
      if (address === 0x4000c008) return values.get(0x4000f000) ?? 0; // out of reset at once
      if (address === 0x40024004) return state.hasCrystal && values.has(0x40024000) ? 0x80000000 : 0;
      if (address === 0x40028000) return state.isLocked || values.has(0x4002b004) ? 0x80000000 : 0;
      if (address === 0x40008044) return 1 << (values.get(0x4000803c) ?? 0);
      if (address === 0x40010004) return values.get(address) ?? 0;
      throw new Error(`a read of ${hex(address)}`);
    },
    store: (offset, value) => {
      const address = 0x40000000 + offset;
      values.set(address, value);
      const name = names.get(address);
      if (name !== undefined) log.push(`${name} = ${hex(value)}`);
      else if (address < 0x40018000 || address >= 0x40018030) throw new Error(`a write to ${hex(address)}`);
    },
  });
  const plain = (start: number, fixed: Readonly<Record<number, number>> = {}) => {
    const kept = new Map<number, number>();
    return registers(start, 0x100, {
      load: (offset) => fixed[offset] ?? kept.get(offset) ?? 0,
      store: (offset, value) => kept.set(offset, value),
    });
  };
  // A byte is there at once, and it says that the flash is idle.
  const ssi = plain(0x18000000, { 0x28: 8, 0x60: 0 });
  const rig = new Rig("rp2040-ssi", [flash, peripherals, ssi, plain(0x14000000)]);
  rig.put({ command: loaderCommand.digest, count: 1 }, encodeRanges([{ address: 0x10000000, size: 0x1000 }]));
  rig.go();
  expect(progressOf(rig.mailboxWords).status).toBe(0);
  const digest = decodeDigests(rig.ram.bytes.subarray(layout.buffer, layout.buffer + 8));
  expect(digest).toEqual([loaderDigest(flash.bytes)]);
  return log;
}

test("after a reset the crystal's 12 MHz become 125 MHz, as the data sheet says", () => {
  expect(chip({ hasCrystal: true, isLocked: false }).join("\n")).toMatchInlineSnapshot(`
    "PSM FRCE_OFF = 0x10000
    PSM FRCE_OFF = 0x0
    XOSC startup = 0x2f
    XOSC = 0xfabaa0
    RESETS clear = 0x1000
    PLL CS = 0x1
    PLL FBDIV = 0x7d
    PLL PWR clear = 0x21
    PLL PRIM = 0x62000
    PLL PWR clear = 0x8
    CLK_SYS = 0x0
    CLK_SYS = 0x1
    RESETS clear = 0x240"
  `);
});

test("a chip that runs by its PLL already is left at that", () => {
  expect(chip({ hasCrystal: true, isLocked: true })).toEqual([
    "PSM FRCE_OFF = 0x10000",
    "PSM FRCE_OFF = 0x0",
    "RESETS clear = 0x240",
  ]);
});

test("a board without a crystal stays slow, and works", () => {
  expect(chip({ hasCrystal: false, isLocked: false }).join("\n")).not.toContain("CLK_SYS");
});
