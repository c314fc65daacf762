/**
 * Is a linked program one that runs from RAM alone, and which bytes go where.
 * Knows the chips' memory; does not know which of it the ROM loader itself uses while it loads.
 */
import { concat, hex } from "../../core/bytes.ts";
import { loadSegments, type Elf } from "../../core/elf.ts";
import { FlashError } from "../../core/errors.ts";
import { endOf, makeImage, type Segment } from "../../core/image.ts";
import { areaOf, imageChips, type EspImageChip } from "./image-chips.ts";

const WORD_SIZE = 4; // MEM_DATA takes whole words

/**
 * What to load, by address, each padded with zeros to whole words; start at `elf.entry`.
 * @throws FlashError `refused` naming the sections that have flash addresses; `wrong-chip` when it is for another processor or
 * lies outside the chip's memory; `bad-image` when there is nothing to load or the entry is not in what is loaded.
 */
export function checkRamProgram(elf: Elf, chip: EspImageChip): readonly Segment[] {
  const { machine, label } = imageChips[chip];
  if (elf.machine !== machine) {
    throw new FlashError("wrong-chip", `${elf.name} is a program for ${elf.machine}, the ${label} is ${machine}`);
  }
  const segments = loadSegments(elf);
  const inFlash = segments.filter((segment) => areaOf(chip, segment.address)?.kind === "flash");
  if (inFlash.length > 0) {
    const places = inFlash.map((segment) => `${segment.name} at ${hex(segment.address)}`).join(", ");
    throw new FlashError("refused", `${elf.name} is no RAM program: the ${label} has flash at the place of ${places}`, {
      remedy: "Flash it without --ram, or link it for RAM alone.",
    });
  }
  const outside = segments.find((segment) => {
    const area = areaOf(chip, segment.address);
    return area === undefined || endOf(segment) > area.end;
  });
  if (outside !== undefined) {
    throw new FlashError(
      "wrong-chip",
      `${elf.name}: ${outside.name} (${hex(outside.address)} to ${hex(endOf(outside))}) lies outside the RAM of the ${label}`,
    );
  }
  checkRomsOwn(elf, chip, segments);
  if (!segments.some((segment) => elf.entry >= segment.address && elf.entry < endOf(segment))) {
    throw new FlashError(
      "bad-image",
      `${elf.name}: the entry ${hex(elf.entry)} is in none of the parts that are loaded`,
      {
        remedy: "Name the entry function in the linker script with ENTRY().",
      },
    );
  }
  return makeImage(segments.map(padToWord)).segments;
}

/** RAM that the ROM uses while it loads: packet buffer, data and stack. Measured on the ROMs of these three; unknown for the others. */
const romsOwn: Readonly<Partial<Record<EspImageChip, readonly { readonly start: number; readonly end: number }[]>>> = {
  esp32: [
    { start: 0x3ffa_e000, end: 0x3ffa_e300 },
    { start: 0x3ffc_0000, end: 0x3ffc_1900 },
    { start: 0x3ffe_0000, end: 0x3ffe_4000 },
  ],
  esp32s3: [
    { start: 0x3fcd_7e00, end: 0x3fcd_9700 },
    { start: 0x3fce_b400, end: 0x3fcf_0000 },
  ],
  esp32c3: [
    { start: 0x3fcc_ae00, end: 0x3fcc_c700 },
    { start: 0x3fcd_e400, end: 0x3fce_0000 },
  ],
};

function checkRomsOwn(elf: Elf, chip: EspImageChip, segments: readonly Segment[]): void {
  for (const { start, end } of romsOwn[chip] ?? []) {
    const inside = segments.find((segment) => segment.address < end && endOf(segment) > start);
    if (inside === undefined) continue;
    const place = `${inside.name} (${hex(inside.address)} to ${hex(endOf(inside))})`;
    throw new FlashError(
      "refused",
      `${elf.name}: ${place} lies where the ROM of the ${imageChips[chip].label} keeps its own data while it loads (${hex(start)} to ${hex(end)})`,
      { remedy: "Move it in the linker script; .bss may lie there, since it is not loaded." },
    );
  }
}

function padToWord(segment: Segment): Segment {
  const surplus = segment.data.length % WORD_SIZE;
  if (surplus === 0) return segment;
  return { ...segment, data: concat([segment.data, new Uint8Array(WORD_SIZE - surplus)]) };
}
