import { describe, expect, test } from "vitest";
import {
  appSlots,
  bootPartition,
  otaDataPartition,
  otaSequences,
  parsePartitionTable,
  partitionAt,
} from "../../../../src/targets/esp/partition-table.ts";
import { factoryRows, updateRows, writePartitionTable } from "../../../fixtures/partition-table-writer.ts";

const updates = writePartitionTable(updateRows);
const table = parsePartitionTable(updates, "table");
const factory = parsePartitionTable(writePartitionTable(factoryRows), "table");

/** Entries as the boot loader writes them; the CRCs were made with `zlib.crc32(sequence, 0xffffffff)` of Python. */
const crcs: Readonly<Record<number, number>> = { 1: 0x4743989a, 2: 0x55f63774 };
function otaData(first: number, second: number, state = 0xffff_ffff): Uint8Array {
  const bytes = Buffer.alloc(0x2000, 0xff);
  [first, second].forEach((sequence, index) => {
    const crc = crcs[sequence];
    if (crc === undefined) return;
    bytes.writeUInt32LE(sequence, index * 0x1000);
    bytes.writeUInt32LE(state, index * 0x1000 + 24);
    bytes.writeUInt32LE(crc, index * 0x1000 + 28);
  });
  return bytes;
}

describe("a partition table", () => {
  test("is read row by row", () => {
    expect(
      table.partitions.map((p) => `${p.label} ${p.type}/${p.subtype} ${p.offset}+${p.size} ${p.encrypted}`),
    ).toEqual([
      "nvs 1/2 36864+16384 false",
      "otadata 1/0 53248+8192 false",
      "ota_1 0/17 1114112+1048576 true",
      "ota_0 0/16 65536+1048576 false",
    ]);
    expect(appSlots(table).map((p) => p.label)).toEqual(["ota_0", "ota_1"]);
    expect(otaDataPartition(table)?.offset).toBe(0xd000);
    expect(partitionAt(table, 0x10fff)?.label).toBe("ota_0");
    expect(partitionAt(table, 0x8000)).toBeUndefined();
  });

  test("without a digest row is read as well", () => {
    const old = updates.slice();
    old.fill(0xff, updateRows.length * 32, updateRows.length * 32 + 32);
    expect(parsePartitionTable(old, "table")).toEqual(table);
  });

  test.each<[string, Uint8Array, string]>([
    ["blank flash", new Uint8Array(0xc00).fill(0xff), "table holds no partition"],
    ["nothing", new Uint8Array(), "table holds no partition"],
    ["something else", new Uint8Array(0xc00).fill(0xe9), "table: row 0 begins with 0xe9e9, not with 0x50aa"],
    ["a changed row", updates.slice().fill(7, 40, 41), "table: the digest in row 4 does not suit the rows before it"],
  ])("that is %s is refused", (_, bytes, message) => {
    expect(() => parsePartitionTable(bytes, "table")).toThrow(message);
  });
});

describe("the application that starts next", () => {
  test.each<[string, Uint8Array | undefined, string]>([
    ["blank otadata", otaData(0, 0), "ota_0"],
    ["no otadata", undefined, "ota_0"],
    ["sequence 1", otaData(1, 0), "ota_0"],
    ["sequence 2 in the second sector", otaData(1, 2), "ota_1"],
    ["entries that were given up", otaData(1, 2, 4), "ota_0"],
  ])("with %s", (_, data, label) => expect(bootPartition(table, data)?.label).toBe(label));

  test("is the factory application where there are no updates", () => {
    expect(bootPartition(factory, undefined)?.label).toBe("factory");
  });

  test("does not depend on an entry with a wrong CRC", () => {
    const damaged = otaData(1, 2);
    damaged[0x1000 + 28] = 0;
    expect(otaSequences(damaged)).toEqual([1, undefined]);
    expect(otaSequences(damaged.subarray(0, 16))).toEqual([undefined, undefined]);
  });
});
