import { expect, test } from "vitest";
import { candidateOf, Projects } from "../../../src/server/projects.ts";
import { chipMeant } from "../../../src/targets/esp/chips.ts";
import { arm, buildIdf } from "../build/discover-files.ts";
import { sampleWorkspace } from "../build/sample-workspace.ts";

test("build systems, boards and modules name the chip in many ways; other makers' chips are none of ours", () => {
  const names = [
    "esp32c3",
    "ESP32-C3",
    "esp32-s3-devkitc-1",
    "ESP32-S3-WROOM-1",
    "esp32c6_devkitc",
    "esp32_devkitc_wroom",
  ];
  const others = ["stm32f405", "STM32F405RGTX", "nrf52840", "rp2040", "esp32s31", "esp32dev", "esp", "", "gd32vf103"];
  expect(names.map((name) => chipMeant(name)?.name)).toEqual([
    "esp32c3",
    "esp32c3",
    "esp32s3",
    "esp32s3",
    "esp32c6",
    "esp32",
  ]);
  expect(others.map((name) => chipMeant(name)?.name)).toEqual(others.map(() => undefined));
  expect([chipMeant("esp8266")?.name, chipMeant("esp8266-nodemcu")?.name]).toEqual(["esp8266", "esp8266"]);
});

test("a project for a chip that cannot be flashed yet says so, and gives no chip to a flash", () => {
  const project = {
    id: "x",
    system: "zephyr",
    title: "x",
    artifact: ["/x.elf"],
    watch: [],
    reasons: ["Found."],
  } as const;
  expect(candidateOf(project)).toEqual(project);
  expect(candidateOf({ ...project, chip: "ESP32-S3-WROOM-1" })).toEqual({ ...project, chip: "esp32s3" });
  expect(candidateOf({ ...project, chip: "stm32f405" })).toEqual({
    ...project,
    unsupportedChip: "stm32f405",
    reasons: [
      "Found.",
      "It is built for stm32f405, which Deltaflash cannot flash yet: flash it with its build system's own command.",
    ],
  });
});

test("build folders outside the workspace are searched too, and each project is told once", async () => {
  using workspace = sampleWorkspace("plain");
  using outside = sampleWorkspace("esp-idf");
  buildIdf(outside, "build", 60);
  const projects = new Projects();
  const folders = [workspace.path];
  const titles = async (buildFolders?: readonly string[]) =>
    (await projects.discover({ folders, buildFolders })).map(({ title }) => title);
  const without = await titles();
  const build = outside.at("meter/build");
  const withOutside = await titles([build, build]);
  expect(withOutside).toHaveLength(without.length + 1);
  expect(withOutside.filter((title) => title.includes("ESP-IDF"))).toHaveLength(1);
});

test("folders that are no lists of paths are refused with a remedy", async () => {
  const projects = new Projects();
  const wrong = { folders: [], buildFolders: "/build" as unknown as string[] };
  await expect(projects.discover(wrong)).rejects.toMatchObject({
    code: "refused",
    message: "'buildFolders' has a value of the wrong kind",
    remedy: "It must be a list of paths; correct it in the settings.",
  });
  await expect(projects.discover({ folders: [5] as unknown as string[] })).rejects.toMatchObject({ code: "refused" });
});

test("the chip of a foreign project is found again by its artifact", async () => {
  using folder = sampleWorkspace("zephyr");
  folder.put("app/build/zephyr/zephyr.elf", arm());
  const projects = new Projects();
  const found = await projects.discover({ folders: [folder.path] });
  const foreign = found.find(({ unsupportedChip }) => unsupportedChip !== undefined);
  expect(foreign?.chip).toBeUndefined();
  expect(projects.foreignChipOf(foreign?.artifact ?? [])).toBe(foreign?.unsupportedChip);
  expect(projects.foreignChipOf(["/elsewhere.elf"])).toBeUndefined();
});
