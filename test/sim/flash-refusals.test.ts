import { describe, expect, test } from "vitest";
import type { ElfArtifact, ImageArtifact } from "../../src/build/artifact.ts";
import { readElf } from "../../src/core/elf.ts";
import { makeImage } from "../../src/core/image.ts";
import { writeElf } from "../fixtures/elf-writer.ts";
import { bytesAt, firmware, pseudoFirmware, Rig } from "./rig.ts";

const data = pseudoFirmware(0x4000, 9);

/** The flash before, so that a test can show that nothing was changed. */
async function refused(rig: Rig, flash: () => ReturnType<Rig["flash"]>) {
  const before = rig.board.flash.slice();
  const report = await flash();
  expect(rig.differsAt(0, before)).toBe(-1);
  expect(report.result).toBe("failed");
  return report;
}

describe("a board that must not be written is left as it was", () => {
  test.each([
    [{ flags: 4, cryptCount: 0 }, "the ESP32-C3 is in secure download mode: it tells nobody what its flash holds"],
    [{ flags: 0, cryptCount: 1 }, "the ESP32-C3 encrypts its flash: plain data would make it unbootable"],
    [{ flags: 0, cryptCount: 7 }, "the ESP32-C3 encrypts its flash: plain data would make it unbootable"],
    [{ flags: 1, cryptCount: 0 }, "secure boot is on in this ESP32-C3: it starts signed images only"],
  ])("%o", async (security, message) => {
    const rig = new Rig({ board: "esp32c3", security });
    const report = await refused(rig, () => rig.flash(bytesAt(0x10000, data)));
    expect(report.error).toMatchObject({ code: "refused", message });
  });

  test("an even number of encryption fuses means that encryption is off again", async () => {
    const rig = new Rig({ board: "esp32c3", security: { flags: 0, cryptCount: 2 } });
    expect((await rig.flash(bytesAt(0x10000, data))).result).toBe("flashed");
  });

  test("the ESP32, whose loader does not tell, is asked for its fuses", async () => {
    const rig = new Rig({ board: "esp32", security: { flags: 0, cryptCount: 1 } });
    const report = await refused(rig, () => rig.flash(bytesAt(0x10000, data)));
    expect(report.error).toMatchObject({
      code: "refused",
      message: "the ESP32 encrypts its flash: plain data would make it unbootable",
    });
  });
});

describe("an image that does not belong on the board is refused before anything is erased, and the program goes on", () => {
  test("another chip was asked for", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const report = await refused(rig, () => rig.flash(bytesAt(0x10000, data), { chip: "esp32-s3" }));
    expect(report.error).toEqual({
      code: "wrong-chip",
      message: "the image is for esp32s3, the board on sim is an ESP32-C3",
      remedy: "Build for the chip that is connected, or choose another --port.",
    });
    rig.bootLine();
    expect(rig.board.running).not.toBe("loader-rom");
  });

  test("the program's addresses are another chip's", async () => {
    const rig = new Rig({ board: "esp32c6" });
    const report = await refused(rig, async () => rig.flash(await firmware("base")));
    expect(report.error?.code).toBe("wrong-chip");
  });

  test("an application image for another chip stands in the files", async () => {
    const c3 = new Rig({ board: "esp32c3" });
    await c3.flash(await firmware("base"));
    const app = c3.board.flash.slice(0x10000, 0x10000 + 160_048);
    const artifact: ImageArtifact = {
      kind: "image",
      system: "files",
      addresses: "flash-offset",
      image: makeImage([{ address: 0x10000, data: app, name: "app.bin" }]),
      files: [],
      app: { path: "/build/app.bin", offset: 0x10000, size: app.length, name: "app", encrypted: false },
    };
    const rig = new Rig({ board: "esp32s3" });
    const report = await refused(rig, () => rig.flash(artifact));
    expect(report.error?.message).toBe("app.bin is an image for ESP32-C3, the board is an ESP32-S3");
    const damaged = app.slice();
    damaged[5000] = (damaged[5000] ?? 0) ^ 1;
    const spoilt = { ...artifact, image: makeImage([{ address: 0x10000, data: damaged, name: "app.bin" }]) };
    const again = await refused(c3, () => c3.flash(spoilt));
    expect(again.error).toMatchObject({ code: "bad-image" });
  });

  test("the image is larger than the flash, or than its partition", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const outside = await refused(rig, () => rig.flash(bytesAt(0x3ff000, data, "assets.bin")));
    expect(outside.error).toMatchObject({
      code: "does-not-fit",
      message: "assets.bin (0x3ff000 to 0x403000) lies outside the flash at 0x400000; there is flash 0x0 to 0x400000",
    });
  });

  test("files that the chip would have to encrypt", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const artifact = bytesAt(0x10000, data) as ImageArtifact;
    const file = { path: "/build/app.bin", offset: 0x10000, size: data.length, name: "app", encrypted: true };
    const report = await refused(rig, () => rig.flash({ ...artifact, files: [file] }));
    expect(report.error).toMatchObject({
      code: "refused",
      message: "/build/app.bin is to be encrypted by the chip, which Deltaflash does not do",
    });
  });

  test("another board than the one that was named", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const report = await refused(rig, () => rig.flash(bytesAt(0x10000, data), { identity: "60:55:F9:00:00:02" }));
    expect(report.error?.message).toBe("the board on sim is esp32c3 60:55:f9:00:00:01, not 60:55:f9:00:00:02");
  });
});

describe("a program that is linked for RAM", () => {
  const code = pseudoFirmware(0x2001, 4);
  const ramElf = (address: number): ElfArtifact => ({
    kind: "elf",
    path: "/build/ram.elf",
    elf: readElf(
      writeElf({ machine: 243, entry: address + 4, sections: [{ name: ".text", address, data: code, flags: 6 }] }),
      "ram.elf",
    ),
    elfSha256: "0".repeat(64),
    system: "files",
  });

  test("is loaded and started, and the flash is not touched", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const before = rig.board.flash.slice();
    const report = await rig.flash(ramElf(0x4038_0000), { ram: true });
    expect(report).toMatchObject({ result: "loaded", error: null, image: { bytes: 0x2004 }, written: { bytes: 0 } });
    expect(rig.differsAt(0, before)).toBe(-1);
    rig.bootLine();
    expect(rig.board.running).toBe("ram-program");
    expect(report.spans.some((span) => span.phase === "load")).toBe(true);
  });

  test("is refused where the ROM needs the RAM for itself while it loads", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const report = await refused(rig, () => rig.flash(ramElf(0x3fcc_b000), { ram: true }));
    expect(report.error).toMatchObject({
      code: "refused",
      message:
        "ram.elf: .text (0x3fccb000 to 0x3fccd001) lies where the ROM of the ESP32-C3 keeps its own data while it loads (0x3fccae00 to 0x3fccc700)",
    });
  });

  test("is refused with the names of its sections when it has flash addresses", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const report = await refused(rig, async () => rig.flash(await firmware("base"), { ram: true }));
    expect(report.error?.code).toBe("refused");
    expect(report.error?.message).toMatch(/\.flash|\.rodata|\.text/);
  });
});

describe("ports and boards that are out of the ordinary", () => {
  test("a port without reset lines works when the board waits in its loader, and the user is told to press reset", async () => {
    const rig = new Rig({ board: "esp32c3", linesConnected: false, startInLoader: true }, { hasModemLines: false });
    const report = await rig.flash(bytesAt(0x10000, data));
    expect(report).toMatchObject({ result: "flashed", error: null });
    expect(report.notes).toContain("sim has no reset line: press the board's reset button to start the program.");
    const again = await rig.flash(bytesAt(0x10000, data));
    expect(again).toMatchObject({ result: "unchanged", error: null });
    const cut = await rig.flash(bytesAt(0x10000, pseudoFirmware(0x4000, 8)), { reset: false });
    expect(cut.result).toBe("flashed"); // the loader is left at the high rate
    expect(await rig.flash(bytesAt(0x10000, data))).toMatchObject({ result: "flashed", error: null });
  });

  test("a board that runs its program and cannot be reset is a timeout that says so", async () => {
    const rig = new Rig({ board: "esp32c3", linesConnected: false });
    const report = await rig.flash(bytesAt(0x10000, data));
    expect(report.error).toMatchObject({ code: "timeout" });
    expect(report.error?.message).toMatch(/^no ESP loader answers on sim; it said|started its program/);
    expect(report.totalMs).toBeLessThan(10_000);
  });

  test("a board with a large capacitor on its reset pin is reached by a slower way, which is remembered", async () => {
    const rig = new Rig({ board: "esp32c3", enRiseMs: "slow" });
    const first = await rig.flash(bytesAt(0x10000, data));
    expect(first).toMatchObject({ result: "flashed", error: null });
    expect((await rig.history.portHints("sim")).resetWay).toBe("classic");
    const connectMs = first.spans.find((span) => span.label === "reset + sync")?.durationMs ?? 0;
    const second = await rig.flash(bytesAt(0x10000, data));
    expect(second.spans.find((span) => span.label === "reset + sync")?.durationMs).toBeLessThan(connectMs - 200);
  });

  test("the chip's own USB port needs no bit rate, and its watchdogs are stopped first", async () => {
    const usb = { vendorId: 0x303a, productId: 0x1001 };
    const rig = new Rig({ board: "esp32c3", link: "usb" }, { usb });
    const report = await rig.flash(bytesAt(0x10000, data));
    expect(report).toMatchObject({ result: "flashed", error: null });
    expect(rig.differsAt(0x10000, data)).toBe(-1);
    const { commands } = rig.board.counters();
    expect(commands["rom:CHANGE_BAUDRATE"]).toBeUndefined();
    expect(commands["rom:WRITE_REG"]).toBe(2);
    expect((await rig.history.portHints("sim")).resetWay).toBe("usb-serial-jtag");
  });

  test("through USB-OTG no block is larger than 2 KiB", async () => {
    const rig = new Rig({ board: "esp32s3", link: "usb" }, { usb: { vendorId: 0x303a, productId: 0x0009 } });
    const report = await rig.flash(bytesAt(0x10000, data));
    expect(report).toMatchObject({ result: "flashed", error: null });
    expect(rig.board.counters().commands["rom:MEM_DATA"]).toBeGreaterThan(3);
  });

  test("a bridge with hardware flow control keeps DTR while the loader is used", async () => {
    const rig = new Rig({ board: "esp32c3" }, { usb: { vendorId: 0x10c4, productId: 0xea64 } });
    expect(await rig.flash(bytesAt(0x10000, data))).toMatchObject({ result: "flashed", error: null });
    expect(rig.bootLine()).not.toContain("download");
  });

  test("what another tool wrote is noticed, and only what differs is written again", async () => {
    const rig = new Rig({ board: "esp32c3" });
    await rig.flash(bytesAt(0x10000, pseudoFirmware(0x20000, 1)));
    rig.board.flash.fill(0, 0x14000, 0x15800);
    const report = await rig.flash(bytesAt(0x10000, pseudoFirmware(0x20000, 1)));
    expect(report).toMatchObject({ result: "flashed", written: { sectors: 2 } });
    expect(report.notes).toEqual([
      "Something else has written to this board since the last flash; what differs is written again.",
    ]);
  });

  test("a dry run says what would be written and what it would take, and starts the program again", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const before = rig.board.flash.slice();
    const report = await rig.flash(await firmware("base"), { dryRun: true });
    expect(report).toMatchObject({ result: "planned", written: { sectors: 40, bytes: 0x28000 } });
    expect(report.estimateMs).toBeGreaterThan(500);
    expect(rig.differsAt(0, before)).toBe(-1);
    rig.bootLine();
    expect(rig.board.running).not.toBe("loader-stub");
  });

  test("bytes beside the image in the same sector are kept", async () => {
    const rig = new Rig({ board: "esp32c3" });
    await rig.flash(bytesAt(0x10000, pseudoFirmware(0x3000, 1)));
    const before = rig.board.flash.slice(0x10000, 0x13000);
    await rig.flash(bytesAt(0x10800, pseudoFirmware(0x1000, 2)));
    before.set(pseudoFirmware(0x1000, 2), 0x800);
    expect(rig.differsAt(0x10000, before)).toBe(-1);
  });

  test("a boot loader gets the flash settings of the build before it is compared and written", async () => {
    const rig = new Rig({ board: "esp32c3" });
    const bootloader = rig.board.flash.slice(0, 0x5000);
    const size = bootloader.findLastIndex((byte) => byte !== 0xff) + 1;
    const artifact: ImageArtifact = {
      kind: "image",
      system: "esp-idf",
      addresses: "flash-offset",
      image: makeImage([{ address: 0, data: bootloader.slice(0, size), name: "bootloader.bin" }]),
      files: [],
      flashSettings: { mode: "qio", frequency: "80m", size: "detect" },
    };
    expect((await rig.flash(artifact)).result).toBe("flashed");
    expect([rig.board.flash[2], rig.board.flash[3]]).toEqual([0, 0x2f]);
    expect((await rig.flash(artifact)).result).toBe("unchanged");
  });
});
