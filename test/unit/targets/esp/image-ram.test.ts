import { describe, expect, test } from "vitest";
import { hex } from "../../../../src/core/bytes.ts";
import { readElf } from "../../../../src/core/elf.ts";
import { FlashError } from "../../../../src/core/errors.ts";
import { checkRamProgram } from "../../../../src/targets/esp/ram-image.ts";
import { noise, writeElf, type SectionToWrite } from "../../../fixtures/elf-writer.ts";
import { espElf } from "../../../fixtures/esp-elfs.ts";

const program = (sections: SectionToWrite[], entry = 0x4038_0000) =>
  readElf(writeElf({ machine: 243, entry, sections }), "blink.elf");
const code = { name: ".text", address: 0x4038_0000, data: noise(101, 1), flags: 6 };

function outcome(elf: ReturnType<typeof program>): string {
  try {
    return checkRamProgram(elf, "esp32c3")
      .map((s) => `${s.name} ${hex(s.address)} ${s.data.length}`)
      .join(", ");
  } catch (error) {
    if (error instanceof FlashError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe("a RAM program", () => {
  test("is loaded in whole words, by address", () => {
    const data = { name: ".data", address: 0x3fc8_4000, data: noise(8, 2), flags: 3 };
    expect(outcome(program([code, data]))).toBe(".data 0x3fc84000 8, .text 0x40380000 104");
  });

  test.each<[string, ReturnType<typeof program>, string]>([
    [
      "flash addresses",
      readElf(espElf("esp32c3"), "app.elf"),
      "refused: app.elf is no RAM program: the ESP32-C3 has flash at the place of .flash.appdesc at 0x3c010020, .flash.rodata at 0x3c010120, .flash.text at 0x42000020",
    ],
    [
      "another processor",
      readElf(espElf("esp32"), "app.elf"),
      "wrong-chip: app.elf is a program for xtensa, the ESP32-C3 is riscv",
    ],
    [
      "no memory there",
      program([{ ...code, address: 0x2000_0000 }]),
      "wrong-chip: blink.elf: .text (0x20000000 to 0x20000065) lies outside the RAM of the ESP32-C3",
    ],
    [
      "past the end of RAM",
      program([{ ...code, address: 0x403d_ffc0 }]),
      "wrong-chip: blink.elf: .text (0x403dffc0 to 0x403e0025) lies outside the RAM of the ESP32-C3",
    ],
    [
      "an entry elsewhere",
      program([code], 0x4038_1000),
      "bad-image: blink.elf: the entry 0x40381000 is in none of the parts that are loaded",
    ],
  ])("is refused with %s", (_, elf, message) => expect(outcome(elf)).toBe(message));
});
