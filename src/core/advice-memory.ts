/** Advice about what was asked, written and verified, and why it was so much. */
import { digestBytesPerMs, median, phaseMs, spansNamed, sumBytes, sumMs, wroteWithoutAsking } from "./advice-facts.ts";
import { noticeableMs, type FlashFacts, type Rule } from "./advice-rule.ts";
import { formatBytes } from "./bytes.ts";
import { formatDuration } from "./trace-text.ts";

/** As `engine/flash.ts` begins its notes. */
const otherWriter = "Something else has written to this board";
const cutShort = "An earlier flash was cut short";

/** Sectors had to be looked at one by one, because the record of the board did not hold. */
const forcedSurvey: Rule = (flash) => {
  const looked = spansNamed(flash, "survey", "look at");
  const lookMs = sumMs(looked);
  const has = (beginning: string) => flash.notes.some((note) => note.startsWith(beginning));
  const cost = `Looking at sectors one by one took ${formatDuration(lookMs)}, and ${flash.written.sectors} of ${flash.image.sectors} had to be written.`;
  if (has(otherWriter)) {
    // Confirming the same bytes is one question for all of them, and the board's digest.
    const savesMs = lookMs - sumBytes(looked) / (digestBytesPerMs(flash) ?? Infinity);
    return {
      id: "other-writer",
      severity: "warning",
      title: "Another tool has written to this board",
      explanation: `What Deltaflash remembered of the board was no longer true. ${cost} Flashed from here alone, the board need only confirm what it holds.`,
      ...(savesMs >= noticeableMs ? { savesMs } : {}),
    };
  }
  if (lookMs < noticeableMs) return undefined;
  if (has(cutShort)) {
    return {
      id: "cut-short",
      severity: "info",
      title: "An earlier flash was cut short",
      explanation: `${cost} The next flash need only confirm them.`,
    };
  }
  return {
    id: "unknown-board",
    severity: "info",
    title: "Part of this board was not known yet",
    explanation: `${cost} They are remembered now, and the next flash need only confirm them.`,
  };
};

const sectorBytes = 4096;
/** An image header, a check sum and one changed place are three sectors; growth adds its own. */
const sectorsOfAnEdit = 3;
/** Fewer may well be one edit in several places. */
const manySectors = 8;
const timesTooMany = 4;
/** "Hardly grew": by less than this share of the image. */
const hardlyShare = 0.01;

/** Many sectors changed though the image has hardly grown: what stands behind the growth has moved. */
const addressShift: Rule = (flash, earlier) => {
  const before = earlier.find((one) => one.result === "flashed" || one.result === "unchanged");
  if (before === undefined || flash.result !== "flashed" || !wasConfirmed(flash)) return undefined;
  const grownBytes = flash.image.bytes - before.image.bytes;
  const { sectors } = flash.written;
  const expected = sectorsOfAnEdit + Math.ceil(Math.abs(grownBytes) / sectorBytes);
  if (Math.abs(grownBytes) > hardlyShare * before.image.bytes || grownBytes === 0) return undefined;
  if (sectors < Math.max(manySectors, timesTooMany * expected)) return undefined;
  const savesMs = phaseMs(flash, "erase", "write", "verify") * (1 - expected / sectors);
  if (savesMs < noticeableMs) return undefined;
  const change = grownBytes > 0 ? "grew" : "shrank";
  return {
    id: "address-shift",
    severity: "info",
    title: `${sectors} sectors were written though the image ${change} by ${formatBytes(Math.abs(grownBytes))} only`,
    explanation: `An edit of that size touches about ${expected} sectors. The others hold code and data that moved to other addresses. A link that keeps addresses stable leaves them alone.`,
    savesMs,
    action: { kind: "explain", topic: "stable-link", label: "About stable links" },
  };
};

/** The board was known and confirmed it, so that only real changes were written. */
function wasConfirmed(flash: FlashFacts): boolean {
  const looked = sumMs(spansNamed(flash, "survey", "look at"));
  const confirmed = sumMs(spansNamed(flash, "survey", "confirm"));
  const disturbed = flash.notes.some((note) => note.startsWith(otherWriter) || note.startsWith(cutShort));
  return confirmed > looked && !disturbed;
}

/** Half of the speed at which the board has digested before: noise is far below that. */
const slowDigestFactor = 2;

/** Verification took longer than what it verified. */
const slowVerify: Rule = (flash, earlier) => {
  const verifyMs = phaseMs(flash, "verify");
  const rate = digestBytesPerMs(flash);
  if (verifyMs < noticeableMs || rate === undefined || verifyMs <= phaseMs(flash, "erase", "write")) return undefined;
  const best = Math.max(...earlier.map((one) => digestBytesPerMs(one) ?? 0), 0);
  const savesMs = verifyMs * (1 - rate / best);
  if (best < slowDigestFactor * rate || savesMs < noticeableMs) return undefined;
  return {
    id: "slow-verify",
    severity: "info",
    title: "Verifying took longer than writing",
    explanation: `The board digested ${perSecond(rate)} in this flash, and ${perSecond(best)} in an earlier one. Its ROM loader alone digests slower than the program in RAM.`,
    savesMs,
    action: { kind: "use-stub", label: "Use the program in RAM" },
  };
};

/** Everything was written without asking the board. */
const wroteEverything: Rule = (flash, earlier) => {
  if (flash.result !== "flashed" || !wroteWithoutAsking(flash) || flash.written.sectors < flash.image.sectors)
    return undefined;
  const rate = digestBytesPerMs(flash);
  const wroteMs = phaseMs(flash, "erase", "write", "verify");
  const askMs = rate === undefined ? undefined : flash.image.bytes / rate;
  if (askMs === undefined || wroteMs - askMs < noticeableMs) return undefined;
  const partial = earlier.filter((one) => one.result === "flashed" && one.written.sectors < one.image.sectors);
  const usualMs = median(partial.map((one) => phaseMs(one, "survey", "erase", "write", "verify")));
  const usual =
    usualMs === undefined
      ? ""
      : ` Flashes of this board that wrote only changes took ${formatDuration(usualMs)} for survey, writing and verifying.`;
  return {
    id: "wrote-everything",
    severity: "info",
    title: `All ${flash.image.sectors} sectors were written, changed or not`,
    explanation: `Writing and verifying took ${formatDuration(wroteMs)}; asking the board first, which of them it holds already, takes about ${formatDuration(askMs)}.${usual}`,
    ...(usualMs !== undefined && wroteMs - usualMs >= noticeableMs ? { savesMs: wroteMs - usualMs } : {}),
    action: { kind: "flash-changed", label: "Flash only what changed" },
  };
};

function perSecond(bytesPerMs: number): string {
  return `${formatBytes(Math.round(bytesPerMs * 1000))}/s`;
}

export const memoryRules: readonly Rule[] = [forcedSurvey, addressShift, slowVerify, wroteEverything];
