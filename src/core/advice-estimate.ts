/** What writing would have taken otherwise: with another bit rate, or with everything written. Estimates, on the safe side. */
import {
  contentBytesSent,
  digestBytesPerMs,
  knownBitRate,
  lastAttempt,
  phaseMs,
  sumBytes,
  sumMs,
  wroteWithoutAsking,
} from "./advice-facts.ts";
import type { FlashFacts } from "./advice-rule.ts";
import { waitTotals, type Span } from "./trace.ts";

const sectorBytes = 4096;
const blockBytes = 65_536;
/** W25Q32JV rev. G, table 9.6, typical: sector and block erase, page program with its transfer. */
const sectorEraseMs = 45;
const blockEraseMs = 150;
const programMsPerByte = 0.55 / 256;
/** Bytes on the wire per byte of contents where this flash wrote too little to tell: typical firmware deflates to this. */
const typicalWireRatio = 0.55;
/** The stub's room must be told to the host before it sends more; measured on simulated boards with our own stub. */
const idleWireShare = 0.05;
/** Below this the questions and headers weigh more than the contents. */
const tellingBytes = 32 * 1024;

/** Milliseconds that the flash chip itself needs to erase and program so many bytes in one run, whole blocks at once. */
function chipMs(bytes: number): number {
  const blocks = Math.floor(bytes / blockBytes);
  const sectors = Math.ceil((bytes - blocks * blockBytes) / sectorBytes);
  return blocks * blockEraseMs + sectors * sectorEraseMs + bytes * programMsPerByte;
}

/** Milliseconds on the wire for the contents that were written. */
export function contentWireMs(flash: FlashFacts, baud: number): number {
  return (contentBytesSent(flash) * 10_000) / baud;
}

/** Milliseconds by which another rate would have shortened upload and writing; the flash chip is not made faster by it. */
export function savedByRate(flash: FlashFacts, from: number, to: number): number {
  const share = 1 - from / to;
  const waits = waitTotals(flash.spans);
  const uploads = lastAttempt(flash).filter((span) => span.label === "stub upload" || span.phase === "load");
  const writes = flash.spans.filter((span) => span.phase === "write");
  const nowMs = sumMs(writes);
  const quickestMs = writes.reduce((sum, span: Span) => sum + chipMs(span.bytes), 0);
  const onWireMs = Math.min(contentWireMs(flash, from), nowMs);
  const uploadMs = (sumBytes(uploads) * 10_000) / from;
  if (waits !== undefined) {
    // What travels while the chip erases and programs is waited for by nobody, at any rate.
    const soonerMs = contentWireMs(flash, from) * share - idleWireShare * contentWireMs(flash, to);
    return uploadMs * share + Math.max(0, Math.min(waits.wireMs, soonerMs));
  }
  return uploadMs * share + Math.max(0, Math.min(onWireMs * share, nowMs - quickestMs));
}

export interface FullWrite {
  /** Milliseconds of the whole flash, had every sector been written. */
  readonly totalMs: number;
  /** Milliseconds saved against it; negative when asking cost more than writing would have. */
  readonly savedMs: number;
}

/**
 * What this flash would have taken with every sector written: its own connection, then wire or flash chip, whichever is slower,
 * and the board's own digest of all of it. undefined when the trace does not tell the rates, or when everything was written.
 * @param earlier flashes of the same board, newest first
 */
export function estimateFullWrite(flash: FlashFacts, earlier: readonly FlashFacts[]): FullWrite | undefined {
  if (flash.result !== "flashed" && flash.result !== "unchanged") return undefined;
  if (flash.image.sectors === 0 || flash.written.sectors >= flash.image.sectors) return undefined;
  if (wroteWithoutAsking(flash)) return undefined;
  const rate = knownBitRate(flash, earlier);
  const digest = digestBytesPerMs(flash);
  if (rate === undefined || digest === undefined) return undefined;
  const bytes = flash.image.sectors * sectorBytes;
  const { written } = flash;
  const ratio = written.bytes >= tellingBytes ? contentBytesSent(flash) / written.bytes : typicalWireRatio;
  const wireMs = (bytes * ratio * 10_000) / rate;
  const insteadMs = Math.max(wireMs, chipMs(bytes)) + bytes / digest;
  const savedMs = insteadMs - phaseMs(flash, "survey", "erase", "write", "verify");
  return { totalMs: flash.totalMs + savedMs, savedMs };
}
