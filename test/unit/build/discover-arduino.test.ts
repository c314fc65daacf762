import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadArtifact } from "../../../src/build/load.ts";
import { noise } from "../../fixtures/elf-writer.ts";
import { writeHex } from "../../fixtures/hex-writer.ts";
import { espImage, loaded } from "./discover-files.ts";
import { outcome } from "./describe-artifact.ts";
import { discover, discovered, sampleWorkspace } from "./sample-workspace.ts";

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
