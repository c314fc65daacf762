/** Advice about the way to the board: reset, USB bridge, bit rate, loader. */
import { contentWireMs, savedByRate } from "./advice-estimate.ts";
import {
  bitRate,
  isOwnUsb,
  knownBitRate,
  phaseMs,
  questionsAsked,
  roundTripMs,
  spansNamed,
  vainConnectMs,
  wroteByRom,
} from "./advice-facts.ts";
import { noticeableMs, type FlashFacts, type Rule } from "./advice-rule.ts";
import { formatDuration } from "./trace-text.ts";
import { waitTotals } from "./trace.ts";

/** Half of the 16 ms for which FTDI bridges hold a short answer back; CP210x, CH34x and the chips' own USB answer in 1 … 3 ms. */
const slowTripMs = 8;
/** What a question takes over a bridge that does not hold back: 1 ms each way and the loader's own time. */
const usualTripMs = 3;

/** Every question waits for the timer of the USB bridge. */
const bridgeLatency: Rule = (flash) => {
  const tripMs = roundTripMs(flash);
  if (tripMs === undefined || tripMs < slowTripMs || isOverNetwork(flash)) return undefined;
  const questions = questionsAsked(flash);
  const savesMs = Math.min(questions * (tripMs - usualTripMs), flash.totalMs);
  if (savesMs < noticeableMs) return undefined;
  return {
    id: "bridge-latency",
    severity: "warning",
    title: "The USB bridge holds answers back",
    explanation: `A question and its answer took ${tripMs.toFixed(1)} ms where ${usualTripMs} ms are usual, and this flash asked ${questions} times. FTDI bridges wait 16 ms before they pass a short answer on; their latency timer can be set to 1 ms.`,
    savesMs,
    action: { kind: "explain", topic: "latency-timer", label: "How to set the timer" },
  };
};

/** The next rate that is worth trying. All common bridges do 921600; 2 M leaves the CP2102 (1 M) out. */
const usualRate = 921_600;
const highRate = 2_000_000;
/** Going beyond the usual rate may cost a failed attempt, so it must bring more than a little. */
const worthwhileShare = 0.1;

/** The wire was the slow part, and a higher rate would have shortened it. */
const higherRate: Rule = (flash, earlier) => {
  const rate = knownBitRate(flash, earlier);
  if (rate === undefined || isOverNetwork(flash) || [flash, ...earlier].some((one) => rateWasLowered(one, flash)))
    return undefined;
  const target = rate < usualRate ? usualRate : highRate;
  if (rate >= target) return undefined;
  const savesMs = savedByRate(flash, rate, target);
  if (savesMs < noticeableMs || (target === highRate && savesMs < worthwhileShare * flash.totalMs)) return undefined;
  const caution = target === highRate ? " Most bridges do it; a CP2102 ends at 1 Mbaud." : "";
  return {
    id: "bit-rate",
    severity: "info",
    title: `The wire ran at ${rate} baud`,
    explanation: `At ${target} baud this flash would have taken about ${formatDuration(flash.totalMs - savesMs)} instead of ${formatDuration(flash.totalMs)}.${bindingSentence(flash)}${caution}`,
    savesMs,
    action: { kind: "set-baud", baud: target, label: `Use ${target} baud` },
  };
};

/** Which of the two binds, where the board told; begins with a space. */
function bindingSentence({ spans }: FlashFacts): string {
  const waits = waitTotals(spans);
  if (waits === undefined) return "";
  return ` While it wrote, the board waited ${formatDuration(waits.wireMs)} for the wire and ${formatDuration(waits.flashMs)} for its flash chip.`;
}

/** Connections at a higher rate did not hold. The rate that held is remembered, unless a setting asks for the high one each time. */
const loweredRate: Rule = (flash, earlier) => {
  const vainMs = vainConnectMs(flash);
  if (vainMs === 0) return undefined;
  const rate = bitRate(flash);
  const again = earlier.some((one) => rateWasLowered(one, flash));
  const held = rate === undefined ? "a lower one" : `${rate} baud`;
  const next = again
    ? "It has happened before on this port, so a setting asks for the high rate each time."
    : "Deltaflash remembers the rate that held for this port. A shorter cable or a port without a hub may hold the high one.";
  return {
    id: "rate-lowered",
    severity: "warning",
    title: "The bit rate had to be lowered",
    explanation: `The board did not answer at the rate that was asked for and was connected anew with ${held}; the vain attempts took ${formatDuration(vainMs)}. ${next}`,
    ...(again ? { savesMs: vainMs } : {}),
    ...(again && rate !== undefined
      ? { action: { kind: "set-baud", baud: rate, label: `Use ${rate} baud from the start` } as const }
      : {}),
  };
};

/** The slow recipes hold the reset for 100 ms and more; the quick one is through in 70 ms and listens for 250 ms at most. */
const slowResetMs = 250;
const quickResetMs = 70;

/** It took long until the loader answered. */
const slowReset: Rule = (flash, earlier) => {
  const ms = resetMs(flash);
  if (ms < slowResetMs || isOwnUsb(flash)) return undefined;
  const others = earlier.filter((one) => one.port === flash.port).map(resetMs);
  const wayIsKnown = others.some((one) => one > 0);
  const bestMs = Math.min(quickResetMs, ...others.filter((one) => one > 0));
  // The way that worked is remembered, so one slow reset at first sight is no matter.
  if (!wayIsKnown) return undefined;
  const usually = others.every((one) => one >= slowResetMs || one === 0);
  return {
    id: "slow-reset",
    severity: "info",
    title: `The loader answered only after ${formatDuration(ms)}`,
    explanation: usually
      ? `It has been like that on this port before. A board that resets well answers after ${quickResetMs} ms; a large capacitor on its reset pin or a slow power supply makes it late.`
      : `On this port it has taken ${formatDuration(bestMs)} before. This time the first way of resetting was not answered.`,
    ...(usually ? { savesMs: ms - quickResetMs } : {}),
    action: { kind: "explain", topic: "slow-reset", label: "About slow resets" },
  };
};

function resetMs(flash: FlashFacts): number {
  return spansNamed(flash, "connect", "reset + sync").at(-1)?.durationMs ?? 0;
}

/** Milliseconds that bringing up the program in RAM costs at 921600 baud; measured on simulated boards. */
const stubCostMs = 100;

/** The ROM erases first and writes then; the program in RAM does both at once. */
const romOnly: Rule = (flash) => {
  if (flash.result !== "flashed" || !wroteByRom(flash)) return undefined;
  const eraseMs = phaseMs(flash, "erase");
  const writeMs = phaseMs(flash, "write");
  const savesMs = Math.min(eraseMs, writeMs) - stubCostMs;
  if (savesMs < noticeableMs) return undefined;
  return {
    id: "rom-only",
    severity: "info",
    title: "Written by the chip's ROM loader alone",
    explanation: `Erasing took ${formatDuration(eraseMs)} and writing ${formatDuration(writeMs)}, one after the other. Deltaflash's usual way, a program in the board's RAM, does both at once and costs about ${stubCostMs} ms to bring up.`,
    savesMs,
    action: { kind: "use-stub", label: "Use the program in RAM" },
  };
};

/** Shorter ones are over before anyone thinks of another bit rate. */
const longWriteMs = 1_000;
/** The wire was idle for at least this share of the writing. */
const idleShare = 0.4;

/** Says where nothing can be won, so that nobody tries: the flash chip was the slow part. */
const chipBound: Rule = (flash, earlier) => {
  const rate = knownBitRate(flash, earlier);
  if (rate === undefined || rate < usualRate || wroteByRom(flash)) return undefined;
  const waits = waitTotals(flash.spans);
  const writeMs = waits === undefined ? phaseMs(flash, "erase", "write") : waits.wireMs + waits.flashMs;
  if (writeMs < longWriteMs || writeMs < flash.totalMs / 2) return undefined;
  const wireMs = waits?.wireMs ?? contentWireMs(flash, rate);
  if (wireMs > (1 - idleShare) * writeMs) return undefined;
  if (savedByRate(flash, rate, highRate) >= worthwhileShare * flash.totalMs) return undefined;
  const perSector = formatDuration(writeMs / flash.written.sectors);
  return {
    id: "flash-chip",
    severity: "info",
    title: "The flash chip set the pace",
    explanation: `Of ${formatDuration(writeMs)} of writing the wire needed ${formatDuration(wireMs)}; the rest went into erasing and programming ${flash.written.sectors} sectors, ${perSector} each. A higher bit rate would not help; fewer changed sectors do.`,
  };
};

function rateWasLowered(one: FlashFacts, flash: FlashFacts): boolean {
  return one.port === flash.port && vainConnectMs(one) > 0;
}

/** There the time of a question is the network's, and the rate is set at the far end. */
function isOverNetwork({ port }: Pick<FlashFacts, "port">): boolean {
  return /^(tcp|rfc2217|gdb):/.test(port);
}

export const linkRules: readonly Rule[] = [bridgeLatency, higherRate, loweredRate, slowReset, romOnly, chipBound];
