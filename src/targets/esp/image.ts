/**
 * Reads an ESP image file: header, segments, checksum, appended hash, descriptions. Never changes it.
 * Knows the format; does not know where in the flash it belongs or whether a board is right for it.
 */
import { equalBytes, hex } from "../../core/bytes.ts";
import { sha256, type Digest } from "../../core/digest.ts";
import { FlashError } from "../../core/errors.ts";
import { readAppDescription, type AppDescription } from "./image-description.ts";
import { chipOfId, imageChips, type EspImageChip } from "./image-chips.ts";
import {
  CHECKSUM_LINE_SIZE,
  FULL_HEADER_SIZE,
  HASH_SIZE,
  HEADER_SIZE,
  IMAGE_MAGIC,
  IMAGE_MAGIC_8266_V2,
  MAX_SEGMENTS,
  MAX_SEGMENT_SIZE,
  checksumOf,
  crc32Of8266,
  extendedHeader,
  imageHeader,
  segmentHeader,
} from "./image-format.ts";

export interface EspSegment {
  /** Where the boot loader puts or maps it; 0 is padding (in an ESP8266 image of version 2: the code in flash). */
  readonly address: number;
  readonly size: number;
  /** Of the data, not of the segment's header. */
  readonly fileOffset: number;
}

/** One more check that the file carries: a SHA-256, or the CRC-32 of an ESP8266 image of version 2. */
export interface EspImageHash {
  readonly kind: "sha256" | "crc32";
  readonly stored: Digest;
  readonly ok: boolean;
}

export interface EspImage {
  /** File name for messages. */
  readonly name: string;
  /** `e9-8266` has the short header, `ea-8266` is version 2 of it. */
  readonly format: "e9" | "e9-8266" | "ea-8266";
  /** Undefined when the chip number is not known here. */
  readonly chip: EspImageChip | undefined;
  /** Undefined for an ESP8266. */
  readonly chipId: number | undefined;
  readonly entry: number;
  /** Header byte 2, see `modeCodes`. */
  readonly mode: number;
  /** Header byte 3: size code in the high half, frequency code in the low half. */
  readonly sizeAndFrequency: number;
  /** Major * 100 + minor; 0 and 65535 mean any. */
  readonly minRevision: number;
  readonly maxRevision: number;
  readonly segments: readonly EspSegment[];
  readonly checksum: { readonly stored: number; readonly ok: boolean };
  /** Undefined when none is appended. */
  readonly hash: EspImageHash | undefined;
  /** Bytes that belong to the image, hash included; the file may go on, with a signature or padding. */
  readonly totalLength: number;
  readonly app: AppDescription | undefined;
}

const ANY_REVISION = 0xffff;
const MAX_KNOWN_FLAG = 1;
const buildAgain = "Build again; if the file was copied, copy it once more and compare the sizes.";

/** True when the first byte is that of an ESP image; proves nothing more. */
export function looksLikeEspImage(bytes: Uint8Array): boolean {
  return bytes[0] === IMAGE_MAGIC || bytes[0] === IMAGE_MAGIC_8266_V2;
}

/**
 * Wrong check sums are reported in the result; `requireIntact` turns them into errors.
 * @throws FlashError `bad-image` when it is no image or is cut off, saying where.
 */
export function parseEspImage(bytes: Uint8Array, name: string): EspImage {
  if (bytes[0] === IMAGE_MAGIC_8266_V2) return parse8266V2(bytes, name);
  if (bytes[0] !== IMAGE_MAGIC) {
    const found = bytes[0] === undefined ? "is empty" : `begins with ${hex(bytes[0], 2)}`;
    throw new FlashError("bad-image", `${name} is not an ESP image: it ${found}, not with 0xe9`, {
      remedy: "Give the .bin file that the build made, not an ELF file or a text.",
    });
  }
  if (hasExtendedHeader(bytes)) return parseExtended(bytes, name);
  return parse8266(bytes, name);
}

/** @throws FlashError `bad-image` when the checksum or the appended hash is wrong. */
export function requireIntact(image: EspImage): void {
  if (!image.checksum.ok) {
    throw new FlashError(
      "bad-image",
      `${image.name}: the checksum at ${hex(image.totalLength - (image.hash === undefined ? 1 : hashBytes(image.hash) + 1))} is ${hex(image.checksum.stored, 2)}, which does not suit the contents`,
      { remedy: buildAgain },
    );
  }
  if (image.hash?.ok === false) {
    throw new FlashError("bad-image", `${image.name}: the appended ${image.hash.kind} does not suit the contents`, {
      remedy: buildAgain,
    });
  }
}

/** @throws FlashError `wrong-chip` naming both when the image says that it is for another chip. */
export function requireChip(image: EspImage, chip: EspImageChip): void {
  if (image.chip === chip) return;
  const label = image.chip === undefined ? `chip number ${String(image.chipId)}` : imageChips[image.chip].label;
  throw new FlashError(
    "wrong-chip",
    `${image.name} is an image for ${label}, the board is an ${imageChips[chip].label}`,
  );
}

/** `app.bin: ESP32-C3 image, meter 2.3.1 built Mar  4 2026 09:15:22, 5 segments, 160048 bytes`. */
export function describeImage(image: EspImage): string {
  const label = image.chip === undefined ? `chip ${String(image.chipId)}` : imageChips[image.chip].label;
  const { app } = image;
  const program = app === undefined ? [] : [`${app.project} ${app.version} built ${app.date} ${app.time}`];
  const parts = [`${label} image`, ...program, `${image.segments.length} segments`, `${image.totalLength} bytes`];
  return `${image.name}: ${parts.join(", ")}`;
}

/** The chip number is the only mark; an ESP8266 image has a segment's address, length and data in its place. */
function hasExtendedHeader(bytes: Uint8Array): boolean {
  if (bytes.length < FULL_HEADER_SIZE) return bytes.length >= HEADER_SIZE && !startsLike8266(bytes);
  const header = extendedHeader.read(bytes, HEADER_SIZE);
  return header.hashAppended <= MAX_KNOWN_FLAG && !startsLike8266(bytes);
}

/** The first segment of an ESP8266 image lies in its RAM and is shorter than that. */
function startsLike8266(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_SIZE + segmentHeader.size) return false;
  const { address, size } = segmentHeader.read(bytes, HEADER_SIZE);
  return imageChips.esp8266.memory.some((area) => address >= area.start && address + size <= area.end);
}

function parseExtended(bytes: Uint8Array, name: string): EspImage {
  requireLength(bytes, FULL_HEADER_SIZE, { what: "the header", name });
  const extended = extendedHeader.read(bytes, HEADER_SIZE);
  const body = readBody(bytes, { headerAt: 0, segmentsAt: FULL_HEADER_SIZE, name });
  const hash = extended.hashAppended === 1 ? readSha256(bytes, body.end, name) : undefined;
  return {
    ...body.fields,
    format: "e9",
    chip: chipOfId(extended.chipId),
    chipId: extended.chipId,
    minRevision: extended.minRevision,
    maxRevision: extended.maxRevision,
    hash,
    totalLength: body.end + (hash === undefined ? 0 : HASH_SIZE),
    app: readAppDescription(bytes, body.fields.segments[0]),
  };
}

function parse8266(bytes: Uint8Array, name: string): EspImage {
  const body = readBody(bytes, { headerAt: 0, segmentsAt: HEADER_SIZE, name });
  // Version 3 appends a SHA-256 and has no mark for it: it counts when it is right.
  const found = bytes.length >= body.end + HASH_SIZE ? readSha256(bytes, body.end, name) : undefined;
  const hash = found?.ok === true ? found : undefined;
  const totalLength = body.end + (hash === undefined ? 0 : HASH_SIZE);
  return { ...body.fields, ...facts8266, format: "e9-8266", hash, totalLength };
}

const facts8266 = {
  chip: "esp8266",
  chipId: undefined,
  minRevision: 0,
  maxRevision: ANY_REVISION,
  app: undefined,
} as const;

/** Header, the code in flash as one segment at address 0, then a whole image of version 1, then a CRC-32 over all of it. */
function parse8266V2(bytes: Uint8Array, name: string): EspImage {
  const start = HEADER_SIZE + segmentHeader.size;
  requireLength(bytes, start, { what: "the header", name });
  const code = segmentHeader.read(bytes, HEADER_SIZE);
  const innerAt = start + code.size;
  requireLength(bytes, innerAt + HEADER_SIZE, { what: "the code in flash", name });
  if (bytes[innerAt] !== IMAGE_MAGIC) {
    throw new FlashError("bad-image", `${name}: no second header at ${hex(innerAt)}`, { remedy: buildAgain });
  }
  const body = readBody(bytes, { headerAt: innerAt, segmentsAt: innerAt + HEADER_SIZE, name });
  requireLength(bytes, body.end + 4, { what: "the CRC-32", name });
  const stored = bytes.subarray(body.end, body.end + 4);
  const expected = crc32Of8266(bytes.subarray(0, body.end));
  const hash: EspImageHash = {
    kind: "crc32",
    stored: Buffer.from(stored).toString("hex"),
    ok: Buffer.from(stored).readUInt32LE() === expected,
  };
  const codeSegment = { address: code.address, size: code.size, fileOffset: start };
  return {
    ...body.fields,
    ...facts8266,
    segments: [codeSegment, ...body.fields.segments],
    format: "ea-8266",
    hash,
    totalLength: body.end + 4,
  };
}

interface Place {
  readonly headerAt: number;
  readonly segmentsAt: number;
  readonly name: string;
}

interface Body {
  readonly fields: Pick<EspImage, "name" | "entry" | "mode" | "sizeAndFrequency" | "segments" | "checksum">;
  /** File offset behind the checksum. */
  readonly end: number;
}

function readBody(bytes: Uint8Array, place: Place): Body {
  const header = imageHeader.read(bytes, place.headerAt);
  const segments = readSegments(bytes, place, header.segments);
  const last = segments.at(-1);
  const behind = last === undefined ? place.segmentsAt : last.fileOffset + last.size;
  const relative = behind - place.headerAt;
  const end = place.headerAt + relative + CHECKSUM_LINE_SIZE - (relative % CHECKSUM_LINE_SIZE);
  requireLength(bytes, end, { what: "the checksum", name: place.name });
  const stored = bytes[end - 1] ?? 0;
  const computed = checksumOf(segments.map((s) => bytes.subarray(s.fileOffset, s.fileOffset + s.size)));
  return {
    fields: {
      name: place.name,
      entry: header.entry,
      mode: header.mode,
      sizeAndFrequency: header.sizeAndFrequency,
      segments,
      checksum: { stored, ok: stored === computed },
    },
    end,
  };
}

function readSegments(bytes: Uint8Array, place: Place, count: number): readonly EspSegment[] {
  const { name } = place;
  if (count === 0 || count > MAX_SEGMENTS) {
    throw new FlashError("bad-image", `${name}: the header says ${count} segments, 1 to ${MAX_SEGMENTS} can be`, {
      remedy: buildAgain,
    });
  }
  const segments: EspSegment[] = [];
  let at = place.segmentsAt;
  for (let index = 0; index < count; index += 1) {
    requireLength(bytes, at + segmentHeader.size, { what: `the header of segment ${index}`, name });
    const { address, size } = segmentHeader.read(bytes, at);
    at += segmentHeader.size;
    if (size >= MAX_SEGMENT_SIZE) {
      throw new FlashError(
        "bad-image",
        `${name}: segment ${index} at file offset ${hex(at)} claims ${hex(size)} bytes`,
        {
          remedy: buildAgain,
        },
      );
    }
    requireLength(bytes, at + size, { what: `segment ${index} (${hex(size)} bytes at file offset ${hex(at)})`, name });
    segments.push({ address, size, fileOffset: at });
    at += size;
  }
  return segments;
}

function readSha256(bytes: Uint8Array, end: number, name: string): EspImageHash {
  requireLength(bytes, end + HASH_SIZE, { what: "the appended SHA-256", name });
  const stored = bytes.subarray(end, end + HASH_SIZE);
  return {
    kind: "sha256",
    stored: Buffer.from(stored).toString("hex"),
    ok: equalBytes(stored, sha256(bytes.subarray(0, end))),
  };
}

function hashBytes(hash: EspImageHash): number {
  return hash.kind === "sha256" ? HASH_SIZE : 4;
}

function requireLength(
  bytes: Uint8Array,
  needed: number,
  part: { readonly what: string; readonly name: string },
): void {
  if (bytes.length >= needed) return;
  throw new FlashError(
    "bad-image",
    `${part.name}: ${part.what} ends past the end of the file (${bytes.length} bytes)`,
    { remedy: buildAgain },
  );
}
