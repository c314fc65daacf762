/**
 * What a chip does after reset: prints the ROM's first lines, and either listens in the serial loader or starts the program in
 * flash. Says which application runs, or in the words of the real loaders why none does.
 */
import { toHex } from "../core/bytes.ts";
import { imageFault, readImage, type BootImage } from "./esp-image.ts";
import { hang, sleep, type Machine, type Program, type ResetCause } from "./esp-machine.ts";
import { bootOrder, readPartitions, type Partition } from "./esp-partitions.ts";

/** From entering the second stage to the application's first line: 0.3 to 0.8 s on silicon (model). */
const SECOND_STAGE_MS = 80;
const APPLICATION_START_MS = 350;
/** How often a ROM that finds no image says so (model). */
const COMPLAINT_MS = 300;

const resetWords: Readonly<Record<ResetCause, { esp32: string; rom: string; esp8266: number }>> = {
  "power-on": { esp32: "0x1 (POWERON_RESET)", rom: "0x1 (POWERON)", esp8266: 0 },
  pin: { esp32: "0x1 (POWERON_RESET)", rom: "0x1 (POWERON)", esp8266: 2 },
  software: { esp32: "0xc (SW_CPU_RESET)", rom: "0x3 (RTC_SW_SYS_RST)", esp8266: 2 },
  watchdog: { esp32: "0x10 (RTCWDT_RTC_RESET)", rom: "0x10 (RTCWDT_RTC_RST)", esp8266: 4 },
};

/** The first lines, which also tell whether the serial loader was entered. */
export function printBanner(machine: Machine, cause: ResetCause, intoLoader: boolean): void {
  const { boot } = machine.chip;
  const words = resetWords[cause];
  if (boot.family === "esp8266") {
    machine.print(
      `\r\n ${boot.id},rst cause:${words.esp8266}, boot mode:(${intoLoader ? boot.download : boot.flash},6)\r\n\r\n`,
    );
    return;
  }
  const mode = intoLoader ? boot.download : `${boot.flash} (SPI_FAST_FLASH_BOOT)`;
  if (boot.family === "esp32") {
    machine.print(`${boot.id}\r\n\r\nrst:${words.esp32},boot:${mode}\r\n`);
    return;
  }
  machine.print(`ESP-ROM:${boot.id}\r\nBuild:${boot.date ?? ""}\r\nrst:${words.rom},boot:${mode}\r\n`);
  if (intoLoader) machine.print(mode.includes("UART0_BOOT") ? "wait uart0 download\r\n" : "waiting for download\r\n");
}

/** Never ends by itself: the application runs, or nothing does. */
export function* bootFromFlash(machine: Machine): Program<never> {
  machine.receiver = undefined;
  const { chip } = machine;
  const reading = readImage(machine.flash.bytes, chip.bootloaderAt, chip.id !== "esp8266");
  if (reading.kind === "no header") return yield* complain(machine, `invalid header: ${hex32(reading.firstWord)}\r\n`);
  if (reading.kind === "broken") return yield* complain(machine, `invalid image: ${reading.reason}\r\n`);
  const { image } = reading;
  printLoading(machine, image);
  const { wanted, found } = image.checksum;
  if (wanted !== found)
    return yield* complain(machine, `csum err:0x${found.toString(16)}!=0x${wanted.toString(16)}\r\n`);
  if (image.digest !== undefined && toHex(image.digest.wanted) !== toHex(image.digest.found)) {
    return yield* complain(machine, "SHA-256 comparison failed\r\n");
  }
  machine.print(`entry ${hex32(image.entry)}\r\n`);
  if (chip.id === "esp8266") return yield* run(machine, describe(image, chip.bootloaderAt, "the image"));
  yield* sleep(machine, SECOND_STAGE_MS);
  return yield* secondStage(machine);
}

function printLoading(machine: Machine, image: BootImage): void {
  const { family } = machine.chip.boot;
  if (family === "esp32") {
    machine.print(
      "configsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\r\n",
    );
    machine.print("mode:DIO, clock div:2\r\n");
  } else if (family !== "esp8266") {
    machine.print("SPIWP:0xee\r\nmode:DIO, clock div:1\r\n");
  }
  for (const { address, length } of image.segments) {
    if (family === "esp8266") machine.print(`load ${hex32(address)}, len ${length}, room 16 \r\n`);
    else machine.print(`load:${hex32(address)},len:${family === "esp32" ? length : `0x${length.toString(16)}`}\r\n`);
  }
}

function* secondStage(machine: Machine): Program<never> {
  const flash = machine.flash.bytes;
  const rows = readPartitions(flash);
  if (typeof rows === "string") {
    machine.print(logLine("E", SECOND_STAGE_MS, rows));
    machine.print(logLine("E", SECOND_STAGE_MS, "boot: Failed to verify partition table"));
    return yield* fail(machine);
  }
  for (const partition of bootOrder(flash, rows)) {
    const reading = readImage(flash, partition.offset, true);
    const reason = whyNot(machine, reading, partition);
    if (reason === undefined && reading.kind === "image") {
      const { address = 0 } = reading.image.segments[0] ?? {};
      machine.print(
        logLine("I", SECOND_STAGE_MS, `boot: Loaded app from partition at offset 0x${partition.offset.toString(16)}`),
      );
      machine.print(
        logLine(
          "I",
          SECOND_STAGE_MS,
          `esp_image: ${reading.image.segments.length} segments, first at ${hex32(address)}`,
        ),
      );
      return yield* run(machine, describe(reading.image, partition.offset, partition.label));
    }
    machine.print(logLine("E", SECOND_STAGE_MS, reason ?? ""));
    machine.print(logLine("E", SECOND_STAGE_MS, `boot: App partition ${partition.label} is not bootable`));
  }
  machine.print(logLine("E", SECOND_STAGE_MS, "boot: No bootable app partitions in the partition table"));
  return yield* fail(machine);
}

function whyNot(machine: Machine, reading: ReturnType<typeof readImage>, partition: Partition): string | undefined {
  const where = `image at 0x${partition.offset.toString(16)}`;
  if (reading.kind === "no header") {
    return `esp_image: ${where} has invalid magic byte (nothing flashed here?), first word ${hex32(reading.firstWord)}`;
  }
  if (reading.kind === "broken") return `esp_image: ${where}: ${reading.reason}`;
  const expected = machine.chip.imageChipId ?? 0;
  if (reading.image.chipId !== expected) {
    return `boot_comm: mismatch chip ID, expected ${expected}, found ${reading.image.chipId}`;
  }
  if (reading.image.length > partition.size) return `esp_image: ${where} does not fit its partition`;
  const fault = imageFault(reading.image);
  return fault === undefined ? undefined : `esp_image: ${fault}`;
}

/** The line by which people and tests see which program runs. */
function describe(image: BootImage, offset: number, label: string): string {
  const { description } = image;
  const where = `${label} at 0x${offset.toString(16)}`;
  if (description === undefined) return `${where}, no description, ${image.length} bytes, entry ${hex32(image.entry)}`;
  const elf = toHex(description.elfSha256.subarray(0, 8));
  return `"${description.project}" ${description.version}, elf sha256 ${elf}, from ${where}`;
}

function* run(machine: Machine, what: string): Program<never> {
  yield* sleep(machine, APPLICATION_START_MS);
  machine.running = "application";
  machine.print(logLine("I", SECOND_STAGE_MS + APPLICATION_START_MS, `app: running ${what}`));
  return yield* hang();
}

/** A ROM that finds no image says so again and again. */
function* complain(machine: Machine, line: string): Program<never> {
  machine.running = "boot-failed";
  for (;;) {
    machine.print(line);
    yield* sleep(machine, COMPLAINT_MS);
  }
}

function* fail(machine: Machine): Program<never> {
  machine.running = "boot-failed";
  return yield* hang();
}

function logLine(level: "I" | "E", atMs: number, text: string): string {
  return `${level} (${atMs}) ${text}\r\n`;
}

function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
