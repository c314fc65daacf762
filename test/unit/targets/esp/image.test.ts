import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { readElf } from "../../../../src/core/elf.ts";
import { FlashError } from "../../../../src/core/errors.ts";
import { elfToAppImage } from "../../../../src/targets/esp/elf-to-image.ts";
import { elfToEsp8266Files } from "../../../../src/targets/esp/elf-to-image-8266.ts";
import { describeImage, parseEspImage, requireChip, requireIntact } from "../../../../src/targets/esp/image.ts";
import { espImageChips, imageChips, type EspImageChip } from "../../../../src/targets/esp/image-chips.ts";
import { crc32 } from "../../../../src/targets/esp/image-format.ts";
import { noise, writeElf } from "../../../fixtures/elf-writer.ts";
import { espElf } from "../../../fixtures/esp-elfs.ts";

const small = { constants: 300, code: 500, data: 100, ramCode: 200 };
const appOf = (chip: EspImageChip) => elfToAppImage(readElf(espElf(chip, small), "app.elf"), chip, { minRevision: 3 });
const app = appOf("esp32c3");
const image8266 = (() => {
  const sections = [
    { name: ".data", address: 0x3ffe_8000, data: noise(100, 1), flags: 3 },
    { name: ".text", address: 0x4010_0000, data: noise(300, 3), flags: 6 },
  ];
  const elf = readElf(writeElf({ machine: 94, entry: 0x4010_0004, sections }), "app.elf");
  return elfToEsp8266Files(elf)[0]?.data ?? new Uint8Array();
})();

/** Version 2 of the ESP8266 format: header, code in flash, the image of version 1, CRC-32 (see the format's description). */
const image8266V2 = (() => {
  const head = Buffer.from("ea04002004001040000000004000", "hex");
  const body = Buffer.concat([head, Buffer.alloc(2), noise(64, 9), image8266]);
  const crc = crc32(body);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE((crc & 0x8000_0000) === 0 ? crc + 1 : ~crc >>> 0);
  return new Uint8Array(Buffer.concat([body, tail]));
})();

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FlashError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no error";
}

const change = (bytes: Uint8Array, at: number, value: number) => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};

describe("an application image", () => {
  test("is read with its header, segments and description", () => {
    const { name, app: description, hash, ...rest } = parseEspImage(app, "app.bin");
    expect(name).toBe("app.bin");
    expect(rest).toMatchInlineSnapshot(`
      {
        "checksum": {
          "ok": true,
          "stored": 47,
        },
        "chip": "esp32c3",
        "chipId": 5,
        "entry": 1077395716,
        "format": "e9",
        "maxRevision": 65535,
        "minRevision": 3,
        "mode": 0,
        "segments": [
          {
            "address": 1006698528,
            "fileOffset": 32,
            "size": 556,
          },
          {
            "address": 1070137344,
            "fileOffset": 596,
            "size": 100,
          },
          {
            "address": 1077395456,
            "fileOffset": 704,
            "size": 200,
          },
          {
            "address": 0,
            "fileOffset": 912,
            "size": 64648,
          },
          {
            "address": 1107296288,
            "fileOffset": 65568,
            "size": 500,
          },
        ],
        "sizeAndFrequency": 0,
        "totalLength": 66112,
      }
    `);
    expect({ ...description, elfSha256: "" }).toMatchInlineSnapshot(`
      {
        "date": "Jan  2 2026",
        "elfSha256": "",
        "idfVersion": "v5.5",
        "pageSize": undefined,
        "project": "blinker",
        "secureVersion": 0,
        "time": "11:22:33",
        "version": "1.4.0",
      }
    `);
    expect(hash?.ok).toBe(true);
  });

  test("is described in one line", () => {
    expect(describeImage(parseEspImage(app, "app.bin"))).toBe(
      "app.bin: ESP32-C3 image, blinker 1.4.0 built Jan  2 2026 11:22:33, 5 segments, 66112 bytes",
    );
  });

  test.each(espImageChips.filter((chip) => imageChips[chip].chipId !== undefined))("names its chip: %s", (chip) => {
    expect(parseEspImage(appOf(chip), "app.bin").chip).toBe(chip);
  });

  test("may be followed by other bytes", () => {
    const longer = new Uint8Array(Buffer.concat([app, Buffer.alloc(5000, 0xff)]));
    expect(parseEspImage(longer, "app.bin").totalLength).toBe(app.length);
  });

  test("for another chip is refused with both names", () => {
    const image = parseEspImage(app, "app.bin");
    requireChip(image, "esp32c3");
    expect(failure(() => requireChip(image, "esp32s3"))).toBe(
      "wrong-chip: app.bin is an image for ESP32-C3, the board is an ESP32-S3",
    );
    expect(failure(() => requireChip(parseEspImage(change(app, 12, 77), "app.bin"), "esp32c3"))).toBe(
      "wrong-chip: app.bin is an image for chip number 77, the board is an ESP32-C3",
    );
  });
});

describe("an ESP8266 image", () => {
  test("of version 1 is read", () => {
    const image = parseEspImage(image8266, "boot.bin");
    requireIntact(image);
    expect([image.format, image.chip, image.totalLength, image.segments.length]).toEqual([
      "e9-8266",
      "esp8266",
      432,
      2,
    ]);
  });

  test("of version 2 is read, with its CRC", () => {
    const image = parseEspImage(image8266V2, "app.bin");
    requireIntact(image);
    expect([image.format, image.segments[0]?.size, image.hash?.kind, image.hash?.ok]).toEqual([
      "ea-8266",
      64,
      "crc32",
      true,
    ]);
    const damaged = parseEspImage(change(image8266V2, 40, (image8266V2[40] ?? 0) ^ 1), "app.bin");
    expect(failure(() => requireIntact(damaged))).toBe(
      "bad-image: app.bin: the appended crc32 does not suit the contents",
    );
  });
});

describe("what is wrong is said", () => {
  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(), "bad-image: a.bin is not an ESP image: it is empty, not with 0xe9"],
    ["an ELF file", espElf("esp32"), "bad-image: a.bin is not an ESP image: it begins with 0x7f, not with 0xe9"],
    ["no segments", change(app, 1, 0), "bad-image: a.bin: the header says 0 segments, 1 to 16 can be"],
    ["too many segments", change(app, 1, 17), "bad-image: a.bin: the header says 17 segments, 1 to 16 can be"],
    [
      "a huge segment",
      change(app, 31, 0x7f),
      "bad-image: a.bin: segment 0 at file offset 0x20 claims 0x7f00022c bytes",
    ],
    [
      "a long segment",
      change(app, 30, 0x7f),
      "bad-image: a.bin: segment 0 (0x7f022c bytes at file offset 0x20) ends past the end of the file (66112 bytes)",
    ],
    [
      "no hash",
      app.subarray(0, app.length - 1),
      "bad-image: a.bin: the appended SHA-256 ends past the end of the file (66111 bytes)",
    ],
    [
      "a changed byte",
      change(app, 5000, 0x55),
      "bad-image: a.bin: the checksum at 0x1021f is 0x2f, which does not suit the contents",
    ],
    ["a changed header", change(app, 3, 0x55), "bad-image: a.bin: the appended sha256 does not suit the contents"],
  ])("%s", (_, bytes, message) => expect(failure(() => requireIntact(parseEspImage(bytes, "a.bin")))).toBe(message));
});

test("a file cut off anywhere is an error, never less contents", () => {
  for (const whole of [app, image8266, image8266V2]) {
    for (let length = 0; length < whole.length; length += 97) {
      const cut = whole.subarray(0, length);
      expect(
        failure(() => requireIntact(parseEspImage(cut, "a.bin"))),
        `${length} bytes`,
      ).toMatch(/^bad-image: /);
    }
  }
});

test("any damaged image gives a result or a FlashError", () => {
  const edits = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(app.subarray(0, 2000), image8266, image8266V2), edits, (whole, changes) => {
      const broken = whole.slice();
      for (const [at, value] of changes) if (at < broken.length) broken[at] = value;
      failure(() => requireIntact(parseEspImage(broken, "a.bin")));
    }),
    { numRuns: 500 },
  );
});

test("the CRC-32 is the usual one", () => {
  expect(crc32(Buffer.from("123456789"))).toBe(0xcbf4_3926); // check value of CRC-32/ISO-HDLC
});
