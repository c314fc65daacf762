/** Reads a command's words: Node's own `parseArgs`, its errors turned into usage errors. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { chipNamed, chips } from "../targets/esp/chips.ts";
import { seriesOf } from "../targets/gdb/chips/series.ts";
import { UsageError } from "./exit.ts";

export type OptionsConfig = NonNullable<ParseArgsConfig["options"]>;

/** @throws UsageError for an unknown option or a missing value */
export function readOptions<T extends OptionsConfig>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(". To specify")[0] ?? "") : String(error);
    throw new UsageError(said.charAt(0).toLowerCase() + said.slice(1));
  }
}

/** A whole number in decimal or hex, optionally with K, KB, M or MB behind it. @throws UsageError */
export function readNumber(text: string, what: string): number {
  const match = /^(0x[0-9a-f]+|[0-9]+)([km]b?)?$/i.exec(text);
  const unit = match?.[2]?.[0]?.toLowerCase();
  const value = Number(match?.[1]) * (unit === "k" ? 1024 : unit === "m" ? 1024 * 1024 : 1);
  if (match === null || !Number.isSafeInteger(value)) throw new UsageError(`${what} '${text}' is not a number`);
  return value;
}

/** Bits per second. @throws UsageError for what no serial port does */
export function readBaud(text: string): number {
  const baud = readNumber(text, "--baud");
  if (baud < 1_200 || baud > 12_000_000) throw new UsageError(`--baud ${text} is not between 1200 and 12000000`);
  return baud;
}

/** Bytes of a NOR flash chip. @throws UsageError for a size that is not made */
export function readFlashSize(text: string): number {
  const bytes = readNumber(text, "--flash-size");
  if (bytes < 256 * 1024 || bytes > 128 * 1024 * 1024 || !Number.isInteger(Math.log2(bytes))) {
    throw new UsageError(`--flash-size ${text}: flash chips are 256KB, 512KB, 1MB, 2MB, 4MB … 128MB`);
  }
  return bytes;
}

/** Where an application may begin. @throws UsageError for the middle of a sector */
export function readAppOffset(text: string): number {
  const offset = readNumber(text, "--app-offset");
  if (offset % 0x1000 !== 0)
    throw new UsageError(`--app-offset ${text} is not the start of a sector (a multiple of 0x1000)`);
  return offset;
}

/** A chip's name as Deltaflash writes it, `esp32c3`; `ESP32-C3` means the same. @throws UsageError for a chip that it does not know */
export function readChip(text: string): string {
  const chip = chipNamed(text);
  if (chip !== undefined) return chip.name;
  if (seriesOf(text) !== undefined) return text;
  const names = chips.map((one) => one.name).join(", ");
  throw new UsageError(`--chip ${text} is not one of ${names}, nor an STM32, nRF5x, SAM or RP2040`);
}
