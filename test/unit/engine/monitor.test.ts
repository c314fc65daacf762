import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import { Monitor, type MonitorOptions } from "../../../src/engine/monitor.ts";
import { Inbox } from "../../../src/transport/inbox.ts";
import type { SerialTransport } from "../../../src/transport/transport.ts";
import { ManualClock, until } from "./manual-clock.ts";

/** A port whose other end is the test. */
class Line implements SerialTransport {
  readonly name = "line";
  readonly hasModemLines = true;
  readonly inbox = new Inbox();
  readonly counters = this.inbox.counters;
  readonly written: string[] = [];
  readonly bauds: number[] = [];
  closed = false;

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(bytes).toString());
    return Promise.resolve();
  }
  read(timeoutMs: number): Promise<Uint8Array> {
    return this.inbox.read(timeoutMs);
  }
  flushInput(): Promise<void> {
    this.inbox.clear();
    return Promise.resolve();
  }
  setSignals(): Promise<void> {
    return Promise.resolve();
  }
  setBaudRate(baud: number): Promise<void> {
    this.bauds.push(baud);
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

function rig(options: Partial<MonitorOptions> = {}) {
  const lines: Line[] = [];
  const states: string[] = [];
  const heard = { text: "", away: false };
  const clock = new ManualClock();
  const monitor = new Monitor({
    ...{ port: "line", baud: 74_880, clock },
    open: () => {
      if (heard.away) return Promise.reject(new FlashError("board-not-found", "there is no line"));
      lines.push(new Line());
      return Promise.resolve(lines.at(-1) as Line);
    },
    onText: (text) => (heard.text += text),
    onState: (state, detail) => states.push(detail === undefined ? state : `${state}: ${detail}`),
    ...options,
  });
  onTestFinished(() => monitor.close());
  return { monitor, lines, states, heard, clock };
}

const euro = Buffer.from("€ 5\r\n");

test("text is decoded across chunks, wherever they are cut", async () => {
  const { monitor, lines, heard } = rig();
  monitor.resume(undefined);
  await until(() => lines.length === 1);
  for (const byte of euro) {
    const { text } = heard;
    lines[0]?.inbox.push(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect(text).not.toContain("\ufffd");
  }
  await until(() => heard.text === "€ 5\r\n");
  expect(lines[0]?.bauds).toEqual([74_880]);
});

test("a device that goes away is waited for, and a broken character does not reach into its next life", async () => {
  const { monitor, lines, heard, states, clock } = rig();
  monitor.resume(undefined);
  await until(() => lines.length === 1);
  lines[0]?.inbox.push(euro.subarray(0, 2));
  heard.away = true;
  await until(() => lines[0]?.counters.receivedBytes === 2);
  lines[0]?.inbox.finish(new FlashError("disconnected", "unplugged"));
  await until(() => states.length === 2);
  await clock.pass(5_000);
  heard.away = false;
  await clock.pass(2_000);
  await until(() => lines.length === 2);
  lines[1]?.inbox.push(euro);
  await until(() => heard.text === "\ufffd€ 5\r\n");
  expect(states).toEqual(["open", "reconnecting: unplugged", "open"]);
  expect(lines[0]?.closed).toBe(true);
});

test("while paused it neither reads nor writes; then it goes on with what has arrived", async () => {
  const { monitor, lines, heard, states } = rig();
  monitor.resume(undefined);
  await until(() => lines.length === 1);
  const line = await monitor.pause();
  expect(line).toBe(lines[0]);
  lines[0]?.inbox.push(Buffer.from("garbage of the loader"));
  await expect(monitor.write("x")).rejects.toMatchObject({ code: "port-busy" });
  await monitor.listenFromHere(lines[0] as Line);
  lines[0]?.inbox.push(Buffer.from("boot"));
  expect(heard.text).toBe("");
  monitor.resume(line);
  await until(() => heard.text === "boot");
  await monitor.write("help\n");
  expect(lines[0]?.written).toEqual(["help\n"]);
  expect(states).toEqual(["open", "paused", "open"]);
  expect(lines[0]?.closed).toBe(false);
});

test("lines that are too long, and lines to a device that is away, are refused", async () => {
  const { monitor, heard, states } = rig();
  heard.away = true;
  monitor.resume(undefined);
  await until(() => states.length === 1);
  await expect(monitor.write("x")).rejects.toMatchObject({ code: "disconnected" });
  await expect(monitor.write("x".repeat(65_537))).rejects.toMatchObject({ code: "does-not-fit" });
});

test("what is shown is appended to the log file; one that cannot be written is said at once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-monitor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = join(folder, "log.txt");
  for (const round of ["first ", "second"]) {
    const { monitor, lines, heard } = rig({ logFile });
    await monitor.openLog();
    monitor.resume(undefined);
    await until(() => lines.length === 1);
    lines[0]?.inbox.push(Buffer.from(round));
    await until(() => heard.text === round);
    await monitor.close();
  }
  expect(readFileSync(logFile, "utf8")).toBe("first second");
  const { monitor } = rig({ logFile: join(folder, "no", "log.txt") });
  await expect(monitor.openLog()).rejects.toMatchObject({ code: "refused" });
});

test("a port that comes back after the monitor was closed is closed too", async () => {
  const { monitor, states } = rig();
  await monitor.close();
  const line = new Line();
  monitor.resume(line);
  await until(() => line.closed);
  expect(states).toEqual([]);
});
