import { describe, expect, test } from "vitest";
import { loadArtifact } from "../../../src/build/load.ts";
import type { BuildFolder } from "../../fixtures/build-folder.ts";
import { noise } from "../../fixtures/elf-writer.ts";
import { writeHex } from "../../fixtures/hex-writer.ts";
import { arm, espImage, loaded } from "./discover-files.ts";
import { outcome } from "./describe-artifact.ts";
import { discovered, sampleWorkspace } from "./sample-workspace.ts";

describe("Zephyr", () => {
  test("a build for a Cortex-M", async () => {
    using folder = sampleWorkspace("zephyr");
    folder.put("blinky/build/zephyr/zephyr.elf", arm(0));
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "blinky (Zephyr, blinky/build, nrf52840dk/nrf52840) [zephyr:<folder>/blinky/build]
        flash <folder>/blinky/build; chip=nrf52840
        watch <folder>/blinky/build/zephyr/zephyr.elf
        - It is the only one that was found.
        - <folder>/blinky/build/zephyr/runners.yaml marks a build of Zephyr.
        - <folder>/blinky/build/zephyr/runners.yaml names zephyr.elf for nrf52840.
        - \`west flash\` would use jlink.
        - The debug probe's name of the chip is nRF52840_xxAA."
    `);
    expect(await loaded(folder)).toBe("elf <folder>/blinky/build/zephyr/zephyr.elf (zephyr): arm");
    expect(await outcome(folder, loadArtifact([folder.at("blinky")]))).toBe(await loaded(folder));
  });

  test("a build for an ESP chip: the runner's arguments say the place", async () => {
    using folder = sampleWorkspace("zephyr-esp32");
    folder.put("blinky/build/zephyr/zephyr.bin", espImage(5));
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "blinky (Zephyr, blinky/build, esp32c3_devkitm) [zephyr:<folder>/blinky/build]
        flash <folder>/blinky/build; chip=esp32c3 port=/dev/ttyUSB0 baud=460800 monitorBaud=115200
        watch <folder>/blinky/build/zephyr/zephyr.bin
        - It is the only one that was found.
        - <folder>/blinky/build/zephyr/runners.yaml marks a build of Zephyr.
        - <folder>/blinky/build/zephyr/runners.yaml names zephyr.bin for esp32c3.
        - \`west flash\` would use esp32."
    `);
    expect(await loaded(folder)).toMatchInlineSnapshot(`
      "image (zephyr, flash-offset): 0x0+400
      0x0 400 app <folder>/blinky/build/zephyr/zephyr.bin = app
      {"elfPath":"<folder>/blinky/build/zephyr/zephyr.elf","chip":"esp32c3","flashSettings":{"mode":"dio","frequency":"80m","size":"4MB"}}"
    `);
  });

  test("a binary alone goes to the address of the configuration", async () => {
    using folder = sampleWorkspace("zephyr");
    folder.put("blinky/build/zephyr/runners.yaml", "flash-runner: jlink\nconfig: { bin_file: zephyr.bin }\n", 60);
    folder.put(
      "blinky/build/zephyr/.config",
      "CONFIG_FLASH_BASE_ADDRESS=0x8000000\nCONFIG_FLASH_LOAD_OFFSET=0x10000\n",
    );
    folder.put("blinky/build/zephyr/zephyr.bin", noise(64, 1));
    expect(await loaded(folder)).toContain("image (zephyr, memory): 0x8010000+64");
  });

  test.each([
    ["cut off", "config: { elf_file: zephyr.elf,\n", "is not valid YAML"],
    ["empty", "", "is empty or no YAML mapping"],
    ["without a program", "runners: [jlink]\n", "names no program that has its address"],
  ])("a runners.yaml that is %s", async (_, text, expected) => {
    using folder = sampleWorkspace("zephyr");
    folder.put("blinky/build/zephyr/runners.yaml", text);
    expect(await discovered(folder)).toContain(`<folder>/blinky/build/zephyr/runners.yaml ${expected}`);
    expect(await loaded(folder)).toContain(`bad-image: <folder>/blinky/build/zephyr/runners.yaml ${expected}`);
  });
});

describe("sysbuild", () => {
  function system(): BuildFolder {
    const folder = sampleWorkspace("sysbuild");
    folder.put("smp/build/mcuboot/zephyr/zephyr.elf", arm(0));
    folder.put("smp/build/smp/zephyr/zephyr.elf", arm(0x2_0200));
    folder.put("smp/build/smp/zephyr/zephyr.signed.hex", writeHex([{ address: 0x2_0000, data: noise(700, 5) }]));
    return folder;
  }

  test("boot loader and application are one image, built on another machine", async () => {
    using folder = system();
    expect(await discovered(folder)).toMatchInlineSnapshot(`
      "smp (Zephyr, smp/build, frdm_k64f/mk64f12) [zephyr:<folder>/smp/build]
        flash <folder>/smp/build; chip=mk64f12
        watch <folder>/smp/build/smp/zephyr/zephyr.signed.hex
        watch <folder>/smp/build/mcuboot/zephyr/zephyr.elf
        - It is the only one that was found.
        - <folder>/smp/build/domains.yaml marks a build of Zephyr's sysbuild.
        - It is made of mcuboot, smp, in this order; smp is the application.
        - <folder>/smp/build/smp/zephyr/runners.yaml names zephyr.signed.hex for mk64f12.
        - \`west flash\` would use jlink.
        - The debug probe's name of the chip is MK64FN1M0xxx12.
        - zephyr.signed.hex was signed or merged after linking, so it is taken and not the ELF file."
    `);
    expect(await loaded(folder)).toMatchInlineSnapshot(`
      "image (zephyr, memory): 0x0+64 0x20000+700
      0x0 64 zephyr.elf <folder>/smp/build/mcuboot/zephyr/zephyr.elf
      0x20000 700 zephyr.signed.hex <folder>/smp/build/smp/zephyr/zephyr.signed.hex = app
      {"chip":"mk64f12","elfPath":"<folder>/smp/build/smp/zephyr/zephyr.elf"}"
    `);
    const alone = loadArtifact([folder.at("smp/build/domains.yaml")], { appOnly: true });
    expect(await outcome(folder, alone)).toContain("image (zephyr, memory): 0x20000+700");
  });

  test.each([
    ["names no domain of its own as default", "default: x\ndomains: []\n", "default names x, which is no domain of it"],
    ["lacks the default", "domains: []\n", "default is missing"],
    ["has a domain without a folder", "default: a\ndomains: [{ name: a }]\n", "domains 0: build_dir is missing"],
  ])("a domains.yaml that %s", async (_, text, expected) => {
    using folder = system();
    folder.put("smp/build/domains.yaml", text);
    expect(await discovered(folder)).toContain(`<folder>/smp/build/domains.yaml: ${expected}`);
  });

  test("domains of an ESP chip count from the flash chip's first byte; domains of two kinds do not mix", async () => {
    using folder = system();
    const esp = (offset: string) => `flash-runner: esp32\nconfig: { bin_file: z.bin }\nargs: { esp32: [${offset}] }\n`;
    folder.put("smp/build/mcuboot/zephyr/runners.yaml", esp("--esp-app-address=0x0"), 60);
    folder.put("smp/build/mcuboot/zephyr/z.bin", espImage(5));
    expect(await loaded(folder)).toContain("domains.yaml: its domains are for flash and for memory at once");
    folder.put("smp/build/smp/zephyr/runners.yaml", esp("--esp-app-address, '0x20000', --esp-no-stub"), 60);
    folder.put("smp/build/smp/zephyr/z.bin", espImage(5));
    expect(await loaded(folder)).toContain("image (zephyr, flash-offset): 0x0+400 0x20000+400");
  });

  test("domains that overlap are refused when loaded", async () => {
    using folder = system();
    folder.put("smp/build/mcuboot/zephyr/zephyr.elf", arm(0x2_0100));
    expect(await loaded(folder)).toMatch(/^bad-image: .+ overlaps /);
  });
});
