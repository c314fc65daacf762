/** Puts a program into RAM and starts it there; no flash is touched. Knows what was checked before (`ram-image.ts`), and no chip. */
import { equalBytes, hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { GdbClient } from "./client.ts";
import type { RamProgram } from "./ram-image.ts";
import { letThrough, resetAndHalt } from "./reset.ts";
import { LoaderRunner } from "./run.ts";

/**
 * Resets and halts the core first, where the server can: then clocks, peripherals and interrupts are as a program expects them. The program
 * runs when this returns, until a reset or the loss of power.
 * @param onProgress bytes that were just written
 * @throws FlashError `verify-failed` naming the first address that holds something else
 */
export async function loadIntoRam(
  client: GdbClient,
  program: RamProgram,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<void> {
  if (client.traits.resetAndHalt.length > 0) await resetAndHalt(client);
  for (const segment of program.segments) {
    await client.write([segment]);
    onProgress(segment.data.length);
  }
  await verify(client, program);
  const { start, stackTop, vectorTable } = program;
  await new LoaderRunner(client).start({ code: start, end: start, mailbox: vectorTable, stackTop });
  if (client.wire.isRunning) await letThrough(client);
}

/** Not by the server's checksum: OpenOCD lets the core work that out, in a work area that the program may lie in. */
async function verify(client: GdbClient, { segments }: RamProgram): Promise<void> {
  const held = await client.read(segments.map(({ address, data }) => ({ address, size: data.length })));
  segments.forEach(({ address, data, name }, index) => {
    const bytes = held[index] ?? new Uint8Array();
    if (equalBytes(bytes, data)) return;
    const at = address + data.findIndex((value, offset) => value !== bytes[offset]);
    throw new FlashError("verify-failed", `${name}: ${hex(at)} does not hold what was written`, {
      remedy: "Check that chip and RAM are the right ones; the board's flash was left as it was.",
    });
  });
}
