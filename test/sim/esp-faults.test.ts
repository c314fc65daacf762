/** Ordered faults, as a host meets them. */
import { describe, expect, test } from "vitest";
import { makeSimBoard, simBoards } from "../../src/sim/boards.ts";
import { Bench, frames, hex, loaderBench, program, request, syncPayload, words } from "./esp-bench.ts";

const stub = (faults: string, more = {}) => new Bench({ board: "esp32c3", leftoverStub: "1.2.2", faults, ...more });
const read = request(0x0a, words(0x40001000));

describe("bytes on the wire", () => {
  test("a byte that is dropped, flipped or doubled on its way in spoils its command only", () => {
    const answers = ["drop@in:3", "flip@in:10", "double@in:9"].map((faults) => {
      const bench = stub(faults);
      const first = bench.exchange(read, 1, 200)[0] ?? "silence";
      return `${faults} ${first === "010a02006f50311b0000" ? "right" : "wrong"}, then ${hex(words(bench.readRegister(0x40001000)))}`;
    });
    expect(answers).toMatchInlineSnapshot(`
      [
        "drop@in:3 wrong, then 6f50311b",
        "flip@in:10 wrong, then 6f50311b",
        "double@in:9 wrong, then 6f50311b",
      ]
    `);
  });

  test("faults at a rate come back with the same seed", () => {
    const run = (seed: number) => {
      const bench = stub("flip@out:rate=0.01", { seed });
      return Array.from({ length: 50 }, () => bench.exchange(read, 1, 100)[0] ?? "silence");
    };
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
    expect(new Set(run(3)).size).toBeGreaterThan(2);
  });
});

describe("the cable", () => {
  test("pulled at a byte towards the board: what came before is executed or lost, and reading fails", () => {
    const bench = stub("unplug@in:14");
    bench.send(read);
    bench.send(read);
    expect(() => bench.wait(1000)).toThrow("the simulated ESP32-C3 was unplugged");
    expect(bench.board.running).toBe("off");
    expect(bench.board.isUnplugged).toBe(true);
  });

  test("pulled at a byte from the board: the host gets the bytes before it, then the error", () => {
    const bench = stub("unplug@out:5");
    bench.send(read);
    const at = bench.board.nextEventMs() ?? 0;
    let got = Buffer.alloc(0);
    let now = at;
    expect(() => {
      for (;;) {
        got = Buffer.concat([got, bench.board.advance(now)]);
        now = bench.board.nextEventMs() ?? now;
      }
    }).toThrow("unplugged");
    expect(hex(got)).toBe("c0010a0200");
  });

  test("pulled at a time, and plugged in again: a power-on, and the port works", () => {
    const bench = new Bench({ board: "esp32c3", faults: "unplug@ms:50" });
    expect(() => bench.wait(100)).toThrow("unplugged");
    bench.nowMs = 200;
    bench.board.plug(200);
    expect(Buffer.from(bench.wait(100)).toString()).toContain("ESP-ROM:esp32c3");
    bench.resetIntoLoader();
    bench.sync();
  });

  test("pulled by hand in the middle of an erase leaves that sector between old and new", () => {
    const flash = new Uint8Array(4 << 20);
    const bench = stub("", { flash });
    bench.send(request(0xd1, words(0x10000, 0x2000)));
    bench.wait(70);
    bench.board.unplug(bench.nowMs);
    expect(flash.subarray(0x10000, 0x11000).every((byte) => byte === 0xff)).toBe(true);
    const second = flash.subarray(0x11000, 0x12000);
    expect(second.some((byte) => byte !== 0xff)).toBe(true);
    expect(second.some((byte) => byte !== 0)).toBe(true);
    expect(() => bench.board.advance(bench.nowMs)).toThrow("unplugged");
  });
});

describe("the power", () => {
  test("goes for a moment in the middle of the second erase: silence, then the boot text", () => {
    const flash = new Uint8Array(4 << 20);
    const bench = stub("power-cut@erase:2", { flash });
    bench.send(request(0xd1, words(0x10000, 0x3000)));
    const text = Buffer.from(bench.wait(400)).toString();
    expect(text).toContain("ESP-ROM");
    expect(flash.subarray(0x11000, 0x12000).some((byte) => byte !== 0xff)).toBe(true);
    expect(flash[0x12000]).toBe(0);
  });

  test("goes in the middle of a page", () => {
    const bench = stub("power-cut@program:3");
    const data = program(0x1000);
    bench.ask(0x02, words(0x1000, 1, 0x4000, 0x10000));
    bench.askBlock(0x03, data, 0);
    bench.wait(200);
    expect(bench.board.flash.subarray(0x10000, 0x10200)).toEqual(data.subarray(0, 0x200));
    expect(bench.board.flash.subarray(0x10200, 0x10300)).not.toEqual(data.subarray(0x200, 0x300));
    expect(bench.board.flash[0x10300]).toBe(0xff);
  });
});

describe("the flash chip", () => {
  test("stays busy: nothing is answered any more, until power goes", () => {
    const bench = stub("stuck-busy@erase:1");
    expect(bench.ask(0xd1, words(0x10000, 0x2000))).toBe("silence");
    bench.resetIntoLoader();
    bench.sync();
    bench.attach();
    expect(bench.ask(0x02, words(0x1000, 1, 0x400, 0x10000, 0))).toBe("silence");
  });

  test("a sector that does not erase and a bit that does not program are found by a digest", () => {
    const flash = new Uint8Array(4 << 20);
    const bench = stub("bad-sector@0x10000,stuck-bit@0x11004.3", { flash });
    bench.ask(0xd1, words(0x10000, 0x2000));
    expect(bench.board.flash[0x10000]).toBe(0);
    bench.ask(0x02, words(0x1000, 1, 0x4000, 0x11000));
    bench.askBlock(0x03, new Uint8Array(0x1000), 0);
    bench.ask(0x04, words(1));
    expect(bench.board.flash[0x11003]).toBe(0);
    expect(bench.board.flash[0x11004]).toBe(8);
  });
});

test("a command that stalls is never answered; one that is silenced is done all the same", () => {
  const stalls = stub("stall@READ_REG:2");
  expect(stalls.readRegister(0x40001000)).toBe(0x1b31506f);
  expect(stalls.exchange(read, 1, 500)).toEqual([]);
  expect(stalls.exchange(read, 1, 500)).toEqual([]);
  const silent = stub("silence@ERASE_REGION:1", { flash: new Uint8Array(4 << 20) });
  expect(silent.exchange(request(0xd1, words(0x10000, 0x1000)), 1, 500)).toEqual([]);
  expect(silent.board.flash[0x10000]).toBe(0xff);
  expect(silent.readRegister(0x40001000)).toBe(0x1b31506f);
});

test("a crystal that is 6 % off makes garbage of both directions; 2 % does not", () => {
  const off = new Bench({ board: "esp32c3", leftoverStub: "1.2.2", faults: "clock@+6%" });
  expect(off.exchange(read, 1, 300)).toEqual([]);
  const near = new Bench({ board: "esp32c3", leftoverStub: "1.2.2", faults: "clock@-2%" });
  expect(near.exchange(read)).toHaveLength(1);
});

test("boot noise comes before the text, and does not keep a SYNC from being heard", () => {
  const bench = new Bench({ board: "esp32c3", faults: "boot-noise@40" });
  const text = Buffer.from(bench.resetIntoLoader(), "latin1");
  expect(text.indexOf("ESP-ROM")).toBe(40);
  bench.send(request(0x08, syncPayload()));
  expect(frames(bench.wait(100))).toHaveLength(8);
});

test("the catalogue names all chips with their own MAC, and other names are refused", () => {
  expect(simBoards.map(({ id, title, mac }) => `${id} ${title} ${mac}`)).toMatchInlineSnapshot(`
    [
      "esp32 ESP32 board with a USB bridge 24:0a:c4:00:00:01",
      "esp32s2 ESP32-S2 board with a USB bridge 7c:df:a1:00:00:01",
      "esp32s3 ESP32-S3 board with a USB bridge f4:12:fa:00:00:01",
      "esp32c2 ESP32-C2 board with a USB bridge 94:b5:55:00:00:01",
      "esp32c3 ESP32-C3 board with a USB bridge 60:55:f9:00:00:01",
      "esp32c5 ESP32-C5 board with a USB bridge d0:cf:13:00:00:01",
      "esp32c6 ESP32-C6 board with a USB bridge 40:4c:ca:00:00:01",
      "esp32c61 ESP32-C61 board with a USB bridge f0:24:f9:00:00:01",
      "esp32h2 ESP32-H2 board with a USB bridge 74:4d:bd:00:00:01",
      "esp32p4 ESP32-P4 board with a USB bridge e8:f6:0a:00:00:01",
      "esp8266 ESP8266 board with a USB bridge 5c:cf:7f:00:00:01",
    ]
  `);
  expect(() => makeSimBoard({ board: "stm32" })).toThrow('there is no simulated board "stm32"');
  expect(() => makeSimBoard({ board: "esp32", mac: "1:2" })).toThrow('"1:2" is no MAC address');
  const own = loaderBench({ board: "esp32c3", mac: "60:55:f9:00:00:02" });
  expect(own.readRegister(0x60008844)).toBe(0xf9000002);
});

test("counters tell what a report needs", () => {
  const bench = loaderBench({ board: "esp32c3", profile: "typical" });
  bench.startStub();
  bench.ask(0xd1, words(0x10000, 0x11000));
  expect(bench.board.counters()).toMatchInlineSnapshot(`
    {
      "bytesIn": 6354,
      "bytesOut": 228,
      "commands": {
        "rom:MEM_BEGIN": 2,
        "rom:MEM_DATA": 2,
        "rom:MEM_END": 1,
        "rom:SPI_ATTACH": 1,
        "rom:SPI_SET_PARAMS": 1,
        "rom:SYNC": 1,
        "stub:ERASE_REGION": 1,
      },
      "erases": {
        "4096": 1,
        "65536": 1,
      },
      "flashBusyMs": 195,
      "pagesProgrammed": 0,
      "resets": 0,
    }
  `);
});
