/**
 * Runs a loader in the target's RAM: starts it, notices its end, stops one that does not come back. Each server has its way. Of
 * the loader it knows the entry, the end and the word that says whether it still works; not what it does.
 */
import { hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { Address } from "../../core/image.ts";
import { checkOk } from "./ask.ts";
import type { GdbClient } from "./client.ts";
import { doesNotHalt, haltingCommand, haltMs, interruptCore } from "./halt.ts";
import { writeAsks, type Block } from "./memory.ts";
import { pollPauseMs } from "./poll.ts";
import { writeRegisterAsk, type RegisterName } from "./registers.ts";

/** Where a loader and what it works with lie. See stubs/cortex-m/README.md. */
export interface LoaderEntry {
  /** First instruction, an even address. */
  readonly code: Address;
  /** The `bkpt` that ends it. */
  readonly end: Address;
  /** Goes to r0. Sixteen words; the second is the status, which whoever starts the loader has set to `stillRunning`. */
  readonly mailbox: Address;
  /** Goes to sp; the stack grows down from it. */
  readonly stackTop: Address;
}

const mailboxWords = 16;
/** Value of the status word while the loader works. */
export const stillRunning = 0xffffffff;
const statusWord = 1;

/** Thumb state and nothing else: after a reset with an empty vector table T is 0, and the first instruction faults. */
const freshStatus = 0x01000000;
/** Every so many looks, whether the core still runs. */
const looksPerHaltCheck = 8;
/** Debug Halting Control and Status Register. Source: ARMv6-M Architecture Reference Manual, C1.6.3. */
const DHCSR = 0xe000edf0;
const S_HALT = 1 << 17;
const S_LOCKUP = 1 << 19;

/** One loader run at a time, on a halted core. */
export class LoaderRunner {
  readonly #client: GdbClient;
  #breakpoint: Address | undefined;

  constructor(client: GdbClient) {
    this.#client = client;
  }

  /** Memory may be read and written between `start` and `finish`. */
  get memoryWhileRunning(): boolean {
    return this.#client.traits.memoryWhileRunning;
  }

  /**
   * Puts a breakpoint where the loader ends, for those who wait for a stop reply: QEMU goes down on a bare `bkpt`. Its own `bkpt` there does
   * for servers that will not, and where the mailbox is looked at. Once per install.
   */
  async prepare(end: Address): Promise<void> {
    if (this.#client.traits.run.kind !== "continue" || this.#breakpoint === end) return;
    if (this.#breakpoint !== undefined) await this.#client.clearBreakpoint(this.#breakpoint);
    this.#breakpoint = (await this.#client.setBreakpoint(end)) ? end : undefined;
  }

  /** For the end of a session: nothing of ours stays in the server. */
  async release(): Promise<void> {
    if (this.#breakpoint !== undefined) await this.#client.clearBreakpoint(this.#breakpoint);
    this.#breakpoint = undefined;
  }

  /**
   * Writes `first` (the mailbox among it), sets the registers and lets the core run; where the server allows, without waiting for
   * single answers.
   * @throws ServerRefusal, FlashError `refused`; the core may run then: `stop` it
   */
  async start(entry: LoaderEntry, first: readonly Block[] = []): Promise<void> {
    const { wire, memory, traits } = this.#client;
    const { run } = traits;
    switch (run.kind) {
      case "continue": {
        const asks = [...writeAsks(first, memory), ...this.#registerAsks(entry)];
        await wire.pipeline(asks, (reply, asked) => checkOk(wire, asked, reply), run.packet);
        return;
      }
      case "monitor-continue": {
        const asks = [...writeAsks(first, memory), ...this.#registerAsks(entry)];
        await wire.pipeline(asks, (reply, asked) => checkOk(wire, asked, reply));
        await this.#client.monitor("continue");
        return;
      }
      case "resume-script": {
        await this.#client.write(first);
        const { mailbox, stackTop, code } = entry;
        await haltingCommand(
          this.#client,
          `reg r0 ${hex(mailbox)}; reg sp ${hex(stackTop)}; reg xPSR ${hex(freshStatus)}; resume ${hex(code)}`,
        );
      }
    }
  }

  /**
   * Waits for the end. The core is halted then.
   * @param words how many to read from the mailbox on: what stands behind it may be wanted too
   * @returns the mailbox, read in one go when the loader was done
   * @throws FlashError `timeout` when it does not come back in time, `protocol` when it stopped elsewhere; both tell the registers
   */
  async finish(entry: LoaderEntry, timeoutMs: number, words = mailboxWords): Promise<Uint32Array> {
    const { run } = this.#client.traits;
    switch (run.kind) {
      case "continue":
        return this.#untilStopReply(entry, timeoutMs, words);
      case "resume-script":
      case "monitor-continue":
        return this.#untilMailbox(entry, timeoutMs, words);
    }
  }

  /** Stops a loader that did not get on for so long. @returns what to throw */
  giveUp(entry: LoaderEntry, waitedMs: number): Promise<FlashError> {
    return this.#lost(entry, waitedMs);
  }

  /** Halts the core, wherever it is. @throws FlashError `timeout` when it does not halt */
  async stop(): Promise<void> {
    switch (this.#client.traits.run.kind) {
      case "continue":
        await interruptCore(this.#client);
        return;
      case "resume-script":
        await haltingCommand(this.#client, `halt ${haltMs}`);
        return;
      case "monitor-continue":
        await haltingCommand(this.#client, "halt");
        await this.#untilHalted();
    }
  }

  #registerAsks({ mailbox, stackTop, code }: LoaderEntry) {
    const values: readonly (readonly [RegisterName, number])[] = [
      ["r0", mailbox],
      ["sp", stackTop],
      ["pc", code - (code % 2)],
      ["xpsr", freshStatus],
    ];
    return values.map(([name, value]) => writeRegisterAsk(this.#client.registers, name, value));
  }

  async #untilStopReply(entry: LoaderEntry, timeoutMs: number, words: number): Promise<Uint32Array> {
    const stop = await this.#client.wire.waitStop(timeoutMs);
    if (stop === undefined) throw await this.#lost(entry, timeoutMs);
    const mailbox = await this.#client.readWords(entry.mailbox, words);
    if (mailbox[statusWord] === stillRunning) throw await this.#strayed(stop);
    return mailbox;
  }

  async #untilMailbox(entry: LoaderEntry, timeoutMs: number, words: number): Promise<Uint32Array> {
    const { clock, signal } = this.#client.wire.context;
    const fromMs = clock.nowMs();
    for (let looks = 0; ; looks++) {
      // Whole at each look: a longer answer costs less than another question, and the status is the last word that the loader writes.
      const mailbox = await this.#client.readWords(entry.mailbox, words);
      if (mailbox[statusWord] !== stillRunning) {
        await this.#untilHalted();
        return mailbox;
      }
      if (looks % looksPerHaltCheck === looksPerHaltCheck - 1) {
        await this.#checkAlive(entry);
      }
      const waitedMs = clock.nowMs() - fromMs;
      if (waitedMs >= timeoutMs) throw await this.#lost(entry, timeoutMs);
      await clock.sleep(pollPauseMs(waitedMs), signal);
    }
  }

  async #checkAlive(entry: LoaderEntry): Promise<void> {
    const state = await this.#debugState();
    if ((state & (S_HALT | S_LOCKUP)) === 0 || (await this.#status(entry)) !== stillRunning) return;
    const isLockedUp = (state & S_LOCKUP) !== 0;
    await this.stop();
    throw await this.#strayed(isLockedUp ? "locked up by a fault within a fault" : "halted");
  }

  async #status(entry: LoaderEntry): Promise<number> {
    const [status = stillRunning] = await this.#client.readWords(entry.mailbox + 4 * statusWord, 1);
    return status;
  }

  async #untilHalted(): Promise<void> {
    if (this.#client.traits.run.kind === "resume-script") {
      await haltingCommand(this.#client, `wait_halt ${haltMs}`);
      return;
    }
    const { clock, signal } = this.#client.wire.context;
    const fromMs = clock.nowMs();
    while (((await this.#debugState()) & S_HALT) === 0) {
      const waitedMs = clock.nowMs() - fromMs;
      if (waitedMs >= haltMs) throw doesNotHalt(this.#client);
      await clock.sleep(pollPauseMs(waitedMs), signal);
    }
  }

  async #debugState(): Promise<number> {
    const [state = 0] = await this.#client.readWords(DHCSR, 1);
    return state;
  }

  async #lost(entry: LoaderEntry, timeoutMs: number): Promise<FlashError> {
    await this.stop();
    const where = await describeCore(this.#client);
    const status = await this.#status(entry);
    return new FlashError(
      "timeout",
      `the loader in RAM did not come back within ${Math.round(timeoutMs)} ms; it was stopped at ${where}, status ${hex(status)}`,
      { remedy: "Power the board off and on and flash again; a watchdog or a supply that is too weak can cause this." },
    );
  }

  async #strayed(why: string): Promise<FlashError> {
    const where = await describeCore(this.#client);
    return new FlashError("protocol", `the loader in RAM ended before its work was done (${why}) at ${where}`, {
      remedy: "Check that chip and RAM size are the right ones, power the board off and on, then flash again.",
    });
  }
}

const told = ["pc", "sp", "lr", "xpsr", "r0"] as const;

/** `pc 0x20000012, sp …`, for messages; of a halted core. Never fails for want of an answer. */
export async function describeCore(client: GdbClient): Promise<string> {
  try {
    const values = await client.readRegisters(told);
    const words = [...values].map(([name, value]) => `${name === "xpsr" ? "xPSR" : name} ${hex(value, 8)}`);
    return words.length === 0 ? "an unknown place" : words.join(", ");
  } catch (error) {
    if (error instanceof FlashError && error.code === "protocol") return "an unknown place";
    throw error;
  }
}
