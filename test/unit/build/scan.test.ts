import { describe, expect, test } from "vitest";
import { discoverProjects } from "../../../src/build/discover.ts";
import { scanFolder, scanLimits } from "../../../src/build/scan.ts";
import { buildFolder } from "../../fixtures/build-folder.ts";
import { noise, writeElf } from "../../fixtures/elf-writer.ts";

const program = writeElf({ machine: 40, entry: 1, sections: [{ name: ".text", address: 0x100, data: noise(8, 1) }] });

describe("one look through a folder", () => {
  test("stays out of packages, hidden folders and what lies deeper than four folders", async () => {
    using folder = buildFolder();
    for (const place of ["node_modules/a", ".git", ".pio", "1/2/3/4/5"]) folder.put(`${place}/platformio.ini`, "");
    folder.put("1/2/3/4/platformio.ini", "");
    folder.put("z/platformio.ini", "");
    const scan = await scanFolder(folder.path);
    expect(scan.foldersWith("platformio.ini")).toEqual([folder.at("z"), folder.at("1/2/3/4")]);
    expect(scan.isCut).toBe(false);
  });

  test("a build's own folder is not looked into", async () => {
    using folder = buildFolder();
    folder.put("build/flasher_args.json", "{}");
    folder.put("build/esp-idf/main/CMakeCache.txt", "");
    folder.put("build/bootloader/bootloader.elf", program);
    const scan = await scanFolder(folder.path);
    expect(scan.foldersWith("CMakeCache.txt")).toEqual([]);
    expect(scan.programs).toEqual([]);
  });

  test("a folder with too many files is cut, but what matters is asked for by name", async () => {
    using folder = buildFolder();
    for (let index = 0; index < 200; index += 1) folder.put(`f${index}`, "");
    folder.put("platformio.ini", "");
    folder.put("build/CMakeCache.txt", "");
    const scan = await scanFolder(folder.path, { ...scanLimits, entriesPerFolder: 20 });
    expect(scan.isCut).toBe(true);
    expect(scan.foldersWith("platformio.ini")).toEqual([folder.path]);
    expect(scan.foldersWith("CMakeCache.txt")).toEqual([folder.at("build")]);
  });

  test("folders named like builds come first when there is too much", async () => {
    using folder = buildFolder();
    for (let index = 0; index < 60; index += 1) folder.put(`src/a${index}/x.c`, "");
    folder.put("build/app.elf", program);
    const limits = { ...scanLimits, entries: 30 };
    expect((await scanFolder(folder.path, limits)).programs).toEqual([folder.at("build/app.elf")]);
    const [project] = await discoverProjects([folder.path], { limits, arduinoCaches: [], environment: {} });
    expect(project?.reasons.at(-1)).toBe(`${folder.path} is large: not all of it was looked at.`);
  });

  test("a folder of 20,000 files takes no longer than its limit allows", async () => {
    using folder = buildFolder();
    for (let index = 0; index < 20_000; index += 1) folder.put(`many/f${index}`, "");
    const started = performance.now();
    expect(await discoverProjects([folder.path], { arduinoCaches: [], environment: {} })).toEqual([]);
    expect(performance.now() - started).toBeLessThan(300);
  });
});
