/** The clock between debug probe and chip, which is too slow more often than not. Knows no probe. */
import { FlashError } from "../../core/errors.ts";
import type { GdbClient } from "./client.ts";

const scales: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6 };

/** Hz, or undefined when the server does not say. */
export async function readAdapterHz(client: GdbClient): Promise<number | undefined> {
  const command = client.traits.adapterSpeed?.monitor;
  if (command === undefined) return undefined;
  try {
    const [, value, scale = ""] = /([\d.]+)\s*([kM]?)Hz/i.exec(await client.monitor(command)) ?? [];
    return value === undefined ? undefined : Number(value) * (scales[scale.toLowerCase()] ?? 1);
  } catch (error) {
    if (error instanceof FlashError && error.code === "refused") return undefined;
    throw error;
  }
}

/** What a user can do about a slow clock on this server, one sentence; undefined where nobody knows. */
export function adapterAdvice(client: GdbClient, hz: number): string | undefined {
  const speed = client.traits.adapterSpeed;
  if (speed === undefined) return undefined;
  const value = Math.round(speed.unit === "kHz" ? hz / 1e3 : hz);
  return speed.monitor === undefined
    ? `start ${client.traits.title} with ${speed.option ?? ""} ${value}`
    : `monitor ${speed.monitor} ${value}`;
}
