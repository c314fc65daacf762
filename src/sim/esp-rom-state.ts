/** What the ROM loader remembers between commands, and what a command hands back. */
import type { Ending, Machine, Program } from "./esp-machine.ts";
import type { Inflater } from "./esp-inflate.ts";
import type { Request } from "./esp-packet.ts";
import { RomReceiver } from "./esp-slip.ts";

/** Espressif's serial protocol page. */
export const romError = {
  badParameter: 0x01,
  badMessage: 0x05,
  failed: 0x06,
  checksum: 0x07,
  writtenDiffers: 0x08,
  flashRead: 0x09,
  readLength: 0x0a,
  inflate: 0x0b,
} as const;

/** The largest block that MEM_BEGIN and FLASH_BEGIN take. */
export const MAX_BLOCK_BYTES = 0x1800;
const PACKET_BUFFER_BYTES = 0x1900;
/** The UART's own buffer behind the ring. */
const FIFO_BYTES = 128;
/** What the ROM takes a flash chip for until SPI_SET_PARAMS says more (model). */
const DEFAULT_FLASH_BYTES = 4 * 1024 * 1024;

export interface RomAnswer {
  /** 0 or absent: it went well. */
  readonly error?: number;
  /** Stands before the status bytes. */
  readonly data?: Uint8Array;
  /** What comes behind the answer; an ending leaves the loader. */
  after?(): Program<Ending | undefined>;
}

export type RomCommand = (rom: Rom, request: Request) => Program<RomAnswer>;

/** One write to flash, from BEGIN on. */
export interface RomWrite {
  address: number;
  readonly blockBytes: number;
  blocksLeft: number;
  nextSequence: number;
  readonly inflater: Inflater | undefined;
}

export class Rom {
  readonly machine: Machine;
  readonly receiver: RomReceiver;
  /** Where MEM_DATA goes next. */
  load: { address: number; blockBytes: number; nextSequence: number } | undefined;
  write: RomWrite | undefined;
  flashBytes = DEFAULT_FLASH_BYTES;
  /** The pins belong to the flash controller. The ESP8266's BEGIN sees to that itself. */
  isAttached: boolean;
  /** What an unknown command is answered with. */
  previous = { op: 0, copies: 1 };
  /** Repeated in every answer: the last value read, or the first word of a SYNC. */
  value = 0;
  staleError = 0;

  constructor(machine: Machine) {
    this.machine = machine;
    this.receiver = new RomReceiver((machine.chip.ringBytes ?? 2048) + FIFO_BYTES, PACKET_BUFFER_BYTES);
    this.isAttached = machine.chip.id === "esp8266";
  }

  /** The range lies in the flash chip as the loader knows it. */
  reaches(address: number, size: number): boolean {
    return this.isAttached && address + size <= this.flashBytes;
  }
}
