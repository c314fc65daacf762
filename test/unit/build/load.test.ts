import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/core/digest.ts";
import type { LoadOptions } from "../../../src/build/artifact.ts";
import { loadArtifact } from "../../../src/build/load.ts";
import { parseFileAt } from "../../../src/build/flash-files.ts";
import { buildFolder, type BuildFolder } from "../../fixtures/build-folder.ts";
import { noise, writeElf } from "../../fixtures/elf-writer.ts";
import { espElf } from "../../fixtures/esp-elfs.ts";
import { writeHex } from "../../fixtures/hex-writer.ts";
import { describeArtifact, outcome } from "./describe-artifact.ts";

const elf = espElf("esp32c3", { constants: 100, code: 100, data: 16, ramCode: 16 });

async function load(folder: BuildFolder, names: readonly string[], options?: LoadOptions): Promise<string> {
  return outcome(
    folder,
    loadArtifact(
      names.map((name) => name.replaceAll("@", folder.path)),
      options,
    ),
  );
}

describe("one file", () => {
  test("an ELF file, whatever its name, with the digest of its bytes", async () => {
    using folder = buildFolder();
    const artifact = await loadArtifact([folder.put("firmware", elf)]);
    expect(describeArtifact(artifact, folder)).toBe("elf <folder>/firmware (files): riscv");
    expect(artifact.kind === "elf" && artifact.elfSha256).toBe(sha256Hex(elf));
  });

  test("a compressed ELF file gives the digest of the ELF itself", async () => {
    using folder = buildFolder();
    const artifact = await loadArtifact([folder.put("a.elf.gz", gzipSync(elf))]);
    expect(artifact.kind === "elf" && artifact.elfSha256).toBe(sha256Hex(elf));
  });

  test("an Intel HEX file counts in the target's memory", async () => {
    using folder = buildFolder();
    const text = writeHex(
      [
        { address: 0x0800_0000, data: noise(100, 1) },
        { address: 0x0800_4000, data: noise(20, 2) },
      ],
      { width: 16, newline: "\r\n", start: 0x0800_0101 },
    );
    folder.put("app.hex", text);
    expect(await load(folder, ["@/app.hex"])).toMatchInlineSnapshot(`
      "image (files, memory): 0x8000000+100 0x8004000+20
      0x8000000 120 app.hex <folder>/app.hex
      {"start":134217985}"
    `);
  });

  test.each<[string, string, Uint8Array | string, string]>([
    [
      "a binary without a place",
      "app.bin",
      noise(10, 1),
      "bad-image: <folder>/app.bin is no ELF, Intel HEX or flasher_args.json file | Write the flash offset in front of a binary file, as in 0x10000:app.bin.",
    ],
    [
      "an empty ELF file",
      "app.elf",
      "",
      "bad-image: app.elf is not an ELF file: it does not begin with 7f 45 4c 46 | Give the .elf file that the linker wrote.",
    ],
    [
      "a cut ELF file",
      "app.elf",
      elf.subarray(0, 500),
      "bad-image: app.elf: segment 3 (0x100 bytes at file offset 0x114) ends past the end of the file (500 bytes) | Build again; if the file was copied, copy it once more and compare the sizes.",
    ],
    [
      "a cut archive",
      "app.elf.gz",
      gzipSync(elf).subarray(0, 200),
      "bad-image: <folder>/app.elf.gz cannot be unpacked: unexpected end of file | Build or copy it again.",
    ],
    [
      "a cut HEX file",
      "app.hex",
      ":0100000001FE\n",
      "bad-image: app.hex has no end record (:00000001FF) after 1 lines: it is cut off | Build again; if the file was copied, copy it once more and compare the sizes.",
    ],
    [
      "an empty HEX file",
      "app.hex",
      "",
      "bad-image: app.hex has no end record (:00000001FF) after 0 lines: it is cut off | Build again; if the file was copied, copy it once more and compare the sizes.",
    ],
  ])("%s is refused", async (_, name, contents, expected) => {
    using folder = buildFolder();
    folder.put(name, contents);
    expect(await load(folder, [`@/${name}`])).toBe(expected);
  });

  test("a missing file is named with its full path", async () => {
    using folder = buildFolder();
    expect(await load(folder, ["@/no/app.elf"])).toBe(
      "bad-image: <folder>/no/app.elf does not exist | Check the path, or build first.",
    );
    expect(await load(folder, [])).toBe("bad-image: no artifact is given | Give an ELF file or a build folder.");
  });
});

describe("files with offsets", () => {
  test.each<[string, { offset: number; path: string } | undefined]>([
    ["0x10000:app.bin", { offset: 0x10000, path: "app.bin" }],
    ["0X8000:a b.bin", { offset: 0x8000, path: "a b.bin" }],
    ["65536:build/app.bin", { offset: 65536, path: "build/app.bin" }],
    ["0x0:C:\\build\\boot.bin", { offset: 0, path: "C:\\build\\boot.bin" }],
    ["C:\\build\\app.elf", undefined],
    ["c:/build/app.elf", undefined],
    ["build/app.elf", undefined],
    ["0x10000:", undefined],
  ])("%s", (text, expected) => expect(parseFileAt(text)).toEqual(expected));

  test("are sorted, and the application is found by its contents", async () => {
    using folder = buildFolder();
    const app = new Uint8Array(300);
    app.set([0xe9], 0);
    app.set([0x32, 0x54, 0xcd, 0xab], 0x20);
    folder.put("app.bin", app);
    folder.put("boot.bin", noise(100, 1));
    const names = ["65536:@/app.bin", "0x1000:@/boot.bin"];
    expect(await load(folder, names)).toMatchInlineSnapshot(`
      "image (files, flash-offset): 0x1000+100 0x10000+300
      0x1000 100 boot.bin <folder>/boot.bin
      0x10000 300 app.bin <folder>/app.bin = app
      {}"
    `);
    expect(await load(folder, names, { appOnly: true })).toMatchInlineSnapshot(`
      "image (files, flash-offset): 0x10000+300
      0x10000 300 app.bin <folder>/app.bin = app
      {}"
    `);
  });

  test.each<[string, readonly string[], string]>([
    [
      "an offset past 2^32",
      ["0x100000000:@/a.bin"],
      'bad-image: 0x100000000:<folder>/a.bin: "0x100000000" is no flash offset | Write it as 0x10000 or 65536.',
    ],
    [
      "a missing one",
      ["0x0:@/a.bin", "0x1000:@/none.bin"],
      "bad-image: <folder>/none.bin does not exist | Check the path, or build first: not every file of the build is there.",
    ],
    ["an empty one", ["0x1000:@/empty.bin"], "bad-image: <folder>/empty.bin for 0x1000 is empty | Build again."],
    [
      "files that overlap",
      ["0x0:@/a.bin", "0x63:@/b.bin"],
      "bad-image: a.bin (0x0 to 0x64) overlaps b.bin, which starts at 0x63 | Correct the offsets, or leave a file away.",
    ],
    [
      "one without an offset among them",
      ["0x0:@/a.bin", "@/b.bin"],
      "bad-image: <folder>/b.bin stands beside other artifacts without an offset | Write the offset in front of every file, as in 0x10000:app.bin, or give one artifact alone.",
    ],
    [
      "a folder",
      ["0x0:@"],
      "bad-image: <folder> cannot be read: it is a folder | Check the path, or build first: not every file of the build is there.",
    ],
  ])("%s is refused", async (_, names, expected) => {
    using folder = buildFolder();
    folder.put("a.bin", noise(100, 1));
    folder.put("b.bin", noise(100, 2));
    folder.put("empty.bin", "");
    expect(await load(folder, names)).toBe(expected);
  });

  test("without an application are refused when only it is wanted", async () => {
    using folder = buildFolder();
    folder.put("a.bin", noise(100, 1));
    expect(await load(folder, ["0x0:@/a.bin"], { appOnly: true })).toBe(
      "bad-image: none of the files is an application: <folder>/a.bin | Leave --app-only away, or give the application's file.",
    );
  });
});

describe("a folder of no known build system", () => {
  const arm = (seed: number) =>
    writeElf({ machine: 40, entry: 1, sections: [{ name: ".text", address: 0, data: noise(64, seed) }] });
  const host = arm(1).slice();
  new DataView(host.buffer).setUint16(18, 3, true); // a program for this computer

  test("gives the program that was linked last", async () => {
    using folder = buildFolder();
    folder.put("build/old.elf", arm(1), 3600);
    folder.put("build/zephyr/zephyr.elf", arm(2), 60);
    folder.put("build/tests/host", host);
    folder.put("build/main.c.o", arm(3));
    folder.put("node_modules/x/y.elf", arm(4));
    folder.put("build/notes", "short");
    expect(await load(folder, ["@"])).toBe("elf <folder>/build/zephyr/zephyr.elf (plain): arm");
  });

  test("without a program says so", async () => {
    using folder = buildFolder();
    folder.put("build/host", host);
    expect(await load(folder, ["@"])).toBe(
      "bad-image: <folder> holds no program for an ARM, RISC-V or Xtensa controller | Build first, or give the path of the ELF file.",
    );
  });
});
