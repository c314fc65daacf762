/** A flash that is cancelled on servers that are not ours: it ends soon, and the same connection flashes again. */
import { afterAll, describe, expect, test } from "vitest";
import { equalBytes } from "../../../src/core/bytes.ts";
import { systemClock } from "../../../src/engine/system-clock.ts";
import { loaderFlag } from "../../../src/targets/gdb/loader-abi.ts";
import { mixedBytes } from "../transport-helpers.ts";
import { FirmwareFolder } from "./firmware.ts";
import { LoaderRig, places } from "./loader-rig.ts";
import { OpenOcd } from "./openocd.ts";
import type { Rp2040Board } from "./rp2040-board.ts";
import { Rp2040JsServer } from "./rp2040js-server.ts";
import { rp2040Board } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

const sectorBytes = 0x1000;
const sectors = 40;
const image = mixedBytes(sectors * sectorBytes);
/** Of a flash that is cancelled while it waits for an erase. */
const soonMs = 3_000;
const slow = { page: 0.2, sector: 30, block: 100 };
const correct = { missingEnables: 0, whileBusy: 0, strange: 0 };

const servers = [
  { title: "OpenOCD", start: (board: Rp2040Board) => OpenOcd.start(board) },
  { title: "rp2040js", start: (board: Rp2040Board) => Rp2040JsServer.start(board) },
];

describe.each(servers)("a flash through $title", ({ start }) => {
  test("that is cancelled in the middle ends soon, and is done again over the same connection", async () => {
    const board = rp2040Board(firmware);
    board.nor.times = slow;
    await using server = await start(board);
    await using rig = await LoaderRig.open(server.port, places.rp2040Ssi);
    const { client } = rig.session;
    const abort = new AbortController();
    const context = { clock: systemClock, log: () => undefined };
    client.useContext({ ...context, signal: abort.signal });
    const flashed = rig.flash(image).then(
      () => "flashed",
      (error: unknown) => (error as { code?: string }).code,
    );
    await board.uart.until(() => board.nor.counters.erases >= 4, "fourth erase", 20_000);
    const startMs = performance.now();
    abort.abort();
    expect(await flashed).toBe("cancelled");
    expect(performance.now() - startMs).toBeLessThan(soonMs);
    const halted = board.nor.counters.erases;
    expect(halted).toBeLessThan(sectors);
    await systemClock.sleep(3 * slow.sector);
    expect(board.nor.counters.erases).toBe(halted);
    const { blindReads } = board;

    client.useContext({ ...context, signal: new AbortController().signal });
    expect((await rig.flash(image)).length).toBeGreaterThan(0);
    expect(equalBytes(board.nor.bytes.subarray(0, image.length), image)).toBe(true);
    expect(board.nor.takeCounters()).toMatchObject(correct);
    expect(board.blindReads).toBe(blindReads);
  });

  test("that is to stop between two sectors leaves whole ones", async () => {
    const board = rp2040Board(firmware);
    board.nor.bytes.fill(0x33);
    board.nor.times = slow;
    await using server = await start(board);
    const ram = { ...places.rp2040Ssi.ram, size: 0x8000 };
    await using rig = await LoaderRig.open(server.port, { ...places.rp2040Ssi, ram });
    const flags = loaderFlag.verify | loaderFlag.skipEqual;
    let written = 0;
    const isDone = await rig.loader.write(rig.recordsFor(image), {
      flags,
      onDone: (record) => {
        if (record.kind === "write") written += record.data.length;
      },
      shouldStop: () => written >= 4 * sectorBytes,
    });
    expect(isDone).toBe(false);
    expect(written).toBeLessThan(image.length);
    const whole = Math.floor(written / sectorBytes) * sectorBytes;
    expect(equalBytes(board.nor.bytes.subarray(0, whole), image.subarray(0, whole))).toBe(true);
    expect(board.nor.takeCounters()).toMatchObject(correct);
    expect((await rig.flash(image)).length).toBeLessThanOrEqual(sectors - whole / sectorBytes);
  });
});
