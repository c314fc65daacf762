import { describe, expect, test } from "vitest";
import { arm, hostProgram, loaded } from "./discover-files.ts";
import { discover, discovered, sampleWorkspace } from "./sample-workspace.ts";

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
