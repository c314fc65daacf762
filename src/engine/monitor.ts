/**
 * Listens to the program on a board: decodes its text, writes lines, comes back when the device comes back. It gives its port
 * away for a flash and takes it again afterwards, with everything that arrived meanwhile. Timestamps are the front end's business.
 */
import { open as openFile, type FileHandle } from "node:fs/promises";
import type { Clock } from "../core/clock.ts";
import { asFlashError, FlashError } from "../core/errors.ts";
import type { SerialTransport } from "../transport/transport.ts";
import type { MonitorState } from "./views.ts";
import { closeQuietly } from "./lent-transport.ts";

export interface MonitorOptions {
  /** As the user named it, for messages. */
  readonly port: string;
  /** Bits per second. */
  readonly baud: number;
  /** Everything that is shown is appended to this file. */
  readonly logFile?: string | undefined;
  /** Real time. */
  readonly clock: Clock;
  open(): Promise<SerialTransport>;
  onText(text: string): void;
  onState(state: MonitorState, detail?: string): void;
}

/** How long a flash waits for the port at most. */
const readMs = 20;
/** Simulated boards answer without waiting; nobody reads faster than this. */
const quietPauseMs = 15;
const firstRetryMs = 100;
const longestRetryMs = 1_000;
/** The longest line that is sent at once. */
const longestWriteBytes = 64 * 1024;

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #closing = new AbortController();
  #transport: SerialTransport | undefined;
  #decoder = new TextDecoder();
  readonly #heard: Uint8Array[] = [];
  #log: FileHandle | undefined;
  /** The reading that goes on now; undefined while paused. */
  #reading: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #state: MonitorState = "closed";

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  get baud(): number {
    return this.#options.baud;
  }

  /** @throws FlashError `refused` when the log file cannot be written */
  async openLog(): Promise<void> {
    const { logFile } = this.#options;
    if (logFile === undefined) return;
    try {
      this.#log = await openFile(logFile, "a");
    } catch (cause) {
      throw new FlashError("refused", `the log file ${logFile} cannot be written: ${String(cause)}`, {
        cause,
        remedy: "Choose another log file.",
      });
    }
  }

  /** Starts in `paused`; to be called once, where the port is in use for the moment. */
  startPaused(): void {
    this.#say("paused");
  }

  /** Goes on reading, from this open port or from one that it opens; then the port is the monitor's to close. */
  resume(transport: SerialTransport | undefined): void {
    if (this.#closing.signal.aborted || this.#reading !== undefined) {
      void closeQuietly(transport);
      return;
    }
    this.#transport = transport;
    const stop = new AbortController();
    this.#reading = { stop, ended: this.#read(stop.signal) };
  }

  /** Stops reading. @returns the open port, which is the caller's now; undefined when there is none at the moment */
  async pause(): Promise<SerialTransport | undefined> {
    const reading = this.#reading;
    if (reading === undefined) return undefined;
    this.#reading = undefined;
    reading.stop.abort();
    await reading.ended;
    const transport = this.#transport;
    this.#transport = undefined;
    this.#show(this.#decoder.decode());
    if (!this.#closing.signal.aborted) this.#say("paused");
    return transport;
  }

  /** To be called before the reset that the program starts with: what comes from now on is the program's. */
  async listenFromHere(transport: SerialTransport): Promise<void> {
    await transport.flushInput();
    await transport.setBaudRate(this.#options.baud);
  }

  /** What the program said to somebody else who had the port; it goes before what is read from now on. */
  hear(bytes: Uint8Array): void {
    this.#heard.push(bytes);
  }

  /** @throws FlashError `port-busy` while paused, `disconnected` while the device is away, `does-not-fit` for more than 64 KiB */
  async write(text: string): Promise<void> {
    const { port } = this.#options;
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > longestWriteBytes) {
      throw new FlashError("does-not-fit", `${bytes.length} bytes are too many for one line to ${port}`, {
        remedy: "Send it in smaller pieces.",
      });
    }
    if (this.#state === "paused") {
      throw new FlashError("port-busy", `${port} is being flashed; the line was not sent`, {
        remedy: "Send the line again when the flash is over.",
      });
    }
    if (this.#transport === undefined) throw new FlashError("disconnected", `${port} is away; the line was not sent`);
    await this.#transport.write(bytes);
  }

  /** Ends for good and closes the port if it has it. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    const transport = await this.pause();
    await closeQuietly(transport);
    await this.#log?.close().catch(() => undefined);
    this.#log = undefined;
    this.#say("closed");
  }

  /** Until told to stop; never throws. */
  async #read(stop: AbortSignal): Promise<void> {
    let retryMs = firstRetryMs;
    const { clock } = this.#options;
    const stopped = () => stop.aborted;
    while (!stopped()) {
      try {
        await this.#openIfNeeded(stop);
        this.#say("open");
        retryMs = firstRetryMs;
        await this.#readOpen(stop);
      } catch (thrown) {
        const error = asFlashError(thrown);
        await this.#lose();
        if (stopped()) return;
        this.#say("reconnecting", error.message);
        await clock.sleep(retryMs, stop).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      }
    }
  }

  async #openIfNeeded(stop: AbortSignal): Promise<void> {
    const opened = this.#transport ?? (await this.#options.open());
    this.#transport = opened;
    if (stop.aborted) return;
    await opened.setBaudRate(this.#options.baud);
  }

  async #readOpen(stop: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const transport = this.#transport;
    for (const bytes of this.#heard.splice(0)) await this.#take(bytes);
    while (!stop.aborted && transport !== undefined) {
      const startMs = clock.nowMs();
      const bytes = await transport.read(readMs);
      if (bytes.length > 0) await this.#take(bytes);
      const pauseMs = bytes.length > 0 ? 0 : quietPauseMs - (clock.nowMs() - startMs);
      if (pauseMs > 0) await clock.sleep(pauseMs, stop).catch(() => undefined);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const text = this.#decoder.decode(bytes, { stream: true });
    this.#show(text);
    if (this.#log === undefined || text === "") return;
    try {
      await this.#log.appendFile(text);
    } catch (error) {
      await this.#log.close().catch(() => undefined);
      this.#log = undefined;
      this.#options.onState(this.#state, `the log file cannot be written any more: ${String(error)}`);
    }
  }

  #show(text: string): void {
    if (text !== "") this.#options.onText(text);
  }

  /** What is left of a broken character is shown as such; the next device begins anew. */
  async #lose(): Promise<void> {
    const transport = this.#transport;
    this.#transport = undefined;
    this.#show(this.#decoder.decode());
    this.#decoder = new TextDecoder();
    await closeQuietly(transport);
  }

  #say(state: MonitorState, detail?: string): void {
    if (state === this.#state && detail === undefined) return;
    if (state === this.#state && state === "reconnecting") return;
    this.#state = state;
    this.#options.onState(state, detail);
  }
}
