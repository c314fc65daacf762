/**
 * Makes the flash contents of an ESP8266 out of a linked program: a RAM image of version 1 at offset 0 and the code in flash as it is.
 * Does not know versions 2 and 3 (boot loaders of the vendor's SDKs) and the Arduino core's own boot loader: their builds make .bin files.
 */
import { concat, hex } from "../../core/bytes.ts";
import type { Elf } from "../../core/elf.ts";
import { FlashError } from "../../core/errors.ts";
import type { Segment } from "../../core/image.ts";
import { imageSections } from "./elf-to-image-sections.ts";
import { imageChips } from "./image-chips.ts";
import {
  CHECKSUM_LINE_SIZE,
  IMAGE_MAGIC,
  MAX_SEGMENTS,
  checksumOf,
  imageHeader,
  segmentHeader,
} from "./image-format.ts";
import { modeByte, sizeAndFrequencyByte, type FlashSettings } from "./image-settings.ts";

const CODE_BASE = 0x4020_0000; // where the flash's first byte is mapped: ESP8266 technical reference, memory map

/**
 * Addresses of the result are flash offsets; the RAM image comes first.
 * @throws FlashError `wrong-chip` and `bad-image` as `elfToAppImage`; `bad-image` when the code in flash starts inside the RAM image.
 */
export function elfToEsp8266Files(elf: Elf, settings: FlashSettings = {}): readonly Segment[] {
  const { mapped, inRam } = imageSections(elf, "esp8266");
  if (inRam.length === 0 || inRam.length > MAX_SEGMENTS) {
    throw new FlashError("bad-image", `${elf.name} has ${inRam.length} RAM segments, 1 to ${MAX_SEGMENTS} can be`, {
      remedy: "Check the linker script of the build.",
    });
  }
  const ram: Segment = { address: 0, data: ramImage(inRam, elf.entry, settings), name: `${elf.name} RAM image` };
  const code = mapped.map(({ address, data, name }) => ({ address: address - CODE_BASE, data, name }));
  const clash = code.find((segment) => segment.address < ram.data.length);
  if (clash !== undefined) {
    throw new FlashError(
      "bad-image",
      `${elf.name}: ${clash.name} starts at flash offset ${hex(clash.address)}, inside the RAM image of ${hex(ram.data.length)} bytes`,
      {
        remedy: `Move it in the linker script, or give the .bin files that the build for the ${imageChips.esp8266.label} made.`,
      },
    );
  }
  return [ram, ...code];
}

function ramImage(
  sections: readonly { readonly address: number; readonly data: Uint8Array }[],
  entry: number,
  settings: FlashSettings,
): Uint8Array {
  const head = imageHeader.write({
    magic: IMAGE_MAGIC,
    segments: sections.length,
    mode: modeByte(settings.mode ?? "qio"),
    sizeAndFrequency: sizeAndFrequencyByte("esp8266", settings),
    entry,
  });
  const body = sections.flatMap(({ address, data }) => [segmentHeader.write({ address, size: data.length }), data]);
  const length = [head, ...body].reduce((sum, part) => sum + part.length, 0);
  const line = new Uint8Array(CHECKSUM_LINE_SIZE - (length % CHECKSUM_LINE_SIZE));
  line[line.length - 1] = checksumOf(sections.map((section) => section.data));
  return concat([head, ...body, line]);
}
