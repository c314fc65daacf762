/**
 * Makes an application image out of a linked program, as the build systems' image tools do: same order, same padding, same bytes.
 * Knows the image format and the chips' memory; knows nothing of flash offsets, partitions, signatures or encryption.
 */
import { concat, equalBytes, filled, hex } from "../../core/bytes.ts";
import { sha256 } from "../../core/digest.ts";
import type { Elf } from "../../core/elf.ts";
import { FlashError } from "../../core/errors.ts";
import { imageSections, type ImageSection } from "./elf-to-image-sections.ts";
import { sizeAndFrequencyByte, modeByte, type FlashSettings } from "./image-settings.ts";
import { imageChips, type EspImageChip } from "./image-chips.ts";
import {
  APP_DESCRIPTION_MAGIC,
  APP_DESCRIPTION_SIZE,
  CHECKSUM_LINE_SIZE,
  ELF_SHA256_AT,
  FULL_HEADER_SIZE,
  HASH_SIZE,
  IMAGE_MAGIC,
  MAX_SEGMENTS,
  MAX_SEGMENT_SIZE,
  WP_PIN_UNUSED,
  appDescription,
  checksumOf,
  extendedHeader,
  imageHeader,
  segmentHeader,
} from "./image-format.ts";

export interface AppImageOptions extends FlashSettings {
  /** Lowest chip revision that may run it, major * 100 + minor. Default 0. */
  readonly minRevision?: number;
  /** Highest chip revision, likewise. Default 65535: any. */
  readonly maxRevision?: number;
  /** Bytes of a page that the cache maps. Default: what the application description says, else the chip's usual size. */
  readonly pageSize?: number;
  /** SHA-256 of the ELF file when it is already known; 32 bytes. */
  readonly elfSha256?: Uint8Array;
}

const ANY_REVISION = 0xffff;
const HEADER = segmentHeader.size;
// On the ESP32 alone, a mapped segment that ends fewer than this many bytes into a page is padded up to it.
// Source: the output of esptool 5.3.1 and 4.12.0, which is matched byte for byte.
const ESP32_SHORTEST_TAIL = 0x24;

/**
 * @throws FlashError `wrong-chip` when the program is for another processor or lies outside the chip's memory, `refused` for an
 * ESP8266 (its image is two files: `elfToEsp8266Files`), `bad-image` when two mapped segments share a page or a limit is passed.
 */
export function elfToAppImage(elf: Elf, chip: EspImageChip, options: AppImageOptions = {}): Uint8Array {
  if (imageChips[chip].chipId === undefined) {
    throw new FlashError("refused", `${elf.name}: the image of an ${imageChips[chip].label} is not one file`, {
      remedy: "Give the .bin files of the build with their offsets, 0x0:… and 0x10000:….",
    });
  }
  const { mapped, inRam } = imageSections(elf, chip);
  const withDigest = mapped.map((section) => patchElfDigest(section, elf, options.elfSha256));
  const pageSize = choosePageSize(elf, chip, { asked: options.pageSize, first: withDigest[0] });
  const segments = arrange(withDigest, inRam, { pageSize, chip, name: elf.name });
  checkLimits(segments, elf.name);
  return assemble(segments, elf, chip, options);
}

/** Segments in file order; the file offset of each is where the ones before it end. */
interface Piece {
  readonly address: number;
  readonly data: Uint8Array;
}

interface Layout {
  readonly pageSize: number;
  readonly chip: EspImageChip;
  readonly name: string;
}

/** Mapped sections each at an offset congruent to their address; the gaps in front of them take pieces of RAM sections. */
function arrange(mapped: readonly ImageSection[], inRam: readonly ImageSection[], layout: Layout): readonly Piece[] {
  checkPages(mapped, layout);
  const rest: Piece[] = inRam.map(({ address, data }) => ({ address, data }));
  const pieces: Piece[] = [];
  let offset = FULL_HEADER_SIZE;
  const add = (piece: Piece) => {
    pieces.push(piece);
    offset += HEADER + piece.data.length;
  };
  for (const section of mapped) {
    for (;;) {
      const gap = gapBefore(section.address, offset, layout.pageSize);
      if (gap === 0) break;
      add(takeFiller(rest, gap - HEADER));
    }
    add(section);
    const tail = offset % layout.pageSize;
    if (layout.chip === "esp32" && tail < ESP32_SHORTEST_TAIL && offset >= layout.pageSize) {
      // see ESP32_SHORTEST_TAIL
      pieces[pieces.length - 1] = {
        address: section.address,
        data: concat([section.data, filled(ESP32_SHORTEST_TAIL - tail, 0)]),
      };
      offset += ESP32_SHORTEST_TAIL - tail;
    }
  }
  rest.forEach(add);
  return pieces;
}

/**
 * Bytes from `offset` until a segment header may stand so that its data are congruent to `address`: 0, or 8 and more. Always in the
 * next page, even where a short gap in this one would do: other tools do so, and the same bytes keep later partial writes small.
 */
function gapBefore(address: number, offset: number, pageSize: number): number {
  const gap = pageSize - (offset % pageSize) + (address % pageSize) - HEADER;
  if (gap % pageSize === 0) return 0;
  return gap < HEADER ? gap + pageSize : gap;
}

/** Up to `size` bytes of the first RAM section that is left, else zeros at address 0, which the boot loader skips. */
function takeFiller(rest: Piece[], size: number): Piece {
  const first = rest[0];
  if (first === undefined || size <= HEADER) return { address: 0, data: new Uint8Array(size) };
  if (first.data.length <= size) {
    rest.shift();
    return first;
  }
  rest[0] = { address: first.address + size, data: first.data.subarray(size) };
  return { address: first.address, data: first.data.subarray(0, size) };
}

function checkPages(mapped: readonly ImageSection[], layout: Layout): void {
  const sorted = [...mapped].sort((a, b) => a.address - b.address);
  sorted.forEach((section, index) => {
    const next = sorted[index + 1];
    if (next === undefined) return;
    const lastPage = Math.floor((section.address + section.data.length - 1) / layout.pageSize);
    if (lastPage !== Math.floor(next.address / layout.pageSize)) return;
    throw new FlashError(
      "bad-image",
      `${layout.name}: ${section.name} at ${hex(section.address)} and ${next.name} at ${hex(next.address)} share a flash page of ${hex(layout.pageSize)} bytes`,
      { remedy: "Place them in different pages in the linker script, or directly one behind the other." },
    );
  });
}

function checkLimits(segments: readonly Piece[], name: string): void {
  if (segments.length > MAX_SEGMENTS) {
    throw new FlashError(
      "bad-image",
      `${name} needs ${segments.length} image segments, at most ${MAX_SEGMENTS} can be`,
      {
        remedy: "Join sections in the linker script.",
      },
    );
  }
  const large = segments.find((segment) => segment.data.length >= MAX_SEGMENT_SIZE);
  if (large !== undefined) {
    throw new FlashError(
      "bad-image",
      `${name}: the segment at ${hex(large.address)} is ${large.data.length} bytes long`,
      {
        remedy: "Split it: a segment of an image is shorter than 16 MiB.",
      },
    );
  }
}

function assemble(segments: readonly Piece[], elf: Elf, chip: EspImageChip, options: AppImageOptions): Uint8Array {
  const minRevision = options.minRevision ?? 0;
  const parts = [
    imageHeader.write({
      magic: IMAGE_MAGIC,
      segments: segments.length,
      mode: modeByte(options.mode ?? "qio"),
      sizeAndFrequency: sizeAndFrequencyByte(chip, options),
      entry: elf.entry,
    }),
    extendedHeader.write({
      wpPin: WP_PIN_UNUSED,
      drive: new Uint8Array(3),
      chipId: imageChips[chip].chipId ?? 0,
      oldMinRevision: 0,
      minRevision,
      maxRevision: options.maxRevision ?? ANY_REVISION,
      reserved: new Uint8Array(4),
      hashAppended: 1,
    }),
    ...segments.flatMap(({ address, data }) => [segmentHeader.write({ address, size: data.length }), data]),
  ];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const line = new Uint8Array(CHECKSUM_LINE_SIZE - (length % CHECKSUM_LINE_SIZE));
  line[line.length - 1] = checksumOf(segments.map((segment) => segment.data));
  const hashed = concat([...parts, line]);
  return concat([hashed, sha256(hashed)]);
}

/** The description's place for the ELF's digest is filled in when the linker left it empty. */
function patchElfDigest(section: ImageSection, elf: Elf, known: Uint8Array | undefined): ImageSection {
  if (!hasAppDescription(section.data)) return section;
  const place = section.data.subarray(ELF_SHA256_AT, ELF_SHA256_AT + HASH_SIZE);
  if (!equalBytes(place, new Uint8Array(HASH_SIZE))) return section;
  const data = section.data.slice();
  data.set(known ?? sha256(elf.bytes), ELF_SHA256_AT);
  return { ...section, data };
}

function hasAppDescription(data: Uint8Array): boolean {
  return data.length >= APP_DESCRIPTION_SIZE && appDescription.read(data).magic === APP_DESCRIPTION_MAGIC;
}

function choosePageSize(
  elf: Elf,
  chip: EspImageChip,
  wish: { readonly asked: number | undefined; readonly first: ImageSection | undefined },
): number {
  const { pageSizes, label } = imageChips[chip];
  const described =
    wish.first !== undefined && hasAppDescription(wish.first.data)
      ? appDescription.read(wish.first.data).pageSizeLog2
      : 0;
  const pageSize = wish.asked ?? (described === 0 ? pageSizes[0] : 2 ** described);
  if (pageSize === undefined || !pageSizes.includes(pageSize)) {
    throw new FlashError(
      "bad-image",
      `${elf.name} is linked for flash pages of ${pageSize} bytes, which the ${label} cannot map`,
      {
        remedy: `Set the page size of the build to one of ${pageSizes.map((size) => `${size / 1024} KiB`).join(", ")}.`,
      },
    );
  }
  return pageSize;
}
