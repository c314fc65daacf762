/** How the panel says things: one place for every sentence that is put together from a report. */
import * as l10n from "@vscode/l10n";
import { formatBytes } from "../core/bytes.ts";
import { formatDuration } from "../core/trace-text.ts";
import { waitTotals } from "../core/trace.ts";
import type { StoredReport } from "../server/protocol.ts";
import { triggerWord } from "./phrases.ts";

type Report = StoredReport["report"];

export function headline(report: Report): string {
  const time = formatDuration(report.totalMs);
  const { image, written } = report;
  const bytes = formatBytes(written.bytes);
  switch (report.result) {
    case "flashed":
      return l10n.t("Flashed {0} of {1} sectors ({2}) in {3}", written.sectors, image.sectors, bytes, time);
    case "unchanged":
      return l10n.t("Unchanged: all {0} sectors were right already, {1}", image.sectors, time);
    case "loaded":
      return l10n.t("Loaded {0} into RAM in {1}", formatBytes(image.bytes), time);
    case "planned":
      return l10n.t(
        "Would write {0} of {1} sectors ({2}), about {3}",
        written.sectors,
        image.sectors,
        bytes,
        formatDuration(report.estimateMs ?? 0),
      );
    case "failed":
      return report.error?.code === "cancelled"
        ? l10n.t("Cancelled after {0}", time)
        : l10n.t("Failed after {0}", time);
  }
}

/** Few words for a small picture. */
export function outcome(report: Report): string {
  switch (report.result) {
    case "flashed":
      return l10n.t("{0} of {1} sectors", report.written.sectors, report.image.sectors);
    case "unchanged":
      return l10n.t("unchanged");
    case "loaded":
      return l10n.t("into RAM");
    case "planned":
      return l10n.t("planned only");
    case "failed":
      return report.error?.code === "cancelled" ? l10n.t("cancelled") : l10n.t("failed");
  }
}

/** Board, port, trigger. */
export function surroundings({ report, trigger }: StoredReport): string {
  const board = report.identity === "" ? report.board : `${report.board} ${report.identity}`;
  const by = trigger === "" ? "" : l10n.t("started by: {0}", triggerWord(trigger));
  return [board, l10n.t("on {0}", report.port), by].filter((part) => part !== "").join(" · ");
}

/** Which of the two a faster one would pay for; undefined where the board did not tell. */
export function waits({ report }: StoredReport): string | undefined {
  const totals = waitTotals(report.spans);
  if (totals === undefined) return undefined;
  const [wire, flash] = [formatDuration(totals.wireMs), formatDuration(totals.flashMs)];
  return totals.wireMs > totals.flashMs
    ? l10n.t("Writing waited for the wire: {0}, and {1} for the flash chip.", wire, flash)
    : l10n.t("Writing waited for the flash chip: {0}, and {1} for the wire.", flash, wire);
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
