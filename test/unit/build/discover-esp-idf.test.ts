import { describe, expect, test } from "vitest";
import { arm, buildIdf, loaded } from "./discover-files.ts";
import { discover, discovered, sampleWorkspace } from "./sample-workspace.ts";

describe("ESP-IDF", () => {
  test("two build folders: the one that was built last is first", async () => {
    using folder = sampleWorkspace("esp-idf");
    buildIdf(folder, "build", 600);
    buildIdf(folder, "build_s3", 60);
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "meter (ESP-IDF, meter/build_s3) [esp-idf:<folder>/meter/build_s3]
        flash <folder>/meter/build_s3/flasher_args.json; chip=esp32s3 monitorBaud=115200
        watch <folder>/meter/build_s3/meter.bin
        watch <folder>/meter/build_s3/bootloader/bootloader.bin
        watch <folder>/meter/build_s3/partition_table/partition-table.bin
        - It stands first of 2: it was built later than meter (ESP-IDF, meter/build).
        - <folder>/meter/build_s3 is a build folder of ESP-IDF.
        - <folder>/meter/build_s3/flasher_args.json names 3 files for esp32s3.
        - The program's output comes at 115200 baud.
      meter (ESP-IDF, meter/build) [esp-idf:<folder>/meter/build]
        flash <folder>/meter/build/flasher_args.json; chip=esp32 monitorBaud=115200
        watch <folder>/meter/build/meter.bin
        watch <folder>/meter/build/bootloader/bootloader.bin
        watch <folder>/meter/build/partition_table/partition-table.bin
        watch <folder>/meter/build/ota_data_initial.bin
        - <folder>/meter/build is a build folder of ESP-IDF.
        - <folder>/meter/build/flasher_args.json names 4 files for esp32.
        - The program's output comes at 115200 baud."
    `);
    expect(await loaded(folder, 1)).toMatchInlineSnapshot(`
      "image (esp-idf, flash-offset): 0x1000+100 0x8000+100 0xd000+100 0x10000+500
      0x1000 100 bootloader <folder>/meter/build/bootloader/bootloader.bin = bootloader
      0x8000 100 partition-table <folder>/meter/build/partition_table/partition-table.bin = table
      0xd000 100 otadata <folder>/meter/build/ota_data_initial.bin
      0x10000 500 app <folder>/meter/build/meter.bin encrypted = app
      {"flashSettings":{"mode":"dio","frequency":"40m","size":"4MB"},"chip":"esp32","before":"default-reset","after":"hard-reset","stub":true,"elfPath":"<folder>/meter/build/meter.elf","monitorBaud":115200}"
    `);
  });

  test("configured, not built", async () => {
    using folder = sampleWorkspace("esp-idf");
    const [first] = await discover(folder);
    expect(first?.reasons.map((reason) => folder.plain(reason)).at(-1)).toMatch(/does not exist: build first\.$/);
  });

  test("neither configured nor built", async () => {
    using folder = sampleWorkspace();
    folder.put("meter/sdkconfig", 'CONFIG_IDF_TARGET="esp32c6"\n');
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "meter (ESP-IDF, build) [esp-idf:<folder>/meter/build]
        flash <folder>/meter/build/flasher_args.json; chip=esp32c6
        watch <folder>/meter/build/flasher_args.json
        - It is the only one that was found.
        - <folder>/meter/sdkconfig marks an ESP-IDF project for esp32c6.
        - <folder>/meter/build does not exist: build first."
    `);
  });

  test("half-written metadata is said, and the good folder comes first", async () => {
    using folder = sampleWorkspace("esp-idf");
    buildIdf(folder, "build", 600);
    folder.put("meter/build_s3/flasher_args.json", '{ "flash_files" : {');
    const text = await discovered(folder);
    expect(text).toContain("It stands first of 2: meter (ESP-IDF, build_s3) cannot be read.");
    expect(text).toContain("<folder>/meter/build_s3/flasher_args.json is not valid JSON");
  });

  test("older than its metadata, unfinished, and configured for another chip", async () => {
    using folder = sampleWorkspace("esp-idf");
    buildIdf(folder, "build", 7_200);
    folder.put("meter/build/meter.elf", arm());
    folder.put("meter/sdkconfig", 'CONFIG_IDF_TARGET="esp32h2"\n');
    const [first] = await discover(folder);
    expect(folder.plain(first?.reasons.join("\n") ?? "")).toMatchInlineSnapshot(`
      "It stands first of 2: its files are all there, those of meter (ESP-IDF, meter/build_s3) are not.
      <folder>/meter/build is a build folder of ESP-IDF.
      <folder>/meter/build/flasher_args.json names 4 files for esp32.
      The program's output comes at 115200 baud.
      <folder>/meter/sdkconfig says esp32h2, but this folder was configured for esp32: build again.
      meter.bin is older than <folder>/meter/build/flasher_args.json: it may be of a build before that change; build again.
      <folder>/meter/build/meter.elf is newer than <folder>/meter/build/meter.bin: the build did not finish."
    `);
  });
});
