import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { serve } from "../../src/sim/serve.ts";
import { openPort } from "../../src/transport/open.ts";
import { openSerial } from "../../src/transport/serial.ts";
import { EchoBoard } from "./echo-board.ts";
import { runPython } from "./pyserial.ts";
import { failureOf, mixedBytes, readExactly } from "./transport-helpers.ts";

const HOLD_PORT = `
import fcntl, os, sys, time
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
print("held")
time.sleep(30)
`;

const PYSERIAL_PROGRAM = `
import sys, serial
port = serial.Serial(sys.argv[1], 74880, timeout=5, exclusive=True)
sent = bytes((i * 7) & 255 for i in range(20000))
port.write(sent)
print("same", port.read(len(sent)) == sent)
port.baudrate = 921600
port.write(b"x")
print(port.read(1))
port.close()
`;

test("all byte values pass a pty both ways, and the board hears of every change of rate", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, "pty", { speed: "real" });
  await using port = await openSerial(server.address, { baudRate: 115_200 });
  expect(port.hasModemLines).toBe(false);
  expect(port.usb).toBeUndefined();
  const sent = mixedBytes(200_000);
  const reading = readExactly(port, sent.length);
  await port.write(sent);
  expect(Buffer.compare(await reading, sent)).toBe(0);
  await port.setSignals({ dtr: true, rts: false });
  for (const baud of [921_600, 74_880, 1_500_000]) {
    await port.setBaudRate(baud);
    await port.write(Uint8Array.of(1));
    await readExactly(port, 1);
  }
  expect(board.log).toEqual(["baud 115200", "baud 921600", "baud 74880", "baud 1500000"]);
});

test("setting the rate that holds already loses nothing", async () => {
  await using server = await serve(new EchoBoard(), "pty", { speed: "max" });
  await using port = await openSerial(server.address, { baudRate: 115_200 });
  for (let index = 0; index < 50; index++) {
    await port.write(Uint8Array.of(index));
    for (let times = 0; times < 5; times++) await port.setBaudRate(115_200);
    expect(Array.from(await readExactly(port, 1))).toEqual([index]);
  }
});

test("the pty stays usable for one client after another", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, "pty", { speed: "max" });
  for (let client = 1; client <= 4; client++) {
    await using port = await openPort(server.address, { baudRate: 115_200 });
    await port.write(Uint8Array.of(client));
    expect(Array.from(await readExactly(port, 1))).toEqual([client]);
  }
});

test("pySerial opens the pty, moves bytes and sets rates", async () => {
  const board = new EchoBoard();
  await using server = await serve(board, "pty", { speed: "real" });
  await using client = runPython(PYSERIAL_PROGRAM, server.address);
  expect(await client.output()).toBe("same True\nb'x'\n");
  expect(board.log.slice(-2)).toEqual(["baud 74880", "baud 921600"]);
});

test("what a board says while nobody listens is not there for the next client", async () => {
  const board = new EchoBoard(300);
  await using server = await serve(board, "pty", { speed: "real" });
  {
    await using port = await openSerial(server.address, { baudRate: 115_200 });
    await port.write(Uint8Array.of(1));
    expect(await port.read(50)).toHaveLength(0);
  }
  await new Promise((resolve) => setTimeout(resolve, 400));
  await using port = await openSerial(server.address, { baudRate: 115_200 });
  expect(await port.read(200)).toHaveLength(0);
});

test("a port that another program has open is busy, and the program is named", async () => {
  await using server = await serve(new EchoBoard(), "pty", { speed: "real" });
  await using holder = runPython(HOLD_PORT, server.address);
  expect(await holder.line()).toBe("held");
  expect(await failureOf(openSerial(server.address, { baudRate: 115_200 }))).toMatch(
    /^port-busy: \/dev\/pts\/\d+ is open in .*python3 .* \(process \d+\)$/,
  );
});

test("the same port opened twice here is busy too", async () => {
  await using server = await serve(new EchoBoard(), "pty", { speed: "real" });
  await using port = await openSerial(server.address, { baudRate: 115_200 });
  expect(await failureOf(openSerial(server.address, { baudRate: 115_200 }))).toMatch(/^port-busy: /);
  await port.write(Uint8Array.of(1));
  expect(Array.from(await readExactly(port, 1))).toEqual([1]);
});

test("a port that is pulled out wakes a waiting read, and everything after it says disconnected", async () => {
  const server = await serve(new EchoBoard(), "pty", { speed: "real" });
  await using port = await openSerial(server.address, { baudRate: 115_200 });
  const startMs = performance.now();
  const reading = failureOf(port.read(60_000));
  await server.close();
  expect(await reading).toMatch(/^disconnected: \/dev\/pts\/\d+ is gone/);
  expect(performance.now() - startMs).toBeLessThan(3_000);
  for (const work of [
    () => port.write(Uint8Array.of(1)),
    () => port.setBaudRate(9_600),
    () => port.flushInput(),
    () => port.setSignals({ dtr: true, rts: true }),
    () => port.read(1_000),
  ]) {
    expect(await failureOf(work())).toMatch(/^disconnected/);
  }
});

test("a board whose cable is pulled in the middle of an answer ends the client's wait", async () => {
  const board = new EchoBoard();
  board.unplugAfter(500);
  await using server = await serve(board, "pty", { speed: "real" });
  await using port = await openSerial(server.address, { baudRate: 115_200 });
  await port.write(mixedBytes(1_000));
  expect(await failureOf(readExactly(port, 1_000))).toMatch(/^disconnected/);
  expect((await server.ended)?.code).toBe("disconnected");
});

test("a missing port and a file that is no port are told apart", async () => {
  expect(await failureOf(openSerial("/dev/ttyNONE7", { baudRate: 115_200 }))).toBe(
    "board-not-found: there is no port /dev/ttyNONE7",
  );
  expect(await failureOf(openSerial("/dev/null", { baudRate: 115_200 }))).toMatch(
    /^board-not-found: \/dev\/null is no serial port/,
  );
});

test("closing wakes a waiting read and leaves no process behind", async () => {
  const server = await serve(new EchoBoard(), "pty", { speed: "real" });
  const port = await openSerial(server.address, { baudRate: 115_200 });
  const reading = failureOf(port.read(60_000));
  await port[Symbol.asyncDispose]();
  expect(await reading).toBe(`disconnected: ${server.address} is closed`);
  await server.close();
  const list = spawn("ls", [server.address], { stdio: "ignore" });
  expect(await new Promise((resolve) => list.once("exit", resolve))).not.toBe(0);
});
