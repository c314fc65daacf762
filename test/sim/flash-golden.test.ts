import { describe, expect, test } from "vitest";
import { formatTrace } from "../../src/core/trace-text.ts";
import { phaseTotals } from "../../src/core/trace.ts";
import { traceOf, type Report } from "../../src/engine/report.ts";
import { bytesAt, firmware, pseudoFirmware, Rig } from "./rig.ts";

const trace = (report: Report) => formatTrace(traceOf(report));
const phaseMs = (report: Report, phase: string) =>
  phaseTotals(traceOf(report)).find((total) => total.phase === phase)?.durationMs ?? 0;

const official = { officialStub: true };

describe("ESP32-C3 at 921600 baud, Espressif's stub", () => {
  test("a new board gets everything, and the program runs", async () => {
    const rig = new Rig({ board: "esp32c3" }, official);
    const report = await rig.flash(await firmware("base"));
    expect(report).toMatchObject({ result: "flashed", error: null, written: { sectors: 40, erasedBytes: 0x28000 } });
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync                       67.4 ms  ##
      connect  chip                               11.5 ms   #
      connect  bit rate                            7.8 ms    #
      connect  identity                            4.9 ms    #
      connect  stub upload                        79.2 ms    ###                                       5.9 KiB   75.0 KiB/s
      connect  stub start                         10.2 ms      #
      connect  flash chip                         18.1 ms      #
      plan     image                              53.1 ms       ##
      survey   look at 40 sectors                 54.3 ms        ##                                   32.0 KiB  589.0 KiB/s
      survey   what stands beside the image        6.5 ms          #                                   3.7 KiB  572.3 KiB/s
      write    0x10000 erase + write 160 KiB     978.7 ms          ###########################       160.0 KiB  163.5 KiB/s
      verify   digest of what was written        174.4 ms                                     #####  160.0 KiB  917.6 KiB/s
      reset    start the program                  10.0 ms                                         #
      total                                     1476.0 ms"
    `);
    expect(rig.bootLine()).toMatchInlineSnapshot(
      `"I (430) app: running "meter" 2.3.1, elf sha256 6a806200fc97ab08, from factory at 0x10000"`,
    );
  });

  test("the same build again writes nothing, says so, and starts the program", async () => {
    const rig = new Rig({ board: "esp32c3" }, official);
    await rig.flash(await firmware("base"));
    rig.again();
    const report = await rig.flash(await firmware("base"));
    expect(report).toMatchObject({ result: "unchanged", written: { bytes: 0, sectors: 0, erasedBytes: 0 } });
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync            67.4 ms  #######
      connect  chip                    11.5 ms         ##
      connect  bit rate                 7.8 ms          #
      connect  identity                 4.9 ms           #
      connect  stub upload             79.2 ms           ##########                         5.9 KiB   75.0 KiB/s
      connect  stub start              12.7 ms                    ##
      plan     image                    2.6 ms                      #                         128 B   47.6 KiB/s
      survey   confirm 40 sectors     170.4 ms                      ###################   156.3 KiB  917.3 KiB/s
      reset    start the program       10.0 ms                                        ##
      total                           366.6 ms"
    `);
    expect(report.totalMs).toBeLessThanOrEqual(400);
    expect(rig.bootLine()).toContain('running "meter" 2.3.1');
  });

  test("an edited constant writes the sectors that changed and no others", async () => {
    const rig = new Rig({ board: "esp32c3" }, official);
    await rig.flash(await firmware("base"));
    const wear = rig.board.wear.slice();
    const report = await rig.flash(await firmware("const"));
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync                      67.4 ms  #####
      connect  chip                              11.5 ms      ##
      connect  bit rate                           7.8 ms       #
      connect  identity                           4.9 ms        #
      connect  stub upload                       79.2 ms        ######                                5.9 KiB   75.0 KiB/s
      connect  stub start                        12.7 ms              #
      plan     image                              2.6 ms              #                                 128 B   47.6 KiB/s
      survey   confirm 37 sectors               164.0 ms               ############                 148.0 KiB  902.6 KiB/s
      survey   what stands beside the image       6.5 ms                          #                   3.7 KiB  572.3 KiB/s
      write    0x10000 erase + write 4 KiB       60.6 ms                           ####               4.0 KiB   66.0 KiB/s
      write    0x21000 erase + write 4 KiB       60.6 ms                               #####          4.0 KiB   66.0 KiB/s
      write    0x37000 erase + write 4 KiB       60.6 ms                                   #####      4.0 KiB   66.0 KiB/s
      verify   digest of what was written        20.4 ms                                       ##    12.0 KiB  589.1 KiB/s
      reset    start the program                 10.0 ms                                         #
      total                                     568.8 ms"
    `);
    expect(report.totalMs).toBeLessThanOrEqual(600);
    expect(phaseMs(report, "connect")).toBeLessThanOrEqual(350);
    const worn = [...rig.board.wear.keys()].filter((sector) => rig.board.wear[sector] !== wear[sector]);
    expect(worn).toEqual([0x10, 0x21, 0x37]);
    expect(rig.bootLine()).toMatchInlineSnapshot(
      `"I (430) app: running "meter" 2.3.1, elf sha256 c0137a55fae48f2b, from factory at 0x10000"`,
    );
  });

  test("one changed sector of a raw file takes less than half a second", async () => {
    const rig = new Rig({ board: "esp32c3" }, official);
    const old = pseudoFirmware(0x20000, 1);
    await rig.flash(bytesAt(0x10000, old));
    const next = old.slice();
    next[0x5432] = 0x99;
    const report = await rig.flash(bytesAt(0x10000, next));
    expect(report.written.sectors).toBe(1);
    expect(trace(report)).toMatchInlineSnapshot(`
      "connect  reset + sync                     67.4 ms  #######
      connect  chip                             11.5 ms        ##
      connect  bit rate                          7.8 ms         ##
      connect  identity                          4.9 ms          #
      connect  stub upload                      79.2 ms           ########                           5.9 KiB   75.0 KiB/s
      connect  stub start                       12.7 ms                   #
      survey   confirm 31 sectors              138.2 ms                    ##############          124.0 KiB  897.3 KiB/s
      write    0x15000 erase + write 4 KiB      63.4 ms                                  ######      4.0 KiB   63.1 KiB/s
      verify   digest of what was written        6.8 ms                                        #     4.0 KiB  589.1 KiB/s
      reset    start the program                10.0 ms                                         #
      total                                    401.9 ms"
    `);
    expect(report.totalMs).toBeLessThanOrEqual(500);
    expect(rig.differsAt(0x10000, next)).toBe(-1);
  });

  test("spans touch each other and add up to the total, also after a failure", async () => {
    const rig = new Rig({ board: "esp32c3", faults: "unplug@in:20000" }, official);
    const report = await rig.flash(await firmware("base"));
    expect(report.result).toBe("failed");
    expect(report.spans.length).toBeGreaterThan(5);
    let endMs = 0;
    for (const span of report.spans) {
      expect(span.startMs).toBeCloseTo(endMs, 6);
      endMs = span.startMs + span.durationMs;
    }
    expect(endMs).toBeCloseTo(report.totalMs, 6);
  });
});
