/** A chip's RAM as the loaders see it: ranges, their second addresses, and what was uploaded. */
import type { EspChip, RamRange } from "./esp-chip-parts.ts";

export class EspMemory {
  readonly #blocks: readonly { readonly range: RamRange; readonly bytes: Uint8Array }[];
  readonly #ranges: readonly RamRange[];
  #uploads: { start: number; end: number }[] = [];

  constructor(chip: EspChip) {
    this.#ranges = chip.ram;
    this.#blocks = chip.ram
      .filter((range) => range.dataIsBelow === undefined)
      .map((range) => ({ range, bytes: new Uint8Array(range.end - range.start) }));
  }

  /** A reset forgets what was uploaded; the contents stay, as on silicon. */
  forgetUploads(): void {
    this.#uploads = [];
  }

  holds(address: number, length = 1): boolean {
    return this.#find(address, length) !== undefined;
  }

  /** @returns false if not all of it lies in one range */
  write(address: number, bytes: Uint8Array): boolean {
    const place = this.#find(address, bytes.length);
    if (place === undefined) return false;
    place.bytes.set(bytes, place.offset);
    return true;
  }

  /** @returns a view, or undefined if not all of it lies in one range */
  view(address: number, length: number): Uint8Array | undefined {
    const place = this.#find(address, length);
    return place?.bytes.subarray(place.offset, place.offset + length);
  }

  markUploaded(address: number, length: number): void {
    this.#uploads.push({ start: address, end: address + length });
  }

  wasUploaded(address: number): boolean {
    return this.#uploads.some((upload) => address >= upload.start && address < upload.end);
  }

  #find(address: number, length: number): { bytes: Uint8Array; offset: number } | undefined {
    const range = this.#ranges.find((one) => address >= one.start && address + length <= one.end);
    if (range === undefined) return undefined;
    const data = address - (range.dataIsBelow ?? 0);
    const block = this.#blocks.find(({ range: one }) => data >= one.start && data + length <= one.end);
    return block === undefined ? undefined : { bytes: block.bytes, offset: data - block.range.start };
  }
}
