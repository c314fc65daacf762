/** The partition table and the record of the slot to start, as the second-stage bootloader reads them. */
import { md5 } from "../core/digest.ts";
import { toHex } from "../core/bytes.ts";

export const TABLE_AT = 0x8000;
const ROW_BYTES = 32;
const MAX_ROWS = 95;
const ROW_MAGIC = 0x50aa;
const MD5_MAGIC = 0xebeb;
const TYPE_APPLICATION = 0;
const SUBTYPE_FACTORY = 0;
const SUBTYPE_FIRST_SLOT = 0x10;
const SUBTYPE_LAST_SLOT = 0x1f;
const TYPE_DATA = 1;
const SUBTYPE_OTADATA = 0;
const SECTOR_BYTES = 4096;

export interface Partition {
  readonly type: number;
  readonly subtype: number;
  readonly offset: number;
  readonly size: number;
  readonly label: string;
}

/** The rows, or what the bootloader says about a table that it cannot use. */
export function readPartitions(flash: Uint8Array): readonly Partition[] | string {
  const view = new DataView(flash.buffer, flash.byteOffset, flash.length);
  const rows: Partition[] = [];
  for (let i = 0; i < MAX_ROWS; i++) {
    const at = TABLE_AT + i * ROW_BYTES;
    const magic = view.getUint16(at, true);
    if (magic === MD5_MAGIC) {
      const isRight = md5(flash.subarray(TABLE_AT, at)) === toHex(flash.subarray(at + 16, at + 32));
      return isRight ? rows : "flash_parts: incorrect MD5 of the partition table";
    }
    if (magic === 0xffff && i > 0) return rows;
    if (magic !== ROW_MAGIC) return `flash_parts: partition ${i} invalid magic number 0x${magic.toString(16)}`;
    const label = Buffer.from(flash.subarray(at + 12, at + 28)).toString("latin1");
    rows.push({
      type: view.getUint8(at + 2),
      subtype: view.getUint8(at + 3),
      offset: view.getUint32(at + 4, true),
      size: view.getUint32(at + 8, true),
      label: label.replace(/\0.*$/s, ""),
    });
  }
  return rows;
}

/** Application partitions in the order in which the bootloader tries them. */
export function bootOrder(flash: Uint8Array, rows: readonly Partition[]): readonly Partition[] {
  const applications = rows.filter((row) => row.type === TYPE_APPLICATION);
  const slots = applications
    .filter((row) => row.subtype >= SUBTYPE_FIRST_SLOT && row.subtype <= SUBTYPE_LAST_SLOT)
    .sort((a, b) => a.subtype - b.subtype);
  const factory = applications.filter((row) => row.subtype === SUBTYPE_FACTORY);
  const otadata = rows.find((row) => row.type === TYPE_DATA && row.subtype === SUBTYPE_OTADATA);
  const sequence = otadata === undefined ? undefined : newestSequence(flash, otadata.offset);
  if (sequence === undefined || slots.length === 0) return [...factory, ...slots];
  const chosen = slots[(sequence - 1) % slots.length];
  const others = slots.filter((slot) => slot !== chosen);
  return [...(chosen === undefined ? [] : [chosen]), ...factory, ...others];
}

/** The higher of two records whose CRC is right. */
function newestSequence(flash: Uint8Array, at: number): number | undefined {
  const view = new DataView(flash.buffer, flash.byteOffset, flash.length);
  const valid = [at, at + SECTOR_BYTES]
    .filter((record) => record + 32 <= flash.length)
    .filter((record) => view.getUint32(record + 28, true) === sequenceCrc(view.getUint32(record, true)))
    .map((record) => view.getUint32(record, true))
    .filter((sequence) => sequence !== 0xffffffff && sequence !== 0);
  return valid.length === 0 ? undefined : Math.max(...valid);
}

/** CRC32 of the four bytes of the number, the register starting at 0. */
function sequenceCrc(sequence: number): number {
  let register = 0;
  for (let i = 0; i < 4; i++) {
    register ^= (sequence >>> (8 * i)) & 0xff;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) === 0 ? 0 : 0xedb88320);
  }
  return ~register >>> 0;
}
