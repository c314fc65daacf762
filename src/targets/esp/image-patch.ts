/**
 * Gives a finished boot loader image the flash mode, frequency and size that the build's settings ask for.
 * Knows the header and the appended hash; the caller knows which file stands at the boot loader's offset and that the chip may be patched.
 */
import { sha256 } from "../../core/digest.ts";
import { imageChips, type EspImageChip } from "./image-chips.ts";
import { parseEspImage, type EspImage } from "./image.ts";
import { HASH_SIZE, IMAGE_MAGIC } from "./image-format.ts";
import { frequencyCode, modeByte, sizeCode, type FlashSettings } from "./image-settings.ts";

/** `keep`, or nothing, leaves what the image says. `detect` as a size takes `detectedSize`, and is as `keep` without it. */
export interface PatchSettings extends FlashSettings {
  /** What the board's flash was found to be, `4MB`. */
  readonly detectedSize?: string;
}

const MODE_AT = 2;
const SIZE_AND_FREQUENCY_AT = 3;

/**
 * A new array with the settings in the header and the hash made anew; the same array when there is nothing to change, and when
 * the bytes are no ESP image (a boot loader that was encrypted, for one). What follows the image in the file stays.
 * @throws FlashError `bad-image` for a setting that the chip does not have, or when the image is cut off.
 */
export function patchFlashSettings(bytes: Uint8Array, settings: PatchSettings, chip: EspImageChip): Uint8Array {
  if (bytes[0] !== IMAGE_MAGIC) return bytes;
  const wanted = wantedBytes(bytes, settings, chip);
  if (wanted.mode === bytes[MODE_AT] && wanted.sizeAndFrequency === bytes[SIZE_AND_FREQUENCY_AT]) return bytes;
  const image = parseEspImage(bytes, `the boot loader of the ${imageChips[chip].label}`);
  const patched = bytes.slice();
  patched[MODE_AT] = wanted.mode;
  patched[SIZE_AND_FREQUENCY_AT] = wanted.sizeAndFrequency;
  rehash(patched, image);
  return patched;
}

function wantedBytes(
  bytes: Uint8Array,
  settings: PatchSettings,
  chip: EspImageChip,
): { readonly mode: number; readonly sizeAndFrequency: number } {
  const old = bytes[SIZE_AND_FREQUENCY_AT] ?? 0;
  const size = settings.size === "detect" ? settings.detectedSize : settings.size;
  const high = asked(size) ? sizeCode(chip, size) : old >> 4;
  const low = asked(settings.frequency) ? frequencyCode(chip, settings.frequency) : old & 0xf;
  const mode = asked(settings.mode) ? modeByte(settings.mode) : (bytes[MODE_AT] ?? 0);
  return { mode, sizeAndFrequency: (high << 4) | low };
}

function asked(setting: string | undefined): setting is string {
  return setting !== undefined && setting !== "keep";
}

function rehash(bytes: Uint8Array, image: EspImage): void {
  if (image.hash?.kind !== "sha256") return;
  const hashed = bytes.subarray(0, image.totalLength - HASH_SIZE);
  bytes.set(sha256(hashed), hashed.length);
}
