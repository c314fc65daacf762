import { describe, expect, test } from "vitest";
import { multiValue, readPlatformIoConfig } from "../../../src/build/platformio-ini.ts";
import { buildFolder } from "../../fixtures/build-folder.ts";

async function read(text: string, system: Record<string, string> = {}) {
  using folder = buildFolder();
  return await readPlatformIoConfig(folder.put("platformio.ini", text), system);
}

describe("platformio.ini", () => {
  test("sections, comments, both separators, upper case and Windows line ends", async () => {
    const config = await read("; a\r\n[env:a]\r\n# b\r\nBoard : x ; y\r\nflags = -D A=1 # c\r\n[env:b]\r\n");
    expect(config.envs).toEqual(["a", "b"]);
    expect(config.option("a", "board")).toBe("x");
    expect(config.option("a", "flags")).toBe("-D A=1");
    expect(config.option("b", "board")).toBeUndefined();
  });

  test("an environment, what it extends in their order, then [env]", async () => {
    const config = await read(
      "[env]\na=env\nd=env\n[one]\na=one\nb=one\n[two]\nb=two\nc=two\nextends=three\n[three]\ne=three\n[env:x]\nextends = one, two\n",
    );
    expect(["a", "b", "c", "d", "e"].map((name) => config.option("x", name))).toEqual([
      "one",
      "one",
      "two",
      "env",
      "three",
    ]);
  });

  test("references to sections, to the section itself and to the system", async () => {
    const text =
      "[common]\nrate = 9600\n[env]\nspeed=${this.rate}\n[env:x]\nrate = ${common.rate}\nport = ${sysenv.PORT}\nname=${this.__env__}\nother=${env:y.none}\n";
    const config = await read(text, { PORT: "/dev/ttyS1" });
    expect(["speed", "port", "name", "other"].map((name) => config.option("x", name))).toEqual([
      "9600",
      "/dev/ttyS1",
      "x",
      "",
    ]);
  });

  test("circles in references and in extends end", async () => {
    const config = await read(
      "[env:x]\na=${this.b}\nb=${this.a}\nmany=${this.many}${this.many}\nextends = env:y\n[env:y]\nextends = env:x\n",
    );
    expect(config.option("x", "a")).toMatch(/^\$\{this\.[ab]\}$/);
    expect(config.option("x", "many")).toContain("${this.many}");
    expect(config.option("x", "none")).toBeUndefined();
  });

  test("the build folder: by default, by the file and by the system", async () => {
    expect((await read("")).projectOption("build_dir")).toMatch(/[\\/]\.pio\/build$/);
    expect((await read("[platformio]\nworkspace_dir=/tmp/x\n")).projectOption("build_dir")).toBe("/tmp/x/build");
    expect((await read("", { PLATFORMIO_BUILD_DIR: "/out" })).projectOption("build_dir")).toBe("/out");
  });

  test.each<[string | undefined, readonly string[]]>([
    [undefined, []],
    ["a, b", ["a", "b"]],
    ["\na ; c\n; d\n b\n", ["a", "b"]],
  ])("the list %j", (text, expected) => expect(multiValue(text)).toEqual(expected));
});
