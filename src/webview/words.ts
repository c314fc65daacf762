/** How the panel says things: one place for every sentence that is put together from a report. */
import { formatBytes } from "../core/bytes.ts";
import { formatDuration } from "../core/trace-text.ts";
import type { StoredReport } from "../server/protocol.ts";

type Report = StoredReport["report"];

export function headline(report: Report): string {
  const time = formatDuration(report.totalMs);
  const { image, written } = report;
  const share = `${written.sectors} of ${image.sectors} sectors (${formatBytes(written.bytes)})`;
  switch (report.result) {
    case "flashed":
      return `Flashed ${share} in ${time}`;
    case "unchanged":
      return `Unchanged: all ${image.sectors} sectors were right already, ${time}`;
    case "loaded":
      return `Loaded ${formatBytes(image.bytes)} into RAM in ${time}`;
    case "planned":
      return `Would write ${share}, about ${formatDuration(report.estimateMs ?? 0)}`;
    case "failed":
      return `${report.error?.code === "cancelled" ? "Cancelled" : "Failed"} after ${time}`;
  }
}

/** Few words for a small picture. */
export function outcome(report: Report): string {
  switch (report.result) {
    case "flashed":
      return `${report.written.sectors} of ${report.image.sectors} sectors`;
    case "unchanged":
      return "unchanged";
    case "loaded":
      return "into RAM";
    case "planned":
      return "planned only";
    case "failed":
      return report.error?.code === "cancelled" ? "cancelled" : "failed";
  }
}

/** Board, port, trigger. */
export function surroundings({ report, trigger }: StoredReport): string {
  const board = report.identity === "" ? report.board : `${report.board} ${report.identity}`;
  return [board, `on ${report.port}`, `started by ${trigger}`].filter((part) => part !== "").join(" · ");
}

export function isSimulated({ report }: StoredReport): boolean {
  return report.port.startsWith("sim:") || report.board.endsWith("-sim");
}

/** `42.9 KiB/s`, or nothing where there are no bytes or no time. */
export function rate(bytes: number, durationMs: number): string {
  return bytes > 0 && durationMs > 0 ? `${formatBytes(Math.round((bytes * 1000) / durationMs))}/s` : "";
}

/** `42 B`, or nothing for none. */
export function size(bytes: number): string {
  return bytes > 0 ? formatBytes(bytes) : "";
}

/** Tenths below ten milliseconds, else as everywhere. */
export function time(durationMs: number): string {
  return durationMs < 10 ? `${durationMs.toFixed(1)} ms` : formatDuration(durationMs);
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `14:03:22` today, with the day otherwise. */
export function moment(at: number, now: Date): string {
  const then = new Date(at);
  const clock = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return then.toDateString() === now.toDateString() ? clock : `${then.toLocaleDateString()} ${clock}`;
}
