/** What the benchmarks flash: the corpus's edit pairs, and one image of 1 MiB with the corpus's compressibility. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { readElf } from "../src/core/elf.ts";
import { elfToAppImage } from "../src/targets/esp/elf-to-image.ts";

export const targets = ["esp32c3", "stm32", "nrf51"] as const;
export const edits = [
  "const",
  "string",
  "early",
  "late",
  "newfunc",
  "struct",
  "static",
  "removed",
  "rebuild",
  "version",
] as const;
export type CorpusTarget = (typeof targets)[number];

const corpus = join(process.cwd(), "..", "shared", "corpus", "meter", "elf");

/**
 * The flash image of one variant: for esp32c3 the application image, for the Cortex-M targets the flat contents of the load
 * segments, which the benchmark flashes to the same simulated ESP32-C3 since only bytes and sectors count here.
 */
export function corpusImage(target: CorpusTarget, variant: string): Uint8Array {
  const name = `${target}/${variant}.elf`;
  const elf = readElf(gunzipSync(readFileSync(join(corpus, `${name}.gz`))), name);
  if (target === "esp32c3") return elfToAppImage(elf, "esp32c3");
  const loaded = elf.programHeaders.filter((header) => header.type === 1 && header.fileSize > 0);
  const start = Math.min(...loaded.map((header) => header.physicalAddress));
  const end = Math.max(...loaded.map((header) => header.physicalAddress + header.fileSize));
  const image = new Uint8Array(end - start).fill(0xff);
  for (const { fileOffset, fileSize, physicalAddress } of loaded)
    image.set(elf.bytes.subarray(fileOffset, fileOffset + fileSize), physicalAddress - start);
  return image;
}

/** Images of all three targets, one behind the other: further apart than deflate can see, so it packs like the corpus does. */
export function oneMegabyte(): Uint8Array {
  const image = new Uint8Array(0x100000);
  let at = 0;
  for (const variant of ["base", ...edits]) {
    for (const target of targets) {
      const part = corpusImage(target, variant).subarray(0, image.length - at);
      image.set(part, at);
      at += part.length;
    }
  }
  return image;
}
