/** What a trace tells about wire and board: how long one question takes, the bit rate, how fast the board digests. Pure. */
import type { FlashFacts } from "./advice-rule.ts";
import { waitTotals, type Phase, type Span } from "./trace.ts";

/** Milliseconds of these phases together. */
export function phaseMs(flash: FlashFacts, ...phases: readonly Phase[]): number {
  return sumMs(flash.spans.filter((span) => phases.includes(span.phase)));
}

export function spansNamed(flash: FlashFacts, phase: Phase, label: string): readonly Span[] {
  return flash.spans.filter((span) => span.phase === phase && span.label.startsWith(label));
}

export function sumMs(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + span.durationMs, 0);
}

export function sumBytes(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + span.bytes, 0);
}

/** Spans of the connection that held; what came before was tried in vain, at a higher bit rate. */
export function lastAttempt(flash: FlashFacts): readonly Span[] {
  const from = flash.spans.findLastIndex((span) => span.phase === "connect" && span.label === "reset + sync");
  return flash.spans.slice(Math.max(0, from));
}

/** Milliseconds that connections took which then did not hold; 0 when the first one did. */
export function vainConnectMs(flash: FlashFacts): number {
  const resets = spansNamed(flash, "connect", "reset + sync");
  const [first] = resets;
  const last = resets.at(-1);
  return first === undefined || last === undefined ? 0 : last.startMs - first.startMs;
}

/** How many registers are read for `identity`; two on all other chips, which are the two words of the MAC. */
const identityQuestions: Readonly<Record<string, number>> = { esp32: 4, esp32p4: 3, esp8266: 3 };

/**
 * Milliseconds from a short question to its answer: from the span in which the MAC is read, since nothing else happens there.
 * undefined where that span is missing.
 */
export function roundTripMs(flash: FlashFacts): number | undefined {
  const span = lastAttempt(flash).find((one) => one.phase === "connect" && one.label === "identity");
  return span === undefined ? undefined : span.durationMs / (identityQuestions[flash.chip] ?? 2);
}

/** The questions of a connection, but for those whose answers are whole uploads. */
const questionLabels = ["chip", "bit rate", "identity", "flash pins", "stub start"];
/** Begin, data and start of the upload, and one for each round of digests. */
const furtherQuestions = 6;

/**
 * How often this flash waited for an answer to a question. Our own stub takes operations in a stream, so that not every turn of the
 * wire is one that somebody waits for.
 */
export function questionsAsked(flash: FlashFacts): number {
  const tripMs = roundTripMs(flash);
  if (waitTotals(flash.spans) === undefined || tripMs === undefined) return flash.wire.roundTrips;
  const asking = lastAttempt(flash).filter((span) => span.phase === "connect" && questionLabels.includes(span.label));
  return Math.min(flash.wire.roundTrips, Math.round(sumMs(asking) / tripMs) + furtherQuestions);
}

const standardRates = [115_200, 230_400, 460_800, 921_600, 1_500_000, 2_000_000, 3_000_000] as const;
/** Begin and end, and one block for code and one for data, are answered one by one; a stub fits into them. */
const uploadQuestions = 5;
/** Half of the least distance between two standard rates (1.5 and 2 Mbaud): nearer than that is one of them. */
const rateTolerance = 0.15;

/** The bit rate that the upload into RAM ran at, or undefined when nothing was uploaded or it fits no standard rate. */
export function bitRate(flash: FlashFacts): number | undefined {
  const uploads = lastAttempt(flash).filter((span) => span.label === "stub upload" || span.phase === "load");
  const bytes = sumBytes(uploads);
  const wireMs = sumMs(uploads) - uploadQuestions * (roundTripMs(flash) ?? 0);
  if (bytes === 0 || wireMs <= 0) return undefined;
  const measured = (bytes * 10_000) / wireMs;
  const distance = (rate: number) => Math.abs(measured / rate - 1);
  const nearest = standardRates.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
  if (distance(nearest) > rateTolerance) return undefined;
  return nearest === romRate && wasRaisedLater(flash) ? undefined : nearest;
}

/** Read off this flash, or off the last one through this port where this one took over a connection that stood already. */
export function knownBitRate(flash: FlashFacts, earlier: readonly FlashFacts[]): number | undefined {
  for (const one of [flash, ...earlier.filter((other) => other.port === flash.port)]) {
    const rate = bitRate(one);
    if (rate !== undefined) return rate;
    if (one.spans.some((span) => span.label === "stub upload")) return undefined;
  }
  return undefined;
}

const romRate = 115_200;

/** The ESP8266 takes the upload at its ROM's rate and goes to the higher one afterwards. */
function wasRaisedLater(flash: FlashFacts): boolean {
  const labels = lastAttempt(flash).map((span) => span.label);
  return labels.lastIndexOf("bit rate") > labels.indexOf("stub start") && labels.includes("stub start");
}

/** Over the chip's own USB there is no bit rate to change, and an upload is faster than any UART; its reset takes 300 ms by design. */
export function isOwnUsb(flash: FlashFacts): boolean {
  return !lastAttempt(flash).some((span) => span.label === "bit rate") && bitRate(flash) === undefined;
}

/** Bytes on the wire that carried contents of the flash: all but what was uploaded into RAM. */
export function contentBytesSent(flash: FlashFacts): number {
  const uploaded = sumBytes(flash.spans.filter((span) => span.label === "stub upload" || span.phase === "load"));
  return Math.max(0, flash.wire.sentBytes - uploaded);
}

/** How fast the board digests its flash, bytes per millisecond: from verification or survey, whichever dealt with more bytes. */
export function digestBytesPerMs(flash: FlashFacts): number | undefined {
  const verified = flash.spans.filter((span) => span.phase === "verify" && span.bytes > 0);
  const confirmed = spansNamed(flash, "survey", "confirm");
  const spans = sumBytes(verified) >= sumBytes(confirmed) ? verified : confirmed;
  const ms = sumMs(spans);
  return ms > 0 && sumBytes(spans) > 0 ? sumBytes(spans) / ms : undefined;
}

/** A program in RAM erases while it writes, and our own tells afterwards how long; only a ROM erases first and answers then. */
export function wroteByRom(flash: FlashFacts): boolean {
  return flash.spans.some((span) => span.phase === "erase" && span.waitsFor === undefined);
}

/** True when the board was neither asked nor read before it was written. */
export function wroteWithoutAsking(flash: FlashFacts): boolean {
  const asked = [...spansNamed(flash, "survey", "confirm"), ...spansNamed(flash, "survey", "look at")];
  return flash.written.sectors > 0 && asked.length === 0;
}

/** The middle value, the mean of the middle two for an even count; undefined for none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
