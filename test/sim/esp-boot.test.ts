/** Reset lines, boot strap, boot text, and which program runs. */
import { describe, expect, test } from "vitest";
import { Bench } from "./esp-bench.ts";
import { appImage, slotRecord, slotTable } from "./esp-image-maker.ts";

const c3 = (project: string) => appImage({ chipId: 5, project });

function factoryFlash(app?: Uint8Array): Uint8Array {
  const flash = new Uint8Array(4 << 20).fill(0xff);
  new Bench({ board: "esp32c3", factory: true, flash });
  if (app !== undefined) flash.set(app, 0x10000);
  return flash;
}

describe("the lines", () => {
  test("the classic sequence ends in the loader, with the ROM's text", () => {
    expect(new Bench({ board: "esp32c3" }).resetIntoLoader()).toMatchInlineSnapshot(`
      "ESP-ROM:esp32c3-api1-20210207
      Build:Feb  7 2021
      rst:0x1 (POWERON),boot:0x2 (UART0_BOOT)
      wait uart0 download
      "
    `);
    expect(new Bench({ board: "esp32" }).resetIntoLoader()).toMatchInlineSnapshot(`
      "ets Jul 29 2019 12:21:46

      rst:0x1 (POWERON_RESET),boot:0xf (UART_BOOT(UART0))
      "
    `);
    expect(new Bench({ board: "esp32s3" }).resetIntoLoader()).toMatchInlineSnapshot(`
      "ESP-ROM:esp32s3-20210327
      Build:Mar 27 2021
      rst:0x1 (POWERON),boot:0x7 (UART0_BOOT)
      wait uart0 download
      "
    `);
    expect(new Bench({ board: "esp8266" }).resetIntoLoader()).toMatchInlineSnapshot(`
      "
       ets Jan  8 2013,rst cause:2, boot mode:(1,6)

      "
    `);
  });

  test("the tight sequence does too, and SYNC is heard 30 ms after EN was let go", () => {
    const bench = new Bench({ board: "esp32c3" });
    bench.lines(false, false);
    bench.lines(true, true);
    bench.lines(false, true);
    bench.wait(5);
    expect(bench.board.running).toBe("held-in-reset");
    bench.lines(true, false);
    bench.wait(29.9);
    expect(bench.board.running).toBe("starting");
    bench.wait(0.1);
    expect(bench.board.running).toBe("loader-rom");
    bench.sync();
  });

  test("both lines asserted are the same as none; a pulse under two milliseconds is no reset", () => {
    const bench = new Bench({ board: "esp32c3" });
    bench.lines(true, true);
    bench.wait(100);
    expect(bench.board.counters().resets).toBe(0);
    bench.lines(false, true);
    bench.wait(1.5);
    bench.lines(false, false);
    bench.wait(100);
    expect(bench.board.counters().resets).toBe(0);
  });

  test("RTS alone restarts the program", () => {
    const bench = new Bench({ board: "esp32c3", flash: factoryFlash(c3("blink")) });
    expect(bench.board.running).toBe("application");
    expect(bench.resetIntoProgram()).toMatchInlineSnapshot(`
      "ESP-ROM:esp32c3-api1-20210207
      Build:Feb  7 2021
      rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)
      SPIWP:0xee
      mode:DIO, clock div:1
      load:0x3fc80000,len:0x4000
      entry 0x3fc80000
      I (80) boot: Loaded app from partition at offset 0x10000
      I (80) esp_image: 1 segments, first at 0x3c000020
      I (430) app: running "blink" 1.0, elf sha256 e1e1e1e1e1e1e1e1, from factory at 0x10000
      "
    `);
    expect(bench.board.counters().resets).toBe(1);
  });

  test("a large capacitor on EN makes the usual sequence miss the strap; holding it longer helps", () => {
    const bench = new Bench({ board: "esp32c3", enRiseMs: "slow" });
    bench.resetIntoLoader();
    bench.wait(500);
    expect(bench.board.running).toBe("boot-failed");
    bench.lines(false, true);
    bench.wait(100);
    bench.lines(true, false);
    bench.wait(550);
    bench.lines(false, false);
    expect(bench.board.running).toBe("loader-rom");
  });

  test("the chip's own USB port has no rate, and enters the loader by its own sequence only", () => {
    const bench = new Bench({ board: "esp32c3", link: "usb" });
    bench.resetIntoLoader();
    bench.wait(500);
    expect(bench.board.running).toBe("boot-failed");
    for (const [dtr, rts] of [
      [false, false],
      [true, false],
      [true, true],
      [false, true],
      [false, false],
    ] as const) {
      bench.lines(dtr, rts);
      bench.wait(100);
    }
    expect(bench.board.running).toBe("loader-rom");
    bench.baud(921600);
    bench.sync();
    expect(bench.resetIntoProgram()).toContain("SPI_FAST_FLASH_BOOT");
  });

  test("lines that are not connected do nothing", () => {
    const bench = new Bench({ board: "esp32c3", linesConnected: false });
    bench.resetIntoLoader();
    expect(bench.board.counters().resets).toBe(0);
  });

  test("a reset in the middle of an erase lets the flash chip finish", () => {
    const flash = new Uint8Array(4 << 20);
    const bench = new Bench({ board: "esp32c3", leftoverStub: "1.2.2", flash });
    bench.send(Uint8Array.from([0xc0, 0, 0xd1, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x10, 0, 0, 0xc0]));
    bench.wait(10);
    bench.lines(false, true);
    bench.wait(100);
    expect(flash.subarray(0x10000, 0x11000).every((byte) => byte === 0xff)).toBe(true);
  });
});

describe("the program in flash", () => {
  const lastLine = (flash: Uint8Array, board = "esp32c3") =>
    new Bench({ board, flash }).board.bootLog.trim().split("\r\n").at(-1);

  test("is named with version and ELF digest when it runs", () => {
    expect(lastLine(factoryFlash(c3("blink")))).toBe(
      'I (430) app: running "blink" 1.0, elf sha256 e1e1e1e1e1e1e1e1, from factory at 0x10000',
    );
  });

  test("an empty chip says so again and again", () => {
    const bench = new Bench({ board: "esp32c3" });
    expect(bench.board.running).toBe("boot-failed");
    expect(Buffer.from(bench.wait(700)).toString()).toBe("invalid header: 0xffffffff\r\n".repeat(3));
  });

  test("is not started when something is wrong with it, and the reason is said", () => {
    const spoil = (change: (app: Uint8Array) => void) => {
      const app = c3("blink");
      change(app);
      const log = new Bench({ board: "esp32c3", flash: factoryFlash(app) }).board.bootLog.split("\r\n");
      return log.find((line) => line.startsWith("E ("));
    };
    expect({
      blank: spoil((app) => app.fill(0xff)),
      "a flipped bit": spoil((app) => (app[0x200] = 0)),
      "a changed checksum": spoil((app) => (app[app.length - 33] = 0)),
      "another chip's": spoil((app) => (app[12] = 9)),
      "a cut segment": spoil((app) => (app[31] = 0x7f)),
      "many segments": spoil((app) => (app[1] = 99)),
    }).toMatchInlineSnapshot(`
      {
        "a changed checksum": "E (80) esp_image: Checksum failed. Calculated 0xa2 read 0x0",
        "a cut segment": "E (80) esp_image: image at 0x10000: segment 0 has an invalid length 0x7f000500",
        "a flipped bit": "E (80) esp_image: Checksum failed. Calculated 0xe0 read 0xa2",
        "another chip's": "E (80) boot_comm: mismatch chip ID, expected 5, found 9",
        "blank": "E (80) esp_image: image at 0x10000 has invalid magic byte (nothing flashed here?), first word 0xffffffff",
        "many segments": "E (80) esp_image: image at 0x10000: 99 segments",
      }
    `);
  });

  test("a wrong digest alone is found too", () => {
    const app = c3("blink");
    app[app.length - 1] = ~(app.at(-1) ?? 0);
    const bench = new Bench({ board: "esp32c3", flash: factoryFlash(app) });
    expect(bench.board.running).toBe("boot-failed");
    expect(bench.board.bootLog).toContain("Image hash failed - image is corrupt");
  });

  test("a broken bootloader or table stops earlier", () => {
    const bootloader = factoryFlash(c3("blink"));
    bootloader[0x40] = 0;
    expect(lastLine(bootloader)).toMatch(/^csum err:0x/);
    const table = factoryFlash(c3("blink"));
    table[0x8000] = 0;
    expect(lastLine(table)).toBe("E (80) boot: Failed to verify partition table");
    const digest = factoryFlash(c3("blink"));
    digest[0x8004] = 0;
    digest[0x8005] = 0x91;
    expect(new Bench({ board: "esp32c3", flash: digest }).board.bootLog).toContain(
      "incorrect MD5 of the partition table",
    );
  });

  test("the record of slots chooses, and a broken slot falls back to the other", () => {
    const flash = factoryFlash();
    flash.set(slotTable(), 0x8000);
    flash.set(c3("first"), 0x10000);
    flash.set(c3("second"), 0x110000);
    expect(lastLine(flash)).toMatch(/"first".*ota_0 at 0x10000$/);
    flash.set(slotRecord(1), 0xd000);
    expect(lastLine(flash)).toMatch(/"first"/);
    flash.set(slotRecord(2), 0xe000);
    expect(lastLine(flash)).toMatch(/"second".*ota_1 at 0x110000$/);
    flash[0x110200] = 0;
    expect(lastLine(flash)).toMatch(/"first"/);
  });
});

test.each([
  "esp32",
  "esp32s2",
  "esp32s3",
  "esp32c2",
  "esp32c3",
  "esp32c5",
  "esp32c6",
  "esp32c61",
  "esp32h2",
  "esp32p4",
])("%s: a factory board starts its application, enters the loader, tells its MAC, and takes the npm stub", (board) => {
  const flash = new Uint8Array(4 << 20).fill(0xff);
  const { chip } = new Bench({ board, factory: true, flash }).board;
  flash.set(appImage({ chipId: chip.imageChipId ?? 0, project: board }), 0x10000);
  const bench = new Bench({ board, flash });
  expect(bench.board.bootLog).toContain(`app: running "${board}"`);
  bench.resetIntoLoader();
  bench.sync();
  const low = Number(
    Object.entries(chip.mac(Uint8Array.of(1, 2, 3, 4, 5, 6))).find(([, word]) => word === 0x03040506)?.[0],
  );
  expect(bench.readRegister(low) & 0xffffff).toBe(0x000001);
  bench.startStub();
  expect(bench.board.running).toBe("loader-stub");
});

test("an ESP8266 starts an image whose checksum is right, and takes the npm stub", () => {
  const image = Buffer.alloc(0x100);
  image.set([0xe9, 1, 0, 0x40, 0, 0, 0x10, 0x40, 0, 0, 0x10, 0x40, 0x80, 0, 0, 0]);
  image.fill(0x12, 16, 16 + 0x80);
  image[0x9f] = 0xef;
  const flash = new Uint8Array(1 << 20).fill(0xff);
  flash.set(image);
  const bench = new Bench({ board: "esp8266", flash });
  expect(bench.board.bootLog).toMatchInlineSnapshot(`
    "
     ets Jan  8 2013,rst cause:0, boot mode:(3,6)

    load 0x40100000, len 128, room 16 
    entry 0x40100000
    I (430) app: running the image at 0x0, no description, 160 bytes, entry 0x40100000
    "
  `);
  bench.resetIntoLoader();
  bench.sync();
  bench.startStub();
});

test("the watchdog resets a chip whose port has no reset line", () => {
  const bench = new Bench({ board: "esp32c3", startInLoader: true });
  bench.sync();
  const write = (address: number, value: number) => {
    const [answer = ""] = bench.exchange(registerWrite(address, value));
    expect(answer.slice(16, 18)).toBe("00");
  };
  write(0x60008090, 0x80000000);
  bench.wait(100);
  expect(bench.board.running).toBe("loader-rom");
  write(0x600080a8, 0x50d83aa1);
  write(0x60008094, 2000);
  write(0x60008090, (0x80000000 | (5 << 28) | (1 << 8) | 2) >>> 0);
  bench.wait(300);
  expect(bench.board.bootLog).toContain("rst:0x10 (RTCWDT_RTC_RST)");
  expect(bench.board.running).toBe("boot-failed");
});

function registerWrite(address: number, value: number): Uint8Array {
  const packet = Buffer.alloc(24);
  packet.set([0, 0x09, 16, 0]);
  packet.writeUInt32LE(address, 8);
  packet.writeUInt32LE(value, 12);
  packet.writeUInt32LE(0xffffffff, 16);
  const escaped = Array.from(packet, (byte) => (byte === 0xc0 ? [0xdb, 0xdc] : [byte])).flat();
  return Uint8Array.from([0xc0, ...escaped, 0xc0]);
}
