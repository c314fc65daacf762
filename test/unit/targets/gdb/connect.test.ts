import { describe, expect, test } from "vitest";
import { connectGdb } from "../../../../src/targets/gdb/connect.ts";
import { servers, type ServerKind } from "../../../../src/targets/gdb/servers.ts";
import { FakeServer, hexOf } from "./fake-server.ts";
import { commandOf, recorded, recordings } from "./servers.ts";

const kinds = Object.keys(servers) as ServerKind[];

const heardBy = (server: FakeServer) =>
  server.heard.map((body) => {
    const command = commandOf(body);
    return command === undefined ? body : `monitor ${command}`;
  });

async function connected(kind: ServerKind) {
  const server = new FakeServer(recordings[kind]);
  return { server, client: await connectGdb(server, server.context) };
}

describe("connecting", () => {
  test.each(kinds)("recognises %s", async (kind) => {
    const { client } = await connected(kind);
    expect(client.traits.kind).toBe(kind);
  });

  test("to QEMU: no acknowledgements after it said who it is, registers by name, xPSR is number 25", async () => {
    const { server, client } = await connected("qemu");
    expect(heardBy(server)).toEqual([
      "qSupported:multiprocess-;swbreak+;hwbreak+;vContSupported+;xmlRegisters=arm",
      "qqemu.Supported",
      "qXfer:features:read:target.xml:0,7d0",
      "qXfer:features:read:arm-m-profile.xml:0,7d0",
      "?",
      "X0,0:",
    ]);
    expect(server.acksHeard).toBe(2);
    expect(client.registers.get("xpsr")).toEqual({ number: 25, bits: 32 });
    expect(client.registers.get("pc")?.number).toBe(15);
    expect(client.memory).toEqual({ packetBytes: 0x1000, hasX: false, answersEarly: false });
    expect(await client.memoryMap()).toBeUndefined();
  });

  test("to OpenOCD: the last acknowledgement is for the OK that ends them; xPSR is number 16", async () => {
    const { server, client } = await connected("openocd");
    expect(heardBy(server)).toEqual([
      "qSupported:multiprocess-;swbreak+;hwbreak+;vContSupported+;xmlRegisters=arm",
      "QStartNoAckMode",
      "monitor version",
      "qXfer:features:read:target.xml:0,1f40",
      "?",
      "X0,0:",
    ]);
    expect(server.acksHeard).toBe(2);
    expect(client.registers.get("xpsr")?.number).toBe(16);
    expect(client.memory).toEqual({ packetBytes: 0x4000, hasX: true, answersEarly: true });
    expect(client.wire.window).toEqual({ packets: 16, bytes: 0x8000 });
  });

  test("reads the memory map once, when somebody asks for it", async () => {
    const { server, client } = await connected("openocd");
    expect(await client.memoryMap()).toMatchObject({ ram: [{ address: 0x20000000, size: 0x8000 }] });
    expect(await client.memoryMap()).toMatchObject({
      flash: [{ start: 0x08000000, size: 0x10000, sectorSize: 0x400 }],
    });
    expect(heardBy(server).filter((body) => body.startsWith("qXfer:memory-map"))).toHaveLength(1);
  });

  test("to Black Magic scans and attaches first, by whatever name its scan has, and reads XML in small pieces", async () => {
    const { server } = await connected("black-magic");
    const heard = heardBy(server).filter((body) => !body.startsWith("qSupported"));
    expect(heard.slice(0, 6)).toEqual([
      "qqemu.Supported",
      "monitor version",
      "monitor swd_scan",
      "monitor swdp_scan",
      "vAttach;1",
      "qXfer:features:read:target.xml:0,1e0",
    ]);
    expect(heard.filter((body) => body.startsWith("qXfer:features")).length).toBeGreaterThan(1);
  });

  test("to Black Magic without a board says what its scan said", async () => {
    const server = new FakeServer(recordings["black-magic"]).also((body) => {
      if (body === "vAttach;1") return "E01";
      return commandOf(body) === "swdp_scan" ? [`O${hexOf("SW-DP scan failed!\n")}`, "OK"] : undefined;
    });
    await expect(connectGdb(server, server.context)).rejects.toMatchObject({
      code: "board-not-found",
      message: "Black Magic on tcp://fake:1 cannot attach to a target (SW-DP scan failed!)",
    });
  });

  test("to a server that serves somebody else names the remedy", async () => {
    const server = new FakeServer(() => undefined);
    server.dead = true;
    await expect(connectGdb(server, server.context)).rejects.toMatchObject({
      code: "port-busy",
      remedy: expect.stringContaining("Stop the debug session") as string,
    });
  });

  test("to something else that talks says what it said", async () => {
    const server = new FakeServer(() => "raw HTTP/1.1 400 Bad Request\r\n");
    await expect(connectGdb(server, server.context)).rejects.toMatchObject({
      code: "protocol",
      message: 'tcp://fake:1 is no GDB server: it says "HTTP/1.1 400 Bad Request\\r\\n"',
    });
  });

  test("to a server that does not know what it supports says what it said", async () => {
    const server = new FakeServer(recorded({ supported: "?!nonsense" }));
    await expect(connectGdb(server, server.context)).rejects.toMatchObject({
      code: "protocol",
      message: 'qSupported: the GDB server on tcp://fake:1 answered "?!nonsense", which makes no sense there',
    });
  });

  test("over a line that still holds old answers asks again when they are over", async () => {
    const server = new FakeServer(recordings.openocd);
    server.say("OK");
    server.say("00112233", 20);
    const client = await connectGdb(server, server.context);
    expect(client.traits.kind).toBe("openocd");
    expect(heardBy(server).filter((body) => body.startsWith("qSupported"))).toHaveLength(2);
  });

  test("to something that says nothing gives up after five seconds", async () => {
    const server = new FakeServer(() => undefined);
    await expect(connectGdb(server, server.context)).rejects.toMatchObject({
      code: "timeout",
      message: "the GDB server on tcp://fake:1 did not answer qSupported within 5000 ms",
    });
  });

  test("to a server without a target says so", async () => {
    const server = new FakeServer(recordings.unknown).also((body) => (body === "?" ? "W00" : undefined));
    await expect(connectGdb(server, server.context)).rejects.toMatchObject({ code: "board-not-found" });
  });

  test("to a server that knows nothing takes GDB's usual register numbers and small packets", async () => {
    const { client } = await connected("unknown");
    expect(client.registers.get("xpsr")?.number).toBe(25);
    expect(client.memory.packetBytes).toBe(400);
    expect(client.wire.window.packets).toBe(1);
  });

  test("takes a packet size that is no number, or far too large, for what it is", async () => {
    for (const [said, bytes] of [
      ["zz", 400],
      ["ffffffff", 0x10000],
      ["4", 64],
    ] as const) {
      const server = new FakeServer(recorded({ supported: `PacketSize=${said}` }));
      expect((await connectGdb(server, server.context)).memory.packetBytes).toBe(bytes);
    }
  });

  test("is over when target descriptions include each other for ever", async () => {
    const loop =
      '<target><xi:include href="target.xml"/><xi:include href="a.xml"/><reg name="sp" regnum="33"/></target>';
    const server = new FakeServer(
      recorded({
        supported: "qXfer:features:read+",
        files: { "features:read:target.xml": loop, "features:read:a.xml": loop.replace("33", "44") },
      }),
    );
    const client = await connectGdb(server, server.context);
    expect(client.registers.get("sp")?.number).toBe(44);
  });

  test("fails when an object of the server never ends, or is no slice", async () => {
    const endless = new FakeServer(recordings.openocd).also((body) =>
      body.startsWith("qXfer:f") ? `m${"<x/>".repeat(1000)}` : undefined,
    );
    await expect(connectGdb(endless, endless.context)).rejects.toThrow("never comes to an end");
    for (const answer of ["xyz", "m"]) {
      const server = new FakeServer(recordings.openocd).also((body) =>
        body.startsWith("qXfer:f") ? answer : undefined,
      );
      await expect(connectGdb(server, server.context)).rejects.toMatchObject({ code: "protocol" });
    }
  });
});

describe("the rows of servers", () => {
  test("say where they come from, and that nothing is claimed which was not measured", () => {
    for (const kind of kinds) {
      const { evidence, source } = servers[kind];
      expect(source).not.toBe("");
      expect(evidence === "measured").toBe(["qemu", "openocd", "pyocd", "rp2040js"].includes(kind));
    }
  });

  test("never have more under way than 64 KiB and 16 packets", () => {
    for (const { window } of Object.values(servers)) {
      expect(window.packets).toBeLessThanOrEqual(16);
      expect(window.bytes).toBeLessThanOrEqual(0x10000);
    }
  });

  test("stream only where memory is served while the core runs", () => {
    for (const row of Object.values(servers)) {
      if (row.loaderWay === "stream") expect(row.memoryWhileRunning).toBe(true);
    }
  });
});
