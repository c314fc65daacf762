/** Little-endian wire structures, declared once: the declaration is both the type and the codec. */
import { FlashError } from "./errors.ts";

interface Field<T> {
  /** Size in bytes. */
  readonly size: number;
  read(view: DataView, at: number): T;
  write(view: DataView, at: number, value: T): void;
}

export const u8: Field<number> = {
  size: 1,
  read: (view, at) => view.getUint8(at),
  write: (view, at, value) => view.setUint8(at, value),
};
export const u16: Field<number> = {
  size: 2,
  read: (view, at) => view.getUint16(at, true),
  write: (view, at, value) => view.setUint16(at, value, true),
};
export const u32: Field<number> = {
  size: 4,
  read: (view, at) => view.getUint32(at, true),
  write: (view, at, value) => view.setUint32(at, value, true),
};
/** Exactly `size` raw bytes; reading copies. */
export function raw(size: number): Field<Uint8Array> {
  return {
    size,
    read: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size).slice(),
    write: (view, at, value) => new Uint8Array(view.buffer, view.byteOffset + at, size).set(value),
  };
}

type Shape = Record<string, Field<never> | Field<number> | Field<Uint8Array>>;
type ValuesOf<S extends Shape> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

export interface Struct<V> {
  /** Size in bytes. */
  readonly size: number;
  /** @throws FlashError `protocol` when fewer than `size` bytes are left at `at`. */
  read(bytes: Uint8Array, at?: number): V;
  write(values: V): Uint8Array;
}

/** Fields in wire order, without padding. */
export function struct<S extends Shape>(shape: S): Struct<ValuesOf<S>> {
  const fields = Object.entries(shape) as [keyof S & string, Field<unknown>][];
  const size = fields.reduce((sum, [, field]) => sum + field.size, 0);
  return {
    size,
    read(bytes, at = 0) {
      if (at < 0 || at + size > bytes.length) {
        throw new FlashError("protocol", `${size} bytes expected at offset ${at}, only ${bytes.length - at} are there`);
      }
      const view = viewOf(bytes);
      const values: Record<string, unknown> = {};
      let offset = at;
      for (const [name, field] of fields) {
        values[name] = field.read(view, offset);
        offset += field.size;
      }
      return values as ValuesOf<S>;
    },
    write(values) {
      const bytes = new Uint8Array(size);
      const view = viewOf(bytes);
      let offset = 0;
      for (const [name, field] of fields) {
        field.write(view, offset, values[name]);
        offset += field.size;
      }
      return bytes;
    },
  };
}

/** A DataView of just these bytes, never of the backing store around them. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
