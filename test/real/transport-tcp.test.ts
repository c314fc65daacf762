import { createServer } from "node:net";
import { expect, test } from "vitest";
import { serve } from "../../src/sim/serve.ts";
import { openTcp } from "../../src/transport/tcp.ts";
import { EchoBoard } from "./echo-board.ts";
import { failureOf, readExactly } from "./transport-helpers.ts";

const LOCAL = "tcp://127.0.0.1:0";

test("bytes go to the board and come back, at once and in order", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "real" });
  await using port = await openTcp(server.address);
  const sent = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7);
  await port.write(sent);
  expect(Buffer.compare(await readExactly(port, sent.length), sent)).toBe(0);
  expect(board.log).toEqual(["baud 0"]);
  expect(port.counters).toEqual({ sentBytes: 300_000, receivedBytes: 300_000, roundTrips: 1 });
});

test("a read without an answer ends at its deadline with nothing", async () => {
  await using server = await serve(new EchoBoard(10_000), LOCAL, { speed: "real" });
  await using port = await openTcp(server.address);
  await port.write(Uint8Array.of(1));
  const startMs = performance.now();
  expect(await port.read(100)).toHaveLength(0);
  expect(performance.now() - startMs).toBeGreaterThan(95);
});

test("a wait of a minute takes no time at speed max, and a tenth at 10x", async () => {
  await using fast = await serve(new EchoBoard(60_000), LOCAL, { speed: "max" });
  await using tenfold = await serve(new EchoBoard(2_000), LOCAL, { speed: "10x" });
  await using fastPort = await openTcp(fast.address);
  await using tenfoldPort = await openTcp(tenfold.address);
  await fastPort.write(Uint8Array.of(7));
  expect(await fastPort.read(1_000)).toEqual(Uint8Array.of(7));
  await tenfoldPort.write(Uint8Array.of(8));
  expect(await tenfoldPort.read(100)).toHaveLength(0);
  expect(Array.from(await tenfoldPort.read(1_000))).toEqual([8]);
});

test("the board stays when its client leaves, and the next client finds it at once", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "real" });
  for (let client = 1; client <= 5; client++) {
    await using port = await openTcp(server.address);
    await port.write(Uint8Array.of(client));
    expect(Array.from(await readExactly(port, 1))).toEqual([client]);
  }
  expect(board.counters().bytesIn).toBe(5);
});

test("a second client is turned away and the first one does not notice", async () => {
  await using server = await serve(new EchoBoard(), LOCAL, { speed: "real" });
  await using first = await openTcp(server.address);
  await using second = await openTcp(server.address);
  expect(await failureOf(second.read(2_000))).toMatch(/^disconnected: .* the other end closed the connection$/);
  await first.write(Uint8Array.of(5));
  expect(Array.from(await readExactly(first, 1))).toEqual([5]);
});

test("a pulled cable ends the client's wait and the server says why", async () => {
  const board = new EchoBoard();
  board.unplugAfter(1);
  await using server = await serve(board, LOCAL, { speed: "real" });
  await using port = await openTcp(server.address);
  await port.write(Uint8Array.of(1));
  expect(await failureOf(port.read(5_000))).toMatch(/^disconnected/);
  expect(await failureOf(port.write(Uint8Array.of(1)))).toMatch(/^disconnected/);
  expect((await server.ended)?.message).toBe("the cable was pulled");
});

test("a server that goes away in the middle wakes a waiting read", async () => {
  const server = await serve(new EchoBoard(), LOCAL, { speed: "real" });
  await using port = await openTcp(server.address);
  const waiting = failureOf(port.read(60_000));
  await server.close();
  expect(await waiting).toMatch(/^disconnected/);
  expect(await server.ended).toBeUndefined();
});

test("closing wakes a waiting read", async () => {
  await using server = await serve(new EchoBoard(), LOCAL, { speed: "real" });
  const port = await openTcp(server.address);
  const waiting = failureOf(port.read(60_000));
  await port[Symbol.asyncDispose]();
  expect(await waiting).toBe(`disconnected: ${server.address} is closed`);
});

test("an address where nobody listens, an unknown host and a taken port are told apart", async () => {
  const server = await serve(new EchoBoard(), LOCAL, { speed: "real" });
  const { address } = server;
  expect(await failureOf(serve(new EchoBoard(), address, { speed: "real" }))).toMatch(/^port-busy: /);
  await server.close();
  expect(await failureOf(openTcp(address))).toBe(`board-not-found: ${address}: nothing listens there`);
  expect(await failureOf(openTcp("tcp://no-such-host.invalid:4000"))).toMatch(
    /^board-not-found: .*no-such-host\.invalid/,
  );
});

test("a board that floods and a client that does not read keep memory bounded", async () => {
  let sent = 0;
  const flood = createServer((socket) => {
    socket.on("error", () => undefined);
    const more = () => {
      while (socket.writable && socket.write(new Uint8Array(65_536))) sent += 65_536;
    };
    socket.on("drain", more);
    more();
  });
  await new Promise<void>((resolve) => flood.listen(0, "127.0.0.1", resolve));
  const address = flood.address();
  const number = typeof address === "object" && address !== null ? address.port : 0;
  {
    await using port = await openTcp(`tcp://127.0.0.1:${number}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const first = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent).toBe(first);
    expect((await port.read(1_000)).length).toBeLessThan(2 * 1024 * 1024);
  }
  await new Promise((resolve) => flood.close(resolve));
});
