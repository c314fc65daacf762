import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, test } from "vitest";
import { pseudoFirmware } from "../sim/rig.ts";
import { Desk, meter } from "./cli-helper.ts";

/** A simulated board in the same process: nothing of these failures depends on a wire. */
const simPort = "sim:esp32c3?speed=max";

interface BadInput {
  readonly name: string;
  /** Makes the files; @returns the words behind `flash`. */
  given(desk: Desk): readonly string[];
  readonly code: string;
  /** `DIR` stands for the test's folder; `…` for what other programs say. */
  readonly message: string;
  readonly remedy: string;
}

const elf = () => gunzipSync(readFileSync(meter.base));

function write(desk: Desk, name: string, data: string | Uint8Array): string {
  writeFileSync(desk.path(name), data);
  return desk.path(name);
}

const badInputs: readonly BadInput[] = [
  {
    name: "a file that is missing",
    given: (desk) => [desk.path("a.elf"), "--port", simPort],
    code: "bad-image",
    message: "DIR/a.elf does not exist",
    remedy: "Check the path, or build first.",
  },
  {
    name: "a truncated ELF file",
    given: (desk) => [write(desk, "cut.elf", elf().subarray(0, 70_000)), "--port", simPort],
    code: "bad-image",
    message: "cut.elf: segment 0 (0x33 bytes at file offset 0x21140) ends past the end of the file (70000 bytes)",
    remedy: "Build again; if the file was copied, copy it once more and compare the sizes.",
  },
  {
    name: "a damaged archive",
    given: (desk) => [write(desk, "cut.elf.gz", readFileSync(meter.base).subarray(0, 5_000)), "--port", simPort],
    code: "bad-image",
    message: "DIR/cut.elf.gz cannot be unpacked: …",
    remedy: "Build or copy it again.",
  },
  {
    name: "a HEX file with a wrong checksum",
    given: (desk) => [write(desk, "bad.hex", ":0400000001020304F3\n:00000001FF\n"), "--port", simPort],
    code: "bad-image",
    message: "bad.hex, line 1: the checksum is 0xf3, the bytes give 0xf2",
    remedy: "Build again; if the file was copied, copy it once more and compare the sizes.",
  },
  {
    name: "a flasher_args.json that is cut",
    given: (desk) => [write(desk, "flasher_args.json", '{ "flash_files": { "0x'), "--port", simPort],
    code: "bad-image",
    message: "DIR/flasher_args.json is not valid JSON: …",
    remedy: "Configure and build the project again: the file is incomplete or not from a build.",
  },
  {
    name: "a build whose files are gone",
    given: (desk) => {
      const args = { flash_files: { "0x10000": "app.bin" }, extra_esptool_args: { chip: "esp32c3" } };
      return [write(desk, "flasher_args.json", JSON.stringify(args)), "--port", simPort];
    },
    code: "bad-image",
    message: "DIR/app.bin does not exist",
    remedy: "Check the path, or build first: not every file of the build is there.",
  },
  {
    name: "a folder without a build",
    given: (desk) => {
      mkdirSync(desk.path("empty"));
      return [desk.path("empty"), "--port", simPort];
    },
    code: "bad-image",
    message: "DIR/empty holds no program for an ARM, RISC-V or Xtensa controller",
    remedy: "Build first, or give the path of the ELF file.",
  },
  {
    name: "a binary file without its place",
    given: (desk) => [write(desk, "app.bin", pseudoFirmware(100, 1)), "--port", simPort],
    code: "bad-image",
    message: "DIR/app.bin is no ELF, Intel HEX or flasher_args.json file",
    remedy: "Write the flash offset in front of a binary file, as in 0x10000:app.bin.",
  },
  {
    name: "files that overlap",
    given: (desk) => {
      const one = write(desk, "one.bin", pseudoFirmware(0x2000, 1));
      return [`0x10000:${one}`, `0x11000:${write(desk, "two.bin", pseudoFirmware(0x100, 2))}`, "--port", simPort];
    },
    code: "bad-image",
    message: "one.bin (0x10000 to 0x12000) overlaps two.bin, which starts at 0x11000",
    remedy: "Correct the offsets, or leave a file away.",
  },
  {
    name: "an image larger than the flash",
    given: (desk) => [`0x3ff000:${write(desk, "big.bin", pseudoFirmware(0x2000, 1))}`, "--port", simPort],
    code: "does-not-fit",
    message: "big.bin (0x3ff000 to 0x401000) lies outside the flash at 0x400000; there is flash 0x0 to 0x400000",
    remedy: "Make the image smaller or move it; the board was left as it was.",
  },
  {
    name: "an image larger than --flash-size says",
    given: (desk) => {
      const file = write(desk, "big.bin", pseudoFirmware(0x2000, 1));
      return [`0x40000:${file}`, "--port", simPort, "--flash-size", "256KB"];
    },
    code: "does-not-fit",
    message: "big.bin (0x40000 to 0x42000) lies outside the flash at 0x40000; there is flash 0x0 to 0x40000",
    remedy: "Make the image smaller or move it; the board was left as it was.",
  },
  {
    name: "an image for another processor",
    given: () => [meter.base, "--port", "sim:esp32s3?speed=max"],
    code: "wrong-chip",
    message: "meter-esp32c3-base.elf.gz is a program for riscv, the ESP32-S3 is xtensa",
    remedy: "Build for the chip that is connected, or choose another --port.",
  },
  {
    name: "another chip than --chip says",
    given: () => [meter.base, "--port", simPort, "--chip", "esp32c6"],
    code: "wrong-chip",
    message: "the image is for esp32c6, the board on sim:esp32c3?speed=max is an ESP32-C3",
    remedy: "Build for the chip that is connected, or choose another --port.",
  },
  {
    name: "another board than --board says",
    given: () => [meter.base, "--port", simPort, "--board", "60:55:F9:00:00:99"],
    code: "wrong-chip",
    message: "the board on sim:esp32c3?speed=max is esp32c3-sim 60:55:f9:00:00:01, not 60:55:f9:00:00:99",
    remedy: "Plug in the board you mean, or leave --board away.",
  },
  {
    name: "a flash program that is to run from RAM",
    given: () => [meter.base, "--port", simPort, "--ram"],
    code: "refused",
    message:
      "meter-esp32c3-base.elf.gz is no RAM program: the ESP32-C3 has flash at the place of .flash.appdesc at 0x3c020020, .flash.rodata at 0x3c020120, .flash.text at 0x42000020",
    remedy: "Flash it without --ram, or link it for RAM alone.",
  },
  {
    name: "a port that is not there",
    given: () => [meter.base, "--port", "/dev/ttyNowhere7"],
    code: "board-not-found",
    message: "there is no port /dev/ttyNowhere7",
    remedy: "Check the cable and the port; `deltaflash ports` lists what is there.",
  },
  {
    name: "a server that is not there",
    given: () => [meter.base, "--port", "rfc2217://127.0.0.1:1"],
    code: "board-not-found",
    message: "rfc2217://127.0.0.1:1: nothing listens there",
    remedy: "Check host and port, and that the server on the far end runs.",
  },
  {
    name: "a word that is no port",
    given: () => [meter.base, "--port", "usb:3"],
    code: "board-not-found",
    message: '"usb:3" is no port that this program knows',
    remedy:
      "Name a port as /dev/ttyUSB0, COM3, tcp://host:port, rfc2217://host:port, gdb://host:port, gdb:launch/<debug configuration> or sim:<board>; `deltaflash ports` lists the serial ones.",
  },
  {
    name: "a simulated board that there is not",
    given: () => [meter.base, "--port", "sim:esp33"],
    code: "board-not-found",
    message: 'there is no simulated board "esp33"',
    remedy:
      "Choose one of esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6, esp32c61, esp32h2, esp32p4, esp8266, rp2040, stm32f4, nrf51, stm32f767.",
  },
  {
    name: "a file that is no serial port",
    given: () => [meter.base, "--port", "/dev/null"],
    code: "board-not-found",
    message: "/dev/null is no serial port (…",
    remedy: "Check the cable and the port; `deltaflash ports` lists what is there.",
  },
  {
    name: "a trace that cannot be written",
    given: (desk) => [meter.base, "--port", simPort, "--trace", desk.path("none", "trace.json")],
    code: "refused",
    message: "DIR/none/trace.json cannot be written: its folder does not exist",
    remedy: "Choose another file, or create its folder first.",
  },
];

describe.concurrent("what cannot be flashed ends with code 1, what and where, and what to do", () => {
  for (const bad of badInputs) {
    test(bad.name, async ({ expect }) => {
      await using desk = new Desk();
      const ran = await desk.flash(bad.given(desk));
      const { error, spans } = ran.report;
      const message = error?.message.replaceAll(desk.folder, "DIR") ?? "";
      expect(ran.code).toBe(1);
      expect(ran.report).toMatchObject({ version: 1, result: "failed", written: { bytes: 0, sectors: 0 } });
      expect({ ...error, message: bad.message.endsWith("…") ? cutAt(message, bad.message) : message }).toEqual({
        code: bad.code,
        message: bad.message,
        remedy: bad.remedy,
      });
      const sentences = `deltaflash: ${error?.message ?? ""}\n${error?.remedy ?? ""}\n`;
      expect(ran.stderr).toContain(sentences);
      if (spans.length === 0) expect(ran.stderr).toBe(sentences);
      expect(ran.ms).toBeLessThan(10_000);
    });
  }
});

/** What stands behind the sign is another program's wording. */
function cutAt(message: string, pattern: string): string {
  return `${message.slice(0, pattern.length - 1)}…`;
}
