/** Advice about debug probes and GDB servers: the speed of the link, who writes the flash, what starting a server costs. */
import { phaseMs, spansNamed, sumBytes, sumMs } from "./advice-facts.ts";
import { noticeableMs, type FlashFacts, type Rule } from "./advice-rule.ts";
import { formatBytes } from "./bytes.ts";
import { formatDuration } from "./trace-text.ts";

/** A probe of the second kind (CMSIS-DAP v2, ST-Link V3, J-Link) moves 100 KB/s and more; below this the clock is what holds it back. */
const slowBytesPerMs = 60;
const usualBytesPerMs = 150;
/** Shorter uploads say nothing about the rate. */
const leastBytes = 1_000;

const isBehindServer = ({ port }: FlashFacts) => port.startsWith("gdb:");
const loaderUploads = (flash: FlashFacts) => spansNamed(flash, "connect", "loader upload");

/** Bytes per millisecond into the target's RAM, without the waits for answers; undefined where too little was loaded to tell. */
function linkBytesPerMs(flash: FlashFacts): number | undefined {
  const spans = [...loaderUploads(flash), ...spansNamed(flash, "load", "RAM program")];
  const bytes = sumBytes(spans);
  const ms = sumMs(spans);
  return bytes < leastBytes || ms <= 0 ? undefined : bytes / ms;
}

/** The debug clock is slow: 1.8 MHz by default with some servers. */
const slowAdapter: Rule = (flash) => {
  const rate = linkBytesPerMs(flash);
  if (!isBehindServer(flash) || rate === undefined || rate >= slowBytesPerMs) return undefined;
  const bytes = flash.wire.sentBytes + flash.wire.receivedBytes;
  const savesMs = Math.min(bytes * (1 / rate - 1 / usualBytesPerMs), flash.totalMs - phaseMs(flash, "reset"));
  if (savesMs < noticeableMs) return undefined;
  return {
    id: "adapter-clock",
    severity: "warning",
    title: `The debug probe moved only ${formatBytes(Math.round(rate * 1000))}/s`,
    explanation: `Most probes and boards do three times that. Servers begin with a slow debug clock; raise it step by step until it no longer holds (OpenOCD: \`adapter speed 10000\`; pyOCD: \`-f 10M\`; probe-rs: \`--speed 10000\`; J-Link: \`speed 10000\`; st-util: \`--freq=10000\`).`,
    savesMs,
    action: { kind: "explain", topic: "adapter-speed", label: "How to raise the clock" },
  };
};

/** The server's own flash driver wrote: page by page with most of them, and with a halt of the core each time. */
const serverWrote: Rule = (flash) => {
  const spans = spansNamed(flash, "write", "server's flash driver");
  if (spans.length === 0 || sumMs(spans) < noticeableMs) return undefined;
  return {
    id: "server-writes",
    severity: "info",
    title: "The GDB server's own flash driver wrote",
    explanation: `It took ${formatDuration(sumMs(spans))} for ${formatBytes(flash.written.bytes)}. Deltaflash has no driver of its own for this chip and could only leave out what was unchanged.`,
  };
};

/** Finding and opening the probe is done once, as long as the server stays. */
const serverStart: Rule = (flash, earlier) => {
  const ms = sumMs(spansNamed(flash, "connect", "start the GDB server"));
  if (ms < noticeableMs || earlier.filter((one) => one.port === flash.port).length === 0) return undefined;
  return {
    id: "server-start",
    severity: "info",
    title: `Starting the GDB server took ${formatDuration(ms)}`,
    explanation:
      "It had ended since the last flash. Deltaflash keeps a server that it started; one of your own, left running, saves this too.",
    savesMs: ms,
  };
};

export const probeRules: readonly Rule[] = [slowAdapter, serverWrote, serverStart];
