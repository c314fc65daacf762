/** The flash controllers of the simulated chips: what drivers rely on, and what they must not do. */
import { describe, expect, test } from "vitest";
import { TestClient } from "./gdb-client.ts";

const NVMC = 0x4001_e000;
const FLASH = 0x4002_3c00;

// Erases the page in r1 and writes r2 there; r0 = NVMC + 0x400. Waits for READY after both.
const nrfErase = "0223074c0351043401510368002bfcd00123043c03510a600368002bfcd000be04010000";
// r0 = FLASH, r1 = CR to erase, r2 = CR to program, r3 = place, r4 = word, r5 = looks allowed, r6 = BSY.
const stmErase = "0161013d07d0c7683742fad102611c60c7683742fcd100be";
// Looks functions up in the ROM, erases and programs by them; r4 = lookup, r5 = table, r6 = data, r7 = offset.
const romErase =
  "80b4134900f01bf8124900f018f8124900f01af8844600981049114ad823e047104900f011f88446009831460e4ae0470e4900f004f80e4900f001f8" +
  "00be00b500f002f8804700bd00b52846a04700bd494600004558000052450000001000000000010052500000000100004643000043580000";

describe("nRF51", () => {
  test("code erases and writes, the time is the chip's, and waiting is leapt over", async () => {
    const client = new TestClient({ board: "nrf51", flash: new Uint8Array(256 * 1024) });
    await client.load(nrfErase, { 0: NVMC + 0x400, 1: 0x1400, 2: 0x1234_5678 });
    const beganMs = client.clock.nowMs();
    const before = client.board.counters().instructions;
    expect(await client.ask("c")).toBe("T05");
    expect(await client.word(0x1400)).toBe("0x12345678");
    expect(client.clock.nowMs() - beganMs).toBeGreaterThan(22.3);
    const { erases, pagesProgrammed, flashBusyMs, violations, instructions } = client.board.counters();
    expect({ erases, pagesProgrammed, flashBusyMs, violations }).toEqual({
      erases: { 1024: 1 },
      pagesProgrammed: 1,
      flashBusyMs: 22.3463,
      violations: {},
    });
    expect(instructions - before).toBeLessThan(12_000);
    expect([client.board.flash[0x13ff], client.board.flash[0x17ff], client.board.flash[0x1800]]).toEqual([0, 255, 0]);
  });

  test("writing without CONFIG fails, without an erase bits only fall", async () => {
    const client = new TestClient({ board: "nrf51" });
    expect(await client.poke(0x400, 1)).toBe("E0E");
    await client.poke(NVMC + 0x504, 1);
    await client.poke(0x400, 0xffff_0ff0);
    await client.poke(0x400, 0x0f0f_ffff);
    expect(await client.word(0x400)).toBe("0xf0f0ff0");
    expect(client.board.counters().violations).toEqual({ "write without CONFIG": 1 });
  });

  test("readback protection shows zeros until everything was erased", async () => {
    const client = new TestClient({ board: "nrf51", isLocked: true });
    expect(await client.word(0)).toBe("0x0");
    await client.poke(NVMC + 0x504, 2);
    await client.poke(NVMC + 0x50c, 1);
    client.clock.advanceTo(client.clock.nowMs() + 30);
    expect(await client.word(0)).toBe("0xffffffff");
  });
});

describe("STM32", () => {
  const unlock = async (client: TestClient) => {
    await client.poke(FLASH + 4, 0x4567_0123);
    await client.poke(FLASH + 4, 0xcdef_89ab);
  };

  test("the control register is locked until both keys have come", async () => {
    const client = new TestClient({ board: "stm32f4" });
    expect(await client.word(FLASH + 0x10)).toBe("0x80000000");
    await client.poke(FLASH + 0x10, 0x202);
    expect(await client.word(FLASH + 0x10)).toBe("0x80000000");
    await unlock(client);
    expect(await client.word(FLASH + 0x10)).toBe("0x0");
    expect(client.board.counters().violations).toEqual({ "CR written while locked": 1 });
  });

  test("a wrong key shuts it until reset", async () => {
    const client = new TestClient({ board: "stm32f4" });
    expect(await client.poke(FLASH + 4, 0x1111_1111)).toBe("E0E");
    await unlock(client);
    expect(await client.word(FLASH + 0x10)).toBe("0x80000000");
    await client.monitor("reset halt");
    await unlock(client);
    expect(await client.word(FLASH + 0x10)).toBe("0x0");
  });

  test("code erases a sector of 16 KiB in 250 ms and programs a word in 16 us; a bounded wait is leapt over", async () => {
    const client = new TestClient({ board: "stm32f4", flash: new Uint8Array(1024 * 1024) });
    await unlock(client);
    const registers = { 1: 0x0001_020a, 2: 0x201, 3: 0x0800_4000, 4: 0xcafe_f00d, 5: 10_000_000, 6: 0x10000 };
    await client.load(stmErase, { 0: FLASH, ...registers });
    const beganMs = client.clock.nowMs();
    const before = client.board.counters().instructions;
    expect(await client.ask("c")).toBe("T05");
    expect(Math.floor(client.clock.nowMs() - beganMs)).toBe(250);
    expect(await client.word(0x0800_4000)).toBe("0xcafef00d");
    expect(await client.word(0x0000_4000)).toBe("0xcafef00d");
    const { erases, flashBusyMs, violations, instructions } = client.board.counters();
    expect({ erases, flashBusyMs, violations }).toEqual({ erases: { 16384: 1 }, flashBusyMs: 250.016, violations: {} });
    expect(instructions - before).toBeLessThan(12_000);
    // The counter of looks has gone down as if each had been made: 250 ms at 16 MHz, 8 cycles or so each.
    const looks = 10_000_000 - Buffer.from(await client.ask("p5"), "hex").readUInt32LE();
    expect(looks).toBeGreaterThan(400_000);
    expect(looks).toBeLessThan(600_000);
  });

  test("a wait that is bounded too low ends by itself before the erase does", async () => {
    const client = new TestClient({ board: "stm32f4", flash: new Uint8Array(1024 * 1024) });
    await unlock(client);
    const registers = { 1: 0x0001_020a, 2: 0x201, 3: 0x0800_4000, 4: 0xcafe_f00d, 5: 1_000, 6: 0x10000 };
    await client.load(stmErase, { 0: FLASH, ...registers });
    const beganMs = client.clock.nowMs();
    expect(await client.ask("c")).toBe("T05");
    expect(client.clock.nowMs() - beganMs).toBeLessThan(5);
    expect(await client.ask("p5")).toBe("00000000");
  });

  test("a store of another width than PSIZE changes nothing and is told in SR", async () => {
    const client = new TestClient({ board: "stm32f767" });
    await unlock(client);
    await client.poke(FLASH + 0x10, 0x001); // PG, x8
    await client.poke(0x0800_0000, 0);
    expect(await client.word(FLASH + 0x0c)).toBe("0x40");
    expect(await client.word(0x0800_0000)).toBe("0xffffffff");
  });

  test("read protection shuts flash memory to debuggers", async () => {
    const client = new TestClient({ board: "stm32f4", isLocked: true });
    expect(await client.word(0x0800_0000)).toBe("E0E");
    expect(await client.word(0x4002_3c14)).toBe("0xfff55ed");
    expect(await client.word(0x2000_0000)).toMatch(/^0x/);
  });
});

describe("RP2040", () => {
  test("the ROM's functions erase and program, as machine code calls them", async () => {
    const client = new TestClient({ board: "rp2040", flash: new Uint8Array(2 * 1024 * 1024) });
    const page = Buffer.from(Array.from({ length: 256 }, (_, at) => at)).toString("hex");
    await client.load(romErase, { 4: 0x11c, 5: 0x180, 6: 0x2000_0400, 7: 0x3000 });
    await client.ask(`M20000400,100:${page}`);
    expect(await client.ask("c")).toBe("T05");
    expect(await client.word(0x1000_3000)).toBe("0x3020100");
    expect(await client.word(0x1000_3100)).toBe("0xffffffff");
    const { erases, pagesProgrammed, violations } = client.board.counters();
    expect({ erases, pagesProgrammed, violations }).toEqual({
      erases: { 4096: 1 },
      pagesProgrammed: 1,
      violations: {},
    });
  });

  test("the window is shut after a reset, and open when the ROM has looked for a program", async () => {
    const client = new TestClient({ board: "rp2040", flash: new Uint8Array(2 * 1024 * 1024).fill(0x5a) });
    await client.monitor("reset halt");
    expect(await client.word(0x1000_0000)).toBe("0x0");
    await client.send("c");
    expect(await client.hear(20)).toBe("nothing");
    await client.transport.write(Uint8Array.of(3));
    await client.hear();
    expect(await client.word(0x1000_0000)).toBe("0x5a5a5a5a");
  });

  test("the flash chip answers over the SSI byte by byte, and its rules are watched", async () => {
    const client = new TestClient({ board: "rp2040" });
    const [ssi, select] = [0x1800_0000, 0x4001_800c];
    const transact = async (...bytes: number[]) => {
      await client.poke(select, 2 << 8);
      const answer: string[] = [];
      for (const byte of bytes) {
        await client.poke(ssi + 0x60, byte);
        answer.push(await client.word(ssi + 0x60));
      }
      await client.poke(select, 3 << 8);
      return answer.slice(1).join(" ");
    };
    await client.poke(ssi + 8, 0);
    await client.poke(ssi, 7 << 16);
    await client.poke(ssi + 0x14, 4);
    await client.poke(ssi + 8, 1);
    expect(await transact(0x9f, 0, 0, 0)).toBe("0xef 0x40 0x15");
    expect(await transact(0x20, 0, 0, 0)).toBe("0xff 0xff 0xff"); // without write enable
    await transact(0x06);
    expect(await transact(0x05, 0)).toBe("0x2");
    await transact(0x20, 0, 0, 0);
    expect(await transact(0x05, 0)).toBe("0x1");
    await transact(0x06); // while it is busy
    client.clock.advanceTo(client.clock.nowMs() + 50);
    expect(await transact(0x05, 0)).toBe("0x0");
    const { erases, violations } = client.board.counters();
    expect({ erases, violations }).toEqual({
      erases: { 4096: 1 },
      violations: { "no write enable": 1, "a command while busy": 1 },
    });
  });
});

describe("power", () => {
  test("a cut in the middle of an erase leaves the unit between old and new, and the others alone", async () => {
    const flash = new Uint8Array(256 * 1024);
    const client = new TestClient({ board: "nrf51", flash, faults: "power-cut@erase:1" });
    await client.load(nrfErase, { 0: NVMC + 0x400, 1: 0x1400, 2: 0x1234_5678 });
    await client.send("c");
    await client.hear(100);
    const page = flash.subarray(0x1400, 0x1800);
    expect(page.some((byte) => byte !== 0)).toBe(true);
    expect(page.some((byte) => byte !== 0xff)).toBe(true);
    expect(flash.findIndex((byte) => byte !== 0)).toBeGreaterThanOrEqual(0x1400);
  });
});
