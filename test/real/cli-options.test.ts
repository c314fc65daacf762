import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { perfettoTrace } from "../../src/core/trace-perfetto.ts";
import type { Report } from "../../src/engine/report.ts";
import { noise, writeElf } from "../fixtures/elf-writer.ts";
import { pseudoFirmware } from "../sim/rig.ts";
import { Desk, meter } from "./cli-helper.ts";

const sim = ["--port", "sim:esp32c3?speed=max"];

/** The simulated board's flash chip, as it is kept between two jobs. */
function flashChip(desk: Desk): Buffer {
  return readFileSync(desk.path("state", "sim", "esp32c3.bin"));
}

function phasesOf(report: Report): readonly string[] {
  return [...new Set(report.spans.map((span) => span.phase))];
}

describe.concurrent("words that are off end with code 2, nothing on standard output, and a pointer to the help", () => {
  const wrong: readonly (readonly [words: string, message: string])[] = [
    ["flush", "there is no command 'flush'\nSee: deltaflash --help"],
    ["constructor", "there is no command 'constructor'\nSee: deltaflash --help"],
    ["help flush", "there is no command 'flush'\nSee: deltaflash --help"],
    ["flash", "which artifact? For example build/firmware.elf\nSee: deltaflash flash --help"],
    ["flash a.elf --fast", "unknown option '--fast'\nSee: deltaflash flash --help"],
    ["flash a.elf --port", "option '--port <value>' argument missing\nSee: deltaflash flash --help"],
    ["flash a.elf --baud fast", "--baud 'fast' is not a number\nSee: deltaflash flash --help"],
    ["flash a.elf --flash-size 3MB", "--flash-size 3MB: flash chips are 256KB, 512KB, 1MB, 2MB, 4MB … 128MB\nSee: "],
    ["flash a.elf --app-offset 0x10010", "--app-offset 0x10010 is not the start of a sector (a multiple of 0x1000)\n"],
    ["flash a.elf --chip avr", "--chip avr is not one of esp8266, esp32, "],
    ["plan a.elf", "plan takes the old and the new artifact\nSee: deltaflash plan --help"],
    ["sim", "sim takes one board: esp32, esp32s2, "],
    ["sim avr", "sim takes one board: esp32, esp32s2, "],
    ["sim esp32 --speed fast", "--speed fast is not one of real, 10x, max\nSee: deltaflash sim --help"],
    ["sim esp32 --listen usb", 'a simulated board cannot listen on "usb"\nUse --listen '],
    ["sim esp32 --fault rust", '"rust" is no fault that a simulated board knows\nWrite one of: '],
    ["boards all", "boards takes no words\nSee: deltaflash boards --help"],
  ];
  for (const [words, message] of wrong) {
    test(`deltaflash ${words}`, async ({ expect }) => {
      await using desk = new Desk();
      const ran = await desk.run(words.split(" "));
      expect(ran.stderr.slice(0, "deltaflash: ".length + message.length)).toBe(`deltaflash: ${message}`);
      expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 2, stdout: "" });
    });
  }
});

describe.concurrent("deltaflash flash", () => {
  test("reports every field of the contract, also when it failed before the port was opened", async ({ expect }) => {
    await using desk = new Desk();
    const { code, report } = await desk.flash([meter.base, ...sim]);
    expect(code).toBe(0);
    expect(report).toMatchObject({
      version: 1,
      board: "esp32c3-sim",
      chip: "esp32c3",
      identity: "60:55:f9:00:00:01",
      port: "sim:esp32c3?speed=max",
      result: "flashed",
      error: null,
      image: { bytes: 160_048, sectors: 40 },
      written: { bytes: 163_840, sectors: 40, erasedBytes: 0 }, // what is blank needs no erase
    });
    const [first] = report.spans;
    expect(Object.keys(first ?? {}).sort()).toEqual(["bytes", "durationMs", "label", "phase", "startMs"]);
    const sum = report.spans.reduce((total, span) => total + span.durationMs, 0);
    expect(sum).toBeCloseTo(report.totalMs, 6);
    const failed = (await desk.flash(["missing.elf", ...sim])).report;
    for (const key of ["image", "written", "wire"] as const) {
      expect(Object.keys(failed[key])).toEqual(Object.keys(report[key]));
    }
    // Who wrote nothing waited for nothing.
    expect(Object.keys(failed)).toEqual(Object.keys(report).filter((key) => key !== "waits"));
    expect(Object.keys(failed.error ?? {})).toEqual(["code", "message", "remedy"]);
  });

  test("writes the report to a file and says what happened on standard output, failures on standard error", async ({
    expect,
  }) => {
    await using desk = new Desk();
    const file = desk.path("report.json");
    const done = await desk.run(["flash", meter.base, ...sim, "--json", file]);
    expect(done.stdout).toMatch(
      /^flashed 40 of 40 sectors \(160\.0 KiB\) in \d+ ms: esp32c3 60:55:f9:00:00:01 on sim:/,
    );
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ result: "flashed" });
    const failed = await desk.run(["flash", "missing.elf", ...sim, "--json", file]);
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ result: "failed", error: { code: "bad-image" } });
  });

  test("--trace gives a file that Perfetto opens, also of a failure", async ({ expect }) => {
    await using desk = new Desk();
    const file = desk.path("trace.json");
    const trace = () => JSON.parse(readFileSync(file, "utf8")) as ReturnType<typeof perfettoTrace>;
    const { report } = await desk.flash([meter.base, ...sim, "--trace", file]);
    const events = trace().traceEvents.filter((event) => event.ph === "X");
    expect(events.map((event) => event.name)).toEqual(report.spans.map((span) => span.label));
    for (const event of events) expect(event.ts).toBeGreaterThanOrEqual(0);
    const lengthUs = events.reduce((sum, event) => sum + (event.dur ?? NaN), 0);
    expect(lengthUs / 1000).toBeCloseTo(report.totalMs, 1);
    await desk.flash([meter.base, "--port", "sim:esp32s3?speed=max", "--trace", file]);
    expect(trace().traceEvents.some((event) => event.cat === "connect")).toBe(true);
    await desk.flash(["missing.elf", ...sim, "--trace", file]);
    expect(trace().traceEvents.filter((event) => event.ph === "X")).toEqual([]);
  });

  test("--dry-run connects, says what would be written and about how long it would take, and writes nothing", async ({
    expect,
  }) => {
    await using desk = new Desk();
    await desk.flash([meter.base, ...sim]);
    const before = flashChip(desk);
    const ran = await desk.flash([meter.const, ...sim, "--dry-run"]);
    expect(ran.code).toBe(0);
    expect(ran.report).toMatchObject({ result: "planned", written: { bytes: 12_288, sectors: 3 } });
    expect(ran.report.estimateMs).toBeGreaterThan(50);
    expect(ran.stderr).toMatch(/^would write 3 of 40 sectors \(12\.0 KiB\), about \d+ ms: /m);
    expect(flashChip(desk).equals(before)).toBe(true);
    expect((await desk.flash([meter.const, ...sim])).report).toMatchObject({
      result: "flashed",
      written: { sectors: 3 },
    });
  });

  test("--full writes everything, whatever the board holds", async ({ expect }) => {
    await using desk = new Desk();
    await desk.flash([meter.base, ...sim]);
    expect((await desk.flash([meter.base, ...sim])).report).toMatchObject({ result: "unchanged" });
    const { report } = await desk.flash([meter.base, ...sim, "--full"]);
    expect(report).toMatchObject({ result: "flashed", written: { sectors: 40 } });
  });

  test("--no-reset leaves the board in the loader", async ({ expect }) => {
    await using desk = new Desk();
    const started = await desk.flash([meter.base, ...sim]);
    expect(phasesOf(started.report)).toContain("reset");
    expect(started.stderr).toContain('the board says: I (430) app: running "meter" 2.3.1');
    const left = await desk.flash([meter.const, ...sim, "--no-reset"]);
    expect(phasesOf(left.report)).not.toContain("reset");
    expect(left.stderr).not.toContain("running");
  });

  test("--ram loads a program into RAM, runs it and leaves the flash alone", async ({ expect }) => {
    await using desk = new Desk();
    await desk.flash([meter.base, ...sim]);
    const before = flashChip(desk);
    const sections = [{ name: ".text", address: 0x4038_0000, data: noise(0x2004, 1), flags: 6 }];
    writeFileSync(desk.path("ram.elf"), writeElf({ machine: 243, entry: 0x4038_0000, sections }));
    const ran = await desk.flash([desk.path("ram.elf"), ...sim, "--ram"]);
    expect(ran.report).toMatchObject({
      result: "loaded",
      error: null,
      written: { bytes: 0 },
      image: { bytes: 0x2004 },
    });
    expect(ran.stderr).toMatch(/^loaded 8\.0 KiB into RAM in \d+ ms: /m);
    expect(flashChip(desk).equals(before)).toBe(true);
  });

  test("--app-only writes the application of a build and nothing else of it", async ({ expect }) => {
    await using desk = new Desk();
    writeFileSync(desk.path("app.bin"), pseudoFirmware(5000, 3));
    writeFileSync(desk.path("data.bin"), pseudoFirmware(5000, 4));
    const args = {
      flash_files: { "0x10000": "app.bin", "0x110000": "data.bin" },
      app: { offset: "0x10000", file: "app.bin" },
      extra_esptool_args: { chip: "esp32c3" },
    };
    writeFileSync(desk.path("flasher_args.json"), JSON.stringify(args));
    const { report } = await desk.flash([desk.path("flasher_args.json"), ...sim, "--app-only"]);
    expect(report).toMatchObject({ result: "flashed", image: { bytes: 5000, sectors: 2 } });
    expect(
      flashChip(desk)
        .subarray(0x10000, 0x10000 + 5000)
        .equals(pseudoFirmware(5000, 3)),
    ).toBe(true);
    expect(flashChip(desk)[0x110000]).toBe(0xff);
    const whole = await desk.flash([desk.path("flasher_args.json"), ...sim]);
    expect(whole.report).toMatchObject({ image: { sectors: 4 }, written: { sectors: 2 } });
  });

  test("--app-offset puts an application there, whatever the partition table says", async ({ expect }) => {
    await using desk = new Desk();
    const { report } = await desk.flash([meter.base, ...sim, "--app-offset", "0x200000"]);
    expect(report.result).toBe("flashed");
    expect(flashChip(desk)[0x200000]).toBe(0xe9);
    expect(flashChip(desk)[0x10000]).toBe(0xff);
  });

  test("--baud is the rate that it works at", async ({ expect }) => {
    await using desk = new Desk();
    const writeMs = async (baud: string) => {
      const { report } = await desk.flash([meter.base, ...sim, "--full", "--baud", baud]);
      expect(report.result).toBe("flashed");
      return report.spans.filter((span) => span.phase === "write").reduce((sum, span) => sum + span.durationMs, 0);
    };
    expect(await writeMs("115200")).toBeGreaterThan(3 * (await writeMs("2000000")));
  });

  test("--no-stub works with the chip's ROM loader alone", async ({ expect }) => {
    await using desk = new Desk();
    const { report } = await desk.flash([meter.base, ...sim, "--no-stub"]);
    expect(report).toMatchObject({ result: "flashed", error: null });
    expect(report.spans.filter((span) => span.label.includes("stub"))).toEqual([]);
    expect((await desk.flash([meter.base, ...sim, "--no-stub"])).report.result).toBe("unchanged");
  });

  test("--board takes the board that is meant, --chip the chip's name in either spelling", async ({ expect }) => {
    await using desk = new Desk();
    for (const board of ["60:55:F9:00:00:01", "esp32c3-sim"]) {
      const { code } = await desk.flash([meter.base, ...sim, "--board", board, "--chip", "ESP32-C3"]);
      expect(code).toBe(0);
    }
  });

  test("--verbose says every decision in one line", async ({ expect }) => {
    await using desk = new Desk();
    const { stderr } = await desk.flash([meter.base, ...sim, "--verbose"]);
    const lines = stderr.split("\n");
    for (const line of ["reset: quick", "connect: stub upload", "plan: steps", "reset: start the program"]) {
      expect(lines).toContain(line);
    }
    expect((await desk.flash([meter.base, ...sim])).stderr).not.toContain("reset: quick");
  });

  test("takes any number of files at their offsets", async ({ expect }) => {
    await using desk = new Desk();
    writeFileSync(desk.path("one.bin"), pseudoFirmware(3000, 1));
    writeFileSync(desk.path("two.bin"), pseudoFirmware(3000, 2));
    const { report } = await desk.flash(["0x300000:one.bin", "3276800:two.bin", ...sim], { cwd: desk.folder });
    expect(report).toMatchObject({ result: "flashed", image: { bytes: 6000, sectors: 2 } });
    expect(
      flashChip(desk)
        .subarray(0x300000, 0x300000 + 3000)
        .equals(pseudoFirmware(3000, 1)),
    ).toBe(true);
    expect(
      flashChip(desk)
        .subarray(0x320000, 0x320000 + 3000)
        .equals(pseudoFirmware(3000, 2)),
    ).toBe(true);
  });
});

test("a reader that stops reading does no harm", async () => {
  await using desk = new Desk();
  const ran = await desk.run(["flash", meter.base, ...sim, "--json", desk.path("r.json")], {
    onStderr: (_, child) => child.stderr?.destroy(),
  });
  expect(ran.code).toBe(0);
  expect(JSON.parse(readFileSync(desk.path("r.json"), "utf8"))).toMatchObject({ result: "flashed" });
});
