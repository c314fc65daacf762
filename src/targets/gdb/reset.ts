/** Resets of the target, in the words of each server. */
import { FlashError } from "../../core/errors.ts";
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
        break;
      case "continue":
        await client.wire.run("c");
        break;
    }
  }
}
