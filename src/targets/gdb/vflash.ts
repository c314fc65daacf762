/**
 * Flash by the server's own drivers: `vFlashErase`, `vFlashWrite`, `vFlashDone`, and its checksum `qCRC`. The requests mean different
 * things to different servers (some do all the work at the end), so there is one order that suits all: erase every unit, write
 * every unit whole and by address, say done once.
 */
import { hex } from "../../core/bytes.ts";
import type { Address } from "../../core/image.ts";
import { ask, askOk, checkOk } from "./ask.ts";
import type { GdbClient } from "./client.ts";
import { escapedPrefix } from "./packets.ts";
import type { Ask } from "./wire.ts";

/** A whole erase unit with all of its new content. */
export interface FlashUnit {
  readonly address: Address;
  readonly data: Uint8Array;
}

/** The server may be deaf while the flash works. Sources: pyOCD issues 1653 and 1210, espressif/openocd-esp32 issue 302. */
const baseMs = 30_000;
const unitMs = 2_000;
const headerBytes = 24;

/** True when the server can erase and program by itself; for which addresses, its memory map says. */
export function hasVFlash({ traits }: GdbClient): boolean {
  return traits.vFlashChunkBytes > 0;
}

/**
 * Erases and writes whole units. Afterwards the core's registers and all of RAM that the server used are lost.
 * @param onWritten told of bytes that the server took; with some it programs only at the end
 * @throws UnknownRequest, ServerRefusal naming the address, FlashError `timeout` after 30 s + 2 s per unit
 */
export async function writeByVFlash(
  client: GdbClient,
  units: readonly FlashUnit[],
  onWritten: (bytes: number) => void,
): Promise<void> {
  if (units.length === 0) return; // probe-rs takes a vFlashDone without a write for an error
  const { wire } = client;
  const sorted = [...units].sort((a, b) => a.address - b.address);
  const timeoutMs = baseMs + unitMs * sorted.length;
  for (const { address, size } of runsOf(sorted)) {
    await askOk(
      wire,
      ask(`vFlashErase:${address.toString(16)},${size.toString(16)}`, {
        name: `vFlashErase ${hex(address, 8)} (${size} bytes)`,
        timeoutMs,
      }),
    );
  }
  const chunkBytes = Math.min(client.traits.vFlashChunkBytes, client.memory.packetBytes - headerBytes);
  const sizes: number[] = [];
  await wire.pipeline(writeAsks(sorted, { chunkBytes, timeoutMs, sizes }), (reply, asked) => {
    checkOk(wire, asked, reply);
    onWritten(sizes.shift() ?? 0);
  });
  await askOk(wire, ask("vFlashDone", { timeoutMs }));
}

/** Units that touch go into one erase. */
function runsOf(units: readonly FlashUnit[]): readonly { readonly address: Address; readonly size: number }[] {
  const runs: { address: Address; size: number }[] = [];
  for (const { address, data } of units) {
    const last = runs.at(-1);
    if (last !== undefined && last.address + last.size === address) last.size += data.length;
    else runs.push({ address, size: data.length });
  }
  return runs;
}

interface WriteOptions {
  readonly chunkBytes: number;
  readonly timeoutMs: number;
  /** Takes the data bytes of each packet. */
  readonly sizes: number[];
}

function* writeAsks(units: readonly FlashUnit[], { chunkBytes, timeoutMs, sizes }: WriteOptions): Generator<Ask> {
  for (const { address, data } of units) {
    for (let at = 0; at < data.length;) {
      const room = escapedPrefix(data, at, chunkBytes);
      const length = room >= data.length - at ? data.length - at : room - (room % 8 || 0);
      const head = Buffer.from(`vFlashWrite:${(address + at).toString(16)}:`, "latin1");
      const body = new Uint8Array(head.length + length);
      body.set(head);
      body.set(data.subarray(at, at + length), head.length);
      sizes.push(length);
      yield { body, name: `vFlashWrite ${hex(address + at, 8)} (${length} bytes)`, timeoutMs };
      at += length;
    }
  }
}

const CRC_POLYNOMIAL = 0x04c11db7;

/** The checksum that `qCRC` gives: CRC-32, highest bit first, from all ones, not inverted at the end. Unsigned. */
export function gdbCrc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] ?? 0);
  return crc >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ CRC_POLYNOMIAL : crc << 1;
  return crc;
});
