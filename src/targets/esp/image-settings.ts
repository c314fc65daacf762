/**
 * Flash mode, frequency and size as an image header holds them, and how a finished boot loader image gets other ones.
 * Knows the codes of every chip; does not know which settings are right for a board.
 */
import { FlashError } from "../../core/errors.ts";
import { imageChips, modeCodes, type EspImageChip } from "./image-chips.ts";

/** As build systems write them: `dio`, `80m`, `4MB`. */
export interface FlashSettings {
  readonly mode?: string;
  readonly frequency?: string;
  readonly size?: string;
}

/** @throws FlashError `bad-image` naming the modes there are. */
export function modeByte(mode: string): number {
  return lookUp(modeCodes, mode.toLowerCase(), "flash mode");
}

/** Low nibble of header byte 3. @throws FlashError `bad-image` naming the frequencies of the chip. */
export function frequencyCode(chip: EspImageChip, frequency: string): number {
  const { frequencyCodes, label } = imageChips[chip];
  return lookUp(frequencyCodes, frequency.toLowerCase(), `flash frequency of the ${label}`);
}

/** High nibble of header byte 3. @throws FlashError `bad-image` naming the sizes of the chip. */
export function sizeCode(chip: EspImageChip, size: string): number {
  const { sizeCodes, label } = imageChips[chip];
  return lookUp(sizeCodes, size, `flash size of the ${label}`);
}

/** Header byte 3 of a new image; what is not said becomes 1MB and the frequency of code 0, as other image tools do. */
export function sizeAndFrequencyByte(chip: EspImageChip, settings: FlashSettings): number {
  const size = sizeCode(chip, settings.size ?? "1MB");
  const frequency = settings.frequency === undefined ? 0 : frequencyCode(chip, settings.frequency);
  return (size << 4) | frequency;
}

function lookUp(codes: Readonly<Record<string, number>>, name: string, what: string): number {
  const code = codes[name];
  if (code !== undefined) return code;
  throw new FlashError("bad-image", `there is no ${what} ${name}; there is ${Object.keys(codes).join(", ")}`, {
    remedy: "Correct the flash settings of the build and build again.",
  });
}
