import { describe, expect, test } from "vitest";
import { toHex } from "../../../../src/core/bytes.ts";
import { readElf } from "../../../../src/core/elf.ts";
import { FlashError } from "../../../../src/core/errors.ts";
import { checkRamProgram, type RamChip, type RamProgram } from "../../../../src/targets/gdb/ram-image.ts";
import { writeElf, type SectionToWrite } from "../../../fixtures/elf-writer.ts";

const ram = 0x2000_0000;
const chip: RamChip = {
  title: "LM3S811",
  ram: [
    { address: ram, size: 0x1000 },
    { address: ram + 0x1000, size: 0x1000 },
  ],
  hasVectorTableOffset: true,
};
const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const vectors = (stack = ram + 0x2000, reset = ram + 0x11): Uint8Array => words(stack, reset, 0, 0, 0x4770_4770);
const text = (data = vectors(), address = ram): SectionToWrite => ({ name: ".text", address, data });

function check(sections: readonly SectionToWrite[], on: RamChip = chip, machine = 40): RamProgram {
  return checkRamProgram(readElf(writeElf({ machine, entry: ram + 0x11, sections }), "blink.elf"), on);
}

function refusal(sections: readonly SectionToWrite[], on: RamChip = chip, machine = 40): string {
  try {
    check(sections, on, machine);
    return "no error";
  } catch (error) {
    return error instanceof FlashError ? `${error.code}: ${error.message}` : String(error);
  }
}

describe("a program for RAM", () => {
  test("is started behind its own bytes by code that sets vector table and stack", () => {
    const program = check([text(), { name: ".data", address: ram + 0x14, data: Uint8Array.of(1, 2, 3) }]);
    expect(program).toMatchObject({ start: ram + 0x18, vectorTable: ram, stackTop: ram + 0x2000, notes: [] });
    expect(program.segments.map(({ name, address, data }) => `${name} ${address.toString(16)} ${data.length}`)).toEqual(
      [".text 20000000 20", ".data 20000014 4", "the start in RAM 20000018 32"],
    );
    expect(toHex(program.segments[2]?.data ?? new Uint8Array())).toBe(
      "0548064a1060bff34f8fbff36f8f016881f308884068004700000020" + "08ed00e0",
    );
  });

  test("may reach over RAM that comes in two pieces, and is started before its bytes if none are free behind", () => {
    const data = new Uint8Array(0x1f80);
    data.set(words(ram + 0x2000, ram + 0x91));
    expect(check([text(data, ram + 0x80)]).start).toBe(ram + 0x60);
  });

  test("says that a Cortex-M0 takes interrupts from elsewhere", () => {
    expect(check([text()], { ...chip, hasVectorTableOffset: false }).notes).toEqual([
      "The LM3S811 takes interrupts from address 0, not from the program in RAM: leave them off, or remap.",
    ]);
  });

  test("has its vector table where a section is named so", () => {
    const sections = [
      { name: ".boot", address: ram, data: words(1, 2, 3, 4, 5) },
      { name: ".isr_vector", address: ram + 0x80, data: vectors(ram + 0x2000, ram + 9) },
    ];
    expect(check(sections).vectorTable).toBe(ram + 0x80);
  });
});

test("a program with sections in flash is refused by their names", () => {
  const data = { name: ".data", address: ram + 0x40, loadAddress: 0x14, data: words(7) };
  expect(refusal([{ ...text(vectors(), 0), loadAddress: 0 }, data])).toBe(
    "refused: blink.elf is no RAM program: .text at 0x0, .data at 0x14 are outside the RAM of the LM3S811 (0x20000000 to 0x20001000, 0x20001000 to 0x20002000)",
  );
});

test("a section that is stored elsewhere than it runs is refused, though both are RAM", () => {
  const data = { name: ".data", address: ram + 0x400, loadAddress: ram + 0x14, data: words(7) };
  expect(refusal([text(), data])).toBe(
    "refused: blink.elf stores sections elsewhere than they run: .data at 0x20000014 for 0x20000400",
  );
});

test.each([
  ["the stack at 0x10000000 is not in RAM (0x20000000 to 0x20001000, 0x20001000 to 0x20002000)", vectors(0x1000_0000)],
  ["the reset handler 0x20000010 is no Thumb code of this program", vectors(undefined, ram + 0x10)],
  ["the reset handler 0x20000101 is no Thumb code of this program", vectors(undefined, ram + 0x101)],
  ["there are no two words", words(ram + 0x2000)],
])("a vector table is refused: %s", (why, data) => {
  expect(refusal([text(data)])).toBe(`bad-image: blink.elf has no vector table at 0x20000000: ${why}`);
});

test("a vector table that VTOR cannot point to is refused, where there is a VTOR", () => {
  const sections = [text(vectors(undefined, ram + 0x51), ram + 0x40)];
  expect(refusal(sections)).toBe(
    "bad-image: blink.elf has no vector table at 0x20000040: it would have to begin at a multiple of 128",
  );
  expect(refusal(sections, { ...chip, hasVectorTableOffset: false })).toBe("no error");
});

test("a program that leaves no room for its start is refused", () => {
  const data = new Uint8Array(0x1ff0);
  data.set(vectors());
  expect(refusal([text(data)])).toBe(
    "does-not-fit: blink.elf fills the RAM of the LM3S811: 32 bytes have to stay free to start it",
  );
});

test("a program for another processor is refused", () => {
  expect(refusal([text()], chip, 243)).toBe("wrong-chip: blink.elf is a program for riscv, the LM3S811 is ARM");
});
