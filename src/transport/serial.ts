/** Serial ports of this machine, by the serialport package's system binding. Knows no board and no protocol. */
import { spawn } from "node:child_process";
import type { SerialPort } from "serialport";
import { FlashError } from "../core/errors.ts";
import { withDeadline, writeLimitMs } from "./deadline.ts";
import { Inbox } from "./inbox.ts";
import { usbIdsOf } from "./ports.ts";
import { openFailure, textOf } from "./serial-errors.ts";
import { SerialLines } from "./serial-lines.ts";
import type { ModemLines, SerialTransport, TransportCounters } from "./transport.ts";
import type { UsbIds } from "./usb-bridges.ts";

type SystemPort = Awaited<ReturnType<(typeof SerialPort.binding)["open"]>>;

const OPEN_LIMIT_MS = 5_000;
const BUSY_PATIENCE_MS = 400;
const BUSY_RETRY_MS = 50;
const SETTING_LIMIT_MS = 3_000;
const CLOSE_LIMIT_MS = 2_000;
const READ_SIZE_BYTES = 64 * 1024;
/** A port that vanished is noticed by its read at once, as a rule; by this watch in any case. */
const WATCH_PERIOD_MS = 500;

/**
 * Raw bytes, 8N1, no flow control. Opening raises both lines on most systems, which no program can prevent; nothing else
 * moves them until `setSignals`. Whoever opens closes.
 * @throws FlashError `board-not-found`, `refused` (no permission), or `port-busy` naming the program that has it open.
 */
export async function openSerial(path: string, options: { readonly baudRate: number }): Promise<SerialTransport> {
  const port = await openWhenFree(path, options.baudRate);
  const fileDescriptor = "fd" in port && process.platform !== "win32" ? (port.fd ?? undefined) : undefined;
  const [lines, usb] = await Promise.all([SerialLines.of(port, fileDescriptor), usbIdsOf(path)]);
  return new SystemSerialTransport({ path, port, baudRate: options.baudRate, lines, usb, fileDescriptor });
}

/**
 * A port that was let go a moment ago, or that the system looks at because it has just appeared, is free again at once, as a rule.
 */
async function openWhenFree(path: string, baudRate: number): Promise<SystemPort> {
  const deadlineMs = performance.now() + BUSY_PATIENCE_MS;
  for (;;) {
    try {
      return await openOnce(path, baudRate);
    } catch (error) {
      const busy = error instanceof FlashError && error.code === "port-busy";
      if (!busy || performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
    }
  }
}

async function openOnce(path: string, baudRate: number): Promise<SystemPort> {
  const { SerialPort: serialPort } = await import("serialport");
  const opening = serialPort.binding.open({ path, baudRate, lock: true, hupcl: false });
  try {
    const late = () => new FlashError("board-not-found", `${path} does not open within ${OPEN_LIMIT_MS / 1000} s`);
    return await withDeadline<SystemPort>(opening, OPEN_LIMIT_MS, late);
  } catch (error) {
    opening.then((port) => port.close()).catch(() => undefined);
    throw error instanceof FlashError ? error : await openFailure(path, error);
  }
}

class SystemSerialTransport implements SerialTransport {
  readonly name: string;
  readonly usb?: UsbIds;
  readonly counters: TransportCounters;
  readonly #port: SystemPort;
  readonly #lines: SerialLines;
  readonly #fileDescriptor: number | undefined;
  readonly #inbox = new Inbox();
  readonly #watch: NodeJS.Timeout | undefined;
  #baudRate: number;
  /** The binding takes one write at a time. */
  #writing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: {
    readonly path: string;
    readonly port: SystemPort;
    readonly baudRate: number;
    readonly lines: SerialLines;
    readonly usb: UsbIds | undefined;
    readonly fileDescriptor: number | undefined;
  }) {
    this.name = parts.path;
    if (parts.usb !== undefined) this.usb = parts.usb;
    this.counters = this.#inbox.counters;
    this.#port = parts.port;
    this.#baudRate = parts.baudRate;
    this.#lines = parts.lines;
    this.#fileDescriptor = parts.fileDescriptor;
    if (process.platform === "linux") this.#watch = setInterval(() => void this.#look(), WATCH_PERIOD_MS).unref();
    void this.#readAll();
  }

  get hasModemLines(): boolean {
    return this.#lines.present;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#inbox.end !== undefined) throw this.#inbox.end;
    const before = this.#writing;
    const sending = before.then(() => this.#port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
    this.#writing = sending.catch(() => undefined);
    const late = () => new FlashError("timeout", `${this.name} takes no more bytes (${bytes.length} waiting)`);
    await this.#orGone(withDeadline(sending, writeLimitMs(bytes.length), late));
    this.#inbox.countSent(bytes.length);
  }

  read(timeoutMs: number): Promise<Uint8Array> {
    return this.#inbox.read(timeoutMs);
  }

  /** The system's own flush would also drop bytes that were written and not sent yet, so it is left for a full buffer. */
  async flushInput(): Promise<void> {
    if (this.#inbox.end !== undefined) throw this.#inbox.end;
    if (this.#inbox.isFull) await this.#orGone(this.#setting(this.#port.drain().then(() => this.#port.flush())));
    await new Promise((resolve) => setImmediate(resolve)); // lets in what the system has ready
    this.#inbox.clear();
  }

  async setSignals(lines: ModemLines): Promise<void> {
    if (this.#inbox.end !== undefined) throw this.#inbox.end;
    await this.#orGone(this.#setting(this.#lines.set(lines)));
  }

  /**
   * What was written before leaves at the old rate. The package throws away what was not sent and what was not read when it
   * sets a rate, even the same one: so the first is waited for, and a rate that holds already is left alone.
   */
  async setBaudRate(baud: number): Promise<void> {
    if (this.#inbox.end !== undefined) throw this.#inbox.end;
    if (baud === this.#baudRate) return;
    const change = this.#writing
      .then(() => this.#port.drain())
      .then(() => this.#port.update({ baudRate: baud }))
      .catch((cause: unknown) => {
        if (!/baud|invalid argument|incorrect/i.test(textOf(cause)) || /input\/output/i.test(textOf(cause)))
          throw cause;
        const remedy = "Choose another --baud, for example 460800.";
        throw new FlashError("refused", `${this.name} cannot do ${baud} bit/s`, { cause, remedy });
      });
    await this.#orGone(this.#setting(change));
    this.#baudRate = baud;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inbox.finish(new FlashError("disconnected", `${this.name} is closed`));
    await this.#close();
  }

  /** Runs until the port is closed or gone. */
  async #readAll(): Promise<void> {
    const buffer = Buffer.alloc(READ_SIZE_BYTES);
    try {
      while (this.#inbox.end === undefined) {
        const { bytesRead } = await this.#port.read(buffer, 0, buffer.length);
        this.#inbox.push(new Uint8Array(buffer.subarray(0, bytesRead)));
        await this.#inbox.room();
      }
    } catch (cause) {
      this.#lost(cause);
    }
  }

  /** A port that was pulled out answers every question with an input/output error, also where its read stays silent. */
  async #look(): Promise<void> {
    try {
      await this.#port.getBaudRate();
    } catch (cause) {
      if (/input\/output error|no such device|bad file descriptor/i.test(textOf(cause))) this.#lost(cause);
    }
  }

  #lost(cause: unknown): void {
    if (this.#inbox.end !== undefined) return;
    this.#inbox.finish(new FlashError("disconnected", `${this.name} is gone (${textOf(cause)})`, { cause }));
    void this.#close();
  }

  #setting(work: Promise<void>): Promise<void> {
    const late = () =>
      new FlashError("timeout", `${this.name} does not take a setting within ${SETTING_LIMIT_MS / 1000} s`);
    return withDeadline(work, SETTING_LIMIT_MS, late);
  }

  /** Errors of the package mean that the port is gone; ours pass. */
  async #orGone(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof FlashError)) this.#lost(error);
      throw this.#inbox.end ?? error;
    }
  }

  #close(): Promise<void> {
    this.#closing ??= this.#closeOnce();
    return this.#closing;
  }

  async #closeOnce(): Promise<void> {
    clearInterval(this.#watch);
    await this.#lines[Symbol.asyncDispose]();
    if (this.hasModemLines && this.#fileDescriptor !== undefined) await keepLinesOnClose(this.#fileDescriptor);
    const late = () => new FlashError("disconnected", `${this.name} does not close`);
    await withDeadline(this.#port.close(), CLOSE_LIMIT_MS, late).catch(() => undefined); // gone is as good as closed
  }
}

/**
 * Switches HUPCL off, so that closing does not move the lines (a reset on some boards). The package can switch it on only.
 * `stty` gets our open file: opening the port once more would raise the lines. Without `stty` the lines fall on close.
 */
async function keepLinesOnClose(fileDescriptor: number): Promise<void> {
  const child = spawn("stty", ["-hupcl"], { stdio: [fileDescriptor, "ignore", "ignore"], timeout: CLOSE_LIMIT_MS });
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
}
