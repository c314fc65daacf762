import { describe, expect, test } from "vitest";
import { loadArtifact } from "../../../src/build/load.ts";
import { factoryRows, writePartitionTable } from "../../fixtures/partition-table-writer.ts";
import { arm, espImage, loaded } from "./discover-files.ts";
import { outcome } from "./describe-artifact.ts";
import { discover, discovered, sampleWorkspace } from "./sample-workspace.ts";

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
