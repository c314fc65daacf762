/** Espressif's flasher stub, quirk by quirk: the release that npm carries, and older ones as leftovers of earlier sessions. */
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Bench, block, frames, hex, loaderBench, program, request, syncPayload, words } from "./esp-bench.ts";
import type { SimBoardOptions } from "../../src/sim/boards.ts";

type Release = NonNullable<SimBoardOptions["leftoverStub"]>;

/** A stub that runs already. */
function stub(leftoverStub: Release = "1.2.2", more: Partial<SimBoardOptions> = {}): Bench {
  return new Bench({ board: "esp32c3", leftoverStub, ...more });
}

function begin(bench: Bench, op: number, size: number, at: number): string {
  return bench.ask(op, words(size, Math.ceil(size / 0x4000), 0x4000, at));
}

const dirty = () => new Uint8Array(4 << 20);

test("the uploaded stub greets ten milliseconds after MEM_END, and answers SYNC with value 0", () => {
  const bench = loaderBench({ board: "esp32c3" });
  bench.startStub();
  expect(bench.board.running).toBe("loader-stub");
  const answers = bench.exchange(request(0x08, syncPayload()), 8);
  expect(answers).toEqual(Array.from({ length: 8 }, () => "01080200000000000000"));
});

test("a stub with one flipped bit is no stub but some RAM program", () => {
  const bench = loaderBench({ board: "esp32c3", faults: "flip@in:3000" });
  expect(() => bench.startStub()).toThrow();
  expect(bench.board.running).not.toBe("loader-stub");
});

test.each([
  ["esp32", 115200],
  ["esp32s2", 115200],
  ["esp32p4", 115200],
  ["esp32c3", 460800],
  ["esp32s3", 460800],
])("stub 1.2.2 on %s: ROM at 460800, then the UART is at %i", (board, rate) => {
  const bench = loaderBench({ board });
  bench.ask(0x0f, words(460800, 0));
  bench.baud(460800);
  bench.wait(5);
  expect(Math.round(bench.board.deviceBaud)).toBe(460800);
  if (rate === 460800) bench.startStub();
  else expect(() => bench.startStub()).toThrow();
  bench.wait(20);
  expect(bench.board.running).toBe("loader-stub");
  expect(bench.board.deviceBaud).toBe(rate);
});

test("of three commands sent at once one is answered", () => {
  const bench = stub();
  const read = request(0x0a, words(0x40001000));
  bench.send(Buffer.concat([read, read, read]));
  expect(frames(bench.wait(200))).toHaveLength(1);
  expect(bench.readRegister(0x40001000)).toBe(0x1b31506f);
});

test("a command that comes before the answer to the last one is lost", () => {
  const bench = stub("1.2.2", { flash: dirty() });
  bench.send(request(0xd1, words(0, 0x1000)));
  bench.wait(20);
  bench.send(request(0x0a, words(0x40001000)));
  expect(frames(bench.wait(200)).map((frame) => frame[1])).toEqual([0xd1]);
});

test("a cut frame costs the next one too, unless an empty frame comes between", () => {
  const read = Buffer.from(request(0x0a, words(0x40001000)));
  const bench = stub();
  bench.send(Buffer.concat([read.subarray(0, 9), read]));
  expect(frames(bench.wait(100)).map((frame) => hex(frame.subarray(8)))).toEqual(["c000"]);
  const careful = stub();
  careful.send(read.subarray(0, 9));
  careful.send(Uint8Array.from([0xc0]));
  expect(frames(careful.wait(100))).toHaveLength(1);
  expect(careful.readRegister(0x40001000)).toBe(0x1b31506f);
});

test("wrong lengths, directions and numbers have codes of their own", () => {
  const bench = stub();
  const wrongLength = Buffer.from(request(0x0a, words(0x40001000)));
  wrongLength[3] = 9;
  const wrongDirection = Buffer.from(request(0x0a, words(0x40001000)));
  wrongDirection[1] = 1;
  const answers = [
    ["length", bench.exchange(wrongLength)[0]?.slice(-4)],
    ["direction", bench.exchange(wrongDirection)[0]?.slice(-4)],
    ["unknown command", bench.ask(0x2a).slice(-4)],
    ["unused plug-in", bench.ask(0xd5).slice(-4)],
    ["READ_FLASH_SLOW", bench.ask(0x0e, words(0, 4)).slice(-4)],
    ["SYNC of 4 bytes", bench.ask(0x08, words(0)).slice(-4)],
    ["SPI_ATTACH of 8 bytes", bench.ask(0x0d, words(0, 0)).slice(-4)],
    ["SPI_ATTACH of 4 bytes", bench.ask(0x0d, words(0)).slice(-4)],
    ["FLASH_DATA without BEGIN", bench.askBlock(0x03, program(16), 0).slice(-4)],
    ["FLASH_END without BEGIN", bench.ask(0x04, words(1)).slice(-4)],
    ["erase off the grid", bench.ask(0xd1, words(0x100, 0x1000)).slice(-4)],
    ["security info on C3", bench.ask(0x14).slice(9)],
    ["security info on ESP32", new Bench({ board: "esp32", leftoverStub: "1.2.2" }).ask(0x14).slice(-4)],
  ];
  expect(Object.fromEntries(answers)).toMatchInlineSnapshot(`
    {
      "FLASH_DATA without BEGIN": "c600",
      "FLASH_END without BEGIN": "c600",
      "READ_FLASH_SLOW": "c300",
      "SPI_ATTACH of 4 bytes": "0000",
      "SPI_ATTACH of 8 bytes": "c000",
      "SYNC of 4 bytes": "c000",
      "direction": "c300",
      "erase off the grid": "c000",
      "length": "c000",
      "security info on C3": "00 00000000000000000000000005000000030000000000",
      "security info on ESP32": "ff00",
      "unknown command": "c300",
      "unused plug-in": "ff00",
    }
  `);
});

test("a data block is answered first and worked on afterwards; the next answer waits for that work", () => {
  const bench = stub("1.2.2", { flash: dirty() });
  bench.baud(115200);
  begin(bench, 0x02, 0x8000, 0x10000);
  const times = [0, 1].map((i) => {
    const startMs = bench.nowMs;
    bench.askBlock(0x03, program(0x4000, i), i);
    return bench.nowMs - startMs;
  });
  const endStartMs = bench.nowMs;
  expect(bench.ask(0x04, words(1))).toBe("04 00000000 0000");
  const [first = 0, second = 0] = times;
  expect(first).toBeLessThan(1460);
  expect(second - first).toBeLessThan(5);
  // Four sectors and 64 pages of the second block.
  expect(bench.nowMs - endStartMs).toBeGreaterThan(4 * 45);
  expect(bench.board.flash.subarray(0x10000, 0x14000)).toEqual(program(0x4000, 0));
});

describe("errors of the work behind an answer", () => {
  const spoil = (bench: Bench) => {
    begin(bench, 0x10, 0x1000, 0x10000);
    expect(bench.askBlock(0x11, new Uint8Array(64).fill(0x33), 0)).toBe("11 00000000 0000");
  };
  test("come as the answer to the next command, which is not executed", () => {
    const bench = stub();
    spoil(bench);
    expect(bench.ask(0x0a, words(0x40001000))).toBe("0a 00000000 c700");
    expect(bench.ask(0x0a, words(0x40001000))).toBe("0a 6f50311b 0000");
  });
  test("of a legacy stub come with the next data block or END only", () => {
    const bench = stub("legacy");
    spoil(bench);
    expect(bench.ask(0x0a, words(0x40001000))).toBe("0a 6f50311b 0000");
    expect(bench.askBlock(0x11, program(16), 1)).toBe("11 00000000 c700");
  });
});

test("a checksum error can simply be repeated, and all 32 bits of the checksum count", () => {
  const bench = stub();
  begin(bench, 0x02, 0x1000, 0x10000);
  const data = program(0x1000);
  expect(bench.askBlock(0x03, data, 0, 0x12)).toBe("03 00000000 c100");
  const right = data.reduce((all, byte) => all ^ byte, 0xef);
  expect(bench.askBlock(0x03, data, 0, right | 0x100)).toBe("03 00000000 c100");
  expect(bench.askBlock(0x03, data, 7, right)).toBe("03 00000000 0000");
  expect(bench.ask(0x04, words(1))).toBe("04 00000000 0000");
  expect(bench.board.flash.subarray(0x10000, 0x11000)).toEqual(data);
});

test("erases by blocks of 64 KiB where they fit and by sectors elsewhere", () => {
  const bench = stub("1.2.2", { flash: dirty(), profile: "instant" });
  const image = new Uint8Array(0x21000).fill(0x11);
  begin(bench, 0x10, image.length, 0xf000);
  bench.askBlock(0x11, deflateSync(image), 0);
  expect(bench.ask(0x12, words(1))).toBe("12 00000000 0000");
  expect(bench.board.counters().erases).toEqual({ "4096": 1, "65536": 2 });
});

test("skips the erase of blank sectors until the first dirty one; releases before 1.1 erase them", () => {
  const erases = (release: Release) => {
    const flash = new Uint8Array(4 << 20).fill(0xff);
    flash[0x13000] = 0;
    const bench = stub(release, { flash, profile: "instant" });
    const image = program(0x6000);
    begin(bench, 0x10, image.length, 0x11000);
    bench.askBlock(0x11, deflateSync(image), 0);
    expect(bench.ask(0x12, words(1))).toBe("12 00000000 0000");
    expect(bench.board.flash.subarray(0x11000, 0x17000)).toEqual(image);
    return bench.board.counters().erases;
  };
  expect(erases("1.2.2")).toEqual({ "4096": 4 });
  expect(erases("1.0.0")).toEqual({ "4096": 6 });
  expect(erases("legacy")).toEqual({ "4096": 6 });
});

test("hangs for ever when the stream is longer than the size of BEGIN", () => {
  const bench = stub();
  begin(bench, 0x10, 0x1000, 0x10000);
  expect(bench.askBlock(0x11, deflateSync(program(0x2000)), 0)).toBe("11 00000000 0000");
  expect(bench.ask(0x0a, words(0x40001000))).toBe("silence");
  bench.resetIntoLoader();
  bench.sync();
});

test("END with data missing, as this release and as the legacy one say it", () => {
  const answers = (["1.2.2", "legacy"] as const).map((release) => {
    const bench = stub(release);
    begin(bench, 0x10, 0x2000, 0x10000);
    return bench.ask(0x12, words(1));
  });
  expect(answers).toEqual(["12 00000000 c000", "12 00000000 c800"]);
});

test("FLASH_END never reboots, whatever its flag; the legacy stub does with flag 0", () => {
  const runs = (["1.2.2", "legacy"] as const).map((release) => {
    const bench = stub(release);
    begin(bench, 0x02, 0, 0);
    expect(bench.ask(0x04, words(0))).toBe("04 00000000 0000");
    bench.wait(200);
    return bench.board.running;
  });
  expect(runs).toEqual(["loader-stub", "boot-failed"]);
});

test("RUN_USER_CODE is ignored without a word; the legacy stub leaves for the program in flash", () => {
  const runs = (["1.2.2", "legacy"] as const).map((release) => {
    const bench = stub(release);
    expect(bench.ask(0xd3)).toBe("silence");
    return bench.board.running;
  });
  expect(runs).toEqual(["loader-stub", "boot-failed"]);
});

test("the last block of an uncompressed write is cut to the size of BEGIN", () => {
  const bench = stub("1.2.2", { flash: dirty(), profile: "instant" });
  begin(bench, 0x02, 0x123, 0x10000);
  bench.askBlock(0x03, new Uint8Array(0x4000).fill(0x77), 0);
  expect(bench.ask(0x04, words(1))).toBe("04 00000000 0000");
  expect(bench.board.flash[0x10122]).toBe(0x77);
  expect(bench.board.flash[0x10123]).toBe(0xff);
  expect(bench.board.flash[0x11000]).toBe(0x00);
});

test("an offset off the grid is fine", () => {
  const bench = stub("1.2.2", { profile: "instant" });
  const image = program(0x1001);
  begin(bench, 0x10, image.length, 0x10021);
  bench.askBlock(0x11, deflateSync(image), 0);
  expect(bench.ask(0x12, words(1))).toBe("12 00000000 0000");
  expect(bench.board.flash.subarray(0x10021, 0x11022)).toEqual(image);
});

test("MD5 is 16 raw bytes over any range, and takes 1.1 s per MiB, a third of that with the clock raised", () => {
  const times = (["esp32c3", "esp32"] as const).map((board) => {
    const bench = stub("1.2.2", { board });
    expect(bench.ask(0x13, words(0x10001, 3, 0, 0))).toBe("13 00000000 8597d4e7e65352a302b63e07bc01a7da0000");
    const startMs = bench.nowMs;
    bench.ask(0x13, words(0, 1 << 20, 0, 0));
    return `${board} ${(bench.nowMs - startMs).toFixed(0)} ms`;
  });
  expect(times).toEqual(["esp32c3 1107 ms", "esp32 373 ms"]);
  expect(stub().ask(0x13, words(0x3fffff, 2, 0, 0))).toBe("13 00000000 c400");
});

test("READ_FLASH sends one packet at a time whatever was asked for, then the MD5", () => {
  const bench = stub("1.2.2", { factory: true });
  const answer = bench.exchange(request(0xd2, words(0x8000, 0x60, 0x40, 64)), 2);
  expect(answer.map((frame) => frame.length / 2)).toEqual([10, 0x40]);
  expect(bench.wait(500)).toHaveLength(0);
  const rest = bench.exchange(slipped(words(0x40)), 1);
  expect(rest.map((frame) => frame.length / 2)).toEqual([0x20]);
  expect(bench.exchange(slipped(words(0x60)), 1).map((frame) => frame.length / 2)).toEqual([16]);
});

test("READ_FLASH with packets over 4096 bytes succeeds, and fails the next command", () => {
  const bench = stub();
  expect(bench.ask(0xd2, words(0, 0x2000, 0x2000, 1))).toBe("d2 00000000 0000");
  expect(bench.ask(0x0a, words(0x40001000))).toBe("0a 00000000 c000");
});

test("CHANGE_BAUDRATE takes ten milliseconds; an ESP8266 computes its divider as if it ran at 115200", () => {
  const bench = stub();
  bench.ask(0x0f, words(921600, 115200));
  bench.baud(921600);
  bench.wait(12);
  expect(bench.readRegister(0x40001000)).toBe(0x1b31506f);
  const esp8266 = new Bench({ board: "esp8266", leftoverStub: "1.2.2" });
  expect(esp8266.board.deviceBaud).toBe(74880);
  esp8266.ask(0x0f, words(230400, 74880));
  esp8266.wait(20);
  expect(Math.round(esp8266.board.deviceBaud)).toBe(149760);
});

test("a frame that is too long is dropped, and the stub goes on", () => {
  const bench = stub();
  bench.send(block(0x03, program(0x5000), 0));
  bench.wait(2500);
  bench.send(Uint8Array.from([0xc0]));
  bench.wait(10);
  expect(bench.readRegister(0x40001000)).toBe(0x1b31506f);
});

test("erases of a region leave its neighbours alone; the whole chip takes as long as it takes", () => {
  const bench = stub("1.2.2", { flash: dirty() });
  bench.ask(0xd1, words(0x11000, 0x2000));
  expect(bench.board.flash[0x10fff]).toBe(0);
  expect(bench.board.flash[0x11000]).toBe(0xff);
  expect(bench.board.flash[0x13000]).toBe(0);
  const startMs = bench.nowMs;
  expect(bench.exchange(request(0xd0), 1, 120_000)).toHaveLength(1);
  expect(Math.round((bench.nowMs - startMs) / 1000)).toBe(20);
});

function slipped(payload: Uint8Array): Uint8Array {
  return Uint8Array.from([0xc0, ...payload, 0xc0]);
}
