/** The simulated core: real machine code, seen through the debugger. */
import { describe, expect, test } from "vitest";
import { TestClient } from "./gdb-client.ts";

// movs r0, #5; adds r0, #1; bkpt
const addAndStop = "0520013000be";
// 1: adds r0, #1; b 1b
const countForever = "0130fde7";

describe("the core", () => {
  test("runs machine code up to a bkpt and stops on it", async () => {
    const client = new TestClient({ board: "stm32f4" });
    await client.load(addAndStop, {});
    expect(await client.ask("vCont;c")).toBe("T05");
    expect(await client.ask("p0")).toBe("06000000");
    expect(await client.ask("pf")).toBe("04000020");
    expect(client.board.running).toBe("halted");
  });

  test("stops at a breakpoint, goes on from it, and steps", async () => {
    const client = new TestClient({ board: "stm32f4" });
    await client.load(countForever, { 0: 0 });
    expect(await client.ask("Z0,20000000,2")).toBe("OK");
    expect([await client.ask("c"), await client.ask("p0")]).toEqual(["T05", "01000000"]);
    expect([await client.ask("c"), await client.ask("p0")]).toEqual(["T05", "02000000"]);
    expect([await client.ask("s"), await client.ask("p0"), await client.ask("pf")]).toEqual([
      "T05",
      "03000000",
      "02000020",
    ]);
  });

  test("is stopped by an interrupt in the middle of a loop", async () => {
    const client = new TestClient({ board: "nrf51" });
    await client.load(countForever, { 0: 0 });
    await client.send("c");
    expect(await client.hear(50)).toBe("nothing");
    await client.transport.write(Uint8Array.of(3));
    expect(await client.hear()).toBe("T02");
    // 16 MHz, 3 cycles a round, 50 ms
    const rounds = Buffer.from(await client.ask("p0"), "hex").readUInt32LE();
    expect(rounds).toBeGreaterThan(260_000);
    expect(rounds).toBeLessThan(280_000);
  });

  test("a fault runs the handler, and a fault in there locks the core up", async () => {
    // ldr r0, [r1]
    const client = new TestClient({ board: "stm32f4" });
    await client.load("0868", { 1: 0xf000_0000 });
    await client.ask("Z0,20000100,2");
    // The vector table is erased flash: its entries lead nowhere.
    await client.send("c");
    expect(await client.hear(20)).toBe("nothing");
    expect(client.board.running).toBe("lockup");
    await client.transport.write(Uint8Array.of(3));
    expect(await client.hear()).toBe("T02");
    expect(await client.ask("pf")).toBe("feffffff");
  });

  test("a program counter without the Thumb bit in xPSR faults at once", async () => {
    const client = new TestClient({ board: "stm32f4" });
    await client.load(addAndStop, { 16: 0 });
    await client.send("c");
    expect(await client.hear(20)).toBe("nothing");
    expect(client.board.running).toBe("lockup");
  });

  test("an unaligned word is a fault, as ARMv6-M says", async () => {
    const client = new TestClient({ board: "nrf51" });
    await client.load("086800be", { 1: 0x2000_0101 });
    await client.send("c");
    expect(await client.hear(20)).toBe("nothing");
    expect(client.board.running).toBe("lockup");
  });

  test("tells which chip it is", async () => {
    const words = [
      ["nrf51", 0xe000_ed00, 0x1000_0010],
      ["stm32f4", 0xe000_ed00, 0xe004_2000],
      ["stm32f767", 0xe000_ed00, 0xe004_2000],
      ["rp2040", 0xe000_ed00, 0x4000_0000],
    ] as const;
    const lines: string[] = [];
    for (const [board, cpuid, id] of words) {
      const client = new TestClient({ board });
      lines.push(`${board} ${await client.word(cpuid)} ${await client.word(id)}`);
    }
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "nrf51 0x410cc200 0x400
      stm32f4 0x410fc241 0x10076413
      stm32f767 0x411fc270 0x10016451
      rp2040 0x410cc601 0x20002927"
    `);
  });

  test("a debugger's words in VTOR and DHCSR count", async () => {
    const client = new TestClient({ board: "stm32f4" });
    await client.poke(0xe000_ed08, 0x2000_0400);
    expect(await client.word(0xe000_ed08)).toBe("0x20000400");
    expect(await client.word(0xe000_edf0)).toBe("0x30002"); // S_HALT, S_REGRDY, C_HALT
    const m0 = new TestClient({ board: "nrf51" });
    await m0.poke(0xe000_ed08, 0x2000_0400);
    expect(await m0.word(0xe000_ed08)).toBe("0x0");
  });
});
