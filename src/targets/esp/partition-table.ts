/**
 * Reads the table that divides an ESP's flash, and the record of which application slot starts next.
 * Knows the format only; does not read flash. Source: "Partition Tables" and "Over The Air Updates" of the ESP-IDF programming
 * guide, `esp_flash_partitions.h` (Apache-2.0).
 */
import { hex, isFilledWith } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import { md5 } from "../../core/digest.ts";
import { raw, struct, u16, u32, u8 } from "../../core/struct.ts";
import { crc32 } from "./image-format.ts";

export interface Partition {
  readonly label: string;
  /** 0 application, 1 data; others are the project's own. */
  readonly type: number;
  /** Of an application: 0 factory, 0x10 … 0x1f the slots for updates, 0x20 test. Of data: 0 otadata, 1 phy, 2 nvs, 4 keys … */
  readonly subtype: number;
  /** Flash offset. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly encrypted: boolean;
  readonly readOnly: boolean;
}

/** In table order. */
export interface PartitionTable {
  readonly partitions: readonly Partition[];
}

/** Where the table stands unless the project says otherwise (CONFIG_PARTITION_TABLE_OFFSET). */
export const PARTITION_TABLE_OFFSET = 0x8000;
/** Bytes; the rest of its sector belongs to it and is 0xff. */
export const PARTITION_TABLE_SIZE = 0xc00;

const ROW_MAGIC = 0x50aa;
const MD5_MAGIC = 0xebeb;
const MD5_AT = 16;
const row = struct({ magic: u16, type: u8, subtype: u8, offset: u32, size: u32, label: raw(16), flags: u32 });
const ROW_SIZE = row.size;
const TYPE_APP = 0;
const TYPE_DATA = 1;
const SUBTYPE_OTADATA = 0;
const SUBTYPE_FACTORY = 0;
const FIRST_SLOT = 0x10;
const LAST_SLOT = 0x1f;

const tableRemedy = "Build the partition table again and flash it, or give the flash offsets by hand.";

/** @throws FlashError `bad-image` when the first row is no row, or when the digest over the rows is wrong. */
export function parsePartitionTable(bytes: Uint8Array, name: string): PartitionTable {
  const partitions: Partition[] = [];
  for (let at = 0; at + ROW_SIZE <= Math.min(bytes.length, PARTITION_TABLE_SIZE); at += ROW_SIZE) {
    const line = bytes.subarray(at, at + ROW_SIZE);
    if (isFilledWith(line, 0xff)) break;
    const fields = row.read(line);
    if (fields.magic === MD5_MAGIC) {
      checkDigest(bytes, at, name);
      break;
    }
    if (fields.magic !== ROW_MAGIC) {
      throw new FlashError(
        "bad-image",
        `${name}: row ${at / ROW_SIZE} begins with ${hex(fields.magic, 4)}, not with 0x50aa`,
        {
          remedy: tableRemedy,
        },
      );
    }
    partitions.push({
      label: labelOf(fields.label),
      type: fields.type,
      subtype: fields.subtype,
      offset: fields.offset,
      size: fields.size,
      encrypted: (fields.flags & 1) !== 0,
      readOnly: (fields.flags & 2) !== 0,
    });
  }
  if (partitions.length === 0) {
    throw new FlashError("bad-image", `${name} holds no partition`, { remedy: tableRemedy });
  }
  return { partitions };
}

function checkDigest(bytes: Uint8Array, at: number, name: string): void {
  const stored = Buffer.from(bytes.subarray(at + MD5_AT, at + ROW_SIZE)).toString("hex");
  if (stored === md5(bytes.subarray(0, at))) return;
  throw new FlashError("bad-image", `${name}: the digest in row ${at / ROW_SIZE} does not suit the rows before it`, {
    remedy: tableRemedy,
  });
}

function labelOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The update slots, ota_0 first. */
export function appSlots(table: PartitionTable): readonly Partition[] {
  return table.partitions
    .filter((p) => p.type === TYPE_APP && p.subtype >= FIRST_SLOT && p.subtype <= LAST_SLOT)
    .sort((a, b) => a.subtype - b.subtype);
}

/** Where the boot loader keeps which slot starts; undefined in a table without updates. */
export function otaDataPartition(table: PartitionTable): Partition | undefined {
  return table.partitions.find((p) => p.type === TYPE_DATA && p.subtype === SUBTYPE_OTADATA);
}

/** The partition that holds every byte from `offset` on, or undefined. */
export function partitionAt(table: PartitionTable, offset: number): Partition | undefined {
  return table.partitions.find((p) => offset >= p.offset && offset < p.offset + p.size);
}

const OTA_SECTOR_SIZE = 4096;
const otaEntry = struct({ sequence: u32, label: raw(20), state: u32, crc: u32 });
const NO_SEQUENCE = 0xffff_ffff;
const STATE_INVALID = 3; // ESP_OTA_IMG_INVALID
const STATE_ABORTED = 4; // ESP_OTA_IMG_ABORTED

/** Sequence number of each valid entry of the two sectors; undefined for a sector that is blank, damaged or was given up. */
export function otaSequences(otaData: Uint8Array): readonly (number | undefined)[] {
  return [0, OTA_SECTOR_SIZE].map((at) => {
    if (at + otaEntry.size > otaData.length) return undefined;
    const entry = otaEntry.read(otaData, at);
    if (entry.sequence === NO_SEQUENCE || entry.sequence === 0) return undefined;
    if (entry.state === STATE_INVALID || entry.state === STATE_ABORTED) return undefined;
    const expected = otaEntryCrc(otaData.subarray(at, at + 4));
    return entry.crc === expected ? entry.sequence : undefined;
  });
}

/** The CRC of a sequence number, 4 bytes, as the boot loader makes it: register preset to 0 by its seed of all ones. */
function otaEntryCrc(sequence: Uint8Array): number {
  return crc32(sequence, 0xffff_ffff);
}

/**
 * The application that the boot loader starts next: slot (sequence - 1) modulo the number of slots, of the highest valid entry;
 * without one the factory application, else the first slot. Undefined in a table without applications.
 */
export function bootPartition(table: PartitionTable, otaData: Uint8Array | undefined): Partition | undefined {
  const slots = appSlots(table);
  const sequences = otaData === undefined ? [] : otaSequences(otaData).filter((value) => value !== undefined);
  if (slots.length > 0 && sequences.length > 0) return slots[(Math.max(...sequences) - 1) % slots.length];
  const factory = table.partitions.find((p) => p.type === TYPE_APP && p.subtype === SUBTYPE_FACTORY);
  return factory ?? slots[0] ?? table.partitions.find((p) => p.type === TYPE_APP);
}
