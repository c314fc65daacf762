/** Commands after which the core must stand still, and the words in which servers say that it does not. */
import { FlashError } from "../../core/errors.ts";
import { ServerRefusal } from "./ask.ts";
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

export function doesNotHalt({ name }: GdbClient, said = "", cause?: unknown): FlashError {
  const words = said === "" ? "" : ` (${said.trim().slice(-200)})`;
  return new FlashError("timeout", `${name}: the core does not halt${words}`, {
    cause,
    remedy:
      "Power the board off and on and flash again; if it stays, connect the reset wire and let the server connect under reset.",
  });
}
