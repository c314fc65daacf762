/** One image, several ways to the flash: they end with the same contents, and differ in how often they halt the core and ask. */
import { afterAll, describe, expect, test } from "vitest";
import { equalBytes } from "../../../src/core/bytes.ts";
import { mixedBytes } from "../transport-helpers.ts";
import { FirmwareFolder } from "./firmware.ts";
import { LoaderRig, places } from "./loader-rig.ts";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { rp2040Board } from "./servers.ts";
import { SlowLink } from "./slow-link.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

const sectorBytes = 0x1000;
const sectors = 16;
const image = mixedBytes(sectors * sectorBytes);

describe("OpenOCD's core is halted", () => {
  const { rp2040Ssi } = places;
  /** RAM for little more than a sector in a batch, for some four of them, for all of them in two slots that alternate. */
  test.each([
    { way: "batch", ramBytes: 8 * 1024, least: 10, most: sectors },
    { way: "batch", ramBytes: 20 * 1024, least: 4, most: 5 },
    { way: "stream", ramBytes: 0x40000, least: 1, most: 1 },
  ] as const)("$least to $most times by a $way in $ramBytes bytes of RAM", async ({ way, ramBytes, least, most }) => {
    const board = rp2040Board(firmware);
    await using server = await OpenOcd.start(board);
    const place = { ...rp2040Ssi, ram: { ...rp2040Ssi.ram, size: ramBytes } };
    await using rig = await LoaderRig.open(server.port, place, { loaderWay: way });
    await rig.differing(image);
    const before = server.shim.core.halts;
    await rig.write(rig.recordsFor(image));
    const halts = server.shim.core.halts - before;
    expect(halts).toBeGreaterThanOrEqual(least);
    expect(halts).toBeLessThanOrEqual(most);
    expect(equalBytes(board.nor.bytes.subarray(0, image.length), image)).toBe(true);
    expect(board.nor.takeCounters()).toMatchObject({ erases: sectors, missingEnables: 0, whileBusy: 0, strange: 0 });
  });
});

describe("a microbit behind a slow link", () => {
  const pages = 60;
  const flashed = mixedBytes(pages * 1024);

  test.each([
    { link: "1 ms each way", speed: { delayMs: 1, bytesPerMs: 0 } },
    { link: "60 kB/s", speed: { delayMs: 1, bytesPerMs: 60 } },
    { link: "pieces of 5 bytes", speed: { delayMs: 0, bytesPerMs: 0, pieceBytes: 5 } },
  ])("is flashed in few round trips: $link", async ({ speed }) => {
    await using board = await QemuBoard.start("microbit");
    await using link = await SlowLink.start(board.port, speed);
    await using rig = await LoaderRig.open(link.port, places.microbit);
    const { counters } = rig.session.client;
    const before = { ...counters };
    expect((await rig.flash(flashed)).length).toBe(pages);
    // Two bytes on the wire for each of the image, and some for the way in which it is said.
    expect(link.carried.there).toBeLessThan(2.1 * flashed.length + 16_000);
    expect(counters.requests - before.requests).toBeLessThan(80);
    expect(counters.roundTrips - before.roundTrips).toBeLessThan(45);
    const quiet = { ...counters };
    expect(await rig.flash(flashed)).toEqual([]);
    expect(counters.requests - quiet.requests).toBeLessThan(12);
    const [held] = await rig.session.client.read([{ address: 0, size: flashed.length }]);
    expect(equalBytes(held ?? new Uint8Array(), flashed)).toBe(true);
  });
});
