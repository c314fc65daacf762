/** Which chips a program could be for, by its processor and its addresses alone. */
import type { Elf } from "../../core/elf.ts";
import { areaOf, espImageChips, imageChips, type EspImageChip } from "./image-chips.ts";

/** Chips of the program's processor that have memory at all of its addresses; several where chips share a memory map. */
export function chipsThatHold(elf: Elf): readonly EspImageChip[] {
  const segments = elf.programHeaders.filter((header) => header.type === 1 && header.fileSize > 0);
  return espImageChips.filter(
    (chip) =>
      imageChips[chip].machine === elf.machine &&
      segments.every(({ virtualAddress, fileSize }) => {
        const area = areaOf(chip, virtualAddress);
        return area !== undefined && virtualAddress + fileSize <= area.end;
      }),
  );
}
