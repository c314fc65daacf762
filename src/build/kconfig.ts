/** Reads `sdkconfig` and `.config`: lines `CONFIG_NAME=value` as Kconfig writes them. */
import { readFile } from "node:fs/promises";

export type Kconfig = ReadonlyMap<string, string>;

/** Names without `CONFIG_`, values without quotes; empty when the file is missing or cannot be read. */
export async function readKconfig(path: string): Promise<Kconfig> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return new Map(); // only adds to what the build itself says
  }
  const values = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/^CONFIG_(\w+)=(.*?)\r?$/gm)) {
    if (name !== undefined && value !== undefined) values.set(name, value.replace(/^"(.*)"$/, "$1"));
  }
  return values;
}

/** A number in decimal or with `0x`; undefined when it is not set. */
export function kconfigNumber(config: Kconfig, name: string): number | undefined {
  const value = Number(config.get(name) ?? NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Undefined unless it is a rate that a serial port can have. */
export function asBaud(text: string | number | undefined): number | undefined {
  const baud = Number(text ?? NaN);
  return Number.isInteger(baud) && baud > 0 ? baud : undefined;
}
