import { describe, expect, test } from "vitest";
import { chipNamed, type Chip } from "../../../../../src/targets/esp/chips.ts";
import { loadPatchStub } from "../../../../../src/targets/esp/patch-stub/blobs.ts";
import { processorMhz, scaledDivider } from "../../../../../src/targets/esp/patch-stub/divider.ts";

function chipByName(name: string): Chip {
  const chip = chipNamed(name);
  if (chip === undefined) throw new Error(`no ${name}`);
  return chip;
}

/** Whole clocks, and sixteenths of one above them. */
const dividerOf = (clock: number, baud: number): number => {
  const sixteenths = Math.round((clock * 16) / baud);
  return ((sixteenths & 0xf) << 20) | (sixteenths >>> 4);
};
const whole = (clock: number, baud: number): number => Math.round(clock / baud);

describe("the processor's clock, as the divider tells it", () => {
  test.each([115_200, 460_800, 921_600, 2_000_000])("at %i baud: an ESP32 with either crystal", (baud) => {
    const chip = chipByName("esp32");
    expect([26e6, 40e6].map((crystal) => processorMhz(chip, dividerOf(crystal, baud), baud))).toEqual([26, 40]);
  });

  test.each([74_880, 115_200, 460_800])("at %i baud: an ESP8266, at twice its crystal", (baud) => {
    const chip = chipByName("esp8266");
    expect([52e6, 80e6].map((clock) => processorMhz(chip, whole(clock, baud), baud))).toEqual([52, 80]);
  });

  test("no other stub wants to know it", () => {
    const names = ["esp32s2", "esp32s3", "esp32c2", "esp32c3"] as const;
    expect(names.map((name) => processorMhz(chipByName(name), 347, 115_200))).toEqual(names.map(() => undefined));
  });
});

describe("the divider for another rate", () => {
  test("keeps sixteenths where there are some", () => {
    expect(scaledDivider(0x400000 | 347, 115_200 / 921_600, true)).toBe(0x700000 | 43); // 347 4/16 and 43 7/16
  });

  test("is whole on an ESP8266, whatever stands above", () => {
    expect(scaledDivider(0xf00000 | 451, 115_200 / 460_800, false)).toBe(113);
  });
});

test("the stub is told its link and its clock by the two words, and nothing else changes", async () => {
  const chip = chipByName("esp32");
  const words = async (clockMhz: number | undefined, link: "uart" | "usb-serial-jtag") => {
    const stub = await loadPatchStub(chip, undefined, { link, clockMhz });
    const data = Buffer.from(stub?.program.pieces[1]?.data ?? []);
    return { link: data.readUInt32LE(0), clock: data.readUInt32LE(4), rest: data.toString("hex", 8) };
  };
  const built = await words(undefined, "uart");
  expect(built).toMatchObject({ link: 0, clock: 40 });
  expect(await words(26, "usb-serial-jtag")).toEqual({ ...built, link: 1, clock: 26 });
});
