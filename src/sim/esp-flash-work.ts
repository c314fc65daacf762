/** Erasing, programming and reading as the loaders on the chip do it: in which units, and how long they wait. */
import { SECTOR_BYTES, PAGE_BYTES } from "./nor-flash.ts";
import { flashReady, work, type Machine, type Program } from "./esp-machine.ts";

const BLOCK_BYTES = 64 * 1024;
/** Reading in pieces of 16 bytes, as ROM and stub do, is about 1 MB/s (model). */
const READ_MS_PER_BYTE = 1 / 1000;
/** MD5 over 1 MiB by a processor at 40 MHz, reading included (model, from 180 ms for a small application). */
const MD5_MS_PER_MIB = 1100;

/** Erases whole sectors from `address` on and waits for the end: blocks of 64 KiB where they fit, else sectors. */
export function* eraseRange(machine: Machine, address: number, size: number): Program<void> {
  const end = address + size;
  let at = address;
  while (at < end) {
    const unit = eraseUnit(at, end - at);
    yield* flashReady(machine);
    machine.flash.startErase(at, unit, machine.nowMs());
    at += unit;
  }
  yield* flashReady(machine);
}

/** The unit that both ROM and stub choose. */
export function eraseUnit(address: number, left: number): number {
  return address % BLOCK_BYTES === 0 && left >= BLOCK_BYTES ? BLOCK_BYTES : SECTOR_BYTES;
}

/** Programs page by page in commands of 32 bytes, waiting for each. */
export function* programRange(machine: Machine, address: number, data: Uint8Array): Program<void> {
  let done = 0;
  while (done < data.length) {
    const at = address + done;
    const length = Math.min(PAGE_BYTES - (at % PAGE_BYTES), data.length - done);
    yield* flashReady(machine);
    machine.flash.startProgram(at, data.slice(done, done + length), "32-byte commands", machine.nowMs());
    yield* flashReady(machine);
    done += length;
  }
}

/** Reads, taking the time it takes. Behind the end of the chip stands 0xff. */
export function* readRange(machine: Machine, address: number, length: number): Program<Uint8Array> {
  yield* flashReady(machine);
  yield* work(machine, length * READ_MS_PER_BYTE);
  const bytes = new Uint8Array(length).fill(0xff);
  bytes.set(machine.flash.bytes.subarray(address, address + length));
  return bytes;
}

/** Takes the time of an MD5 over `length` bytes; `speed` 1 = at 40 MHz. */
export function* md5Time(machine: Machine, length: number, speed: number): Program<void> {
  yield* flashReady(machine);
  yield* work(machine, (length / (1024 * 1024)) * (MD5_MS_PER_MIB / speed));
}
