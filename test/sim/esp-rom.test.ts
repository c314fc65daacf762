/** The mask ROM's loader, quirk by quirk. */
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Bench, block, frames, hex, loaderBench, program, request, syncPayload, words } from "./esp-bench.ts";

const rom = (board = "esp32c3", more = {}) => new Bench({ board, startInLoader: true, ...more });

describe.each(["esp32", "esp32s3", "esp32c3"])("the ROM of %s", (board) => {
  test("answers SYNC eight times, with its first word as value, even if it is four bytes long", () => {
    const bench = rom(board);
    const full = bench.exchange(request(0x08, syncPayload()), 8);
    expect(full).toHaveLength(8);
    expect(new Set(full)).toEqual(new Set(["0108040007071220" + "00001220"]));
    expect(bench.exchange(request(0x08, words(0x12345678)), 8)).toHaveLength(8);
    expect(hex(frames(bench.wait(100))[0] ?? new Uint8Array(0))).toBe("");
  });

  test("answers an unknown command under the number of the one before, as often as that one: eight times after SYNC", () => {
    const bench = rom(board);
    bench.sync();
    const afterSync = bench.exchange(request(0xd0), 8);
    expect(afterSync).toHaveLength(8);
    expect(afterSync[0]).toMatch(/^0108.{12}0105/);
    bench.ask(0x0a, words(0x40001000));
    bench.send(request(0xd0));
    const afterRead = frames(bench.wait(50)).map(hex);
    expect(afterRead).toHaveLength(1);
    expect(afterRead[0]).toMatch(/^010a.{12}0105/);
  });

  test("leaves the last error in the second status byte of answers that went well", () => {
    const bench = rom(board);
    bench.sync();
    expect(bench.ask(0x05, words(0, 0, 0x1801, 0x3ffc8000))).toMatch(/ 0105....$/);
    expect(bench.ask(0x0a, words(0x40001000))).toMatch(/ 0005....$/);
  });

  test("uses up the sequence number of a block with a bad checksum", () => {
    const bench = rom(board);
    bench.sync();
    const data = program(64);
    const address = (bench.board.chip.ram[0]?.start ?? 0) + 0x1000;
    bench.ask(0x05, words(128, 2, 64, address));
    expect(bench.askBlock(0x07, data, 0, 0x55)).toMatch(/^07 .* 0107....$/);
    expect(bench.askBlock(0x07, data, 0)).toMatch(/^07 .* 0105....$/);
    bench.ask(0x05, words(128, 2, 64, address));
    expect(bench.askBlock(0x07, data, 0)).toMatch(/^07 .* 00......$/);
  });

  test("destroys what was loaded over its own packet buffer", () => {
    const bench = rom(board);
    bench.sync();
    const buffer = bench.board.chip.packetBuffer ?? 0;
    const data = new Uint8Array(64).fill(0xa5);
    bench.load(data, buffer + 0x20);
    bench.load(data, buffer - 0x40);
    bench.ask(0x06, words(1, 0));
    expect(bench.readRegister(buffer - 0x40)).toBe(0xa5a5a5a5);
    bench.load(program(128), buffer - 0x1000);
    expect(bench.readRegister(buffer + 0x20)).not.toBe(0xa5a5a5a5);
  });

  test("dies of a read outside its address space, with a text, until it is reset", () => {
    const bench = rom(board);
    bench.sync();
    bench.send(request(0x0a, words(0x00000004)));
    expect(Buffer.from(bench.wait(20)).toString()).toContain("Guru Meditation Error");
    bench.send(request(0x08, syncPayload()));
    expect(bench.wait(100)).toHaveLength(0);
    bench.resetIntoLoader();
    bench.sync();
  });
});

test("frames need a first and a last C0 each, and a cut frame does not cost the next one", () => {
  const bench = rom();
  bench.sync();
  const read = Buffer.from(request(0x0a, words(0x40001000)));
  const sharedEnd = Buffer.concat([read, read.subarray(1)]);
  bench.send(sharedEnd);
  expect(frames(bench.wait(50))).toHaveLength(1);
  const anew = rom();
  anew.sync();
  anew.send(Buffer.concat([read.subarray(0, 9), read]));
  expect(frames(anew.wait(50))).toHaveLength(1);
  expect(anew.exchange(Buffer.concat([Buffer.from("rubbish"), Buffer.from([0xc0, 0xc0]), read]))).toHaveLength(1);
});

test("a request that says it is an answer is refused", () => {
  const bench = rom();
  bench.sync();
  const packet = Buffer.from(request(0x0a, words(0x40001000)));
  packet[1] = 1;
  expect(bench.exchange(packet)[0]).toMatch(/0105....$/);
});

test("security info tells chip and revision, in 12 bytes on S2 and 20 on later chips; ESP32 and ESP8266 do not know it", () => {
  const answers = ["esp32", "esp8266", "esp32s2", "esp32c3", "esp32s3", "esp32h2"].map((board) => {
    const bench = rom(board);
    bench.sync();
    bench.ask(0x0a, words(0x40001000));
    return `${board} ${bench.ask(0x14)}`;
  });
  expect(answers).toMatchInlineSnapshot(`
    [
      "esp32 0a 831df000 01050000",
      "esp8266 0a 01c1f0ff 0105",
      "esp32s2 14 c6070000 00000000000000000000000000000000",
      "esp32c3 14 6f50311b 000000000000000000000000050000000300000000000000",
      "esp32s3 14 09000000 000000000000000000000000090000000000000000000000",
      "esp32h2 14 803eb7d7 000000000000000000000000100000000000000000000000",
    ]
  `);
});

test("MEM_BEGIN takes blocks of 0x1800 bytes and no larger ones", () => {
  const bench = rom();
  bench.sync();
  expect(bench.ask(0x05, words(0x2000, 2, 0x1800, 0x3fc84000))).toMatch(/ 00......$/);
  expect(bench.ask(0x05, words(0x2000, 2, 0x1804, 0x3fc84000))).toMatch(/ 0105....$/);
});

test("data packets may be shorter than the block, and name a length that is too small", () => {
  const bench = rom();
  bench.sync();
  bench.ask(0x05, words(0x100, 1, 0x100, 0x3fc84000));
  const data = program(0x40);
  const packet = Buffer.concat([words(4, 0, 0, 0), data]);
  const checksum = data.reduce((all, byte) => all ^ byte, 0xef);
  expect(bench.ask(0x07, packet, checksum)).toMatch(/^07 .* 00......$/);
  expect(bench.readRegister(0x3fc8403c)).toBe(new DataView(data.buffer).getUint32(0x3c, true));
});

test("FLASH_BEGIN wants whole sectors inside the chip, and a block size that fits its buffer", () => {
  const bench = loaderBench({ board: "esp32c3" });
  expect(bench.ask(0x02, words(0x1000, 4, 0x400, 0x10100, 0))).toMatch(/ 0106....$/);
  expect(bench.ask(0x02, words(0x2000, 8, 0x400, 0x3ff000, 0))).toMatch(/ 0106....$/);
  expect(bench.ask(0x02, words(0x1000, 4, 0x2000, 0x10000, 0))).toMatch(/ 0105....$/);
  expect(bench.ask(0x02, words(0x1000, 4, 0x400, 0x10000, 0))).toMatch(/ 00......$/);
});

test("FLASH_BEGIN erases the whole range before it answers, rounded up to sectors; a size of 0 erases nothing", () => {
  const bench = loaderBench({ board: "esp32c3", flash: new Uint8Array(4 << 20) });
  const startMs = bench.nowMs;
  bench.ask(0x02, words(0x2001, 9, 0x400, 0x11000, 0));
  expect(bench.nowMs - startMs).toBeGreaterThan(3 * 45);
  expect(bench.board.counters().erases).toEqual({ "4096": 3 });
  expect(bench.board.flash.subarray(0x11000, 0x14000)).toEqual(new Uint8Array(0x3000).fill(0xff));
  bench.ask(0x02, words(0, 0, 0x400, 0x20000, 0));
  expect(bench.board.counters().erases).toEqual({ "4096": 3 });
  bench.ask(0x02, words(0x12000, 72, 0x400, 0x20000, 0));
  expect(bench.board.counters().erases).toEqual({ "4096": 5, "65536": 1 });
});

test("FLASH_DATA over dirty flash leaves old AND new, and says 01 08 unless the XOR happens to agree", () => {
  const flash = new Uint8Array(4 << 20).fill(0xff);
  flash.fill(0xf0, 0x10000, 0x11000);
  const bench = loaderBench({ board: "esp32c3", flash });
  bench.ask(0x02, words(0, 4, 0x400, 0x10000, 0));
  const odd = new Uint8Array(0x400).fill(0x3c);
  odd[0] = 0xff;
  expect(bench.askBlock(0x03, odd, 0)).toMatch(/^03 .* 0108....$/);
  expect(bench.board.flash[0x10001]).toBe(0x30);
  expect(bench.askBlock(0x03, new Uint8Array(0x400).fill(0x3c), 1)).toMatch(/^03 .* 00......$/);
  expect(bench.board.flash[0x10400]).toBe(0x30);
});

test("FLASH_DATA wants a BEGIN, the next number, and whole words", () => {
  const bench = loaderBench({ board: "esp32c3" });
  expect(bench.askBlock(0x03, program(16), 0)).toMatch(/ 0105....$/);
  bench.ask(0x02, words(0x1000, 4, 0x400, 0x10000, 0));
  expect(bench.askBlock(0x03, program(16), 1)).toMatch(/ 0105....$/);
  expect(bench.askBlock(0x03, program(15), 0)).toMatch(/ 0106....$/);
});

test("flash commands fail before SPI_ATTACH", () => {
  const bench = rom();
  bench.sync();
  expect(bench.ask(0x02, words(0x1000, 4, 0x400, 0x10000, 0))).toMatch(/ 0106....$/);
});

test("a compressed write arrives; garbage is refused with 01 0b at once", () => {
  const bench = loaderBench({ board: "esp32c3" });
  const image = program(0x3001);
  const packed = deflateSync(image, { level: 9 });
  const size = 0x1800;
  const count = Math.ceil(packed.length / size);
  bench.ask(0x10, words(count * size, count, size, 0x10000, 0));
  for (let i = 0; i < count; i++) {
    expect(bench.askBlock(0x11, packed.subarray(i * size, (i + 1) * size), i)).toMatch(/^11 .* 00......$/);
  }
  expect(bench.board.flash.subarray(0x10000, 0x13001)).toEqual(image);
  bench.ask(0x10, words(0x1000, 1, 0x400, 0x20000, 0));
  expect(bench.askBlock(0x11, new Uint8Array(64).fill(0x33), 0)).toMatch(/^11 .* 010b....$/);
});

test("MD5 comes as 32 hex digits; out of range the error stands behind 32 bytes of residue", () => {
  const bench = loaderBench({ board: "esp32c3" });
  const [digits = ""] = bench.exchange(request(0x13, words(0x10001, 3, 0, 0)));
  expect(Buffer.from(digits.slice(16, -8), "hex").toString()).toBe("8597d4e7e65352a302b63e07bc01a7da");
  const [beyond = ""] = bench.exchange(request(0x13, words(0x3fffff, 2, 0, 0)));
  expect(beyond).toHaveLength(2 * (8 + 36));
  expect(beyond.slice(-8)).toMatch(/^0109/);
});

test("READ_FLASH_SLOW always gives 64 bytes, with the status behind them", () => {
  const bench = loaderBench({ board: "esp32c3", factory: true });
  const few = bench.exchange(request(0x0e, words(0x8000, 4)))[0] ?? "";
  expect(few).toHaveLength(2 * (8 + 64 + 4));
  expect(few.slice(16, 24)).toBe("aa500102");
  expect(bench.exchange(request(0x0e, words(0x8000, 65)))[0]?.slice(-8)).toMatch(/^010a/);
  expect(bench.exchange(request(0x0e, words(0x3fffff, 2)))[0]?.slice(-8)).toMatch(/^0109/);
});

test("CHANGE_BAUDRATE is answered at the old rate; then the old rate is garbage", () => {
  const bench = rom();
  bench.sync();
  expect(bench.ask(0x0f, words(921600, 0))).toMatch(/^0f .* 00......$/);
  expect(bench.ask(0x0a, words(0x40001000))).toBe("silence");
  bench.baud(921600);
  bench.wait(10);
  bench.send(Uint8Array.from([0xc0, 0xc0]));
  expect(bench.readRegister(0x40001000)).toBe(0x1b31506f);
});

test("the ESP32's ROM believes what its 8 MHz oscillator says about the crystal, and divides by zero without calibration", () => {
  const bench = rom("esp32");
  bench.sync();
  bench.ask(0x09, words(0x3ff5f06c, 1920 << 7, 0xffffffff, 0));
  bench.ask(0x0f, words(460800, 0));
  bench.wait(5);
  expect(Math.round(bench.board.deviceBaud)).toBe(Math.round(460800 / 1.5));
  const broken = rom("esp32");
  broken.sync();
  broken.ask(0x09, words(0x3ff5a010, 0, 0xffffffff, 0));
  broken.ask(0x0f, words(460800, 0));
  broken.wait(20);
  expect(broken.board.bootLog).toContain("IntegerDivideByZero");
});

test("the divider register of a reset chip tells its crystal: 347 on an ESP32, 451 on an ESP8266", () => {
  const esp32 = rom("esp32");
  esp32.sync();
  expect(esp32.readRegister(0x3ff40014) & 0xfffff).toBe(347);
  const esp8266 = rom("esp8266");
  esp8266.baud(115200);
  esp8266.send(request(0x08, syncPayload()));
  esp8266.wait(100);
  esp8266.sync();
  expect(esp8266.readRegister(0x60000014)).toBe(451);
});

test("before its first SYNC the ROM takes over the host's rate, at the cost of what told it", () => {
  const bench = rom();
  bench.baud(460800);
  bench.send(request(0x08, syncPayload()));
  expect(bench.wait(100)).toHaveLength(0);
  bench.sync();
  expect(bench.board.deviceBaud).toBe(460800);
});

test("commands sent at once are worked off in order, as far as the ring holds them", () => {
  const bench = rom("esp32c3");
  bench.sync();
  const read = request(0x0a, words(0x40001000));
  bench.send(Buffer.concat([read, read, read]));
  expect(frames(bench.wait(100))).toHaveLength(3);
  const small = loaderBench({ board: "esp32" });
  small.ask(0x02, words(0x1000, 4, 0x400, 0x10000));
  const blocks = [0, 1, 2, 3].map((i) => block(0x03, program(0x400, i), i));
  small.baud(115200);
  small.send(Buffer.concat(blocks));
  expect(frames(small.wait(1000)).length).toBe(4);
});

test("while the ROM of an ESP32 erases, only 256 bytes and the FIFO hold what comes", () => {
  const bench = loaderBench({ board: "esp32" });
  bench.send(request(0x02, words(0x8000, 32, 0x400, 0x10000)));
  bench.send(block(0x03, program(0x400), 0));
  const read = request(0x0a, words(0x40001000));
  expect(frames(bench.wait(2000))).toHaveLength(1);
  bench.send(read);
  expect(frames(bench.wait(100)).length).toBeLessThanOrEqual(1);
});

test("MEM_END with stay goes on; without, only an entry inside uploaded bytes runs", () => {
  const bench = rom();
  bench.sync();
  bench.load(program(64), 0x3fc84000);
  bench.ask(0x06, words(1, 0));
  expect(bench.board.running).toBe("loader-rom");
  bench.ask(0x06, words(0, 0x3fc84010));
  bench.wait(10);
  expect(bench.board.running).toBe("ram-program");
  expect(bench.board.bootLog).toMatch(/ram: running at 0x3fc84010\r\n$/);
  const wild = rom();
  wild.sync();
  wild.ask(0x06, words(0, 0x3fc84010));
  wild.wait(10);
  expect(wild.board.running).toBe("boot-failed");
});

test("the same RAM is seen by data bus and code bus", () => {
  const bench = rom("esp32c3");
  bench.sync();
  bench.load(words(0x12345678), 0x40384000);
  expect(bench.readRegister(0x3fc84000)).toBe(0x12345678);
});

test("FLASH_END leaves the loader for good: 0 resets, 1 runs user code; after an unfinished write it says 01 06", () => {
  const bench = loaderBench({ board: "esp32c3" });
  bench.ask(0x02, words(0x1000, 4, 0x400, 0x10000, 0));
  expect(bench.ask(0x04, words(1))).toMatch(/^04 .* 0106....$/);
  bench.wait(20);
  expect(bench.board.bootLog).toMatch(/user code done\r\n$/);
  expect(bench.ask(0x08, syncPayload())).toBe("silence");
  const other = loaderBench({ board: "esp32c3" });
  other.ask(0x04, words(0));
  other.wait(200);
  expect(other.board.running).toBe("boot-failed");
});

test("secure download mode leaves neither registers nor RAM nor MD5", () => {
  const bench = new Bench({ board: "esp32c3", startInLoader: true, security: { flags: 4, cryptCount: 0 } });
  bench.sync();
  expect(bench.ask(0x14)).toMatch(/^14 .* 04000000/);
  expect(bench.ask(0x0a, words(0x40001000))).toMatch(/^14 .* 0105....$/);
  expect(bench.ask(0x05, words(64, 1, 64, 0x3fc84000))).toMatch(/ 0105....$/);
});

test("two status bytes, no compression, no MD5 on the ESP8266", () => {
  const bench = rom("esp8266");
  bench.sync();
  expect(bench.ask(0x0a, words(0x40001000))).toMatchInlineSnapshot(`"0a 01c1f0ff 0000"`);
  expect(bench.ask(0x10, words(64, 1, 64, 0))).toMatch(/^0a .* 0105$/);
  expect(bench.ask(0x13, words(0, 64, 0, 0))).toMatch(/^0a .* 0105$/);
});

test("the ESP8266 erases the sectors up to the next block twice over", () => {
  const erased = (sector: number, sectors: number) => {
    const flash = new Uint8Array(4 << 20);
    const bench = loaderBench({ board: "esp8266", flash, profile: "instant" });
    bench.ask(0x02, words(sectors * 4096, 1, 0x400, sector * 4096));
    let count = 0;
    while (flash[(sector + count) * 4096] === 0xff) count++;
    return count;
  };
  expect(erased(0, 4)).toBe(8);
  expect(erased(12, 3)).toBe(6);
  expect(erased(12, 20)).toBe(24);
});
