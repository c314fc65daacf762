import { createHash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadArtifact } from "../../../src/build/load.ts";
import type { BuildFolder } from "../../fixtures/build-folder.ts";
import { noise, writeElf } from "../../fixtures/elf-writer.ts";
import { writeHex } from "../../fixtures/hex-writer.ts";
import { factoryRows, writePartitionTable } from "../../fixtures/partition-table-writer.ts";
import { outcome } from "./describe-artifact.ts";
import { discover, discovered, sampleWorkspace } from "./sample-workspace.ts";

const arm = (address = 0x0800_0000, size = 64) =>
  writeElf({ machine: 40, entry: address + 1, sections: [{ name: ".text", address, data: noise(size, 3) }] });
const hostProgram = writeElf({ machine: 62, entry: 0x1000, sections: [] });
/** The head of an ESP image with the chip's number, and nothing of use behind it. */
const espImage = (chipId: number, size = 400) => {
  const bytes = noise(size, chipId);
  bytes.set([0xe9, 1, 2, 0x20]);
  bytes.set([chipId, 0], 12);
  return bytes;
};

/** What flashing the best candidate would write. */
async function loaded(folder: BuildFolder, index = 0): Promise<string> {
  const project = (await discover(folder))[index];
  return outcome(folder, loadArtifact(project?.artifact ?? []));
}

function buildIdf(folder: BuildFolder, build: string, ageSeconds: number): void {
  const names = ["bootloader/bootloader.bin", "partition_table/partition-table.bin", "ota_data_initial.bin"];
  for (const name of names) folder.put(join("meter", build, name), noise(100, 1), ageSeconds);
  folder.put(join("meter", build, "meter.elf"), arm(), ageSeconds + 1);
  folder.put(join("meter", build, "meter.bin"), noise(500, 2), ageSeconds);
}

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

describe("PlatformIO", () => {
  test("one project per environment, the default ones first; metadata from Windows", async () => {
    using folder = sampleWorkspace("platformio");
    const build = "sensor/.pio/build/esp32-s3";
    folder.put(`${build}/firmware.bin`, espImage(9), 60);
    folder.put(`${build}/bootloader.bin`, espImage(9), 60);
    folder.put(`${build}/partitions.bin`, writePartitionTable(factoryRows), 60);
    folder.put(`${build}/firmware.elf`, arm(), 61);
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "sensor (PlatformIO, esp32-s3) [platformio:<folder>/sensor/.pio/build/esp32-s3]
        flash <folder>/sensor/.pio/build/esp32-s3; chip=esp32s3 port=/dev/ttyACM0 baud=921600 monitorBaud=115200
        watch <folder>/sensor/.pio/build/esp32-s3/firmware.bin
        - It stands first of 4: its files are all there, those of sensor (PlatformIO, nucleo) are not.
        - <folder>/sensor/platformio.ini has the environment esp32-s3 for the board esp32-s3-devkitc-1 (esp32s3).
        - default_envs names it.
        - upload_port is /dev/ttyACM0.
        - upload_speed is 921600.
        - monitor_speed is 115200.
        - <folder>/sensor/.pio/build/esp32-s3/idedata.json says where its files go.
      sensor (PlatformIO, nucleo) [platformio:<folder>/sensor/.pio/build/nucleo]
        flash <folder>/sensor/.pio/build/nucleo; monitorBaud=115200
        watch <folder>/sensor/.pio/build/nucleo/firmware.elf
        - <folder>/sensor/platformio.ini has the environment nucleo for the board nucleo_f401re.
        - default_envs names it.
        - upload_protocol is stlink.
        - monitor_speed is 115200.
        - <folder>/sensor/.pio/build/nucleo/firmware.elf does not exist: build first.
      sensor (PlatformIO, esp32-ota) [platformio:<folder>/sensor/.pio/build/esp32-ota]
        flash <folder>/sensor/.pio/build/esp32-ota; chip=esp32s3 baud=921600 monitorBaud=115200
        watch <folder>/sensor/.pio/build/esp32-ota/firmware.bin
        - <folder>/sensor/platformio.ini has the environment esp32-ota for the board esp32-s3-devkitc-1 (esp32s3).
        - upload_protocol is espota.
        - upload_port is sensor.local, an address for updates over the air: not used here.
        - upload_speed is 921600.
        - monitor_speed is 115200.
        - <folder>/sensor/.pio/build/esp32-ota/firmware.bin does not exist: build first.
      sensor (PlatformIO, bench) [platformio:<folder>/sensor/.pio/build/bench]
        flash <folder>/sensor/.pio/build/bench; chip=esp32 baud=921600 monitorBaud=921600
        watch <folder>/sensor/.pio/build/bench/firmware.bin
        - <folder>/sensor/platformio.ini has the environment bench for the board esp32dev (esp32).
        - upload_port is the pattern /dev/ttyUSB*: choose a port that fits it.
        - upload_speed is 921600.
        - monitor_speed is 921600.
        - <folder>/sensor/.pio/build/bench/firmware.bin does not exist: build first."
    `);
    expect(await loaded(folder)).toMatchInlineSnapshot(`
      "image (platformio, flash-offset): 0x0+400 0x8000+3072 0x10000+400
      0x0 400 bootloader.bin <folder>/sensor/.pio/build/esp32-s3/bootloader.bin = bootloader
      0x8000 3072 partitions.bin <folder>/sensor/.pio/build/esp32-s3/partitions.bin = table
      0x10000 400 app <folder>/sensor/.pio/build/esp32-s3/firmware.bin = app
      {"elfPath":"<folder>/sensor/.pio/build/esp32-s3/firmware.elf","chip":"esp32s3"}"
    `);
  });

  test("a build folder elsewhere, by setting and by the environment", async () => {
    using folder = sampleWorkspace();
    folder.put(
      "platformio.ini",
      "[platformio]\nbuild_dir = ${sysenv.OUT}/pio\n[env:nucleo]\nplatform = ststm32\n",
      100,
    );
    folder.put("out/pio/project.checksum", "0");
    folder.put("out/pio/nucleo/firmware.elf", arm());
    const environment = { OUT: folder.at("out") };
    const [project] = await discover(folder, { environment });
    expect(project?.artifact).toEqual([folder.at("out/pio/nucleo")]);
    expect(await outcome(folder, loadArtifact(project?.artifact ?? []))).toBe(
      "elf <folder>/out/pio/nucleo/firmware.elf (platformio): arm",
    );
  });

  test.each([
    ["without an environment", "[platformio]\n", "has no section [env:…]. Add an environment to it."],
    ["that is no ini file", "{}\n", "line 1 is no section and no option: {}. Correct platformio.ini."],
  ])("a platformio.ini %s", async (_, text, expected) => {
    using folder = sampleWorkspace();
    folder.put("platformio.ini", text);
    expect(await discovered(folder)).toContain(`<folder>/platformio.ini ${expected}`);
  });
});

describe("Zephyr", () => {
  test("a build for a Cortex-M", async () => {
    using folder = sampleWorkspace("zephyr");
    folder.put("blinky/build/zephyr/zephyr.elf", arm(0));
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "blinky (Zephyr, blinky/build, nrf52840dk/nrf52840) [zephyr:<folder>/blinky/build]
        flash <folder>/blinky/build; chip=nrf52840
        watch <folder>/blinky/build/zephyr/zephyr.elf
        - It is the only one that was found.
        - <folder>/blinky/build/zephyr/runners.yaml marks a build of Zephyr.
        - <folder>/blinky/build/zephyr/runners.yaml names zephyr.elf for nrf52840.
        - \`west flash\` would use jlink.
        - The debug probe's name of the chip is nRF52840_xxAA."
    `);
    expect(await loaded(folder)).toBe("elf <folder>/blinky/build/zephyr/zephyr.elf (zephyr): arm");
    expect(await outcome(folder, loadArtifact([folder.at("blinky")]))).toBe(await loaded(folder));
  });

  test("a build for an ESP chip: the runner's arguments say the place", async () => {
    using folder = sampleWorkspace("zephyr-esp32");
    folder.put("blinky/build/zephyr/zephyr.bin", espImage(5));
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "blinky (Zephyr, blinky/build, esp32c3_devkitm) [zephyr:<folder>/blinky/build]
        flash <folder>/blinky/build; chip=esp32c3 port=/dev/ttyUSB0 baud=460800 monitorBaud=115200
        watch <folder>/blinky/build/zephyr/zephyr.bin
        - It is the only one that was found.
        - <folder>/blinky/build/zephyr/runners.yaml marks a build of Zephyr.
        - <folder>/blinky/build/zephyr/runners.yaml names zephyr.bin for esp32c3.
        - \`west flash\` would use esp32."
    `);
    expect(await loaded(folder)).toMatchInlineSnapshot(`
      "image (zephyr, flash-offset): 0x0+400
      0x0 400 app <folder>/blinky/build/zephyr/zephyr.bin = app
      {"elfPath":"<folder>/blinky/build/zephyr/zephyr.elf","chip":"esp32c3","flashSettings":{"mode":"dio","frequency":"80m","size":"4MB"}}"
    `);
  });

  test("a binary alone goes to the address of the configuration", async () => {
    using folder = sampleWorkspace("zephyr");
    folder.put("blinky/build/zephyr/runners.yaml", "flash-runner: jlink\nconfig: { bin_file: zephyr.bin }\n", 60);
    folder.put(
      "blinky/build/zephyr/.config",
      "CONFIG_FLASH_BASE_ADDRESS=0x8000000\nCONFIG_FLASH_LOAD_OFFSET=0x10000\n",
    );
    folder.put("blinky/build/zephyr/zephyr.bin", noise(64, 1));
    expect(await loaded(folder)).toContain("image (zephyr, memory): 0x8010000+64");
  });

  test.each([
    ["cut off", "config: { elf_file: zephyr.elf,\n", "is not valid YAML"],
    ["empty", "", "is empty or no YAML mapping"],
    ["without a program", "runners: [jlink]\n", "names no program that has its address"],
  ])("a runners.yaml that is %s", async (_, text, expected) => {
    using folder = sampleWorkspace("zephyr");
    folder.put("blinky/build/zephyr/runners.yaml", text);
    expect(await discovered(folder)).toContain(`<folder>/blinky/build/zephyr/runners.yaml ${expected}`);
    expect(await loaded(folder)).toContain(`bad-image: <folder>/blinky/build/zephyr/runners.yaml ${expected}`);
  });
});

describe("sysbuild", () => {
  function system(): BuildFolder {
    const folder = sampleWorkspace("sysbuild");
    folder.put("smp/build/mcuboot/zephyr/zephyr.elf", arm(0));
    folder.put("smp/build/smp/zephyr/zephyr.elf", arm(0x2_0200));
    folder.put("smp/build/smp/zephyr/zephyr.signed.hex", writeHex([{ address: 0x2_0000, data: noise(700, 5) }]));
    return folder;
  }

  test("boot loader and application are one image, built on another machine", async () => {
    using folder = system();
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "smp (Zephyr, smp/build, frdm_k64f/mk64f12) [zephyr:<folder>/smp/build]
        flash <folder>/smp/build; chip=mk64f12
        watch <folder>/smp/build/smp/zephyr/zephyr.signed.hex
        watch <folder>/smp/build/mcuboot/zephyr/zephyr.elf
        - It is the only one that was found.
        - <folder>/smp/build/domains.yaml marks a build of Zephyr's sysbuild.
        - It is made of mcuboot, smp, in this order; smp is the application.
        - <folder>/smp/build/smp/zephyr/runners.yaml names zephyr.signed.hex for mk64f12.
        - \`west flash\` would use jlink.
        - The debug probe's name of the chip is MK64FN1M0xxx12.
        - zephyr.signed.hex was signed or merged after linking, so it is taken and not the ELF file."
    `);
    expect(await loaded(folder)).toMatchInlineSnapshot(`
      "image (zephyr, memory): 0x0+64 0x20000+700
      0x0 64 zephyr.elf <folder>/smp/build/mcuboot/zephyr/zephyr.elf
      0x20000 700 zephyr.signed.hex <folder>/smp/build/smp/zephyr/zephyr.signed.hex = app
      {"chip":"mk64f12","elfPath":"<folder>/smp/build/smp/zephyr/zephyr.elf"}"
    `);
    const alone = loadArtifact([folder.at("smp/build/domains.yaml")], { appOnly: true });
    expect(await outcome(folder, alone)).toContain("image (zephyr, memory): 0x20000+700");
  });

  test.each([
    ["names no domain of its own as default", "default: x\ndomains: []\n", "default names x, which is no domain of it"],
    ["lacks the default", "domains: []\n", "default is missing"],
    ["has a domain without a folder", "default: a\ndomains: [{ name: a }]\n", "domains 0: build_dir is missing"],
  ])("a domains.yaml that %s", async (_, text, expected) => {
    using folder = system();
    folder.put("smp/build/domains.yaml", text);
    expect(await discovered(folder)).toContain(`<folder>/smp/build/domains.yaml: ${expected}`);
  });

  test("domains of an ESP chip count from the flash chip's first byte; domains of two kinds do not mix", async () => {
    using folder = system();
    const esp = (offset: string) => `flash-runner: esp32\nconfig: { bin_file: z.bin }\nargs: { esp32: [${offset}] }\n`;
    folder.put("smp/build/mcuboot/zephyr/runners.yaml", esp("--esp-app-address=0x0"), 60);
    folder.put("smp/build/mcuboot/zephyr/z.bin", espImage(5));
    expect(await loaded(folder)).toContain("domains.yaml: its domains are for flash and for memory at once");
    folder.put("smp/build/smp/zephyr/runners.yaml", esp("--esp-app-address, '0x20000', --esp-no-stub"), 60);
    folder.put("smp/build/smp/zephyr/z.bin", espImage(5));
    expect(await loaded(folder)).toContain("image (zephyr, flash-offset): 0x0+400 0x20000+400");
  });

  test("domains that overlap are refused when loaded", async () => {
    using folder = system();
    folder.put("smp/build/mcuboot/zephyr/zephyr.elf", arm(0x2_0100));
    expect(await loaded(folder)).toMatch(/^bad-image: .+ overlaps /);
  });
});

describe("Arduino", () => {
  test("a build folder beside its sketch: board, upload speed, port of sketch.yaml", async () => {
    using folder = sampleWorkspace("arduino");
    for (const name of ["blink.ino.bootloader.bin", "blink.ino.partitions.bin", "boot_app0.bin", "blink.ino.bin"]) {
      folder.put(`blink/build/${name}`, espImage(5));
    }
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "blink (Arduino, esp32c3) [arduino:<folder>/blink/build]
        flash <folder>/blink/build; chip=esp32c3 port=/dev/ttyACM0 baud=460800
        watch <folder>/blink/build/blink.ino.bin
        watch <folder>/blink/build/blink.ino.bootloader.bin
        watch <folder>/blink/build/blink.ino.partitions.bin
        watch <folder>/blink/build/boot_app0.bin
        - It is the only one that was found.
        - <folder>/blink/build is a build folder of the Arduino builder.
        - It was compiled for esp32:esp32:esp32c3:UploadSpeed=460800,FlashMode=dio.
        - The chip is esp32c3.
        - <folder>/blink/sketch.yaml attaches the sketch to esp32:esp32:esp32c3 at /dev/ttyACM0."
    `);
    expect(await loaded(folder)).toContain("image (arduino, flash-offset): 0x0+400 0x8000+400 0xe000+400 0x10000+400");
  });

  test("a sketch whose build folder is in the builder's cache", async () => {
    using folder = sampleWorkspace("arduino");
    using cache = sampleWorkspace();
    const name = createHash("md5").update(folder.at("blink")).digest("hex").toUpperCase();
    const options = { arduinoCaches: [cache.path] };
    const workspace = [folder.at("blink")];
    rmSync(folder.at("blink/build"), { recursive: true });
    expect(cache.plain(await discovered(folder, options))).toContain("It has no build folder yet: compile it first.");
    cache.put(
      `${name}/build.options.json`,
      `{ "fqbn": "arduino:avr:uno", "sketchLocation": ${JSON.stringify(workspace[0])} }`,
      9,
    );
    cache.put(`${name}/blink.ino.hex`, writeHex([{ address: 0, data: noise(40, 1) }]));
    const [project] = await discover(folder, options);
    expect(project?.artifact).toEqual([cache.at(name)]);
    expect(project?.id).toBe(`arduino:${folder.at("blink")}`);
    expect(await outcome(cache, loadArtifact(project?.artifact ?? []))).toContain("image (arduino, memory): 0x0+40");
  });

  test("a half-written build.options.json and a wrong sketch.yaml", async () => {
    using folder = sampleWorkspace("arduino");
    folder.put("blink/build/build.options.json", '{ "fqbn": ');
    expect(await discovered(folder)).toContain("<folder>/blink/build/build.options.json is not valid JSON");
    folder.put("blink/build/build.options.json", `{ "sketchLocation": ${JSON.stringify(folder.at("blink"))} }`);
    folder.put("blink/sketch.yaml", "default_port: [");
    expect(await discovered(folder)).toContain("<folder>/blink/sketch.yaml is not valid YAML");
  });
});

describe("CMake", () => {
  test("executables of the File API's reply, programs of the computer left out", async () => {
    using folder = sampleWorkspace("cmake");
    folder.put("blink/build/blink.elf", arm(0x1000_0000), 60);
    folder.put("blink/build/tests/unit_tests", hostProgram, 10);
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "blink (CMake, blink/build, Release) [cmake:<folder>/blink/build/blink.elf]
        flash <folder>/blink/build/blink.elf; chip=rp2040
        watch <folder>/blink/build/blink.elf
        - It is the only one that was found.
        - <folder>/blink/build/.cmake/api/v1/reply/target-blink-Release-a1.json names the executable target blink of blink: <folder>/blink/build/blink.elf.
        - CMakeCache.txt says rp2040."
    `);
    expect(await loaded(folder)).toBe("elf <folder>/blink/build/blink.elf (files): arm");
  });

  test("not built yet", async () => {
    using folder = sampleWorkspace("cmake");
    folder.put("blink/build/tests/unit_tests", hostProgram, 10);
    expect(await discovered(folder)).toContain("- <folder>/blink/build/blink.elf does not exist: build first.");
  });

  test("a reply that is damaged", async () => {
    using folder = sampleWorkspace("cmake");
    folder.put("blink/build/.cmake/api/v1/reply/target-blink-Release-a1.json", "{");
    expect(await discovered(folder)).toContain("reply/target-blink-Release-a1.json is not valid JSON");
  });

  test("without a reply the newest program of the build folder", async () => {
    using folder = sampleWorkspace();
    folder.put("build/CMakeCache.txt", "CMAKE_PROJECT_NAME:STATIC=app\n", 60);
    folder.put("build/old.elf", arm(), 50);
    folder.put("build/app.elf", arm(), 10);
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "app (CMake, build) [cmake:<folder>/build/app.elf]
        flash <folder>/build/app.elf
        watch <folder>/build/app.elf
        - It is the only one that was found.
        - <folder>/build is a build folder of CMake, but there is no reply of its File API: configure once more to have all targets.
        - <folder>/build/app.elf is the newest program in it."
    `);
  });

  test("a project for the computer is no firmware", async () => {
    using folder = sampleWorkspace();
    folder.put("build/CMakeCache.txt", "CMAKE_C_COMPILER:FILEPATH=/usr/bin/cc\n");
    folder.put("build/app", hostProgram);
    expect(await discovered(folder)).toBe("");
  });
});

describe("no build system", () => {
  test("programs of launch.json, with comments, trailing commas and paths of Windows", async () => {
    using folder = sampleWorkspace("plain");
    folder.put("build/firmware.elf", arm());
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "firmware (cortex-debug) [plain:<folder>/build/firmware.elf]
        flash <folder>/build/firmware.elf; chip=stm32f401re
        watch <folder>/build/firmware.elf
        - It stands first of 2: its files are all there, those of app (probe-rs-debug) are not.
        - “Debug (OpenOCD)” in <folder>/.vscode/launch.json debugs <folder>/build/firmware.elf.
      app (probe-rs-debug) [plain:<folder>/target/thumbv7em-none-eabihf/debug/app]
        flash <folder>/target/thumbv7em-none-eabihf/debug/app; chip=nrf52840
        watch <folder>/target/thumbv7em-none-eabihf/debug/app
        - “probe-rs” in <folder>/.vscode/launch.json debugs <folder>/target/thumbv7em-none-eabihf/debug/app.
        - <folder>/target/thumbv7em-none-eabihf/debug/app does not exist: build first."
    `);
    expect(await loaded(folder)).toBe("elf <folder>/build/firmware.elf (files): arm");
  });

  test("a launch.json that breaks off still gives its first program", async () => {
    using folder = sampleWorkspace();
    folder.put("a.elf", arm());
    folder.put(".vscode/launch.json", '{ "configurations": [{ "type": "cortex-debug", "executable": "a.elf" }, { "ty');
    const text = await discovered(folder);
    expect(text).toContain("<folder>/.vscode/launch.json line 1 is not valid");
    expect(text).toContain("flash <folder>/a.elf");
  });

  test("a program that only the editor knows", async () => {
    using folder = sampleWorkspace();
    folder.put(
      ".vscode/launch.json",
      '{ "configurations": [{ "type": "cortex-debug", "executable": "${command:cmake.launchTargetPath}" }] }',
    );
    expect(await discovered(folder)).toContain("names no program that is known without the editor");
  });

  test("a launch configuration adds its chip to what a build system says", async () => {
    using folder = sampleWorkspace("cmake");
    folder.put("blink/build/blink.elf", arm(0x1000_0000));
    folder.put("blink/build/CMakeCache.txt", "CMAKE_PROJECT_NAME:STATIC=blink\n", 60);
    folder.put(
      ".vscode/launch.json",
      '{ "configurations": [{ "name": "Go", "type": "cortex-debug", "device": "RP2040", "executable": "blink/build/blink.elf" }] }',
    );
    const [project, ...others] = await discover(folder);
    expect(others).toEqual([]);
    expect(project?.chip).toBe("rp2040");
    expect(project?.reasons.at(-1)).toBe(`“Go” in ${folder.at(".vscode/launch.json")} debugs its program.`);
  });

  test("a program of launch.json that is none for a controller", async () => {
    using folder = sampleWorkspace();
    folder.put("a.out", hostProgram);
    folder.put(".vscode/launch.json", '{ "configurations": [{ "type": "gdbtarget", "program": "a.out" }] }');
    expect(await discovered(folder)).toContain("a.out is no program for an ARM, RISC-V or Xtensa controller.");
  });

  test("the newest programs below a Makefile", async () => {
    using folder = sampleWorkspace();
    folder.put("Makefile", "all:\n");
    folder.put("build/old.elf", arm(), 60);
    folder.put("build/new", arm(), 10);
    folder.put("src/host", hostProgram);
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "new (Makefile, build) [plain:<folder>/build/new]
        flash <folder>/build/new
        watch <folder>/build/new
        - It stands first of 2: it was built later than old (Makefile, build).
        - No build system says what to flash in <folder>; <folder>/build/new is a program for a controller.
      old (Makefile, build) [plain:<folder>/build/old.elf]
        flash <folder>/build/old.elf
        watch <folder>/build/old.elf
        - No build system says what to flash in <folder>; <folder>/build/old.elf is a program for a controller."
    `);
  });

  test("folders without firmware, missing folders and files give nothing", async () => {
    using folder = sampleWorkspace();
    folder.put("package.json", "{}");
    folder.put(".vscode/launch.json", '{ "configurations": [{ "type": "node" }] }');
    expect(await discovered(folder)).toBe("");
    expect(await discover({ ...folder, path: folder.at("nowhere") })).toEqual([]);
    expect(await discover({ ...folder, path: folder.at("package.json") })).toEqual([]);
  });
});

test("whatever stands in the metadata, discovery answers", async () => {
  const names = ["esp-idf", "platformio", "zephyr", "sysbuild", "arduino", "cmake", "plain"];
  const damages = [
    "",
    "{",
    "[]",
    "null",
    "- a",
    "\0\xff",
    '{"objects":[{"kind":"codemodel"}],"domains":3,"config":[]}',
  ];
  for (const name of names) {
    for (const damage of damages) {
      using folder = sampleWorkspace(name);
      for (const file of readdirSync(folder.path, { recursive: true, encoding: "utf8" })) {
        if (statSync(folder.at(file)).isFile()) folder.put(file, damage);
      }
      const projects = await discover(folder);
      for (const project of projects) expect(project.reasons.join(" "), name).not.toContain("internal error");
    }
  }
});

test("folders in place of metadata files are said, not thrown", async () => {
  using folder = sampleWorkspace();
  for (const name of ["flasher_args.json", "platformio.ini", "build/domains.yaml", "a/CMakeCache.txt"])
    folder.put(`${name}/x`, "");
  await expect(discover(folder)).resolves.toEqual([]);
});

test("several workspace folders are ranked together, each project once", async () => {
  using idf = sampleWorkspace("esp-idf");
  using plain = sampleWorkspace("plain");
  buildIdf(idf, "build", 600);
  plain.put("build/firmware.elf", arm());
  const projects = await discover(idf, { buildFolders: [plain.path, idf.at("meter"), idf.path] });
  expect(projects.map((project) => project.title)).toMatchInlineSnapshot(`
    [
      "firmware (cortex-debug)",
      "meter (ESP-IDF, meter/build)",
      "meter (ESP-IDF, meter/build_s3)",
      "app (probe-rs-debug)",
    ]
  `);
});
