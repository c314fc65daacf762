/** Makes application images for tests of the simulated boot, from the description of the format. */
import { createHash } from "node:crypto";

export interface TestApp {
  readonly chipId: number;
  readonly project: string;
  readonly version?: string;
  /** Bytes of contents beside the description. */
  readonly bytes?: number;
}

/** One segment with an application description, checksum and digest. */
export function appImage(app: TestApp): Uint8Array {
  const segment = Buffer.alloc(256 + (app.bytes ?? 1024), 0x42);
  segment.fill(0, 0, 256);
  segment.writeUInt32LE(0xabcd5432, 0);
  segment.write(app.version ?? "1.0", 16, "latin1");
  segment.write(app.project, 48, "latin1");
  segment.fill(0xe1, 144, 176);
  const end = ((24 + 8 + segment.length) | 15) + 1;
  const image = Buffer.alloc(end + 32);
  image.set([0xe9, 1, 2, 0x20], 0);
  image.writeUInt32LE(0x42000020, 4);
  image.writeUInt16LE(app.chipId, 12);
  image[23] = 1;
  image.writeUInt32LE(0x3c000020, 24);
  image.writeUInt32LE(segment.length, 28);
  image.set(segment, 32);
  image[end - 1] = segment.reduce((sum, byte) => sum ^ byte, 0xef);
  image.set(createHash("sha256").update(image.subarray(0, end)).digest(), end);
  return image;
}

/** A partition table of two slots and a record of which one to start. */
export function slotTable(): Uint8Array {
  const table = Buffer.alloc(0xc00, 0xff);
  const rows = [
    { type: 1, subtype: 0, offset: 0xd000, size: 0x2000, label: "otadata" },
    { type: 0, subtype: 0x10, offset: 0x10000, size: 0x100000, label: "ota_0" },
    { type: 0, subtype: 0x11, offset: 0x110000, size: 0x100000, label: "ota_1" },
  ];
  rows.forEach((row, i) => {
    table.fill(0, 32 * i, 32 * i + 32);
    table.set([0xaa, 0x50, row.type, row.subtype], 32 * i);
    table.writeUInt32LE(row.offset, 32 * i + 4);
    table.writeUInt32LE(row.size, 32 * i + 8);
    table.write(row.label, 32 * i + 12, "latin1");
  });
  return table;
}

/** The record for a sequence number; the two checksums are known from real boards. */
export function slotRecord(sequence: 1 | 2): Uint8Array {
  const record = Buffer.alloc(32, 0xff);
  record.writeUInt32LE(sequence, 0);
  record.writeUInt32LE(sequence === 1 ? 0x4743989a : 0x55f63774, 28);
  return record;
}
