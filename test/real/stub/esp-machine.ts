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

/** Instructions without a byte from the stub: longer than an erase and anything that it does by itself. */
const quietInstructions = 8e6;

export interface ChipUnderTest {
  readonly wire: Wire;
  readonly board: EspBoard;
  readonly bus: Bus;
  readonly processor: Rv32;
  readonly blob: Blob;
}

export function readBlob(chip: string): Blob {
  return JSON.parse(readFileSync(join(blobs, `${chip}.json`), "utf8")) as Blob;
}

/** Words that no program may rely on. */
function fillRam(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 151) ^ 0xa7;
}

export function busOf(chip: string, board: EspBoard): Bus {
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
    if (range.dataIsBelow === undefined || shown === undefined) bus.addRam(range.start, buffer);
    else {
      const from = range.start - range.dataIsBelow - shown.range.start;
      bus.addRam(range.start, shown.buffer, { from, bytes: range.end - range.start });
    }
    // The ESP32-P4 shows its RAM a second time, past the caches.
    if (chip.startsWith("esp32p4")) bus.addRam(range.start + 0x40000000, buffer);
  }
  return bus;
}

export function startRiscv(chip: string, link: 0 | 1): ChipUnderTest {
  const chipParts = parts[chip];
  if (chipParts === undefined) throw new Error(`no register places of ${chip}`);
  const board = new EspBoard(chipRow(chip), chipParts);
  const bus = busOf(chip, board);
  const blob = readBlob(chip);
  for (const segment of blob.segments) bus.bytesAt(segment.address, dataOf(segment).length).set(dataOf(segment));
  bus.store(blob.linkWord, 4, link);
  const processor = new Rv32(bus);
  processor.pc = blob.entry;
  processor.mstatus = 0x1888;
  processor.x[2] = blob.bssEnd - 64; // the ROM's stack may lie where our variables will
  return { wire: wireOf(board, processor), board, bus, processor, blob };
}

function wireOf(board: EspBoard, processor: Processor): Wire {
  return {
    send: (bytes) => void board.toStub.push(...bytes),
    receive: () => {
      const until = board.instructions + quietInstructions;
      while (board.fromStub.length === 0 && board.instructions < until) {
        processor.step();
        board.instructions++;
      }
      return Promise.resolve(Uint8Array.from(board.fromStub.splice(0)));
    },
  };
}
