import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blobs, buildNumber, chips, sourceHash } from "../../../stubs/sources.mjs";

interface Blob {
  readonly sourceHash: string;
  readonly build: number;
  readonly entry: number;
  readonly segments: readonly { readonly address: number; readonly data: string }[];
  readonly write: readonly { readonly address: number; readonly data: string }[];
  readonly inflate: readonly { readonly address: number; readonly data: string }[];
  readonly linkWord: number;
  readonly codeBytes: number;
}

const readBlob = (name: string): Blob => JSON.parse(readFileSync(join(blobs, `${name}.json`), "utf8")) as Blob;

/**
 * RAM that the ROM uses while it loads, first address and the one behind. Measured in the mask ROMs of ESP32, C3 and S3; the others: the comments on memory in
 * esp-idf components/bootloader/subproject/main/ld/<chip>. ESP8266: the RAM above the loaders' window.
 */
const romRam: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  esp8266: [[0x3fffc000, 0x40000000]],
  esp32: [
    [0x3ffae000, 0x3ffae300],
    [0x3ffc0000, 0x3ffc1900],
    [0x3ffc4000, 0x3ffceb00],
    [0x3ffe0000, 0x3ffe4000],
  ],
  esp32s2: [[0x3ffeab00, 0x40000000]],
  esp32s3: [[0x3fcd7e00, 0x3fcf0000]],
  esp32c2: [[0x3fccb264, 0x3fce0000]],
  esp32c3: [[0x3fccae00, 0x3fce0000]],
  esp32c5: [[0x4084e5a0, 0x40860000]],
  esp32c6: [[0x4086ad08, 0x40880000]],
  esp32c61: [[0x4083e670, 0x40850000]],
  esp32h2: [[0x4083ba78, 0x40850000]],
  esp32p4: [[0x4ffa96b8, 0x4ffc0000]],
  "esp32p4-rev1": [[0x4ff296b8, 0x4ff40000]],
};
/** Code and data buses show one memory: the data bus's address of code is so much lower. */
const codeAbove: Readonly<Record<string, number>> = {
  esp32s2: 0x70000,
  esp32s3: 0x6f0000,
  esp32c2: 0x6e0000,
  esp32c3: 0x700000,
};

describe.each(["core", ...chips])("%s", (name) => {
  test("is made of the sources that stand here (npm run stubs)", () => {
    const blob = readBlob(name);
    expect(blob.sourceHash).toBe(sourceHash());
    expect(blob.build).toBe(buildNumber(sourceHash()));
  });
});

describe.each(chips)("%s", (chip) => {
  const { segments, write, inflate, entry, linkWord, codeBytes } = readBlob(chip);
  const places = [...segments, ...write, ...inflate].map(({ address, data }) => {
    const start = address >= 0x40000000 ? address - (codeAbove[chip] ?? 0) : address;
    return { start, end: start + Buffer.from(data, "base64").length };
  });

  test("lies where the ROM can load it", () => {
    expect(romRam[chip]).toBeDefined();
    for (const { start, end } of places)
      for (const [from, to] of romRam[chip] ?? []) expect(end <= from || start >= to).toBe(true);
    const sorted = places.toSorted((a, b) => a.start - b.start);
    sorted.slice(1).forEach((place, index) => expect(place.start).toBeGreaterThanOrEqual(sorted[index]?.end ?? 0));
  });

  test("begins and has its link word in what is loaded first", () => {
    const isLoaded = (at: number): boolean =>
      segments.some(({ address, data }) => at >= address && at + 4 <= address + Buffer.from(data, "base64").length);
    expect(isLoaded(entry) && isLoaded(linkWord) && linkWord % 4 === 0).toBe(true);
    for (const { address, data } of segments) {
      expect(address % 4).toBe(0);
      expect(Buffer.from(data, "base64").length % 4).toBe(0);
    }
  });

  test("has a boot part of at most 4 KiB, which is uploaded in 0.05 s at 921600 baud", () => {
    const total = segments.reduce((sum, { data }) => sum + Buffer.from(data, "base64").length, 0);
    expect(total).toBe(codeBytes);
    expect(codeBytes).toBeLessThanOrEqual(4096);
  });
});
