/** What bad input gets: a report that says what and where, and what to do about it; no hang, and no board touched. */
import { expect, test } from "vitest";
import { espFamily } from "../../../src/engine/esp-family.ts";
import { ProgramStore } from "../../../src/engine/program-table.ts";
import { ReportStore } from "../../../src/engine/reports.ts";
import { Flashing } from "../../../src/server/flashing.ts";
import type { StoredReport } from "../../../src/server/protocol.ts";
import { buildFolder } from "../../fixtures/build-folder.ts";
import { noise } from "../../fixtures/elf-writer.ts";
import { espElf } from "../../fixtures/esp-elfs.ts";
import { arm } from "../build/discover-files.ts";
import { jobBench, port } from "../engine/job-bench.ts";

const firmware = "test/fixtures/firmware/meter-esp32c3-base.elf.gz";

function flashingBench(foreignChips: Readonly<Record<string, string>> = {}) {
  const bench = jobBench();
  const stored: StoredReport[] = [];
  const flashing = new Flashing({
    jobs: bench.jobs,
    history: bench.history,
    reports: new ReportStore(bench.folder),
    programs: new ProgramStore(bench.folder),
    projects: { foreignChipOf: ([path = ""]) => foreignChips[path] },
    familyAt: () => espFamily,
    onReport: (report) => stored.push(report),
    log: () => undefined,
  });
  const flash = (changes: object) =>
    flashing.flash({
      target: { port },
      artifact: [firmware],
      mode: "changed",
      trigger: "key",
      ...changes,
    });
  return { bench, flashing, flash, stored };
}

test.each<[string, object, string]>([
  [
    "no board",
    { target: { port: "" } },
    "refused: the setting 'port' has a value of the wrong kind | It must be text such as /dev/ttyUSB0; correct it in the settings.",
  ],
  [
    "a target that is nothing",
    { target: null },
    "refused: the setting 'port' has a value of the wrong kind | It must be text such as /dev/ttyUSB0; correct it in the settings.",
  ],
  [
    "a chip of another maker",
    { target: { port, chip: "stm32f405" } },
    "wrong-chip: 'stm32f405' is not a chip that Deltaflash knows | See `deltaflash boards` for the chips that it knows.",
  ],
  [
    "a chip that is a number",
    { target: { port, chip: 32 } },
    "refused: the setting 'chip' has a value of the wrong kind | It must be text such as esp32c3; correct it in the settings.",
  ],
  [
    "a bit rate that is text",
    { target: { port, baud: "fast" } },
    "refused: the setting 'baud' has a value of the wrong kind | It must be a whole number of bits per second, 300 to 10000000; correct it in the settings.",
  ],
  [
    "an artifact that is no list",
    { artifact: firmware },
    "refused: the setting 'artifact' has a value of the wrong kind | It must be a list of paths; correct it in the settings.",
  ],
  [
    "an artifact that is not there",
    { artifact: ["/nowhere/meter.elf"] },
    "bad-image: /nowhere/meter.elf does not exist | Check the path, or build first.",
  ],
])("%s is said before the port is touched", async (_, changes, expected) => {
  const { bench, flash } = flashingBench();
  const { error, result } = await flash(changes);
  expect(result).toBe("failed");
  expect(`${error?.code ?? ""}: ${error?.message ?? ""} | ${error?.remedy ?? ""}`).toBe(expected);
  expect(bench.opened).toBe(0);
});

test("build metadata that cannot be read names the file and what is wrong with it", async () => {
  using folder = buildFolder();
  const { bench, flash } = flashingBench();
  const path = folder.put("flasher_args.json", '{"flash_files": {');
  const { error } = await flash({ artifact: [path] });
  expect(error).toMatchObject({
    code: "bad-image",
    message: expect.stringMatching(/flasher_args\.json is not valid JSON: /) as string,
    remedy: "Configure and build the project again: the file is incomplete or not from a build.",
  });
  expect(bench.opened).toBe(0);
});

test("of several boards the wrong one is refused with its name, and runs its program again", async () => {
  const { flash } = flashingBench();
  const { error } = await flash({ target: { port, board: "60:55:f9:99:99:99" } });
  expect(error?.code).toBe("wrong-chip");
  expect(error?.message).toMatch(/^the board on .* is esp32c3-sim 60:55:f9:00:00:01, not 60:55:f9:99:99:99$/);
});

test("a project for another maker's chip is refused by name before the port is touched", async () => {
  using folder = buildFolder();
  const elf = folder.put("zephyr.elf", arm());
  const remedy = "Choose a project for an ESP chip, or flash this one with its build system's own command.";
  const unknown = flashingBench();
  expect((await unknown.flash({ artifact: [elf] })).error).toEqual({
    code: "wrong-chip",
    message: "zephyr.elf is for ARM processors, which Deltaflash cannot flash yet",
    remedy,
  });
  const known = flashingBench({ [elf]: "stm32f405" });
  expect((await known.flash({ artifact: [elf] })).error).toEqual({
    code: "wrong-chip",
    message: "zephyr.elf is for stm32f405, which Deltaflash cannot flash yet",
    remedy,
  });
  await expect(known.flashing.plan({ port }, [elf], false)).rejects.toMatchObject({ code: "wrong-chip" });
  expect([unknown.bench.opened, known.bench.opened]).toEqual([0, 0]);
});

test("a module's name is as good as its chip's", async () => {
  const { flash } = flashingBench();
  expect(await flash({ target: { port, chip: "ESP32-C3-MINI-1" } })).toMatchObject({ result: "flashed", error: null });
});

test("an image that is older than the program it was made from is flashed, and the report says what is wrong", async () => {
  using folder = buildFolder();
  const image = noise(500, 2);
  image.set([0xe9, 1, 2, 0x20]);
  folder.put("meter.elf", espElf("esp32c3"), 10);
  folder.put("meter.bin", image, 100);
  const args = {
    write_flash_args: [],
    flash_files: { "0x110000": "meter.bin" },
    app: { offset: "0x110000", file: "meter.bin", encrypted: "false" },
    extra_esptool_args: { chip: "esp32c3", stub: true },
  };
  const metadata = folder.put("flasher_args.json", JSON.stringify(args));
  folder.put("project_description.json", JSON.stringify({ app_elf: "meter.elf", target: "esp32c3" }));
  const { flash, stored } = flashingBench();
  const stale = `${folder.at("meter.bin")} is 90 s older than meter.elf, so it is of an earlier build; build again, then flash again.`;
  const report = await flash({ artifact: [metadata] });
  expect(report.notes).toContain(stale);
  expect(stored[0]?.report.notes).toContain(stale);
  folder.put("meter.bin", image, 9);
  expect((await flash({ artifact: [metadata] })).notes.join()).not.toContain("older");
});
