import { expect, test } from "vitest";
import { concat } from "../../src/core/bytes.ts";
import { FlashError } from "../../src/core/errors.ts";
import type { SimBoard } from "../../src/sim/board.ts";
import { makeSimBoard } from "../../src/sim/boards.ts";
import { serve } from "../../src/sim/serve.ts";
import { openPort } from "../../src/transport/open.ts";
import type { SerialTransport } from "../../src/transport/transport.ts";
import { EchoBoard } from "./echo-board.ts";
import { failureOf } from "./transport-helpers.ts";

/** SYNC of the ROM loader in its SLIP frame; the first bytes of its answer are c0 01 08. */
const SYNC = concat([
  Uint8Array.of(0xc0, 0x00, 0x08, 0x24, 0x00, 0, 0, 0, 0, 0x07, 0x07, 0x12, 0x20),
  new Uint8Array(32).fill(0x55),
  Uint8Array.of(0xc0),
]);

/** How many answers to one SYNC come. */
async function countSyncAnswers(port: SerialTransport): Promise<number> {
  await port.flushInput();
  await port.write(SYNC);
  const parts: Uint8Array[] = [];
  for (let bytes = await port.read(500); bytes.length > 0; bytes = await port.read(200)) parts.push(bytes);
  return Buffer.from(concat(parts)).toString("hex").split("c00108").length - 1;
}

for (const listen of ["tcp://127.0.0.1:0", "rfc2217://127.0.0.1:0", "pty"]) {
  for (const speed of ["real", "10x", "max"] as const) {
    test(`a simulated ESP32-C3 in its loader answers SYNC over ${listen} at speed ${speed}`, async () => {
      const board = makeSimBoard({ board: "esp32c3", startInLoader: true });
      await using server = await serve(board, listen, { speed });
      await using port = await openPort(server.address, { baudRate: 115_200 });
      // Over raw TCP the board was just put into its loader, so one may have to knock more than once, as every loader host does.
      let answers = 0;
      for (let knocks = 0; knocks < 5 && answers === 0; knocks++) answers = await countSyncAnswers(port);
      expect(answers).toBe(8);
    });
  }
}

test("DTR and RTS over RFC 2217 bring a running board into its loader, and out again", async () => {
  const board = makeSimBoard({ board: "esp32c3", factory: true });
  await using server = await serve(board, "rfc2217://127.0.0.1:0", { speed: "real" });
  await using port = await openPort(server.address, { baudRate: 115_200 });
  const wait = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
  await port.setSignals({ dtr: false, rts: true });
  await wait(20);
  await port.setSignals({ dtr: true, rts: false });
  await wait(100);
  expect(await countSyncAnswers(port)).toBe(8);
  await port.setSignals({ dtr: false, rts: true });
  await wait(20);
  await port.setSignals({ dtr: false, rts: false });
  await wait(300);
  expect(await countSyncAnswers(port)).toBe(0);
});

test("a board that talks forever does not run away at speed max", async () => {
  let said = 0;
  const chatty: SimBoard = {
    ...quiet,
    nextEventMs: () => (said + 1) * 1_000,
    advance: (toMs) => {
      const due = Math.floor(toMs / 1_000) - said;
      said += due;
      return new Uint8Array(due * 1_000);
    },
  };
  await using server = await serve(chatty, "tcp://127.0.0.1:0", { speed: "max" });
  await using port = await openPort(server.address, { baudRate: 115_200 });
  let heard = 0;
  for (let bytes = await port.read(500); bytes.length > 0; bytes = await port.read(500)) heard += bytes.length;
  expect(heard).toBeGreaterThan(200_000);
  expect(heard).toBeLessThan(310_000);
});

test("words that are no address are refused, with what can be said", async () => {
  const refusals = await Promise.all(
    ["usb", "tcp://nowhere", "gdb://127.0.0.1:0"].map((words) =>
      failureOf(serve(new EchoBoard(), words, { speed: "real" })),
    ),
  );
  expect(refusals).toMatchInlineSnapshot(`
    [
      "board-not-found: a simulated board cannot listen on "usb"",
      "board-not-found: tcp://nowhere is not an address of the form scheme://host:port",
      "board-not-found: a simulated board cannot listen on "gdb://127.0.0.1:0"",
    ]
  `);
});

test("python3 missing is said in one sentence", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    await serve(new EchoBoard(), "pty", { speed: "real" });
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof FlashError)) throw error;
    expect(error.message).toBe("a pty needs python3, which is not installed");
    expect(error.remedy).toBe("Install python3 (`apt install python3`), or use --listen tcp://127.0.0.1:0.");
  } finally {
    process.env["PATH"] = path;
  }
});

const quiet: SimBoard = {
  receive: () => undefined,
  setSignals: () => undefined,
  setBaudRate: () => undefined,
  nextEventMs: () => undefined,
  advance: () => new Uint8Array(),
  counters: () => ({
    bytesIn: 0,
    bytesOut: 0,
    erases: {},
    pagesProgrammed: 0,
    flashBusyMs: 0,
    commands: {},
    resets: 0,
  }),
};
