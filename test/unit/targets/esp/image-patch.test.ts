import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readElf } from "../../../../src/core/elf.ts";
import { elfToAppImage } from "../../../../src/targets/esp/elf-to-image.ts";
import { parseEspImage, requireIntact } from "../../../../src/targets/esp/image.ts";
import type { EspImageChip } from "../../../../src/targets/esp/image-chips.ts";
import { patchFlashSettings, type PatchSettings } from "../../../../src/targets/esp/image-patch.ts";
import { espElf } from "../../../fixtures/esp-elfs.ts";

const imageOf = (chip: EspImageChip) => elfToAppImage(readElf(espElf(chip), "boot.elf"), chip);

// When these digests were written down, each equalled what the unmodified esptool 5.3.1 made of the same image with
// `esptool --chip <chip> merge-bin -fm <mode> -ff <frequency> -fs <size> <offset> image.bin`, byte for byte.
test.each<[EspImageChip, PatchSettings, string, string]>([
  [
    "esp32",
    { mode: "dio", frequency: "80m", size: "16MB" },
    "e905024f",
    "b3c2c05f2188cfedd366f39910a7a12a26e3f1f26d9d6667b3d434d9fe389712",
  ],
  [
    "esp32c3",
    { mode: "dio", frequency: "80m", size: "4MB" },
    "e905022f",
    "1052b4a3e1bf8636dba26b757b13ae469bf4a82c45a29abe5ca2776ff32b16ff",
  ],
  [
    "esp32c6",
    { mode: "qout", frequency: "20m", size: "8MB" },
    "e9050132",
    "29de57dacde5aa9c6209d5f74ef0804e5341dfc6403f3aabf487e1be3288065c",
  ],
  [
    "esp32h2",
    { mode: "dio", frequency: "48m", size: "keep" },
    "e905020f",
    "b23184524d3f4eb369d65d3a5d8284b2f05609dc461be4662e50fe0bbd7f84fc",
  ],
  [
    "esp32c2",
    { mode: "keep", frequency: "60m", size: "2MB" },
    "e905001f",
    "9ab8a791b06ebb5b0f63626da98842d6083baf55215d62b18580bfd9f45de6c7",
  ],
  [
    "esp32p4",
    { mode: "dio", frequency: "keep", size: "16MB" },
    "e9050240",
    "eeef7c564c3b39859d737b6f8398dbfb6291764f5bcc7c92c35716490ebcd56d",
  ],
  [
    "esp32c5",
    { mode: "dout", frequency: "20m", size: "128MB" },
    "e9050372",
    "ba8b71e971511701e1d7f05504800b741434016ba7230584a3d6355d2480142b",
  ],
])("%s %o", (chip, settings, header, digest) => {
  const patched = patchFlashSettings(imageOf(chip), settings, chip);
  expect(Buffer.from(patched.subarray(0, 4)).toString("hex")).toBe(header);
  expect(createHash("sha256").update(patched).digest("hex")).toBe(digest);
  requireIntact(parseEspImage(patched, "boot.bin"));
});

describe("patching", () => {
  const image = imageOf("esp32c3");

  test("changes nothing when everything is to be kept", () => {
    expect(patchFlashSettings(image, { mode: "keep", frequency: "keep", size: "keep" }, "esp32c3")).toBe(image);
    expect(patchFlashSettings(image, {}, "esp32c3")).toBe(image);
  });

  test("leaves the input as it was", () => {
    const before = Buffer.from(image);
    patchFlashSettings(image, { mode: "dout" }, "esp32c3");
    expect(before.equals(image)).toBe(true);
  });

  test("takes the detected size where the build says detect, and keeps the image's without one", () => {
    expect(patchFlashSettings(image, { size: "detect" }, "esp32c3")).toBe(image);
    expect(patchFlashSettings(image, { size: "detect", detectedSize: "8MB" }, "esp32c3")[3]).toBe(0x30);
  });

  test("leaves what follows the image in the file", () => {
    const longer = new Uint8Array(Buffer.concat([image, Buffer.alloc(100, 0xab)]));
    const patched = patchFlashSettings(longer, { mode: "dio" }, "esp32c3");
    expect(patched.length).toBe(longer.length);
    expect(patched.subarray(image.length).every((byte) => byte === 0xab)).toBe(true);
    requireIntact(parseEspImage(patched, "boot.bin"));
  });

  test("leaves bytes alone that are no image", () => {
    const encrypted = new Uint8Array(64).fill(0x42);
    expect(patchFlashSettings(encrypted, { mode: "dio" }, "esp32c3")).toBe(encrypted);
  });

  test.each<[PatchSettings, string]>([
    [{ mode: "fast" }, "there is no flash mode fast; there is qio, qout, dio, dout"],
    [{ frequency: "60m" }, "there is no flash frequency of the ESP32-C3 60m; there is 80m, 40m, 26m, 20m"],
    [
      { size: "3MB" },
      "there is no flash size of the ESP32-C3 3MB; there is 1MB, 2MB, 4MB, 8MB, 16MB, 32MB, 64MB, 128MB",
    ],
  ])("refuses %o", (settings, message) => {
    expect(() => patchFlashSettings(image, settings, "esp32c3")).toThrow(message);
  });
});
