import { describe, expect, test } from "vitest";
import { readElf } from "../../../src/core/elf.ts";
import { chipOfImage, firstAppOffset, isAppImage } from "../../../src/build/esp-files.ts";
import { loadArtifact } from "../../../src/build/load.ts";
import { elfToAppImage } from "../../../src/targets/esp/elf-to-image.ts";
import { espImageChips, imageChips, type EspImageChip } from "../../../src/targets/esp/image-chips.ts";
import { buildFolder, type BuildFolder } from "../../fixtures/build-folder.ts";
import { noise, writeElf } from "../../fixtures/elf-writer.ts";
import { espElf } from "../../fixtures/esp-elfs.ts";
import { writeHex } from "../../fixtures/hex-writer.ts";
import { factoryRows, updateRows, writePartitionTable } from "../../fixtures/partition-table-writer.ts";
import { outcome } from "./describe-artifact.ts";

const sizes = { constants: 100, code: 100, data: 16, ramCode: 16 };
const appOf = (chip: EspImageChip) => elfToAppImage(readElf(espElf(chip, sizes), "app.elf"), chip);
/** A boot loader image: RAM only, without a description. */
function bootOf(chip: EspImageChip, machine: number, address: number): Uint8Array {
  const elf = writeElf({ machine, entry: address, sections: [{ name: ".iram.text", address, data: noise(64, 7) }] });
  return elfToAppImage(readElf(elf, "boot.elf"), chip);
}
const bootC3 = bootOf("esp32c3", 243, 0x403c_e000);
const bootS3 = bootOf("esp32s3", 94, 0x403c_9700);
const bootApp0 = new Uint8Array(0x2000).fill(0xff);
const load = (folder: BuildFolder, name = ".", appOnly = false) =>
  outcome(folder, loadArtifact([folder.at(name)], { appOnly }));

describe("what build readers know of ESP files agrees with the target's table", () => {
  test.each(espImageChips.filter((chip) => imageChips[chip].chipId !== undefined))("%s", (chip) => {
    const app = appOf(chip);
    expect(isAppImage(app)).toBe(true);
    expect(chipOfImage(app)).toEqual({ chip, bootloaderOffset: imageChips[chip].bootloaderOffset });
  });

  test("the first application of a partition table", () => {
    expect(firstAppOffset(writePartitionTable(factoryRows))).toBe(0x10000);
    expect(firstAppOffset(writePartitionTable(updateRows))).toBe(0x10000);
    expect(firstAppOffset(writePartitionTable(updateRows.slice(0, 2)))).toBeUndefined();
    expect(isAppImage(bootC3)).toBe(false);
  });
});

describe("ESP-IDF", () => {
  function idf(fixture: string, folder: string): BuildFolder {
    const build = buildFolder(fixture, folder);
    build.put(`${folder}/bootloader/bootloader.bin`, noise(5000, 1));
    build.put(`${folder}/partition_table/partition-table.bin`, writePartitionTable(factoryRows));
    build.put(`${folder}/ota_data_initial.bin`, bootApp0);
    build.put(`${folder}/meter.bin`, noise(9000, 2));
    return build;
  }

  test("5 and older, from the project's folder", async () => {
    using folder = idf("esp-idf-5", "build");
    expect(await load(folder)).toMatchInlineSnapshot(`
      "image (esp-idf, flash-offset): 0x1000+5000 0x8000+3072 0xd000+8192 0x10000+9000
      0x1000 5000 bootloader <folder>/build/bootloader/bootloader.bin = bootloader
      0x8000 3072 partition-table <folder>/build/partition_table/partition-table.bin = table
      0xd000 8192 otadata <folder>/build/ota_data_initial.bin
      0x10000 9000 app <folder>/build/meter.bin encrypted = app
      {"flashSettings":{"mode":"dio","frequency":"40m","size":"4MB"},"chip":"esp32","before":"default-reset","after":"hard-reset","stub":true,"elfPath":"<folder>/build/meter.elf","monitorBaud":115200}"
    `);
  });

  test("6, from the build folder and from the file", async () => {
    using folder = idf("esp-idf-6", "out");
    const text = await load(folder, "out");
    expect(text).toMatchInlineSnapshot(`
      "image (esp-idf, flash-offset): 0x0+5000 0x8000+3072 0x10000+9000
      0x0 5000 bootloader <folder>/out/bootloader/bootloader.bin = bootloader
      0x8000 3072 partition-table <folder>/out/partition_table/partition-table.bin = table
      0x10000 9000 app <folder>/out/meter.bin = app
      {"flashSettings":{"mode":"dio","frequency":"80m","size":"detect"},"chip":"esp32c3","before":"default-reset","after":"no-reset","stub":false}"
    `);
    expect(await load(folder, "out/flasher_args.json")).toBe(text);
  });

  test("the application alone needs no other file", async () => {
    using folder = buildFolder("esp-idf-6");
    folder.put("meter.bin", noise(9000, 2));
    expect(await load(folder, ".", true)).toMatchInlineSnapshot(`
      "image (esp-idf, flash-offset): 0x10000+9000
      0x10000 9000 app <folder>/meter.bin = app
      {"flashSettings":{"mode":"dio","frequency":"80m","size":"detect"},"chip":"esp32c3","before":"default-reset","after":"no-reset","stub":false}"
    `);
  });

  test("configured but not built names the missing file", async () => {
    using folder = buildFolder("esp-idf-6");
    expect(await load(folder)).toMatch(
      /^bad-image: <folder>\/.+\.bin does not exist \| Check the path, or build first/,
    );
  });

  test.each<[string, string, string]>([
    ["cut off", '{"flash_files" : { "0x0" ', "bad-image: <folder>/flasher_args.json is not valid JSON"],
    ["a list", "[]", "bad-image: <folder>/flasher_args.json is no JSON object"],
    ["empty", "{}", "bad-image: <folder>/flasher_args.json: flash_files is missing"],
    ["without files", '{"flash_files":{}}', "bad-image: <folder>/flasher_args.json: flash_files is empty"],
    [
      "with an offset that is none",
      '{"flash_files":{"ten":"a.bin"}}',
      'bad-image: <folder>/flasher_args.json: flash_files: "ten" is no flash offset',
    ],
    [
      "with a file that is none",
      '{"flash_files":{"0x0":["a.bin"]}}',
      "bad-image: <folder>/flasher_args.json: flash_files: 0x0 is no text",
    ],
    [
      "with settings that are none",
      '{"flash_files":{"0x0":"a"},"flash_settings":7}',
      "bad-image: <folder>/flasher_args.json: flash_settings is no JSON object",
    ],
    [
      "without an offset",
      '{"flash_files":{"0x0":"a"},"app":{"file":"a","offset":null}}',
      "bad-image: <folder>/flasher_args.json: app: offset is missing",
    ],
  ])("a flasher_args.json that is %s is refused", async (_, text, expected) => {
    using folder = buildFolder();
    folder.put("flasher_args.json", text);
    // The reason that follows "not valid JSON" is the JavaScript engine's and differs between versions.
    expect((await load(folder)).split(" | ")[0]?.replace(/(not valid JSON): .*/, "$1")).toBe(expected);
  });

  test("without an application, only the application cannot be flashed", async () => {
    using folder = buildFolder();
    folder.put("flasher_args.json", '{"flash_files":{"0x0":"a"}}');
    expect(await load(folder, ".", true)).toBe(
      "bad-image: <folder>/flasher_args.json names no application | Build the application, or leave --app-only away.",
    );
  });
});

describe("PlatformIO", () => {
  const env = ".pio/build/esp32-s3-devkitc-1";
  function firmware(fixture?: string): BuildFolder {
    const folder = buildFolder(fixture, env);
    folder.put("platformio.ini", "[env:esp32-s3-devkitc-1]\nplatform = espressif32\n");
    folder.put(`${env}/firmware.bin`, appOf("esp32s3"));
    folder.put(`${env}/firmware.elf`, espElf("esp32s3", sizes));
    folder.put(`${env}/bootloader.bin`, bootS3);
    folder.put(`${env}/partitions.bin`, writePartitionTable(updateRows));
    return folder;
  }

  test("with idedata.json, from the project's folder", async () => {
    using folder = firmware("platformio-idedata");
    folder.put(`${env}/boot_app0.bin`, bootApp0);
    const text = await load(folder);
    expect(text).toMatchInlineSnapshot(`
      "image (platformio, flash-offset): 0x0+144 0x8000+3072 0xe000+8192 0x10000+65712
      0x0 144 bootloader.bin <folder>/.pio/build/esp32-s3-devkitc-1/bootloader.bin = bootloader
      0x8000 3072 partitions.bin <folder>/.pio/build/esp32-s3-devkitc-1/partitions.bin = table
      0xe000 8192 boot_app0.bin <folder>/.pio/build/esp32-s3-devkitc-1/boot_app0.bin
      0x10000 65712 app <folder>/.pio/build/esp32-s3-devkitc-1/firmware.bin = app
      {"elfPath":"<folder>/.pio/build/esp32-s3-devkitc-1/firmware.elf","chip":"esp32s3"}"
    `);
    expect(await load(folder, env)).toBe(text);
    expect(await load(folder, `${env}/idedata.json`)).toBe(text);
  });

  test("without idedata.json, by what the images say", async () => {
    using folder = firmware();
    expect(await load(folder, env)).toMatchInlineSnapshot(`
      "image (platformio, flash-offset): 0x0+144 0x8000+3072 0x10000+65712
      0x0 144 bootloader <folder>/.pio/build/esp32-s3-devkitc-1/bootloader.bin = bootloader
      0x8000 3072 partition-table <folder>/.pio/build/esp32-s3-devkitc-1/partitions.bin = table
      0x10000 65712 app <folder>/.pio/build/esp32-s3-devkitc-1/firmware.bin = app
      {"chip":"esp32s3","elfPath":"<folder>/.pio/build/esp32-s3-devkitc-1/firmware.elf"}"
    `);
    expect(await load(folder, env, true)).toMatchInlineSnapshot(`
      "image (platformio, flash-offset): 0x10000+65712
      0x10000 65712 app <folder>/.pio/build/esp32-s3-devkitc-1/firmware.bin = app
      {"chip":"esp32s3","elfPath":"<folder>/.pio/build/esp32-s3-devkitc-1/firmware.elf"}"
    `);
  });

  test("takes the environment that was built last", async () => {
    using folder = firmware();
    folder.put(
      ".pio/build/nucleo/firmware.elf",
      writeElf({ machine: 40, entry: 1, sections: [{ name: ".text", address: 8, data: noise(8, 1) }] }),
      -60,
    );
    expect(await load(folder)).toBe("elf <folder>/.pio/build/nucleo/firmware.elf (platformio): arm");
  });

  test("gives an ESP8266 its one image", async () => {
    using folder = buildFolder();
    folder.put(".pio/build/d1/firmware.bin", Uint8Array.of(0xe9, 1, 2, 0x40));
    folder.put(".pio/build/d1/firmware.elf", "x");
    expect(await load(folder, ".pio/build/d1")).toMatchInlineSnapshot(`
      "image (platformio, flash-offset): 0x0+4
      0x0 4 app <folder>/.pio/build/d1/firmware.bin = app
      {"chip":"esp8266","elfPath":"<folder>/.pio/build/d1/firmware.elf"}"
    `);
  });

  test("gives a HEX file where there is nothing else", async () => {
    using folder = buildFolder();
    folder.put(".pio/build/uno/firmware.hex", writeHex([{ address: 0, data: noise(8, 1) }]));
    expect(await load(folder)).toMatch(/^image \(platformio, memory\): 0x0\+8\n/);
  });

  test("says what is missing", async () => {
    using folder = buildFolder();
    folder.put("platformio.ini", "");
    expect(await load(folder)).toBe(
      "bad-image: <folder>/.pio/build holds no firmware | Build the project first, `pio run`.",
    );
    using other = firmware();
    other.put(`${env}/partitions.bin`, "nothing of the kind, and long enough");
    expect(await load(other)).toBe(
      `bad-image: <folder>/${env}/partitions.bin does not say where the application goes | Run \`pio run -t idedata\`, which writes the flash offsets, then flash again.`,
    );
  });
});

describe("Arduino", () => {
  test("for an ESP32 reads flash_args", async () => {
    using folder = buildFolder("arduino-esp32");
    folder.put("blink.ino.bin", appOf("esp32c3"));
    folder.put("blink.ino.elf", espElf("esp32c3", sizes));
    folder.put("blink.ino.bootloader.bin", bootC3);
    folder.put("blink.ino.partitions.bin", writePartitionTable(updateRows));
    folder.put("boot_app0.bin", bootApp0);
    expect(await load(folder)).toMatchInlineSnapshot(`
      "image (arduino, flash-offset): 0x0+144 0x8000+3072 0xe000+8192 0x10000+65712
      0x0 144 blink.ino.bootloader.bin <folder>/blink.ino.bootloader.bin = bootloader
      0x8000 3072 blink.ino.partitions.bin <folder>/blink.ino.partitions.bin = table
      0xe000 8192 boot_app0.bin <folder>/boot_app0.bin
      0x10000 65712 blink.ino.bin <folder>/blink.ino.bin = app
      {"elfPath":"<folder>/blink.ino.elf","chip":"esp32c3","flashSettings":{"mode":"dio","frequency":"80m","size":"4MB"}}"
    `);
  });

  test("for an ESP32 without flash_args flashes the application alone", async () => {
    using folder = buildFolder();
    folder.put("build.options.json", '{"fqbn": "esp32:esp32:esp32"}');
    folder.put("blink.ino.bin", appOf("esp32"));
    expect(await load(folder)).toBe(
      "bad-image: <folder>/flash_args does not exist, so the flash offsets are not known | Flash with --app-only, or update the ESP32 core to 3.0 or newer, which writes the file.",
    );
    expect(await load(folder, ".", true)).toMatch(/^image \(arduino, flash-offset\): 0x10000\+\d+\n/);
  });

  test("for an ESP8266 has one image", async () => {
    using folder = buildFolder("arduino-esp8266");
    folder.put("blink.ino.bin", Uint8Array.of(0xe9, 1, 2, 0x40));
    folder.put("blink.ino.elf", "x");
    expect(await load(folder)).toMatchInlineSnapshot(`
      "image (arduino, flash-offset): 0x0+4
      0x0 4 app <folder>/blink.ino.bin = app
      {"chip":"esp8266","elfPath":"<folder>/blink.ino.elf"}"
    `);
  });

  test("for any other board gives the ELF file", async () => {
    using folder = buildFolder("arduino-uno-r4");
    folder.put(
      "blink.ino.elf",
      writeElf({ machine: 40, entry: 1, sections: [{ name: ".text", address: 0x4000, data: noise(8, 1) }] }),
    );
    folder.put("blink.ino.hex", writeHex([{ address: 0x4000, data: noise(8, 1) }]));
    expect(await load(folder)).toBe("elf <folder>/blink.ino.elf (arduino): arm");
  });

  test("that was not compiled says so", async () => {
    using folder = buildFolder("arduino-uno-r4");
    expect(await load(folder)).toBe(
      "bad-image: <folder> holds no compiled sketch | Compile the sketch first, and look for compiler errors.",
    );
  });
});
