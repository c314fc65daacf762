/** Contents for a board as it comes from the factory: a minimal bootloader image and the default partition table. */
import { sha256 } from "../core/digest.ts";
import { createHash } from "node:crypto";
import type { EspChip } from "./esp-chip-parts.ts";
import { TABLE_AT } from "./esp-partitions.ts";
import { Random } from "./random.ts";

const BOOTLOADER_BYTES = 0x4000;
const HEADER_BYTES = 24;

/** ESP-IDF's default single-application table: nvs, phy_init, factory. */
const rows = [
  { type: 1, subtype: 0x02, offset: 0x9000, size: 0x6000, label: "nvs" },
  { type: 1, subtype: 0x01, offset: 0xf000, size: 0x1000, label: "phy_init" },
  { type: 0, subtype: 0x00, offset: 0x10000, size: 0x100000, label: "factory" },
] as const;

/** Writes both; an ESP8266 gets nothing, since its only image is the application. */
export function provision(flash: Uint8Array, chip: EspChip): void {
  if (chip.id === "esp8266") return;
  flash.set(bootloaderImage(chip), chip.bootloaderAt);
  flash.set(partitionTable(flash.length), TABLE_AT);
}

function bootloaderImage(chip: EspChip): Uint8Array {
  const random = new Random(chip.imageChipId ?? 0);
  const body = Uint8Array.from({ length: BOOTLOADER_BYTES }, () => random.byte());
  const end = ((HEADER_BYTES + 8 + body.length) | 15) + 1;
  const image = new Uint8Array(end + 32);
  const view = new DataView(image.buffer);
  const address = chip.ram[0]?.start ?? 0;
  image.set([0xe9, 1, 2, 0x2f]);
  view.setUint32(4, address, true);
  image[8] = 0xee;
  view.setUint16(12, chip.imageChipId ?? 0, true);
  view.setUint16(17, 0xffff, true);
  image[23] = 1;
  view.setUint32(24, address, true);
  view.setUint32(28, body.length, true);
  image.set(body, HEADER_BYTES + 8);
  image[end - 1] = body.reduce((sum, byte) => sum ^ byte, 0xef);
  image.set(sha256(image.subarray(0, end)), end);
  return image;
}

function partitionTable(flashBytes: number): Uint8Array {
  const table = new Uint8Array(0xc00).fill(0xff);
  const view = new DataView(table.buffer);
  rows.forEach((row, i) => {
    const at = i * 32;
    table.fill(0, at, at + 32);
    view.setUint16(at, 0x50aa, true);
    table.set([row.type, row.subtype], at + 2);
    view.setUint32(at + 4, row.offset, true);
    view.setUint32(at + 8, Math.min(row.size, flashBytes - row.offset), true);
    table.set(Buffer.from(row.label, "latin1"), at + 12);
  });
  const end = rows.length * 32;
  table.set([0xeb, 0xeb], end);
  table.set(createHash("md5").update(table.subarray(0, end)).digest(), end + 16);
  return table;
}
