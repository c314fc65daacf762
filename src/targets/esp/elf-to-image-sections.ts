/**
 * Which parts of a linked program go into an ESP image, in which order, and whether each is mapped flash or RAM.
 * Knows nothing of file offsets and padding.
 */
import { concat, hex } from "../../core/bytes.ts";
import { sectionTypes, type Elf } from "../../core/elf.ts";
import { FlashError } from "../../core/errors.ts";
import { areaOf, imageChips, type EspImageChip, type MemoryArea } from "./image-chips.ts";

/** `data` is padded with zeros to whole words. */
export interface ImageSection {
  readonly address: number;
  readonly data: Uint8Array;
  readonly name: string;
  readonly area: MemoryArea;
}

const WORD_SIZE = 4;
const APP_DESCRIPTION_SECTION = ".flash.appdesc";
const BOOT_DESCRIPTION_SECTION = ".dram0.bootdesc";
const storedTypes: readonly number[] = [
  sectionTypes.progBits,
  sectionTypes.initArray,
  sectionTypes.finiArray,
  sectionTypes.preinitArray,
];

/**
 * Mapped sections with the application description in front, RAM sections with the boot loader's description in front, both
 * otherwise by address; sections that touch in one memory are joined.
 * @throws FlashError `wrong-chip` naming the machine or the section that does not suit the chip, `bad-image` when nothing is stored
 * or two sections overlap.
 */
export function imageSections(
  elf: Elf,
  chip: EspImageChip,
): { readonly mapped: readonly ImageSection[]; readonly inRam: readonly ImageSection[] } {
  const { machine, label } = imageChips[chip];
  if (elf.machine !== machine) {
    throw new FlashError("wrong-chip", `${elf.name} is a program for ${elf.machine}, the ${label} is ${machine}`);
  }
  const sections = storedSections(elf, chip);
  if (sections.length === 0) {
    throw new FlashError("bad-image", `${elf.name} has no section with contents for the ${label}`);
  }
  const joined = joinSections(sections, elf.name);
  return {
    mapped: inFront(
      joined.filter((section) => section.area.kind === "flash"),
      APP_DESCRIPTION_SECTION,
    ),
    inRam: inFront(
      joined.filter((section) => section.area.kind === "ram"),
      BOOT_DESCRIPTION_SECTION,
    ),
  };
}

function storedSections(elf: Elf, chip: EspImageChip): readonly ImageSection[] {
  return elf.sections
    .filter((section) => storedTypes.includes(section.type) && section.address !== 0 && section.data.length > 0)
    .map((section) => {
      const area = areaOf(chip, section.address);
      if (area === undefined || section.address + section.size > area.end) {
        throw new FlashError(
          "wrong-chip",
          `${elf.name}: section ${section.name} (${hex(section.address)} to ${hex(section.address + section.size)}) lies outside the memory of the ${imageChips[chip].label}`,
        );
      }
      return { address: section.address, data: padToWord(section.data), name: section.name, area };
    })
    .sort((a, b) => a.address - b.address);
}

function joinSections(sections: readonly ImageSection[], name: string): readonly ImageSection[] {
  const runs: ImageSection[][] = [];
  for (const section of sections) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const end = last === undefined ? 0 : last.address + last.data.length;
    if (last !== undefined && section.address < end && section.area === last.area) {
      throw new FlashError(
        "bad-image",
        `${name}: ${last.name} (${hex(last.address)} to ${hex(end)}) overlaps ${section.name}, which starts at ${hex(section.address)}`,
      );
    }
    if (run !== undefined && last?.area === section.area && section.address === end) run.push(section);
    else runs.push([section]);
  }
  return runs.map((run) => {
    const [first] = run as [ImageSection, ...ImageSection[]];
    if (run.length === 1) return first;
    return { ...first, data: concat(run.map((s) => s.data)), name: run.map((s) => s.name).join(" + ") };
  });
}

function inFront(sections: readonly ImageSection[], name: string): readonly ImageSection[] {
  const holds = (section: ImageSection) => section.name.startsWith(name);
  return [...sections.filter(holds), ...sections.filter((section) => !holds(section))];
}

function padToWord(data: Uint8Array): Uint8Array {
  const surplus = data.length % WORD_SIZE;
  return surplus === 0 ? data : concat([data, new Uint8Array(WORD_SIZE - surplus)]);
}
