/** Our GDB client when a server that is not ours is busy, dies, hangs or says nothing. What works is tested in `cortex-m/`. */
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/engine/system-clock.ts";
import { readAdapterHz } from "../../src/targets/gdb/adapter.ts";
import { ask, askOk } from "../../src/targets/gdb/ask.ts";
import { connectGdb } from "../../src/targets/gdb/connect.ts";
import { readRanges } from "../../src/targets/gdb/memory.ts";
import { openTcp } from "../../src/transport/tcp.ts";
import { GdbSession } from "./cortex-m/gdb-session.ts";
import { OpenOcd } from "./cortex-m/openocd.ts";
import { QemuBoard } from "./cortex-m/qemu.ts";
import { Rp2040Board } from "./cortex-m/rp2040-board.ts";
import { failureOf } from "./transport-helpers.ts";

test("OpenOCD serves one client: the second one is told who is in the way, the first one does not notice", async () => {
  await using server = await OpenOcd.start(new Rp2040Board());
  await using first = await GdbSession.open(server.port);
  expect(await failureOf(GdbSession.open(server.port))).toMatch(/^port-busy: tcp:.* closed the connection at once/);
  await first.client.writeWords(0x20000000, [0x12345678]);
  expect([...(await first.client.readWords(0x20000000, 1))]).toEqual([0x12345678]);
});

test("a probe without a clock of its own is no error", async () => {
  await using server = await OpenOcd.start(new Rp2040Board());
  await using session = await GdbSession.open(server.port);
  expect(await readAdapterHz(session.client)).toBeUndefined();
});

test("OpenOCD's refusals carry its words", async () => {
  await using server = await OpenOcd.start(new Rp2040Board());
  await using session = await GdbSession.open(server.port);
  expect(await failureOf(session.client.monitor("nonsense"))).toMatch(
    /^refused: monitor nonsense: .* answered E\w+ \(invalid command name "nonsense"\)$/,
  );
});

test("a packet that QEMU drops without a word ends at its deadline, and the error names it", async () => {
  await using server = await QemuBoard.start("microbit");
  await using session = await GdbSession.open(server.port);
  const tooLong = ask(`M20000000,a00:${"00".repeat(0xa00)}`, { name: "M 0x20000000 (2560 bytes)", timeoutMs: 300 });
  expect(await failureOf(askOk(session.client.wire, tooLong))).toMatch(
    /^timeout: the GDB server on tcp:.* did not answer M 0x20000000 \(2560 bytes\) within 300 ms$/,
  );
});

test("a server that dies in the middle ends the wait, and everything after it", async () => {
  const server = await QemuBoard.start("microbit");
  await using session = await GdbSession.open(server.port);
  await session.client.wire.run("c");
  const waiting = failureOf(session.client.wire.waitStop(60_000));
  await server[Symbol.asyncDispose]();
  expect(await waiting).toMatch(/^disconnected: /);
  const { wire, memory } = session.client;
  expect(await failureOf(readRanges(wire, memory, [{ address: 0, size: 4 }]))).toMatch(/^disconnected: /);
});

test("a cancel ends the wait for a core that runs, within a few milliseconds", async () => {
  await using server = await QemuBoard.start("microbit");
  await using port = await openTcp(`tcp://127.0.0.1:${server.port}`);
  const cancel = new AbortController();
  const client = await connectGdb(port, { clock: systemClock, signal: cancel.signal, log: () => undefined });
  // `b .` in RAM
  await client.write([{ address: 0x20000000, data: Uint8Array.of(0xfe, 0xe7, 0xfe, 0xe7) }]);
  await client.writeRegisters({ pc: 0x20000000, xpsr: 0x01000000 });
  await client.wire.run("c");
  const waiting = failureOf(client.wire.waitStop(60_000));
  await systemClock.sleep(20);
  const startMs = performance.now();
  cancel.abort();
  expect(await waiting).toBe("cancelled: the flash was cancelled");
  expect(performance.now() - startMs).toBeLessThan(50);
  await client.evenIfCancelled(async () => {
    await client.wire.interrupt();
    expect(await client.wire.waitStop(2_000)).toMatch(/^T02/);
    expect([...(await client.readWords(0x20000000, 1))]).toEqual([0xe7fee7fe]);
  });
});

test("the goodbye to a server that does not answer takes no longer than 100 ms", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      const [, body = ""] = /\$([^#]*)#/.exec(bytes.toString("latin1")) ?? [];
      if (body === "D" || body === "") return;
      const answer = body === "?" ? "S05" : "";
      const sum = Buffer.from(answer).reduce((total, byte) => total + byte, 0) & 0xff;
      socket.write(`+$${answer}#${sum.toString(16).padStart(2, "0")}`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  {
    await using session = await GdbSession.open(port);
    const startMs = performance.now();
    await session.client.disconnect();
    expect(performance.now() - startMs).toBeLessThan(130);
  }
  await new Promise((resolve) => server.close(resolve));
});
