/** The simulated GDB servers: what each answers, how long it takes, and what it does not do. */
import { describe, expect, test } from "vitest";
import { FlashError } from "../../../../src/core/errors.ts";
import type { PersonalityName } from "../../../../src/sim/cortex-m/personalities.ts";
import { TestClient } from "./gdb-client.ts";

const servers: readonly PersonalityName[] = ["openocd", "pyocd", "st-util", "black-magic", "plain"];
// 1: b 1b
const spin = "fee7";
// movs r0, #5; adds r0, #1; bkpt
const addAndStop = "0520013000be";

async function connected(server: PersonalityName, more: object = {}): Promise<TestClient> {
  const client = new TestClient({ board: "stm32f4", server, ...more });
  await client.ask("qSupported:xmlRegisters=arm");
  if (server === "black-magic") {
    await client.monitor("swd_scan");
    await client.ask("vAttach;1");
  }
  return client;
}

/** What a question is answered with, and after how many milliseconds. */
async function timed(client: TestClient, packet: string): Promise<string> {
  const beganMs = client.clock.nowMs();
  const answer = await client.ask(packet);
  return `${(client.clock.nowMs() - beganMs).toFixed(2)} ms: ${answer}`;
}

test("each server says what it can", async () => {
  const lines: string[] = [];
  for (const server of servers) {
    const client = new TestClient({ board: "stm32f4", server });
    lines.push(`${server}: ${await client.ask("qSupported:xmlRegisters=arm")}`);
  }
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "openocd: PacketSize=4000;qXfer:memory-map:read+;qXfer:features:read+;qXfer:threads:read+;QStartNoAckMode+;vContSupported+
    pyocd: PacketSize=800;qXfer:features:read+;QStartNoAckMode+;qXfer:threads:read+;QNonStop+;qXfer:memory-map:read+
    st-util: PacketSize=3fff;qXfer:memory-map:read+;qXfer:features:read+
    black-magic: PacketSize=400;qXfer:memory-map:read+;qXfer:features:read+;vContSupported+
    plain: PacketSize=1000;qXfer:memory-map:read+;qXfer:features:read+;QStartNoAckMode+;vContSupported+"
  `);
});

test("each server is known by what its monitor says", async () => {
  const lines: string[] = [];
  for (const server of servers) {
    const client = await connected(server);
    const say = async (command: string) => JSON.stringify(await client.monitor(command));
    lines.push(`${server}: version ${await say("version")}, reset halt ${await say("reset halt")}`);
  }
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "openocd: version "Open On-Chip Debugger 0.12.0\\n", reset halt ""
    pyocd: version "invalid command name \\"version\\"\\n", reset halt "OK\\n"
    st-util: version "", reset halt "OK\\n"
    black-magic: version "Black Magic Probe v2.0.0\\n", reset halt ""
    plain: version "", reset halt """
  `);
});

test("a kilobyte written to RAM costs what server, link and adapter clock make of it", async () => {
  const data = "\x55".repeat(1024);
  const lines: string[] = [];
  for (const server of servers) {
    const client = await connected(server);
    lines.push(`${server} X: ${await timed(client, `X20000000,400:${data}`)}`);
    lines.push(`${server} M of 64: ${await timed(client, `M20000000,40:${"55".repeat(64)}`)}`);
  }
  for (const clockHz of [1_800_000, 10_000_000]) {
    const client = await connected("pyocd", { probe: { clockHz } });
    lines.push(`pyocd at ${clockHz / 1e6} MHz: ${await timed(client, `X20000000,400:${data}`)}`);
  }
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "openocd X: 0.15 ms: OK
    openocd M of 64: 7.45 ms: OK
    pyocd X: 5.35 ms: OK
    pyocd M of 64: 2.35 ms: OK
    st-util X: 0.15 ms: 
    st-util M of 64: 2.35 ms: OK
    black-magic X: 7.47 ms: OK
    black-magic M of 64: 1.47 ms: OK
    plain X: 0.86 ms: OK
    plain M of 64: 0.38 ms: OK
    pyocd at 1.8 MHz: 9.26 ms: OK
    pyocd at 10 MHz: 3.43 ms: OK"
  `);
});

test("a run that does nothing is noticed as late as each server looks", async () => {
  const lines: string[] = [];
  for (const server of servers) {
    const client = await connected(server);
    await client.ask(`M20000000,6:${addAndStop}`);
    const xpsr = server === "st-util" ? "19" : "10";
    for (const packet of ["Pd=00200020", "Pf=00000020", `P${xpsr}=00000001`]) await client.ask(packet);
    lines.push(`${server}: ${await timed(client, "c")}`);
  }
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "openocd: 110.28 ms: T05
    pyocd: 14.20 ms: T05
    st-util: 104.20 ms: T05
    black-magic: 2.19 ms: T05
    plain: 0.81 ms: T05"
  `);
});

describe("OpenOCD", () => {
  test("runs a loader by one line to the monitor and can be asked for memory meanwhile", async () => {
    const client = await connected("openocd");
    await client.ask(`M20000000,2:${spin}`);
    const beganMs = client.clock.nowMs();
    const line = "reg r0 0x20000100; reg sp 0x20002000; reg xPSR 0x01000000; resume 0x20000000";
    expect(await client.monitor(line)).toBe("r0 (/32): 0x20000100\nsp (/32): 0x20002000\nxPSR (/32): 0x01000000\n");
    expect(client.clock.nowMs() - beganMs).toBeLessThan(15);
    expect(await client.word(0x2000_0000)).toMatch(/e7fe$/);
    expect(client.board.running).toBe("running");
    expect(await client.monitor("halt; wait_halt 100")).toBe("");
    expect(await client.ask("p0")).toBe("00010020");
  });

  test("says OK to a large X before it writes, and tells of a failure with the next", async () => {
    const client = await connected("openocd");
    expect(await client.ask(`Xf0000000,10:${"a".repeat(16)}`)).toBe("OK");
    expect(await client.ask("X20000000,0:")).toBe("E0E");
    expect(await client.ask("X20000000,0:")).toBe("OK");
  });

  test("wait_halt gives up with an error", async () => {
    const client = await connected("openocd");
    await client.ask(`M20000000,2:${spin}`);
    await client.monitor("reg sp 0x20002000; reg xPSR 0x01000000; resume 0x20000000");
    expect(await client.monitor("wait_halt 100")).toBe("timed out while waiting for target halted\nE01");
  });

  test("has a checksum of memory, the one that GDB knows", async () => {
    const client = await connected("openocd");
    await client.ask("M20000000,9:313233343536373839");
    expect(await client.ask("qCRC:20000000,9")).toBe("C0376e6e7"); // CRC-32/MPEG-2 of "123456789"
  });

  test("the adapter's clock can be asked for and set", async () => {
    const client = await connected("openocd");
    expect(await client.monitor("adapter speed")).toBe("adapter speed: 4000 kHz\n");
    expect(await client.monitor("adapter speed 10000")).toBe("adapter speed: 10000 kHz\n");
  });
});

test("pyOCD answers no register, is deaf after c, and listens after monitor continue", async () => {
  const client = await connected("pyocd");
  expect(await client.ask("p0")).toBe("");
  await client.ask(`M20000000,2:${spin}`);
  for (const packet of ["Pd=00200020", "Pf=00000020", "P10=00000001"]) await client.ask(packet);
  expect(await client.monitor("continue")).toBe("OK\n");
  expect(await client.word(0x2000_0000)).toMatch(/e7fe$/);
  expect(await client.monitor("halt")).toBe("OK\n");
  await client.send("c");
  expect(await client.hear(10)).toBe("nothing");
  expect(await client.ask("m20000000,4", 100)).toBe("nothing");
});

test("st-util gives fewer bytes than asked, keeps xPSR at 25 and takes no X", async () => {
  const client = await connected("st-util");
  expect((await client.ask("m8000000,3000")).length).toBe(2 * 0x1800);
  expect(await client.ask("p19")).toMatch(/^[0-9a-f]{8}$/);
  expect(await client.ask("X20000000,0:")).toBe("");
});

test("Black Magic wants to be attached first, and refuses large reads", async () => {
  const client = new TestClient({ board: "stm32f4", server: "black-magic" });
  await client.ask("qSupported");
  expect(await client.ask("m20000000,4")).toBe("E02");
  await client.ask("vAttach;1");
  expect(await client.ask("m20000000,201")).toBe("E02");
  expect(await client.word(0x2000_0000)).toMatch(/^0x/);
});

describe("flash through the server", () => {
  const image = Array.from({ length: 2048 }, (_, at) => String.fromCharCode(at & 0xff)).join("");
  const flash = async (client: TestClient) => [
    await timed(client, "vFlashErase:8000000,4000"),
    await timed(client, `vFlashWrite:8000000:${image}`),
    await timed(client, "vFlashDone"),
  ];

  test("each server does it when it does it", async () => {
    const lines: string[] = [];
    for (const server of servers) {
      const client = await connected(server);
      lines.push(`${server}: ${(await flash(client)).join(", ")}`);
      expect(client.board.flash.subarray(0, 4)).toEqual(Uint8Array.of(0, 1, 2, 3));
      expect(client.board.flash[2047]).toBe(0xff);
    }
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "openocd: 282.55 ms: OK, 0.15 ms: OK, 18.75 ms: OK
      pyocd: 0.15 ms: OK, 0.15 ms: OK, 325.45 ms: OK
      st-util: 0.15 ms: OK, 0.15 ms: OK, 371.82 ms: OK
      black-magic: 251.89 ms: OK, 22.88 ms: OK, 1.05 ms: OK
      plain: 252.60 ms: OK, 11.81 ms: OK, 20.76 ms: OK"
    `);
  });

  test("OpenOCD refuses a piece of an erase unit, and what is in RAM afterwards is its own", async () => {
    const client = await connected("openocd");
    await client.poke(0x2000_0010, 0x1111_1111);
    expect(await client.ask("vFlashErase:8000000,1000")).toBe("E05");
    expect(await client.ask("vFlashErase:8000000,4000")).toBe("OK");
    expect(await client.word(0x2000_0010)).not.toBe("0x11111111");
  });
});

describe("faults", () => {
  test("a server that dies, one that hangs, one that answers nonsense", async () => {
    const dying = await connected("plain", { faults: "unplug@in:60" });
    await expect(dying.ask(`M20000000,20:${"00".repeat(32)}`)).rejects.toThrow(FlashError);
    const hanging = await connected("plain", { faults: "stall@m:2" });
    expect([await hanging.ask("m0,4"), await hanging.ask("m0,4", 1000), await hanging.ask("?", 1000)]).toEqual([
      "ffffffff",
      "nothing",
      "nothing",
    ]);
    const mad = await connected("plain", { faults: "garble@m:1" });
    expect(await mad.ask("m0,4")).toBe("?!nonsense\x07");
  });

  test("a core that does not halt, a loader that does not stop, a write that is lost", async () => {
    const run = async (client: TestClient, code: string) => {
      await client.load(code, {});
      await client.send("c");
      return client.hear(500);
    };
    const restless = await connected("plain", { faults: "no-halt@2" }); // the first is that of connecting
    expect(await run(restless, spin)).toBe("nothing");
    await restless.transport.write(Uint8Array.of(3));
    expect(await restless.hear(500)).toBe("nothing");
    const endless = await connected("plain", { faults: "no-end@1" });
    expect(await run(endless, addAndStop)).toBe("nothing");
    const leaky = await connected("plain", { faults: "lost-write@2" });
    await leaky.poke(0x2000_0000, 1);
    expect(await leaky.poke(0x2000_0000, 2)).toBe("OK");
    expect(await leaky.word(0x2000_0000)).toBe("0x1");
  });

  test("a flash memory that never gets ready fails the server's own driver", async () => {
    const client = await connected("plain", { faults: "stuck-busy@erase:1" });
    expect(await client.ask("vFlashErase:8000000,4000")).toBe("E05");
  });
});

test("a second client finds the server as new: acknowledgements again, no breakpoints left", async () => {
  const client = await connected("plain");
  await client.ask("QStartNoAckMode");
  await client.ask("Z0,20000000,2");
  client.board.hostLeaves(client.clock.nowMs());
  client.board.hostConnects(client.clock.nowMs());
  await client.load(spin, {});
  await client.send("c");
  expect(await client.hear(100)).toBe("nothing");
});

test("the same board does the same at the same times", async () => {
  const run = async () => {
    const client = await connected("openocd", { board: "rp2040" });
    await client.ask("vFlashErase:10000000,10000");
    await client.ask(`vFlashWrite:10000000:${"firmware".repeat(64)}`);
    await client.ask("vFlashDone");
    return `${client.clock.nowMs()} ${JSON.stringify(client.board.counters())}`;
  };
  expect(await run()).toBe(await run());
});
