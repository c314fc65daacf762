/**
 * The description that ESP-IDF puts at the start of an application: which program, which version, made from which ELF file.
 * Knows its layout; does not check it against anything.
 */
import { toHex } from "../../core/bytes.ts";
import type { Digest } from "../../core/digest.ts";
import { APP_DESCRIPTION_MAGIC, APP_DESCRIPTION_SIZE, appDescription } from "./image-format.ts";

export interface AppDescription {
  readonly project: string;
  readonly version: string;
  /** As the compiler writes it, `09:15:22`. */
  readonly time: string;
  /** As the compiler writes it, `Mar  4 2026`. */
  readonly date: string;
  readonly idfVersion: string;
  readonly secureVersion: number;
  /** SHA-256 of the ELF file that the image was made from; zeros when nobody filled it in. */
  readonly elfSha256: Digest;
  /** Bytes of a flash page that the program was linked for; undefined when not said. */
  readonly pageSize: number | undefined;
}

/** Undefined when the segment does not begin with a description, as in a boot loader. */
export function readAppDescription(
  bytes: Uint8Array,
  first: { readonly fileOffset: number; readonly size: number } | undefined,
): AppDescription | undefined {
  if (first === undefined || first.size < APP_DESCRIPTION_SIZE) return undefined;
  const fields = appDescription.read(bytes, first.fileOffset);
  if (fields.magic !== APP_DESCRIPTION_MAGIC) return undefined;
  return {
    project: text(fields.project),
    version: text(fields.version),
    time: text(fields.time),
    date: text(fields.date),
    idfVersion: text(fields.idfVersion),
    secureVersion: fields.secureVersion,
    elfSha256: toHex(fields.elfSha256),
    pageSize: fields.pageSizeLog2 === 0 ? undefined : 2 ** fields.pageSizeLog2,
  };
}

/** Up to the first zero byte; what is not UTF-8 becomes the replacement character. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
