import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { readElf } from "../../../../src/core/elf.ts";
import { FlashError } from "../../../../src/core/errors.ts";
import { elfToAppImage, type AppImageOptions } from "../../../../src/targets/esp/elf-to-image.ts";
import { elfToEsp8266Files } from "../../../../src/targets/esp/elf-to-image-8266.ts";
import type { EspImageChip } from "../../../../src/targets/esp/image-chips.ts";
import { appDescriptionBytes, noise, writeElf, type SectionToWrite } from "../../../fixtures/elf-writer.ts";
import { espElf, places, type ProgramSizes } from "../../../fixtures/esp-elfs.ts";
import { readIndependently, type IndependentImage } from "../../../fixtures/esp-image-reader.ts";

const corpus = new URL("../../../../../shared/corpus/meter/elf/esp32c3/", import.meta.url);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const imageOf = (bytes: Uint8Array, chip: EspImageChip, options?: AppImageOptions) =>
  elfToAppImage(readElf(bytes, "app.elf"), chip, options);

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FlashError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no error";
}

// When these digests were written down, each image was, byte for byte, what the unmodified esptool 5.3.1 made of the same ELF with
// `esptool --chip <chip> elf2image`, and `esptool image-info` found its checksum and its hash valid.
describe("images are what they were when they equalled those of esptool 5.3.1", () => {
  test.each([
    ["base", "51d14cd9f27bad523eec72aab4547c0e6a620226dc133d4614d24867e9d452c4"],
    ["const", "5877c73ff7fe6eb97d186132760563295f80b9c28dccad960d5f7b929375331b"],
    ["early", "b3702b8e16a4a8aae9b105e0881991c777b9a36dcb5df77aa1baebe173d7c5ad"],
    ["late", "0f04140a2b7886d979d581a192772edba1e2e2d11370f4712b9cfa8dc15ac841"],
    ["newfunc", "cd93700b3bcba48f444f9d8705906efbcca7b8602caccef2af063894ba1ab7e1"],
    ["rebuild", "14aac3f0d7f63f394a5ad7a9c6f7c4b19c2aeebe822ef9d7b420fd1a9a05a913"],
    ["removed", "3c81cde41dd68a17a2dd2ad36939cb4fce98d1cd13db10c8844ab68703f3bacf"],
    ["static", "9c74752d88b05debb1603c26fa6664438873801bb3573afbee2720b5e8f294ba"],
    ["string", "f2cdb624c1f420030427eab738b910c95b6b24219fb57be294463ff48badd8e6"],
    ["struct", "783653e468135fce6216760d0a883916f91210c3000285f95295cbfe4d764f5e"],
    ["version", "f6c9d894b27795f639f299766693128da29cb789b8dd97a858ca530bd8969901"],
  ])("corpus %s", (name, digest) => {
    const bytes = new Uint8Array(gunzipSync(readFileSync(new URL(`${name}.elf.gz`, corpus))));
    expect(sha256(imageOf(bytes, "esp32c3"))).toBe(digest);
  });

  test.each<[EspImageChip, ProgramSizes, string]>([
    ["esp32", {}, "f3f2360448c9ad3e3d42281f5b9b5ed4c1983bd0ebaaa7ce682ec9ae2da1fd63"],
    ["esp32s2", {}, "8a9431772e670671076eb2b23410fb71cb3f69296e95af576b48d58c3dfd9a58"],
    ["esp32s3", {}, "94d4f7876f9825f47d422de46f58086e6f7285c7134e9dcdc49864323acb32ee"],
    ["esp32c2", {}, "6eb5db5c9d73e89ff3745a9b399dbc84add7b96721bbd7b648dce32308ca1bed"],
    ["esp32c3", {}, "90b794d6cdf0b429e76ccbefaa80aa8ed0a82252142296f57609d4a213f03457"],
    ["esp32c5", {}, "89497c730ef0f07992d0fb4187ee2d0e6b9d3fddd2c24d331db88de722de593c"],
    ["esp32c6", {}, "b7598bb5b1c0b03836ef95b6bf7ef8ecf788ec69c69f1515b029139907656329"],
    ["esp32c61", {}, "56b6f3d6e645e853636d47984cc8bc797bc8255bb2d4954453a4b2862fa9ca61"],
    ["esp32h2", {}, "f4b1dc00ffb29e97fd73e8cceea7d001aa42e4f68b0d7c068742f3a99cf6e2a3"],
    ["esp32p4", {}, "a997d3adaf4791ba24edfdcd3c7d279ad1200a1699dceea3d28c3c113b6aa344"],
    ["esp32", { code: 0xffe0, constants: 0xfee0 }, "b6ed0898a80acb882d95b4d831c0d263cc2193deb33cbc2d7392353ec597847c"],
    ["esp32s3", { data: 150_001, ramCode: 90_000 }, "008263e7cb54172d9d3f56e2cd54f9b9e6007bd56e25365af645451f4dec698f"],
    [
      "esp32c3",
      { code: 0xffe0, constants: 0xfee0 },
      "a517c6eefe545e726ea4936c382947bb0ebafa502b55c8809eae0f9e7750381a",
    ],
    ["esp32c6", { pageSizeLog2: 13 }, "569fb3c1510a04e0a5fff2286c088a1af96fb00a5d52621ab1b924a663e07402"],
    ["esp32c2", { pageSizeLog2: 14 }, "06aaf4f93602916e28a6d823563e4d71050094293706511f8a3f7fdc33c3ebac"],
    ["esp32h2", { data: 4, ramCode: 8 }, "bde416cc6aae5de2452c86ff0f445285cab4437519ed6927c048266a3345c846"],
  ])("%s %o", (chip, sizes, digest) => {
    expect(sha256(imageOf(espElf(chip, sizes), chip))).toBe(digest);
  });
});

/** What the format demands, read by a reader that shares nothing with the product. */
function checkStructure(image: IndependentImage, pageSize: number, isMapped: (address: number) => boolean): void {
  expect(image.checksumOk).toBe(true);
  expect(image.hashOk).toBe(true);
  expect(image.segments.length).toBeLessThanOrEqual(16);
  for (const segment of image.segments) {
    expect(segment.data.length % 4).toBe(0);
    if (isMapped(segment.address)) expect(segment.offset % pageSize).toBe(segment.address % pageSize);
    if (segment.address === 0) expect(segment.data.every((byte) => byte === 0)).toBe(true);
  }
}

/** Every byte of the ELF's sections stands exactly once where it belongs; the place of the ELF's digest is left out. */
function checkContents(image: IndependentImage, sections: readonly SectionToWrite[]): void {
  for (const { address, data, name } of sections) {
    const found = Buffer.alloc(data.length);
    let bytes = 0;
    for (const segment of image.segments) {
      const start = Math.max(segment.address, address);
      const end = Math.min(segment.address + segment.data.length, address + data.length);
      if (end <= start) continue;
      found.set(segment.data.subarray(start - segment.address, end - segment.address), start - address);
      bytes += end - start;
    }
    if (name === ".flash.appdesc") found.fill(0, 144, 176);
    expect(bytes, name).toBe(data.length);
    expect(found.equals(data), name).toBe(true);
  }
}

test("any program keeps its bytes, and mapped segments are congruent to their addresses", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0xff00, max: 0x1_0100 }), fc.nat(0x2_0000));
  const program = fc.record({
    chip: fc.constantFrom(...(Object.keys(places) as EspImageChip[])),
    constants: size,
    code: size,
    data: size,
    ramCode: fc.integer({ min: 1, max: 0x1_0000 }),
  });
  fc.assert(
    fc.property(program, ({ chip, constants, code, data, ramCode }) => {
      const place = places[chip];
      if (place === undefined) return;
      const sections: SectionToWrite[] = [
        { name: ".iram0.text", address: place.ramCode, data: noise(ramCode, 1) },
        { name: ".dram0.data", address: place.data, data: noise(data % 0x1_0000 || 4, 2) },
        { name: ".flash.appdesc", address: place.constants, data: appDescriptionBytes() },
        { name: ".flash.rodata", address: place.constants + 256, data: noise(constants || 4, 3) },
        { name: ".flash.text", address: place.code, data: noise(code % 0x1_8000 || 4, 4) },
      ];
      const elf = writeElf({ machine: place.machine, entry: place.ramCode, sections });
      const image = readIndependently(imageOf(elf, chip));
      const mapped = (address: number) =>
        Math.abs(address - place.constants) < 0x4_0000 || Math.abs(address - place.code) < 0x4_0000;
      checkStructure(image, 0x1_0000, (address) => mapped(address) && address !== place.data);
      checkContents(image, sections);
      expect(Buffer.from(image.segments[0]?.data.subarray(144, 176) ?? []).toString("hex")).toBe(sha256(elf));
    }),
    { numRuns: 60 },
  );
});

describe("the header", () => {
  test("says what the options say", () => {
    const bytes = imageOf(espElf("esp32s3"), "esp32s3", {
      mode: "dio",
      frequency: "80m",
      size: "16MB",
      minRevision: 2,
      maxRevision: 199,
    });
    expect(Buffer.from(bytes.subarray(0, 24)).toString("hex")).toBe("e905024f04413740ee0000000900000200c7000000000001");
  });

  test("says QIO, 1 MB and the frequency of code 0 when nothing is asked", () => {
    expect([...imageOf(espElf("esp32"), "esp32").subarray(2, 4)]).toEqual([0, 0]);
  });

  test("refuses settings that the chip does not have", () => {
    expect(failure(() => imageOf(espElf("esp32h2"), "esp32h2", { frequency: "80m" }))).toBe(
      "bad-image: there is no flash frequency of the ESP32-H2 80m; there is 48m, 24m, 16m, 12m",
    );
  });
});

test("a digest of the ELF that is already in the description stays", () => {
  const elf = espElf("esp32c3");
  const at = Buffer.from(elf).indexOf(Buffer.from("v5.5")) + 32;
  elf.fill(0x5a, at, at + 32);
  const segment = readIndependently(imageOf(elf, "esp32c3")).segments[0];
  expect(segment?.data.subarray(144, 176).every((byte) => byte === 0x5a)).toBe(true);
});

describe("what cannot become an image is refused", () => {
  const app =
    (chip: EspImageChip, sections: SectionToWrite[], machine = 243) =>
    () =>
      imageOf(writeElf({ machine, entry: 0x4037_c000, sections }), chip);

  test.each<[string, () => unknown, string]>([
    [
      "a program for another processor",
      () => imageOf(espElf("esp32c3"), "esp32"),
      "wrong-chip: app.elf is a program for riscv, the ESP32 is xtensa",
    ],
    [
      "a program for another chip of the family",
      () => imageOf(espElf("esp32c6"), "esp32c3"),
      "wrong-chip: app.elf: section .iram0.text (0x40800000 to 0x40802329) lies outside the memory of the ESP32-C3",
    ],
    [
      "an ESP8266",
      () => imageOf(espElf("esp32"), "esp8266"),
      "refused: app.elf: the image of an ESP8266 is not one file",
    ],
    [
      "two sections in one page",
      app("esp32c3", [
        { name: ".flash.rodata", address: 0x3c01_0020, data: noise(64, 1) },
        { name: ".flash.more", address: 0x3c01_0100, data: noise(64, 2) },
      ]),
      "bad-image: app.elf: .flash.rodata at 0x3c010020 and .flash.more at 0x3c010100 share a flash page of 0x10000 bytes",
    ],
    [
      "sections that overlap",
      app("esp32c3", [
        { name: ".a", address: 0x3fc9_0000, data: noise(64, 1) },
        { name: ".b", address: 0x3fc9_0020, data: noise(64, 2) },
      ]),
      "bad-image: app.elf: .a (0x3fc90000 to 0x3fc90040) overlaps .b, which starts at 0x3fc90020",
    ],
    [
      "too many segments",
      app(
        "esp32c3",
        Array.from({ length: 17 }, (_, i) => ({ name: `.s${i}`, address: 0x3fc9_0000 + i * 64, data: noise(8, i) })),
      ),
      "bad-image: app.elf needs 17 image segments, at most 16 can be",
    ],
    [
      "a page size that the chip cannot map",
      () => imageOf(espElf("esp32c3", { pageSizeLog2: 15 }), "esp32c3"),
      "bad-image: app.elf is linked for flash pages of 32768 bytes, which the ESP32-C3 cannot map",
    ],
    [
      "nothing stored",
      app("esp32c3", [{ name: ".bss", address: 0x3fc9_0000, data: new Uint8Array(8), type: 8 }]),
      "bad-image: app.elf has no section with contents for the ESP32-C3",
    ],
  ])("%s", (_, run, message) => expect(failure(run)).toBe(message));
});

describe("an ESP8266 program becomes two files", () => {
  const sections = [
    { name: ".data", address: 0x3ffe_8000, data: noise(1001, 1), flags: 3 },
    { name: ".rodata", address: 0x3ffe_8400, data: noise(2002, 2) },
    { name: ".text", address: 0x4010_0000, data: noise(7003, 3), flags: 6 },
    { name: ".irom0.text", address: 0x4021_0000, data: noise(30001, 4), flags: 6 },
  ];
  const elf = (list: readonly SectionToWrite[]) =>
    readElf(writeElf({ machine: 94, entry: 0x4010_0004, sections: list }), "app.elf");

  // Both equalled the files of `esptool --chip esp8266 elf2image --version 1` of esptool 5.3.1, byte for byte.
  test("at 0 and at the place of the code", () => {
    expect(elfToEsp8266Files(elf(sections)).map((f) => [f.address, f.data.length, sha256(f.data)])).toEqual([
      [0, 10048, "eb4e07578422c3d87639f12e88fe9e9f4651d4612a93766c01b69438270219e1"],
      [0x1_0000, 30004, "d5210d4586859267eb1e2f393b3d795f8856922305fbce37116c3eb458e81e27"],
    ]);
  });

  test("unless the code lies inside the RAM image", () => {
    const low = sections.map((s) => (s.name === ".irom0.text" ? { ...s, address: 0x4020_1000 } : s));
    expect(failure(() => elfToEsp8266Files(elf(low)))).toBe(
      "bad-image: app.elf: .irom0.text starts at flash offset 0x1000, inside the RAM image of 0x2740 bytes",
    );
  });
});
