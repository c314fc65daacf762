/** How long a loader may take before it is given up. Knows chips' times and the worst clocks, no servers. */
import type { FlashTimes } from "./chips/row.ts";
import { sizeOfTarget, type LoaderRecord } from "./loader-abi.ts";

/** For everything that is not counted: a server that logs, a probe that is busy. */
const slackMs = 5_000;
/** Data sheets' maxima are for new parts at room temperature. */
const margin = 2;
/** Reading back at the slowest: 8 cycles a byte at 4 MHz are 0.002; flash behind a slow serial line 0.05. */
const readMsPerByte = 0.05;

export function digestLimitMs(bytes: number): number {
  return slackMs + bytes * readMsPerByte;
}

/**
 * True when so many bytes reach the RAM while the flash erases and programs as many.
 * @param bytesPerMs undefined where nobody has seen how fast the link is
 */
export function travelsMeanwhile(
  bytes: number,
  bytesPerMs: number | undefined,
  times: FlashTimes | undefined,
): boolean {
  const erase = times?.erase.findLast((one) => one.bytes <= bytes);
  if (erase === undefined || times === undefined || bytesPerMs === undefined) return false;
  const programMs = (bytes / times.program.bytes) * (times.program.typicalUs / 1000);
  return bytes / bytesPerMs < erase.typicalMs + programMs;
}

/** @param times undefined where nobody knows them: then as for the slowest chip that we know */
export function recordsLimitMs(records: readonly LoaderRecord[], times: FlashTimes | undefined): number {
  return records.reduce((sum, record) => sum + recordMs(record, times ?? slowest), slackMs);
}

/** Two sectors of 128 KiB of an STM32H743 take that long each; 4 KiB of a bad serial NOR too. */
const slowest: Pick<FlashTimes, "erase" | "program"> = {
  erase: [
    { bytes: 0x400, typicalMs: 100, maxMs: 400 },
    { bytes: 0x20000, typicalMs: 1_100, maxMs: 4_000 },
  ],
  program: { bytes: 4, typicalUs: 100, maxUs: 400 },
};

function recordMs(record: LoaderRecord, { erase, program }: Pick<FlashTimes, "erase" | "program">): number {
  const bytes = sizeOfTarget(record);
  const unit = erase.findLast((one) => one.bytes <= bytes) ?? erase[0];
  const eraseMs = unit === undefined ? slackMs : unit.maxMs * Math.ceil(bytes / unit.bytes);
  const programMs = (program.maxUs / 1000) * Math.ceil(bytes / program.bytes) + bytes * readMsPerByte;
  switch (record.kind) {
    case "erase":
      return margin * eraseMs;
    case "write":
      return margin * programMs;
    case "patch":
    case "update":
      return margin * (eraseMs + programMs);
  }
}
