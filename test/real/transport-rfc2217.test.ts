import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { serve } from "../../src/sim/serve.ts";
import { openRfc2217 } from "../../src/transport/rfc2217.ts";
import { EchoBoard } from "./echo-board.ts";
import { runPython } from "./pyserial.ts";
import { failureOf, mixedBytes, readExactly } from "./transport-helpers.ts";

const LOCAL = "rfc2217://127.0.0.1:0";

/** Serves pySerial's own RFC 2217 server class over a port whose output is its input; one client, then the end. */
const PYSERIAL_SERVER = `
import socket, threading, serial, serial.rfc2217
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1])
client, _ = door.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
port = serial.serial_for_url("loop://", timeout=0.01)
class Connection:
    def write(self, data):
        client.sendall(data)
manager = serial.rfc2217.PortManager(port, Connection())
def outward():
    try:
        while True:
            data = port.read(max(1, port.in_waiting))
            if data:
                client.sendall(b"".join(manager.escape(data)))
    except OSError:
        pass
threading.Thread(target=outward, daemon=True).start()
while True:
    data = client.recv(4096)
    if not data:
        break
    port.write(b"".join(manager.filter(data)))
print("baud", port.baudrate, "dtr", int(port.dtr), "rts", int(port.rts), "bits", port.bytesize, port.parity, port.stopbits)
`;

const PYSERIAL_CLIENT = `
import sys, serial
port = serial.serial_for_url(sys.argv[1], baudrate=115200, timeout=5)
sent = bytes((i * 7) & 255 for i in range(20000))
port.write(sent)
print("same", port.read(len(sent)) == sent)
port.dtr = False
port.rts = False
port.baudrate = 921600
port.write(b"old")
port.reset_input_buffer()
port.write(b"\\xff\\xf0\\xfa")
print("tail", port.read(3).hex())
print("cts", port.cts, "dsr", port.dsr)
port.close()
`;

/** Espressif's "classic" reset, then both lines on and left so. */
const PYSERIAL_RESET = `
import sys, time, serial
port = serial.serial_for_url(sys.argv[1], baudrate=115200)
port.dtr = False
port.rts = True
time.sleep(0.1)
port.dtr = True
port.rts = False
time.sleep(0.05)
port.dtr = False
port.rts = True
port.dtr = True
time.sleep(0.3)
print("done")
`;

async function listen(onClient: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.resume();
    onClient(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    name: `rfc2217://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

test("all byte values, lines, rate and purge reach the board and come back", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "real" });
  {
    await using port = await openRfc2217(server.address, { baudRate: 115_200 });
    const sent = mixedBytes(100_000);
    await port.write(sent);
    expect(Buffer.compare(await readExactly(port, sent.length), sent)).toBe(0);
    await port.setSignals({ dtr: false, rts: true });
    await port.setSignals({ dtr: true, rts: false });
    await port.setSignals({ dtr: true, rts: false });
    await port.setBaudRate(921_600);
    await port.flushInput();
    expect(port.hasModemLines).toBe(true);
    expect(port.counters).toEqual({ sentBytes: 100_000, receivedBytes: 100_000, roundTrips: 1 });
  }
  await expect.poll(() => board.log.at(-1)).toBe("dtr0 rts0");
  expect(board.log).toMatchInlineSnapshot(`
    [
      "baud 115200",
      "dtr0 rts0",
      "dtr0 rts1",
      "dtr1 rts0",
      "baud 921600",
      "dtr0 rts0",
    ]
  `);
});

test("letting go of both lines never passes through reset", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "real" });
  await using port = await openRfc2217(server.address, { baudRate: 115_200 });
  await port.setSignals({ dtr: true, rts: true });
  await port.setSignals({ dtr: false, rts: false });
  expect(board.log).toEqual(["baud 115200", "dtr1 rts0", "dtr1 rts1", "dtr1 rts0", "dtr0 rts0"]);
});

test("out of reset with the strap low is one step for the board, however slowly a client sends its two messages", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "max" });
  await using client = runPython(PYSERIAL_RESET, server.address);
  expect(await client.output()).toBe("done\n");
  expect(board.log.slice(1)).toMatchInlineSnapshot(`
    [
      "dtr1 rts0",
      "dtr1 rts1",
      "dtr0 rts1",
      "dtr0 rts1",
      "dtr1 rts0",
      "dtr0 rts0",
      "dtr0 rts1",
      "dtr1 rts1",
      "dtr0 rts0",
    ]
  `);
});

test("pySerial's client moves bytes, lines and rate of our server", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "real" });
  await using client = runPython(PYSERIAL_CLIENT, server.address);
  expect(await client.output()).toMatchInlineSnapshot(`
    "same True
    tail fff0fa
    cts True dsr True
    "
  `);
  expect(board.log).toMatchInlineSnapshot(`
    [
      "baud 115200",
      "dtr1 rts0",
      "dtr1 rts1",
      "dtr0 rts1",
      "dtr0 rts0",
      "baud 921600",
    ]
  `);
});

test("our client moves bytes, lines and rate of pySerial's server", async () => {
  await using server = runPython(PYSERIAL_SERVER);
  const name = `rfc2217://127.0.0.1:${await server.line()}`;
  {
    await using port = await openRfc2217(name, { baudRate: 115_200 });
    const sent = mixedBytes(20_000);
    await port.write(sent);
    expect(Buffer.compare(await readExactly(port, sent.length), sent)).toBe(0);
    await port.setSignals({ dtr: true, rts: false });
    await port.setBaudRate(460_800);
    await port.flushInput();
    await port.write(Uint8Array.of(0xff, 0x0d, 0x00));
    expect(Array.from(await readExactly(port, 3))).toEqual([0xff, 0x0d, 0x00]);
  }
  expect((await server.output()).split("\n")[1]).toBe("baud 460800 dtr 1 rts 0 bits 8 N 1");
});

test("pySerial is turned away while another client is there, and welcome afterwards", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, LOCAL, { speed: "real" });
  {
    await using port = await openRfc2217(server.address, { baudRate: 115_200 });
    const second = await failureOf(openRfc2217(server.address, { baudRate: 115_200 }));
    expect(second).toMatch(/^port-busy: .* hung up at once; another client may hold the port$/);
    await port.write(Uint8Array.of(1));
    await readExactly(port, 1);
  }
  await using client = runPython(PYSERIAL_CLIENT, server.address);
  expect(await client.output()).toContain("same True");
});

test("a port that is raw TCP is told apart from one that speaks RFC 2217", async () => {
  await using server = await listen(() => undefined);
  const startMs = performance.now();
  expect(await failureOf(openRfc2217(server.name, { baudRate: 115_200 }))).toBe(
    `protocol: ${server.name}: asked for RFC 2217, the other end did not answer within 3 s`,
  );
  expect(performance.now() - startMs).toBeLessThan(4_000);
});

test("a server that agrees and then says nothing ends in a protocol error that names the question", async () => {
  await using server = await listen((socket) => socket.write(Uint8Array.of(0xff, 0xfd, 0x2c)));
  expect(await failureOf(openRfc2217(server.name, { baudRate: 115_200 }))).toMatch(
    /^protocol: .*: no answer to SET_BAUDRATE within 3 s$/,
  );
});

test("a server that goes away in the middle wakes reads and requests", async () => {
  const server = await serve(new EchoBoard(), LOCAL, { speed: "real" });
  await using port = await openRfc2217(server.address, { baudRate: 115_200 });
  const reading = failureOf(port.read(60_000));
  await server.close();
  expect(await reading).toMatch(/^disconnected/);
  expect(await failureOf(port.setBaudRate(9_600))).toMatch(/^disconnected/);
  expect(await failureOf(port.setSignals({ dtr: true, rts: true }))).toMatch(/^disconnected/);
});
