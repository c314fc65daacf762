/** Frames and numbers of the stub's protocol, a second reading of `stubs/README.md`: shares nothing with the product. */
import { crc32 } from "node:zlib";

export interface Frame {
  readonly type: number;
  readonly seq: number;
  readonly payload: Uint8Array;
}

export function u32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** Unsigned LEB128. */
export function v(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** Zigzag. */
export function z(value: number): number[] {
  return v(value < 0 ? -2 * value - 1 : 2 * value);
}

export function encodeFrame({ type, seq, payload }: Frame): number[] {
  const plain = [type, seq, ...payload];
  plain.push(...u32(crc32(Uint8Array.from(plain))));
  const coded: number[] = [];
  for (let group: number[] = [], at = 0; at <= plain.length; at++) {
    const byte = plain[at];
    if (byte !== undefined && byte !== 0) group.push(byte);
    if (byte === undefined || byte === 0 || group.length === 254) {
      coded.push(group.length + 1, ...group);
      group = [];
    }
  }
  return [...coded, 0];
}

export function decodeFrame(coded: readonly number[]): Frame {
  const plain: number[] = [];
  for (let at = 0; at < coded.length;) {
    const code = coded[at] ?? 0;
    plain.push(...coded.slice(at + 1, at + code));
    at += code;
    if (code < 0xff && at < coded.length) plain.push(0);
  }
  const bytes = Uint8Array.from(plain);
  const end = bytes.length - 4;
  const crc = new DataView(bytes.buffer).getUint32(end, true);
  if (crc !== crc32(bytes.subarray(0, end))) throw new Error("the stub sent a damaged frame");
  return { type: bytes[0] ?? 0, seq: bytes[1] ?? 0, payload: bytes.slice(2, end) };
}

/** As a line of text; times and data are left to `payload`. */
export function textOf({ type, seq, payload }: Frame): string {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  if (type === 0x83)
    return `reply ${view.getUint16(0, true)} op ${hex(payload[2] ?? 0)} status ${hex(payload[3] ?? 0)} (${payload.length - 4} bytes)`;
  if (type === 0x84) return `answer ${seq} op ${hex(payload[0] ?? 0)} status ${hex(payload[1] ?? 0)}`;
  return (
    `${type === 0x81 ? "ack" : "nak"} next ${payload[0]} status ${hex(payload[1] ?? 0)} ops ${view.getUint16(2, true)} ` +
    `received ${view.getUint32(4, true)} drained ${view.getUint32(8, true)}`
  );
}
