import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { hex } from "../../../src/core/bytes.ts";
import { isElf, loadSegments, readElf } from "../../../src/core/elf.ts";
import { FlashError } from "../../../src/core/errors.ts";
import { noise, writeElf } from "../../fixtures/elf-writer.ts";

const corpus = new URL("../../../../shared/corpus/meter/elf/", import.meta.url);
const corpusElf = (path: string) => new Uint8Array(gunzipSync(readFileSync(new URL(path, corpus))));

const small = writeElf({
  machine: 40,
  entry: 0x0800_0101,
  sections: [
    { name: ".text", address: 0x0800_0000, data: noise(600, 1), flags: 6 },
    { name: ".data", address: 0x2000_0000, loadAddress: 0x0800_0258, data: noise(40, 2), flags: 3 },
    { name: ".bss", address: 0x2000_0028, data: new Uint8Array(64), type: 8, flags: 3 },
    { name: ".comment", address: 0, data: noise(12, 3), flags: 0x30 },
  ],
});

function change(bytes: Uint8Array, edit: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  edit(new DataView(copy.buffer));
  return copy;
}

function failure(bytes: Uint8Array): string {
  try {
    loadSegments(readElf(bytes, "app.elf"));
  } catch (error) {
    if (error instanceof FlashError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no error";
}

describe("a linked program", () => {
  test("is read with its sections at the addresses where they are stored", () => {
    const elf = readElf(small, "app.elf");
    const rows = elf.sections.map(
      (s) => `${s.name} ${hex(s.address)} at ${hex(s.loadAddress)}, ${s.size} bytes, ${s.data.length} stored`,
    );
    expect(`${elf.machine} from ${hex(elf.entry)}\n${rows.join("\n")}`).toMatchInlineSnapshot(`
      "arm from 0x8000101
      .text 0x8000000 at 0x8000000, 600 bytes, 600 stored
      .data 0x20000000 at 0x8000258, 40 bytes, 40 stored
      .bss 0x20000028 at 0x20000028, 64 bytes, 0 stored
      .comment 0x0 at 0x0, 12 bytes, 12 stored
      .shstrtab 0x0 at 0x0, 37 bytes, 37 stored"
    `);
  });

  test("gives segments for what a loader stores, and nothing else", () => {
    const rows = loadSegments(readElf(small, "app.elf")).map((s) => `${s.name} ${hex(s.address)} ${s.data.length}`);
    expect(rows).toEqual([".text 0x8000000 600", ".data 0x8000258 40"]);
  });

  test("without sections is read through its program headers", () => {
    const bytes = writeElf({
      machine: 243,
      entry: 0,
      sections: [{ name: "x", address: 0x4080_0000, data: noise(16, 1) }],
      withoutSections: true,
    });
    expect(loadSegments(readElf(bytes, "x.elf")).map((s) => `${s.name} ${hex(s.address)}`)).toEqual([
      "segment 0 0x40800000",
    ]);
  });

  test("views the file and copies nothing", () => {
    for (const segment of loadSegments(readElf(small, "app.elf"))) expect(segment.data.buffer).toBe(small.buffer);
  });

  test("of the corpus is read, ARM and RISC-V", () => {
    const rows = ["stm32", "nrf51", "esp32c3"].map((target) => {
      const elf = readElf(corpusElf(`${target}/base.elf.gz`), "base.elf");
      const segments = loadSegments(elf).map((s) => `${s.name} ${hex(s.address)} ${s.data.length}`);
      return `${target}: ${elf.machine} from ${hex(elf.entry)}: ${segments.join(", ")}`;
    });
    expect(rows.join("\n")).toMatchInlineSnapshot(`
      "stm32: arm from 0x8005bc5: .text 0x8000000 108248, .rodata 0x801a6d8 21940, .ARM.exidx 0x801fc8c 8, .data 0x801fc94 2732
      nrf51: arm from 0x5869: .text 0x0 112300, .rodata 0x1b6b0 25836, .ARM.exidx 0x21b9c 8, .data 0x21ba4 2732
      esp32c3: riscv from 0x4037c102: .flash.appdesc 0x3c020020 256, .flash.rodata 0x3c020120 25648, .dram0.data 0x3fc90000 304, .iram0.text 0x4037c000 400, .flash.text 0x42000020 94432"
    `);
  });

  test("of 4 MiB is read in milliseconds", () => {
    const bytes = writeElf({
      machine: 40,
      entry: 0,
      sections: [{ name: ".text", address: 0x1000, data: new Uint8Array(4 << 20) }],
    });
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      loadSegments(readElf(bytes, "big.elf"));
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(5);
  });
});

describe("what is wrong is said", () => {
  test.each<[string, Uint8Array, string]>([
    ["text", Buffer.from("hello"), "bad-image: app.elf is not an ELF file: it does not begin with 7f 45 4c 46"],
    ["nothing", new Uint8Array(0), "bad-image: app.elf is not an ELF file: it does not begin with 7f 45 4c 46"],
    ["a header cut off", small.subarray(0, 51), "bad-image: app.elf is cut off inside the ELF header: 51 bytes"],
    [
      "64 bits",
      change(small, (v) => v.setUint8(4, 2)),
      "bad-image: app.elf is a 64-bit ELF file; a 32-bit little-endian program is needed",
    ],
    [
      "big-endian",
      change(small, (v) => v.setUint8(5, 2)),
      "bad-image: app.elf is a big-endian ELF file; a 32-bit little-endian program is needed",
    ],
    [
      "an object file",
      change(small, (v) => v.setUint16(16, 1, true)),
      "bad-image: app.elf is an object file that was not linked yet; a 32-bit little-endian program is needed",
    ],
    ["another machine", change(small, (v) => v.setUint16(18, 62, true)), "bad-image: app.elf is for machine number 62"],
    [
      "a huge section table",
      change(small, (v) => v.setUint32(32, 0xffff_ff00, true)),
      "bad-image: app.elf: section header table (0xf0 bytes at file offset 0xffffff00) ends past the end of the file (1080 bytes)",
    ],
    [
      "a small entry",
      change(small, (v) => v.setUint16(46, 8, true)),
      "bad-image: app.elf: the section header table has entries of 8 bytes",
    ],
    [
      "no name table",
      change(small, (v) => v.setUint16(50, 99, true)),
      "bad-image: app.elf: section 99 should hold the names, but there are 6",
    ],
  ])("%s", (_, bytes, message) => expect(failure(bytes)).toBe(message));

  test("a section outside the file, with its place", () => {
    const table = new DataView(small.buffer).getUint32(32, true);
    const broken = change(small, (v) => v.setUint32(table + 40 + 20, 0x1_0000, true));
    expect(failure(broken)).toBe(
      "bad-image: app.elf: section .text (0x10000 bytes at file offset 0x94) ends past the end of the file (1080 bytes)",
    );
  });

  test("sections that overlap", () => {
    const sections = [
      { name: ".text", address: 0x100, data: noise(64, 1) },
      { name: ".rodata", address: 0x120, data: noise(8, 1) },
    ];
    expect(failure(writeElf({ machine: 40, entry: 0, sections }))).toBe(
      "bad-image: .text (0x100 to 0x140) overlaps .rodata, which starts at 0x120",
    );
  });

  test("nothing to load", () => {
    const sections = [{ name: ".comment", address: 0, data: noise(8, 1), flags: 0 }];
    expect(failure(writeElf({ machine: 40, entry: 0, sections }))).toBe(
      "bad-image: app.elf holds nothing that could be loaded",
    );
  });
});

test("a file cut off anywhere is an error, never less contents", () => {
  for (const whole of [small, corpusElf("esp32c3/base.elf.gz")]) {
    for (let length = 0; length < whole.length; length += 97) {
      expect(failure(whole.subarray(0, length)), `${length} bytes`).toMatch(/^bad-image: /);
    }
  }
});

test("any damaged header gives a result or a FlashError", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (edits) => {
      const broken = small.slice();
      for (const [at, value] of edits) broken[at] = value;
      failure(broken);
    }),
    { numRuns: 500 },
  );
});

test("any sections come back as they were written", () => {
  const sections = fc
    .array(fc.record({ size: fc.integer({ min: 1, max: 300 }), gap: fc.nat(64), lma: fc.nat(3) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((rows) => {
      let at = 0x1000;
      return rows.map((row, index) => {
        const address = at + row.gap;
        at = address + row.size;
        const loadAddress = address + row.lma * 0x0100_0000;
        return { name: `.s${index}`, address, loadAddress, data: noise(row.size, index) };
      });
    });
  fc.assert(
    fc.property(sections, (written) => {
      const elf = readElf(writeElf({ machine: 94, entry: 4, sections: written }), "a.elf");
      const expected = [...written].sort((a, b) => a.loadAddress - b.loadAddress);
      expect(loadSegments(elf).map((s) => [s.name, s.address, Buffer.from(s.data).toString("hex")])).toEqual(
        expected.map((s) => [s.name, s.loadAddress, Buffer.from(s.data).toString("hex")]),
      );
    }),
  );
});

test("the magic number tells an ELF file", () => {
  expect(isElf(small)).toBe(true);
  expect(isElf(Buffer.from(":00000001FF"))).toBe(false);
});
