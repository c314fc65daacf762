import { describe, expect, test } from "vitest";
import { adapterAdvice, readAdapterHz } from "../../../../src/targets/gdb/adapter.ts";
import type { GdbClient } from "../../../../src/targets/gdb/client.ts";
import { connectGdb } from "../../../../src/targets/gdb/connect.ts";
import { resetAndHalt, resetAndRun, resetForFlash } from "../../../../src/targets/gdb/reset.ts";
import { describeCore } from "../../../../src/targets/gdb/run.ts";
import type { ServerKind } from "../../../../src/targets/gdb/servers.ts";
import { gdbCrc32, hasVFlash, writeByVFlash } from "../../../../src/targets/gdb/vflash.ts";
import { FakeServer, hexOf, type Answerer } from "./fake-server.ts";
import { FakeTarget } from "./fake-target.ts";
import { commandOf, recordings } from "./servers.ts";

async function rig(kind: ServerKind, answer: Answerer = () => undefined) {
  const target = new FakeTarget({
    statusRegister: kind === "qemu" ? 25 : 16,
    hasP: kind !== "pyocd",
    hasX: kind !== "qemu",
  });
  const server = new FakeServer(recordings[kind])
    .also((body) => (body === "X0,0:" ? undefined : target.answer(body)))
    .also(answer);
  const client = await connectGdb(server, server.context);
  server.heard.length = 0;
  const heard = () =>
    server.heard.map((body) => (commandOf(body) === undefined ? body : `monitor ${commandOf(body) ?? ""}`));
  return { target, server, client, heard };
}

const resetCommands: Answerer = (body) =>
  /^(?:system_)?(?:reset|halt|go|resume)/.test(commandOf(body) ?? "") ? "OK" : undefined;

describe("registers", () => {
  test("are written by the number that the server's description gives them", async () => {
    for (const [kind, number] of [
      ["qemu", 25],
      ["openocd", 16],
    ] as const) {
      const { client, target } = await rig(kind);
      await client.writeRegisters({ xpsr: 0x01000000, pc: 0x20000000 });
      expect(target.registers.get(number)).toBe(0x01000000);
      expect(target.registers.get(15)).toBe(0x20000000);
    }
  });

  test("are read one by one, or all at once from pyOCD, which answers p with nothing", async () => {
    for (const kind of ["openocd", "pyocd"] as const) {
      const { client, target } = await rig(kind);
      target.registers.set(15, 0x20000010).set(16, 0x61000000).set(13, 0xfffffffc);
      expect([...(await client.readRegisters(["pc", "sp", "xpsr"]))]).toEqual([
        ["pc", 0x20000010],
        ["sp", 0xfffffffc],
        ["xpsr", 0x61000000],
      ]);
    }
  });

  test("that have no value are left out", async () => {
    const { client } = await rig("pyocd", (body) => (body === "g" ? `${"00000000".repeat(15)}xxxxxxxx` : undefined));
    expect([...(await client.readRegisters(["sp", "pc"])).keys()]).toEqual(["sp"]);
    const none = await rig("openocd", (body) => (body.startsWith("p") ? "E01" : undefined));
    expect(await describeCore(none.client)).toBe("an unknown place");
    const nonsense = await rig("openocd", (body) => (body.startsWith("p") ? "hello" : undefined));
    expect(await describeCore(nonsense.client)).toBe("an unknown place");
  });
});

describe("words of memory", () => {
  test("are little-endian both ways", async () => {
    const { client, target } = await rig("qemu");
    await client.writeWords(0x20000010, [0x12345678, 0xffffffff]);
    expect([...target.ram.slice(0x10, 0x18)]).toEqual([0x78, 0x56, 0x34, 0x12, 255, 255, 255, 255]);
    expect([...(await client.readWords(0x20000010, 2))]).toEqual([0x12345678, 0xffffffff]);
  });
});

describe("a job's context", () => {
  test("takes the place of the one before: the connection outlives a cancelled job", async () => {
    const { client, server } = await rig("qemu");
    server.cancel.abort();
    await expect(client.readWords(0x20000000, 1)).rejects.toMatchObject({ code: "cancelled" });
    client.useContext({ ...server.context, signal: new AbortController().signal });
    expect([...(await client.readWords(0x20000000, 1))]).toEqual([0]);
  });
});

describe("a reset", () => {
  const rows: readonly (readonly [ServerKind, readonly string[], readonly string[]])[] = [
    ["qemu", ["monitor system_reset", "c"], ["monitor system_reset"]],
    ["openocd", ["monitor reset run"], ["monitor reset halt"]],
    ["pyocd", ["monitor reset"], ["monitor reset halt"]],
    ["probe-rs", ["monitor reset"], ["monitor reset halt"]],
    ["black-magic", ["R", "Hg0", "c"], ["R", "Hg0"]], // R is never answered: the next question tells that it is over
    ["st-util", ["monitor reset", "monitor resume"], ["monitor reset"]],
    ["jlink", ["monitor reset", "monitor go"], ["monitor reset", "monitor halt"]],
  ];
  test.each(rows)("of %s is in its own words", async (kind, run, halt) => {
    const { client, heard, server } = await rig(kind, (body) =>
      body === "c" || body === "R" ? [] : body === "Hg0" ? "OK" : resetCommands(body),
    );
    await resetAndHalt(client);
    expect(heard()).toEqual(halt);
    server.heard.length = 0;
    await resetAndRun(client);
    expect(heard()).toEqual(run);
  });

  test("of a core that runs interrupts it first, where the server hears nothing else", async () => {
    const { client, heard } = await rig("qemu", (body) =>
      body === "c" ? [] : body === "^C" ? "T02thread:01;" : body === "Hg0" ? "OK" : resetCommands(body),
    );
    await resetAndRun(client);
    await resetAndHalt(client);
    expect(heard()).toEqual(["monitor system_reset", "c", "^C", "Hg0", "monitor system_reset"]);
  });

  test("before OpenOCD's flash driver sets the clocks too", async () => {
    const { client, heard } = await rig("openocd", resetCommands);
    await resetForFlash(client);
    expect(heard()).toEqual(["monitor reset init"]);
  });

  test("is refused where the server knows none", async () => {
    const { client } = await rig("rp2040js");
    await expect(resetAndRun(client)).rejects.toMatchObject({
      code: "refused",
      message: "rp2040js on tcp://fake:1 has no request that resets the target",
    });
  });

  test.each([
    [[`O${hexOf("timed out while waiting for target halted\n")}`, "OK"]],
    [[`O${hexOf("TARGET: sim.core - Not halted\n")}`, "E01"]],
  ])("after which the core does not stand still says so: %j", async (answer) => {
    const { client } = await rig("openocd", (body) => (commandOf(body) === "reset halt" ? answer : undefined));
    await expect(resetAndHalt(client)).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringContaining("OpenOCD on tcp://fake:1: the core does not halt (") as string,
      remedy: expect.stringContaining("Power the board off and on") as string,
    });
  });

  test("is not disturbed by what OpenOCD says of its speed", async () => {
    const { client } = await rig("openocd", (body) =>
      commandOf(body) === "reset init"
        ? [`O${hexOf("Unable to match requested speed 2000 kHz, using 1800 kHz\n")}`, "OK"]
        : undefined,
    );
    await resetForFlash(client);
  });
});

describe("flash by the server's own driver", () => {
  const unit = (address: number, size: number, seed = 0) => ({
    address,
    data: Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed) & 0xff),
  });
  const vFlash: Answerer = (body) => (body.startsWith("vFlash") ? "OK" : undefined);

  test("erases all units first, writes them whole and by address, and says done once", async () => {
    const { client, heard } = await rig("openocd", vFlash);
    let written = 0;
    const units = [
      unit(0x08008000, 0x4000),
      unit(0x08000000, 0x4000),
      unit(0x08004000, 0x4000),
      unit(0x08020000, 0x4000),
    ];
    await writeByVFlash(client, units, (bytes) => (written += bytes));
    const said = heard().map((body) => body.slice(0, body.indexOf(":", 13) + 1 || undefined));
    expect(said.slice(0, 3)).toEqual(["vFlashErase:8000000,c000", "vFlashErase:8020000,4000", "vFlashWrite:8000000:"]);
    const addresses = said.slice(2, -1).map((body) => Number.parseInt(body.slice("vFlashWrite:".length), 16));
    expect(addresses).toEqual([...addresses].sort((a, b) => a - b));
    expect(said.at(-1)).toBe("vFlashDone");
    expect(written).toBe(0x10000);
  });

  test.each([
    ["openocd", 0x1000],
    ["pyocd", 0x800],
    ["black-magic", 0x400],
  ] as const)("of %s comes in pieces that it takes, and whole", async (kind, most) => {
    const { client, server } = await rig(kind, vFlash);
    const { address, data } = unit(0x08000000, 0x4000, 7);
    await writeByVFlash(client, [{ address, data }], () => undefined);
    const flash = new Uint8Array(data.length);
    for (const body of server.heard.filter((one) => one.startsWith("vFlashWrite"))) {
      const [, at = "", piece = ""] = /^vFlashWrite:([0-9a-f]+):([^]*)$/.exec(body) ?? [];
      flash.set(Buffer.from(piece, "latin1"), Number.parseInt(at, 16) - address);
    }
    expect(flash).toEqual(data);
    expect(server.longestBody).toBeLessThanOrEqual(most + 24);
    expect(server.longestBody).toBeLessThanOrEqual(client.memory.packetBytes);
  });

  test("with nothing to write says nothing: probe-rs takes that for an error", async () => {
    const { client, heard } = await rig("probe-rs", vFlash);
    await writeByVFlash(client, [], () => undefined);
    expect(heard()).toEqual([]);
  });

  test("that is refused is named with its address", async () => {
    const { client } = await rig("openocd", (body) => (body.startsWith("vFlashErase") ? "E05" : undefined));
    await expect(writeByVFlash(client, [unit(0x08000000, 0x400)], () => undefined)).rejects.toThrow(
      "vFlashErase 0x08000000 (1024 bytes): the GDB server on tcp://fake:1 answered E05",
    );
  });

  test("waits 30 s and 2 s per unit while the server is deaf", async () => {
    const { client, server } = await rig("openocd", vFlash);
    server.latencyMs = 33_000;
    await writeByVFlash(client, [unit(0x08000000, 0x400), unit(0x08000400, 0x400)], () => undefined);
    server.latencyMs = 35_000;
    const work = writeByVFlash(client, [unit(0x08000000, 0x400), unit(0x08000400, 0x400)], () => undefined);
    await expect(work).rejects.toThrow("did not answer vFlashErase 0x08000000 (2048 bytes) within 34000 ms");
  });

  test("is not offered by emulators", async () => {
    expect(hasVFlash((await rig("qemu")).client)).toBe(false);
    expect(hasVFlash((await rig("openocd")).client)).toBe(true);
  });
});

describe("the server's checksum", () => {
  test("is CRC-32 with the highest bit first, not inverted", () => {
    // "check" of CRC-32/MPEG-2 in the catalogue of parametrised CRC algorithms
    expect(gdbCrc32(Buffer.from("123456789"))).toBe(0x0376e6e7);
    expect(gdbCrc32(new Uint8Array())).toBe(0xffffffff);
  });

  test("is a number behind a C; what the server does not know or refuses is told apart from nonsense", async () => {
    const answers: Record<string, string> = { "qCRC:0,4": "C376e6e7", "qCRC:4,4": "E01", "qCRC:8,4": "hello" };
    const { client } = await rig("openocd", (body) => answers[body]);
    expect(await client.crc({ address: 0, size: 4 })).toBe(0x0376e6e7);
    await expect(client.crc({ address: 4, size: 4 })).rejects.toMatchObject({ code: "refused", reply: "E01" });
    await expect(client.crc({ address: 8, size: 4 })).rejects.toMatchObject({ code: "protocol" });
    await expect(client.crc({ address: 12, size: 4 })).rejects.toThrow("does not know qCRC:c,4");
  });
});

describe("the clock of the probe", () => {
  test.each([
    ["openocd", "adapter speed", `adapter speed: 1800 kHz\n`, 1_800_000, "monitor adapter speed 4000"],
    ["black-magic", "frequency", `Max SWJ freq 02faf080 1.5 MHz\n`, 1_500_000, "monitor frequency 4000000"],
    ["openocd", "adapter speed", "whatever", undefined, "monitor adapter speed 4000"],
    ["pyocd", "", "", undefined, "start pyOCD with -f 4000000"],
  ] as const)("of %s is asked for where it tells", async (kind, command, said, hz, advice) => {
    const { client } = await rig(kind, (body) => (commandOf(body) === command ? [`O${hexOf(said)}`, "OK"] : undefined));
    expect(await readAdapterHz(client)).toBe(hz);
    expect(adapterAdvice(client, 4_000_000)).toBe(advice);
  });

  test("is unknown where there is none, and where the server refuses", async () => {
    const { client } = await rig("qemu");
    expect(await readAdapterHz(client)).toBeUndefined();
    expect(adapterAdvice(client, 1)).toBeUndefined();
    expect(await readAdapterHz((await rig("openocd")).client)).toBeUndefined();
  });
});

describe("the goodbye", () => {
  const bye = async (client: GdbClient) => client.disconnect();

  test("lets the core run on, and takes no longer than 100 ms without an answer", async () => {
    const { client, heard, server } = await rig("openocd", (body) => (body === "D" ? [] : undefined));
    const before = server.clock.nowMs();
    await bye(client);
    expect(heard()).toEqual(["D"]);
    expect(server.clock.nowMs() - before).toBe(100);
    await expect(client.readWords(0x20000000, 1)).rejects.toMatchObject({ code: "disconnected" });
  });

  test("is not said while the core runs: QEMU would stop it", async () => {
    const { client, heard } = await rig("qemu", (body) => (body === "c" ? [] : resetCommands(body)));
    await resetAndRun(client);
    await bye(client);
    expect(heard().at(-1)).toBe("c");
  });
});
