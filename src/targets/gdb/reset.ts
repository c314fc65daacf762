/** Resets of the target, in the words of each server. */
import { FlashError } from "../../core/errors.ts";
import { ask, monitorPacket } from "./ask.ts";
import type { GdbContext } from "./wire.ts";
import type { GdbClient } from "./client.ts";
import { haltingCommand, interruptCore } from "./halt.ts";
import type { ResetStep } from "./servers.ts";

/** The program in the flash runs afterwards. @throws FlashError `refused` when the server cannot reset, `timeout` when the core does not halt */
export function resetAndRun(client: GdbClient): Promise<void> {
  return carryOut(client, client.traits.resetAndRun);
}

/** The core stands still before its first instruction, its peripherals as after power-up. */
export function resetAndHalt(client: GdbClient): Promise<void> {
  return carryOut(client, client.traits.resetAndHalt);
}

/** As the server's own flash driver needs it: clocks set, in halt. */
export function resetForFlash(client: GdbClient): Promise<void> {
  return carryOut(client, client.traits.resetForFlash);
}

/** A server that finds the connection closed before it has read the last packet may drop it. */
const handOverMs = 20;

/** To be called behind a packet that lets the core run, if the connection is closed next. */
export async function letThrough(client: GdbClient): Promise<void> {
  await client.wire.waitStop(handOverMs);
}

/**
 * For the end of a job that failed, however it ended: the program in the flash runs, and the server is told goodbye. What goes wrong is
 * logged, for there is an error already.
 */
export async function leaveRunning(client: GdbClient, { log }: Pick<GdbContext, "log">): Promise<void> {
  if (client.wire.broken !== undefined) return leaveUnheard(client);
  try {
    await client.evenIfCancelled(async () => {
      await resetAndRun(client);
      await client.disconnect();
    });
  } catch (error) {
    log(`the board could not be started again: ${String(error)}`);
  }
}

/** A server that took too long may still carry out what it is told: then the core does not stay halted. */
async function leaveUnheard({ wire, traits }: GdbClient): Promise<void> {
  const commands = traits.resetAndRun.flatMap((step) => (step.kind === "monitor" ? [monitorPacket(step.command)] : []));
  await wire.lastWords([...commands, "D"], handOverMs);
}

async function carryOut(client: GdbClient, steps: readonly ResetStep[]): Promise<void> {
  if (steps.length === 0) {
    throw new FlashError("refused", `${client.name} has no request that resets the target`, {
      remedy: "Press the board's reset button, or restart the server.",
    });
  }
  await interruptCore(client);
  for (const step of steps) {
    switch (step.kind) {
      case "monitor":
        await haltingCommand(client, step.command);
        break;
      case "unanswered":
        await client.wire.sendUnanswered(step.body);
        await client.wire.request(ask("Hg0")); // answered when that is through
        break;
      case "continue":
        await client.wire.run("c");
        await letThrough(client);
        break;
    }
  }
}
