/** A chip that has just been given the stub by its ROM: blob in RAM, processor at the entry, the ROM's stack and interrupts as they were. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { blobs } from "../../../stubs/sources.mjs";
import { Bus, type Processor } from "./bus.ts";
import type { Wire } from "./conversation.ts";
import { EspBoard } from "./esp-board.ts";
import { chipRow, parts } from "./esp-parts.ts";
import { Rv32 } from "./rv32.ts";
import { dataOf, type Blob } from "./script.ts";
import { PS_WOE, Xtensa } from "./xtensa.ts";

export const xtensaChips = ["esp8266", "esp32", "esp32s2", "esp32s3"];

/** Instructions without a byte from the stub: longer than an erase and anything that it does by itself. */
const quietInstructions = 8e6;

export interface ChipUnderTest {
  readonly wire: Wire;
  readonly board: EspBoard;
  readonly bus: Bus;
  readonly processor: Processor;
  readonly blob: Blob;
  /** Stack pointer and whether interrupts may come, now. */
  readonly state: () => { readonly stack: number; readonly interrupts: boolean };
  /** ROM functions that were called. */
  readonly romCalls: number[];
  /** Runs for so many microseconds. */
  readonly run: (us: number) => void;
  /** Where the processor stands still from now on. */
  stopAt: number | undefined;
}

function readBlob(chip: string): Blob {
  return JSON.parse(readFileSync(join(blobs, `${chip}.json`), "utf8")) as Blob;
}

/** Words that no program may rely on. */
function fillRam(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 151) ^ 0xa7;
}

function busOf(chip: string, board: EspBoard): Bus {
  const bus = new Bus(board);
  const { ram } = chipRow(chip);
  const buffers = ram.map((range) => ({ range, buffer: new ArrayBuffer(range.end - range.start) }));
  for (const { range, buffer } of buffers) {
    const shown = buffers.find(
      (one) =>
        one.range.dataIsBelow === undefined &&
        one.range.start <= range.start - (range.dataIsBelow ?? 0) &&
        range.end - (range.dataIsBelow ?? 0) <= one.range.end,
    );
    fillRam(new Uint8Array(buffer));
    const wordsOnly = xtensaChips.includes(chip) && range.start >= 0x40000000 && range.start < 0x50000000;
    if (range.dataIsBelow === undefined || shown === undefined) bus.addRam(range.start, buffer, { wordsOnly });
    else {
      const from = range.start - range.dataIsBelow - shown.range.start;
      bus.addRam(range.start, shown.buffer, { from, bytes: range.end - range.start, wordsOnly });
    }
    // The ESP32-P4 shows its RAM a second time, past the caches.
    if (chip.startsWith("esp32p4")) bus.addRam(range.start + 0x40000000, buffer);
  }
  return bus;
}

/** The ESP8266's, which attach the flash: SelectSpiFunction, spi_flash_attach. */
const romFunctions = [0x40003f58, 0x40004644];

/** @param link 0 = UART0, 1 = USB-Serial-JTAG */
export function startChip(chip: string, link: 0 | 1): ChipUnderTest {
  const chipParts = parts[chip];
  if (chipParts === undefined) throw new Error(`no register places of ${chip}`);
  const board = new EspBoard(chipRow(chip), chipParts);
  const bus = busOf(chip, board);
  const blob = readBlob(chip);
  for (const segment of blob.segments) bus.bytesAt(segment.address, dataOf(segment).length).set(dataOf(segment));
  bus.store(blob.linkWord, 4, link);
  const stack = blob.bssEnd - 64; // the ROM's stack may lie where our variables will
  const made = xtensaChips.includes(chip) ? makeXtensa(chip, { bus, board, stack, blob }) : makeRiscv(bus, stack);
  made.processor.pc = blob.entry;
  const romCalls: number[] = [];
  const { processor, state } = made;
  const step = (): void => {
    if (processor.pc === chipUnderTest.stopAt) return;
    if (made.returnFromRom !== undefined && romFunctions.includes(processor.pc)) {
      romCalls.push(processor.pc);
      made.returnFromRom();
    }
    processor.step();
  };
  const wire = wireOf(board, step);
  const run = (us: number): void => {
    for (const untilUs = board.us + us; board.us < untilUs; board.instructions++) step();
  };
  const chipUnderTest: ChipUnderTest = { wire, board, bus, blob, romCalls, processor, state, run, stopAt: undefined };
  return chipUnderTest;
}

interface Made {
  readonly processor: Processor;
  readonly state: ChipUnderTest["state"];
  readonly returnFromRom?: () => void;
}

function makeRiscv(bus: Bus, stack: number): Made {
  const processor = new Rv32(bus);
  processor.mstatus = 0x1888;
  processor.x[2] = stack;
  return {
    processor,
    state: () => ({ stack: (processor.x[2] ?? 0) >>> 0, interrupts: (processor.mstatus & 8) !== 0 }),
  };
}

function makeXtensa(
  chip: string,
  { bus, board, stack, blob }: { bus: Bus; board: EspBoard; stack: number; blob: Blob },
): Made {
  const mhz = bus.load(blob.clockWord, 4);
  const hasWindows = chip !== "esp8266";
  const processor = new Xtensa(bus, { cycles: () => Math.floor(board.us * mhz) + 0xfff00000, hasWindows });
  processor.ps = hasWindows ? PS_WOE | 0x20020 : 0x20;
  processor.windowStart = hasWindows ? 0b1111 : 0;
  const { a } = processor;
  a[1] = stack;
  return {
    processor,
    state: () => ({ stack: (a[1] ?? 0) >>> 0, interrupts: (processor.ps & 15) === 0 }),
    returnFromRom: () => {
      for (let register = 2; register < 12; register++) a[register] = 0x5c5c5c5c;
      processor.pc = (a[0] ?? 0) >>> 0;
    },
  };
}

function wireOf(board: EspBoard, step: () => void): Wire {
  return {
    send: (bytes) => void board.toStub.push(...bytes),
    receive: () => {
      const until = board.instructions + quietInstructions;
      while (board.fromStub.length === 0 && board.instructions < until) {
        step();
        board.instructions++;
      }
      return Promise.resolve(Uint8Array.from(board.fromStub.splice(0)));
    },
  };
}
