/** Where a loader and what it works with lie in a chip's RAM. Knows sizes, not what is done there. */
import { formatBytes, hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { Address, Range } from "../../core/image.ts";
import { mailboxBytes } from "./loader-abi.ts";
import type { LoaderProgram } from "./loader-blobs.ts";

export interface LoaderSpace {
  readonly code: Address;
  /** How much of the code has to be there. */
  readonly codeBytes: number;
  readonly mailbox: Address;
  readonly stackTop: Address;
  /** Directly behind the mailbox, so that both travel in one packet. */
  readonly buffer: Range;
  /** Where patches are composed; of 0 bytes where nothing is patched. The save area stands behind it. */
  readonly work: Range;
  readonly saveBytes: number;
}

/** What the loader was seen to use is 250 bytes; boot ROM functions that it calls want theirs. */
const stackBytes = 768;
/** Below this a batch is hardly more than its head. */
const leastBufferBytes = 1024;
/** Composed at once: a multiple of 4 KiB, at most 64 KiB (`src/core/delta.ts`). */
const leastWorkBytes = 0x1000;
const mostWorkBytes = 0x10000;
const mostSaveBytes = 0x8000;

const alignUp = (value: number) => Math.ceil(value / 8) * 8;
const alignDown = (value: number) => Math.floor(value / 8) * 8;

/** For digests, erasing and writing. @throws FlashError `does-not-fit` when the RAM is too small */
export function layOut(ram: Range, { coreBytes }: LoaderProgram): LoaderSpace {
  const space = layOutBehind(ram, coreBytes, coreBytes);
  if (space.buffer.size >= leastBufferBytes) return space;
  throw new FlashError(
    "does-not-fit",
    `${formatBytes(ram.size)} of RAM at ${hex(ram.address)} are too little for the loader`,
    { remedy: "Let the GDB server's own flash driver write this chip, or free more RAM for the loader." },
  );
}

/** With room to compose new contents; undefined when the RAM is too small for that. */
export function layOutForPatches(ram: Range, { code, stateBytes }: LoaderProgram): LoaderSpace | undefined {
  const whole = layOutBehind(ram, code.length + stateBytes, code.length);
  if (stateBytes === 0 || whole.buffer.size < 2 * leastWorkBytes + leastBufferBytes) return undefined;
  let workBytes = leastWorkBytes;
  while (2 * workBytes <= mostWorkBytes && 2 * workBytes <= whole.buffer.size / 2) workBytes *= 2;
  const rest = whole.buffer.size - workBytes;
  const saveBytes = Math.min(mostSaveBytes, alignDown(rest / 3));
  const size = rest - saveBytes;
  const { address } = whole.buffer;
  return { ...whole, buffer: { address, size }, work: { address: address + size, size: workBytes }, saveBytes };
}

/** @param takenBytes by code and state */
function layOutBehind(ram: Range, takenBytes: number, codeBytes: number): LoaderSpace {
  const code = alignUp(ram.address);
  const mailbox = code + alignUp(takenBytes);
  const buffer = mailbox + mailboxBytes;
  const stackTop = alignDown(ram.address + ram.size);
  const size = Math.max(0, stackTop - stackBytes - buffer);
  const work = { address: buffer + size, size: 0 };
  return { code, codeBytes, mailbox, stackTop, buffer: { address: buffer, size }, work, saveBytes: 0 };
}
