/** A report for people: one line that says what happened, then where the time went. */
import { formatBytes } from "../core/bytes.ts";
import { formatDuration, formatTrace } from "../core/trace-text.ts";
import { traceOf, type Report } from "../engine/report.ts";

export interface Surroundings {
  readonly simulated: boolean;
  /** What the board said when its program started. */
  readonly says?: string | undefined;
}

export function formatReport(report: Report, { simulated, says }: Surroundings): string {
  const { error, notes, spans, wire } = report;
  const lines = error === null || spans.length > 0 ? [headline(report)] : [];
  lines.push(...notes.map((note) => `note: ${note}`));
  if (error !== null) lines.push(`deltaflash: ${error.message}`, error.remedy);
  if (spans.length > 0) lines.push("", formatTrace(traceOf(report)));
  if (wire.sentBytes > 0) {
    const { sentBytes, receivedBytes, roundTrips } = wire;
    lines.push(
      `wire: ${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received, ${roundTrips} round trips`,
    );
  }
  if (says !== undefined && says !== "") lines.push(`the board says: ${says}`);
  if (simulated) lines.push("This was a simulated board: its times are a model's, not a real board's.");
  return `${lines.join("\n")}\n`;
}

function headline(report: Report): string {
  const where = report.identity === "" ? report.port : `${report.chip} ${report.identity} on ${report.port}`;
  const time = formatDuration(report.totalMs);
  const { image, written } = report;
  const share = `${written.sectors} of ${image.sectors} sectors (${formatBytes(written.bytes)})`;
  switch (report.result) {
    case "flashed":
      return `flashed ${share} in ${time}: ${where}`;
    case "unchanged":
      return `unchanged: all ${image.sectors} sectors were right already, ${time}: ${where}`;
    case "loaded":
      return `loaded ${formatBytes(image.bytes)} into RAM in ${time}: ${where}`;
    case "planned":
      return `would write ${share}, about ${formatDuration(report.estimateMs ?? 0)}: ${where}`;
    case "failed":
      return `${report.error?.code === "cancelled" ? "cancelled" : "failed"} after ${time}: ${where}`;
  }
}
