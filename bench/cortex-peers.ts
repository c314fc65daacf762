/** What others do to the same simulated Cortex-M boards: pages one by one as pyOCD programs them, and GDB's own `load`. */
import { baselines, flashPageByPage, type BaselineResult } from "../src/sim/cortex-m/baseline.ts";
import type { CortexBoard } from "../src/sim/cortex-m/cortex-board.ts";
import { SimTransport } from "../src/sim/sim-transport.ts";
import type { VirtualClock } from "../src/sim/virtual-clock.ts";
import { ask, askOk } from "../src/targets/gdb/ask.ts";
import type { GdbClient } from "../src/targets/gdb/client.ts";
import { connectGdb } from "../src/targets/gdb/connect.ts";
import { escapedPrefix } from "../src/targets/gdb/packets.ts";
import { resetAndRun, resetForFlash } from "../src/targets/gdb/reset.ts";

/** Of the bytes that a packet may have, for `vFlashWrite:`, the address and the checksum. */
const headBytes = 24;
/** Erasing a large part may take as long as that. */
const patientMs = 120_000;

export interface PeerImage {
  readonly address: number;
  /** Whole pages. */
  readonly data: Uint8Array;
}

/**
 * pyOCD with the options of somebody who looked. Without the time that it takes to find the probe, since here a server holds it already.
 */
export function pageByPage(board: CortexBoard, image: PeerImage): BaselineResult {
  return flashPageByPage(board, [image], { ...baselines.tuned, connectMs: 0 });
}

/**
 * `monitor reset halt`, `load`, `monitor reset` as gdb-multiarch sends them: one packet at a time, everything erased, everything
 * written, no comparison at the end.
 * @returns milliseconds
 */
export async function gdbLoad(board: CortexBoard, clock: VirtualClock, { address, data }: PeerImage): Promise<number> {
  const startMs = clock.nowMs();
  await using transport = new SimTransport(board, clock, { hasModemLines: false });
  const context = { clock, signal: new AbortController().signal, log: () => undefined };
  const client = await connectGdb(transport, context);
  client.wire.window = { packets: 1, bytes: client.memory.packetBytes };
  if (client.traits.resetForFlash.length > 0) await resetForFlash(client);
  for (const unit of await erasedWith(client, address, data.length)) {
    const body = `vFlashErase:${unit.address.toString(16)},${unit.size.toString(16)}`;
    await askOk(client.wire, ask(body, { timeoutMs: patientMs }));
  }
  for (let at = 0; at < data.length;) {
    const length = escapedPrefix(data, at, client.memory.packetBytes - headBytes);
    const head = Buffer.from(`vFlashWrite:${(address + at).toString(16)}:`, "latin1");
    const body = Buffer.concat([head, data.subarray(at, at + length)]);
    await askOk(client.wire, { body, name: "vFlashWrite", timeoutMs: patientMs });
    at += length;
  }
  await askOk(client.wire, ask("vFlashDone", { timeoutMs: patientMs }));
  if (client.traits.resetAndRun.length > 0) await resetAndRun(client);
  return clock.nowMs() - startMs;
}

/** GDB rounds to whole units, and asks for one erase per run of equal ones. */
async function erasedWith(client: GdbClient, address: number, bytes: number) {
  const regions = (await client.memoryMap())?.flash ?? [];
  return regions.flatMap(({ start, size, sectorSize }) => {
    const from = Math.max(start, address - ((address - start) % sectorSize));
    const to = Math.min(start + size, start + Math.ceil((address + bytes - start) / sectorSize) * sectorSize);
    return from < to ? [{ address: from, size: to - from }] : [];
  });
}
