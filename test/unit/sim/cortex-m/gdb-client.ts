/** A bare client of GDB's remote protocol for the tests of the simulated server: one packet, one answer, on a virtual clock. */
import { makeCortexBoard, type CortexBoardOptions } from "../../../../src/sim/cortex-m/cortex-boards.ts";
import type { CortexBoard } from "../../../../src/sim/cortex-m/cortex-board.ts";
import { SimTransport } from "../../../../src/sim/sim-transport.ts";
import { VirtualClock } from "../../../../src/sim/virtual-clock.ts";

export class TestClient {
  readonly clock = new VirtualClock();
  readonly board: CortexBoard;
  readonly transport: SimTransport;
  #heard = "";

  constructor(options: CortexBoardOptions) {
    this.board = makeCortexBoard(options);
    this.transport = new SimTransport(this.board, this.clock, { hasModemLines: false });
  }

  /** Sends a packet and gives the next one that comes; `nothing` when none comes in time. */
  async ask(body: string, waitMs = 20_000): Promise<string> {
    await this.send(body);
    return this.hear(waitMs);
  }

  async send(body: string): Promise<void> {
    const escaped = body.replace(/[#$}*]/g, (one) => `}${String.fromCharCode(one.charCodeAt(0) ^ 0x20)}`);
    let sum = 0;
    for (const one of escaped) sum += one.charCodeAt(0);
    const text = `$${escaped}#${(sum & 0xff).toString(16).padStart(2, "0")}`;
    await this.transport.write(Uint8Array.from(Buffer.from(text, "latin1")));
  }

  /** The next packet; acknowledgements are passed over. */
  async hear(waitMs = 20_000): Promise<string> {
    const deadlineMs = this.clock.nowMs() + waitMs;
    for (;;) {
      const [all, body] = /^[^$]*\$([^#]*)#[0-9a-f]{2}/.exec(this.#heard) ?? [];
      if (all !== undefined && body !== undefined) {
        this.#heard = this.#heard.slice(all.length);
        return body;
      }
      const leftMs = deadlineMs - this.clock.nowMs();
      if (leftMs <= 0) return "nothing";
      this.#heard += Buffer.from(await this.transport.read(leftMs)).toString("latin1");
    }
  }

  /** A monitor command; gives what it printed, and how it ended where that is not OK. */
  async monitor(command: string): Promise<string> {
    let answer = await this.ask(`qRcmd,${Buffer.from(command).toString("hex")}`);
    let text = "";
    while (/^O[0-9a-f]+$/.test(answer)) {
      text += Buffer.from(answer.slice(1), "hex").toString();
      answer = await this.hear();
    }
    if (answer === "OK") return text;
    return /^([0-9a-f]{2})+$/.test(answer) ? Buffer.from(answer, "hex").toString() : `${text}${answer}`;
  }

  async word(address: number): Promise<string> {
    const hex = await this.ask(`m${address.toString(16)},4`);
    return hex.length === 8 ? `0x${Buffer.from(hex, "hex").readUInt32LE().toString(16)}` : hex;
  }

  async poke(address: number, value: number): Promise<string> {
    return this.ask(`M${address.toString(16)},4:${wordHex(value)}`);
  }

  /** Machine code and registers into the halted core. */
  async load(code: string, registers: Readonly<Record<number, number>>): Promise<void> {
    await this.ask(`M20000000,${(code.length / 2).toString(16)}:${code}`);
    const all = { 13: 0x2000_2000, 15: 0x2000_0000, 16: 0x0100_0000, ...registers };
    for (const [number, value] of Object.entries(all)) {
      await this.ask(`P${Number(number).toString(16)}=${wordHex(value)}`);
    }
  }
}

function wordHex(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString("hex");
}
