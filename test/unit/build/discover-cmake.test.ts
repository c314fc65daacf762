import { describe, expect, test } from "vitest";
import { arm, hostProgram, loaded } from "./discover-files.ts";
import { discovered, sampleWorkspace } from "./sample-workspace.ts";

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
