/**
 * What today's tools do, on the same simulated board and the same clock: the order of commands, block sizes, sleeps and digests
 * of esptool 5.3 `write-flash` with stub (its documentation and traces of it on the wire). Its own start-up is left out, which
 * flatters it by half a second.
 */
import { deflate } from "pako";
import { md5 } from "../src/core/digest.ts";
import { FlashError } from "../src/core/errors.ts";
import { TraceRecorder } from "../src/core/trace.ts";
import type { SimBoard } from "../src/sim/board.ts";
import { SimTransport } from "../src/sim/sim-transport.ts";
import type { VirtualClock } from "../src/sim/virtual-clock.ts";
import { startBaud } from "../src/targets/esp/baud.ts";
import type { Chip } from "../src/targets/esp/chips.ts";
import { LoaderClient } from "../src/targets/esp/client.ts";
import {
  CHANGE_BAUDRATE,
  changeBaudrate,
  FLASH_DEFL_BEGIN,
  FLASH_DEFL_DATA,
  FLASH_DEFL_END,
  flashBegin,
  flashMd5,
  SPI_FLASH_MD5,
  SPI_SET_PARAMS,
  spiSetParams,
  word,
} from "../src/targets/esp/commands.ts";
import { detectChip, readMac } from "../src/targets/esp/identify.ts";
import { awaitGreeting, loadOfficialStub, startInRam } from "../src/targets/esp/stub.ts";
import { changedSectors } from "./floor.ts";

export interface EsptoolRun {
  readonly board: SimBoard;
  readonly clock: VirtualClock;
  readonly address: number;
  readonly image: Uint8Array;
  /** What the host believes the board holds; given, only differing sectors are written (`--diff-with`). */
  readonly old?: Uint8Array;
  readonly baud: number;
}

const blockBytes = 0x4000;
const sectorBytes = 0x1000;
/** Round trips for the flash chip's id, its SFDP and its reset by registers: counted on the wire. */
const flashChipRoundTrips = 68;

/** @returns milliseconds from the first reset to the last */
export async function esptoolWrite(run: EsptoolRun): Promise<number> {
  const { board, clock, address, image, baud } = run;
  const startMs = clock.nowMs();
  const transport = new SimTransport(board, clock);
  const client = new LoaderClient(transport, {
    clock,
    signal: new AbortController().signal,
    trace: new TraceRecorder(clock, { phase: "connect", label: "esptool" }),
    onProgress: () => undefined,
    log: () => undefined,
  });
  const chip = await connect(client, transport, clock, baud);
  for (const piece of piecesOf(run)) await writePiece(client, address + piece.at, piece.data);
  const request = flashMd5.write({ address, size: image.length, reserved0: 0, reserved1: 0 });
  const { body } = await client.request(SPI_FLASH_MD5, request, { flashBytes: image.length, dataBytes: 16 });
  if (Buffer.from(body).toString("hex") !== md5(image))
    throw new FlashError("verify-failed", `${chip.title}: digest differs`);
  await transport.setSignals({ dtr: false, rts: true });
  await clock.sleep(100);
  await transport.setSignals({ dtr: false, rts: false });
  return clock.nowMs() - startMs;
}

async function connect(
  client: LoaderClient,
  transport: SimTransport,
  clock: VirtualClock,
  baud: number,
): Promise<Chip> {
  await transport.setBaudRate(startBaud);
  await transport.setSignals({ dtr: false, rts: true });
  await clock.sleep(100);
  await transport.setSignals({ dtr: true, rts: false });
  await clock.sleep(50);
  await transport.setSignals({ dtr: false, rts: false });
  await client.flush();
  for (let tries = 0; (await client.sync(100)) === undefined; tries++) {
    if (tries === 10) throw new FlashError("timeout", "no answer to SYNC");
    await clock.sleep(50);
  }
  const chip = await detectChip(client);
  await readMac(client, chip);
  for (let register = 0; register < 5; register++) await client.readRegister(0x60008800 + register * 4);
  await startInRam(client, await loadOfficialStub(chip, undefined));
  if (!(await awaitGreeting(client, 300))) throw new FlashError("timeout", "no stub");
  client.personality = "stub";
  await client.request(CHANGE_BAUDRATE, changeBaudrate.write({ newBaud: baud, oldBaud: startBaud }));
  await transport.setBaudRate(baud);
  await clock.sleep(50);
  await client.flush();
  for (let trip = 0; trip < flashChipRoundTrips; trip++) await client.readRegister(chip.spi.base);
  await client.request(
    SPI_SET_PARAMS,
    spiSetParams.write({
      id: 0,
      totalSize: 0x400000,
      blockSize: 0x10000,
      sectorSize: 0x1000,
      pageSize: 0x100,
      statusMask: 0xffff,
    }),
  );
  return chip;
}

/** Everything, or the runs of sectors that differ. */
function piecesOf({ image, old }: EsptoolRun): readonly { readonly at: number; readonly data: Uint8Array }[] {
  if (old === undefined) return [{ at: 0, data: image }];
  const pieces: { at: number; end: number }[] = [];
  for (const index of changedSectors(old, image)) {
    const last = pieces.at(-1);
    if (last?.end === index * sectorBytes) last.end += sectorBytes;
    else pieces.push({ at: index * sectorBytes, end: (index + 1) * sectorBytes });
  }
  return pieces.map(({ at, end }) => ({ at, data: image.subarray(at, end) }));
}

async function writePiece(client: LoaderClient, offset: number, data: Uint8Array): Promise<void> {
  const packed = deflate(data, { level: 9 });
  const blocks = Math.ceil(packed.length / blockBytes);
  const fields = { eraseSize: data.length, blocks, blockSize: blockBytes, offset };
  await client.request(FLASH_DEFL_BEGIN, flashBegin.write(fields), { flashBytes: data.length });
  for (let sequence = 0; sequence < blocks; sequence++) {
    const block = packed.subarray(sequence * blockBytes, (sequence + 1) * blockBytes);
    await client.block(FLASH_DEFL_DATA, block, sequence, { flashBytes: data.length });
  }
  await client.request(FLASH_DEFL_END, word.write({ value: 1 }));
}
