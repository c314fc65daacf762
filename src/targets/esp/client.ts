/** One request, one answer, with a deadline: what the loaders of ROM and stub have in common. Knows no chip and no reset line. */
import { hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { Transport } from "../../transport/transport.ts";
import type { Context } from "../target.ts";
import {
  dataChecksum,
  decodeResponse,
  encodeBlock,
  encodeRequest,
  READ_REG,
  statusText,
  SYNC,
  syncPayload,
  word,
  writeReg,
  WRITE_REG,
  type Command,
  type Response,
} from "./commands.ts";
import { encodeSlip, SlipDecoder } from "./slip.ts";

/** Who answers: the chip's mask ROM or a stub in its RAM. They differ in the length of the status and in what they know. */
export type Personality = "rom" | "stub";

/** Longest wait without a look at the cancel signal. */
const longestWaitMs = 100;

/** Two SYNCs' worth of answers; a copy takes 1.2 ms at 115200. */
const mostSyncCopies = 16;
const quietMs = 10;

export interface RequestOptions {
  /** For the data commands: the checksum over the block's data. */
  readonly checksum?: number;
  /** Bytes of flash that the command erases, writes or hashes; they lengthen the deadline. */
  readonly flashBytes?: number;
  readonly timeoutMs?: number;
  /** Bytes of data in front of the answer's status; 0 for most commands. */
  readonly dataBytes?: number;
}

/** The loader said no. `status` holds its two bytes. */
export class LoaderRefusal extends FlashError {
  readonly status: readonly [number, number];
  constructor(what: string, status: readonly [number, number]) {
    super("protocol", `${what}: ${statusText(...status)} (status ${hex(status[0], 2)} ${hex(status[1], 2)})`);
    this.status = status;
  }
}

export class LoaderClient {
  readonly transport: Transport;
  readonly context: Context;
  personality: Personality = "rom";
  /** Bytes of data in one block at most, where the link sets a limit. */
  longestBlockBytes = Infinity;
  readonly #decoder = new SlipDecoder();
  readonly #frames: Uint8Array[] = [];
  #heard = "";

  constructor(transport: Transport, context: Context) {
    this.transport = transport;
    this.context = context;
  }

  /** What the board said outside of frames since the last reset: boot text, for messages. */
  get heard(): string {
    this.#heard = (this.#heard + this.#decoder.takeText()).slice(-2000);
    return this.#heard;
  }

  /** Forgets everything that has arrived. */
  async flush(): Promise<void> {
    await this.transport.flushInput();
    this.#frames.length = 0;
    this.#decoder.reset();
  }

  forgetHeard(): void {
    this.#decoder.takeText();
    this.#heard = "";
  }

  /**
   * Sends a request and waits for its answer; answers to other requests are skipped.
   * @throws FlashError `timeout` without an answer, LoaderRefusal when the loader reports an error, `cancelled`
   */
  async request(command: Command, data: Uint8Array, options: RequestOptions = {}): Promise<Response> {
    await this.send(command, data, options.checksum);
    const megabytes = (options.flashBytes ?? 0) / 0x100000;
    return this.answer(command, options.timeoutMs ?? command.ms + megabytes * command.msPerMegabyte, options.dataBytes);
  }

  async send(command: Command, data: Uint8Array, checksum = 0): Promise<void> {
    this.#checkCancelled();
    await this.transport.write(encodeSlip(encodeRequest(command, data, checksum)));
  }

  async answer(command: Command, timeoutMs: number, dataBytes = 0): Promise<Response> {
    const { clock } = this.context;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const frame = await this.nextFrame(deadlineMs - clock.nowMs());
      if (frame === undefined) {
        throw new FlashError(
          "timeout",
          `no answer to ${command.name} from the ${this.personality === "rom" ? "ROM loader" : "stub"} on ${this.transport.name} within ${Math.round(timeoutMs)} ms`,
        );
      }
      const response = decodeResponse(frame);
      if (response?.op === command.op) return checked(command, response, dataBytes);
    }
  }

  /** The next frame, or undefined when `timeoutMs` is over. @throws FlashError `cancelled`, `disconnected` */
  async nextFrame(timeoutMs: number): Promise<Uint8Array | undefined> {
    const { clock } = this.context;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      this.#checkCancelled();
      const leftMs = deadlineMs - clock.nowMs();
      if (leftMs <= 0) return undefined;
      this.#frames.push(...this.#decoder.push(await this.transport.read(Math.min(leftMs, longestWaitMs))));
    }
  }

  /** One data block of MEM_DATA, FLASH_DATA or FLASH_DEFL_DATA. */
  async block(command: Command, data: Uint8Array, sequence: number, options: RequestOptions = {}): Promise<void> {
    await this.request(command, encodeBlock(data, sequence), { ...options, checksum: dataChecksum(data) });
  }

  async readRegister(address: number, timeoutMs = READ_REG.ms): Promise<number> {
    return (await this.request(READ_REG, word.write({ value: address }), { timeoutMs })).value;
  }

  /** Several registers in one request. */
  async writeRegisters(writes: readonly (readonly [address: number, value: number])[]): Promise<void> {
    const one = writeReg.size;
    const data = new Uint8Array(writes.length * one);
    writes.forEach(([address, value], index) =>
      data.set(writeReg.write({ address, value: value >>> 0, mask: 0xffffffff, delayUs: 0 }), index * one),
    );
    await this.request(WRITE_REG, data);
  }

  /**
   * One frame mark alone. The stub takes the mark behind a frame that was cut for the beginning of the next one, and from then
   * on hears only what stands between frames; one mark more sets it right. Where nothing was cut it does the harm that it
   * cures elsewhere, so it is for every second attempt.
   */
  async realign(): Promise<void> {
    await this.transport.write(Uint8Array.of(0xc0));
  }

  /**
   * One SYNC; tells who answered, or undefined when nobody did within `timeoutMs`. Later copies of the answer are
   * skipped by later requests, since they carry SYNC's number.
   */
  async sync(timeoutMs: number): Promise<Personality | undefined> {
    await this.send(SYNC, syncPayload);
    const deadlineMs = this.context.clock.nowMs() + timeoutMs;
    for (;;) {
      const frame = await this.nextFrame(deadlineMs - this.context.clock.nowMs());
      if (frame === undefined) return undefined;
      const response = decodeResponse(frame);
      // A stub answers SYNC with value 0; a ROM repeats the first word of the payload.
      if (response?.op !== SYNC.op || response.body[0] !== 0) continue;
      if (response.value !== 0) return "rom";
      await this.#untilQuiet();
      return "stub";
    }
  }

  /** A stub hears nothing while it sends the eight copies of its answer, so what is sent before the last of them is lost. */
  async #untilQuiet(): Promise<void> {
    for (let copies = 0; copies < mostSyncCopies; copies++) if ((await this.nextFrame(quietMs)) === undefined) return;
  }

  #checkCancelled(): void {
    if (this.context.signal.aborted) throw new FlashError("cancelled", "the flash was cancelled");
  }
}

/**
 * The status follows the data: 4 bytes in ROMs from the ESP32 on, 2 in the ESP8266's ROM and in stubs. Only the first says
 * whether it went well; on success the second is left over from an earlier error.
 */
function checked(command: Command, response: Response, dataBytes: number): Response {
  const { body } = response;
  const at = body.length >= dataBytes + 2 ? dataBytes : 0;
  const first = body[at] ?? 1;
  if (first !== 0) throw new LoaderRefusal(command.name, [first, body[at + 1] ?? 5]);
  return { ...response, body: body.subarray(0, at) };
}
