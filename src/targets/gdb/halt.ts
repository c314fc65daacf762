/** Commands after which the core must stand still, and the words in which servers say that it does not. */
import { FlashError } from "../../core/errors.ts";
import { ask, ServerRefusal } from "./ask.ts";
import type { GdbClient } from "./client.ts";

/** Some answer OK all the same. Narrow on purpose: "Unable to match requested speed" is no failure. */
const neverHalted = /timed? ?out|not halted|(?:failed|unable|cannot|could not) (?:to )?(?:halt|reset|stop)/i;

/** @throws FlashError `timeout` when the core does not halt, ServerRefusal when the server has another reason */
export async function haltingCommand(client: GdbClient, command: string): Promise<void> {
  const said = await saidBy(client, command);
  if (neverHalted.test(said)) throw doesNotHalt(client, said);
}

async function saidBy(client: GdbClient, command: string): Promise<string> {
  try {
    return await client.monitor(command);
  } catch (error) {
    if (error instanceof ServerRefusal && neverHalted.test(error.reply)) throw doesNotHalt(client, error.reply, error);
    throw error;
  }
}

/** A core that is told to stop does so at once; the rest is the server's. */
export const haltMs = 2_000;
const interruptAttempts = 4;

/**
 * Stops a core that was let run by `c`; nothing happens when it has stopped already.
 * @throws FlashError `timeout` when it does not halt
 */
export async function interruptCore(client: GdbClient): Promise<void> {
  const { wire, traits } = client;
  if (!wire.isRunning) return;
  // More than once: a server that reads the byte together with the packet before it does not see it.
  const waitMs = haltMs / interruptAttempts + traits.haltNoticedMs;
  let stop: string | undefined;
  for (let attempt = 0; attempt < interruptAttempts && stop === undefined; attempt++) {
    await wire.interrupt();
    stop = await wire.waitStop(waitMs);
  }
  if (stop === undefined) throw wire.fail(doesNotHalt(client));
  // The core's own stop and our interrupt may have crossed: whatever stop is still to come stands before this answer.
  await wire.request(ask("Hg0"));
}

export function doesNotHalt({ name }: GdbClient, said = "", cause?: unknown): FlashError {
  const words = said === "" ? "" : ` (${said.trim().slice(-200)})`;
  return new FlashError("timeout", `${name}: the core does not halt${words}`, {
    cause,
    remedy:
      "Power the board off and on and flash again; if it stays, connect the reset wire and let the server connect under reset.",
  });
}
