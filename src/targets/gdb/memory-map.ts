/** The memory map that a GDB server tells, as flash regions and ranges of RAM. Source of the form: GDB manual, E.14. */
import { hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { FlashMap, Region } from "../../core/flash-map.ts";
import type { Range } from "../../core/image.ts";
import { elementsNamed, parseXml, type XmlElement } from "./xml.ts";

export interface MemoryMap {
  /** What the server can erase and program itself. */
  readonly flash: FlashMap;
  /** Sorted by address. */
  readonly ram: readonly Range[];
}

const addressSpace = 0x1_0000_0000;

/** @throws FlashError `protocol` when a number is none, or flash regions overlap or have no whole number of sectors */
export function parseMemoryMap(xml: string): MemoryMap {
  const memories = elementsNamed(parseXml(xml), "memory");
  const flash = memories.filter(({ attributes }) => attributes["type"] === "flash").map(regionOf);
  const ram = memories.filter(({ attributes }) => attributes["type"] === "ram").map(rangeOf);
  flash.sort((a, b) => a.start - b.start);
  flash.forEach((region, index) => {
    const before = flash[index - 1];
    if (before !== undefined && before.start + before.size > region.start) {
      throw broken(`${before.name} and ${region.name} overlap`);
    }
  });
  return { flash, ram: ram.filter(({ size }) => size > 0).sort((a, b) => a.address - b.address) };
}

function regionOf(memory: XmlElement): Region {
  const { address, size } = rangeOf(memory);
  const blockSize = elementsNamed(memory.children, "property").find(
    ({ attributes }) => attributes["name"] === "blocksize",
  );
  const sectorSize = numberOf(blockSize?.text, `the block size of the flash at ${hex(address)}`);
  if (sectorSize === 0 || size === 0 || size % sectorSize !== 0) {
    throw broken(`the flash at ${hex(address)} has ${hex(size)} bytes in blocks of ${hex(sectorSize)}`);
  }
  return { name: `flash ${hex(address, 8)}`, start: address, size, sectorSize, erasedByte: 0xff };
}

/** A length of all ones means up to the end of the address space. */
function rangeOf({ attributes }: XmlElement): Range {
  const address = numberOf(attributes["start"], "a start");
  const size = numberOf(attributes["length"], `the length of the memory at ${hex(address)}`);
  if (address >= addressSpace) throw broken(`a memory starts at ${hex(address)}`);
  return { address, size: Math.min(size, addressSpace - address) };
}

/** Hex with `0x`, else decimal. */
function numberOf(text: string | undefined, what: string): number {
  const trimmed = text?.trim() ?? "";
  if (!/^(?:0x[0-9a-f]{1,16}|\d{1,16})$/i.test(trimmed)) throw broken(`${what} is ${JSON.stringify(trimmed)}`);
  return Number(trimmed);
}

function broken(what: string): FlashError {
  return new FlashError("protocol", `the GDB server's memory map makes no sense: ${what}`, {
    remedy: "Check the flash banks in the server's configuration, or name the chip in the settings.",
  });
}
