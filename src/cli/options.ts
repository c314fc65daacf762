/** Reads a command's words: Node's own `parseArgs`, its errors turned into usage errors. */
import { parseArgs, type ParseArgsConfig } from "node:util";
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
    throw new UsageError(error instanceof Error ? error.message.split(". To specify")[0] : String(error));
  }
}

/** A whole number in decimal or hex, optionally with K or M behind it. @throws UsageError */
export function readNumber(text: string, what: string): number {
  const match = /^(0x[0-9a-f]+|[0-9]+)([km]b?)?$/i.exec(text);
  const unit = match?.[2]?.[0]?.toLowerCase();
  const value = Number(match?.[1]) * (unit === "k" ? 1024 : unit === "m" ? 1024 * 1024 : 1);
  if (match === null || !Number.isSafeInteger(value)) throw new UsageError(`${what} '${text}' is not a number`);
  return value;
}
