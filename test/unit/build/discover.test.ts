import { readdirSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { arm, buildIdf } from "./discover-files.ts";
import { discover, sampleWorkspace } from "./sample-workspace.ts";

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
