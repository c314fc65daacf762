import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadArtifact } from "../../src/build/load.ts";
import { formatTrace } from "../../src/core/trace-text.ts";
import { traceOf, type Report } from "../../src/engine/report.ts";
import { bytesAt, pseudoFirmware, Rig } from "./rig.ts";

const trace = (report: Report) => formatTrace(traceOf(report));
const corpus = new URL("../../../shared/corpus/meter/elf/esp32c3/", import.meta.url);
const variant = (name: string) => loadArtifact([fileURLToPath(new URL(`${name}.elf.gz`, corpus))]);

/** Also how long it takes to load the stub: after a change in `stubs/`, `vitest -u` and a look at the difference. */
describe("ESP32-C3 at 921600 baud, our own stub", () => {
  test("a new board, whose flash is blank, gets everything and no erase, and the program runs", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const report = await rig.flash(await variant("base"));
    expect(report).toMatchObject({ result: "flashed", error: null, written: { sectors: 40, erasedBytes: 0 } });
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync … stub start                             155.0 ms  #####                                       3.9 KiB   25.2 KiB/s
      plan     image                                                 106.8 ms      ####
      survey   look at 40 sectors … what stands beside the image      34.8 ms          #                                  67.7 KiB   1.90 MiB/s
      write    0x10000 64 KiB wire … 0x10000 64 KiB compose          225.5 ms           #######
      verify   0x10000 64 KiB compare                                 14.9 ms                 #
      write    0x10000 64 KiB                                        137.1 ms                  #####                      64.0 KiB  466.7 KiB/s
      verify   0x10000 64 KiB read back                               14.9 ms                      #                      64.0 KiB   4.19 MiB/s
      write    0x20000 64 KiB wire … 0x20000 64 KiB compose          320.2 ms                       ##########
      verify   0x20000 64 KiB compare                                 14.9 ms                                #
      write    0x20000 64 KiB                                        137.1 ms                                 #####       64.0 KiB  466.7 KiB/s
      verify   0x20000 64 KiB read back                               14.1 ms                                     #       64.0 KiB   4.42 MiB/s
      write    0x30000 64 KiB wire … 0x30000 64 KiB compose           40.8 ms                                     ##
      verify   0x30000 64 KiB compare                                 13.5 ms                                       #
      write    0x30000 64 KiB                                         60.1 ms                                       ##    32.0 KiB  532.7 KiB/s
      verify   0x30000 64 KiB read back                                6.9 ms                                         #   32.0 KiB   4.50 MiB/s
      reset    start the program                                      10.0 ms                                         #
      total                                                         1306.7 ms
      wire 416 ms · flash 585 ms"
    `);
    expect(rig.bootLine()).toContain('running "meter" 2.3.1');
  });

  test("the same build again costs the way to the stub and one table of digests", async () => {
    const rig = new Rig({ board: "esp32c3" });
    await rig.flash(await variant("base"));
    rig.again();
    const report = await rig.flash(await variant("base"));
    expect(report).toMatchObject({ result: "unchanged", written: { bytes: 0, sectors: 0, erasedBytes: 0 } });
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync            67.4 ms  ###########
      connect  chip                    11.5 ms            ###
      connect  bit rate                 7.8 ms              ##
      connect  identity                 4.9 ms               ##
      connect  flash pins               2.5 ms                #
      connect  stub upload             56.5 ms                 #########                    3.9 KiB   69.2 KiB/s
      connect  stub start               2.2 ms                          #
      plan     image                    2.3 ms                          #                     128 B   55.3 KiB/s
      survey   confirm 40 sectors      82.8 ms                           #############    156.3 KiB   1.84 MiB/s
      reset    start the program       10.0 ms                                        ##
      total                           247.9 ms"
    `);
    expect(rig.bootLine()).toContain('running "meter" 2.3.1');
  });

  test("one changed sector is patched: a few bytes on the wire, one erase, and all of it read back", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const old = pseudoFirmware(0x20000, 1);
    await rig.flash(bytesAt(0x10000, old));
    rig.again();
    const next = old.slice();
    next[0x5432] = 0x99;
    const report = await rig.flash(bytesAt(0x10000, next));
    expect(report.written.sectors).toBe(1);
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync                 67.4 ms  #########
      connect  chip                         11.5 ms           ##
      connect  bit rate                      7.8 ms            ##
      connect  identity                      4.9 ms             ##
      connect  flash pins                    2.5 ms              #
      connect  stub upload                  56.5 ms              #########                       3.9 KiB   69.2 KiB/s
      connect  stub start                    2.2 ms                      #
      survey   confirm 31 sectors           69.8 ms                       ##########           124.0 KiB   1.73 MiB/s
      write    0x15000 4 KiB wire            2.3 ms                                #
      write    0x15000 4 KiB compose         0.9 ms                                #
      verify   0x15000 4 KiB compare         0.2 ms                                 #
      erase    0x15000 4 KiB                45.0 ms                                 ######
      write    0x15000 4 KiB                 8.4 ms                                       ##     4.0 KiB  477.0 KiB/s
      verify   0x15000 4 KiB read back       0.9 ms                                        #     4.0 KiB   4.58 MiB/s
      reset    start the program            10.0 ms                                        ##
      total                                290.3 ms
      wire 2 ms · flash 55 ms"
    `);
    expect(rig.differsAt(0x10000, next)).toBe(-1);
  });

  test("a longer string, which shifts what stands behind it, is composed on the chip out of what the flash holds", async () => {
    const rig = new Rig({ board: "esp32c3" });
    await rig.flash(await variant("base"));
    rig.again();
    const report = await rig.flash(await variant("string"));
    expect(report).toMatchObject({ result: "flashed", error: null });
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync … stub start                             152.8 ms  #####                                       3.9 KiB   25.6 KiB/s
      plan     image                                                   2.3 ms       #                                        128 B   55.3 KiB/s
      survey   confirm 10 sectors … what stands beside the image      37.2 ms       ##                                    75.7 KiB   1.99 MiB/s
      write    0x10000 64 KiB wire … 0x10000 64 KiB compose           81.3 ms        ####
      verify   0x10000 64 KiB compare                                  1.1 ms           #
      erase    0x10000 64 KiB                                        150.0 ms           ######
      write    0x10000 64 KiB                                        134.2 ms                ######                       64.0 KiB  476.9 KiB/s
      verify   0x10000 64 KiB read back                               13.5 ms                     #                       64.0 KiB   4.62 MiB/s
      write    0x20000 64 KiB wire … 0x20000 64 KiB compose           14.6 ms                      #
      verify   0x20000 64 KiB compare                                  2.7 ms                      #
      erase    0x20000 64 KiB                                        150.0 ms                      ######
      write    0x20000 64 KiB                                        134.2 ms                           ######            64.0 KiB  477.0 KiB/s
      verify   0x20000 64 KiB read back                               13.5 ms                                #            64.0 KiB   4.62 MiB/s
      write    0x30000 64 KiB wire … 0x30000 64 KiB compose           14.7 ms                                 #
      verify   0x30000 64 KiB compare                                  0.3 ms                                 #
      erase    0x30000 64 KiB                                        150.0 ms                                 ######
      write    0x30000 64 KiB                                         63.7 ms                                      ###    64.0 KiB  1004.3 KiB/s
      verify   0x30000 64 KiB read back                               13.5 ms                                         #   64.0 KiB   4.62 MiB/s
      reset    start the program                                      10.0 ms                                         #
      total                                                         1139.8 ms
      wire 65 ms · flash 873 ms"
    `);
    expect(rig.bootLine()).toContain('running "meter"');
  });
});
