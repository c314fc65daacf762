/** What each packet of GDB's remote protocol does. One instance per server; it speaks to the chip through the probe alone. */
import { Breakpoints } from "./gdb-breakpoints.ts";
import { ServerFlash } from "./gdb-flash.ts";
import { bytesOf, bytesOfHex, hexOf } from "./gdb-framing.ts";
import { monitor, type MonitorHost } from "./gdb-monitor.ts";
import { RegisterCache } from "./gdb-registers.ts";
import { memoryMapXml, targetXml } from "./gdb-xml.ts";
import type { Personality } from "./personalities.ts";
import type { Probe, Work } from "./probe.ts";

export type Reply =
  | { readonly kind: "answer"; readonly body: string }
  /** The core runs; the answer comes when it stops. */
  | { readonly kind: "runs" }
  | { readonly kind: "none" };

export interface CommandHost {
  readonly probe: Probe;
  readonly personality: Personality;
  /** Sends a packet before the command is through. */
  answer(body: string): void;
  stopSendingAcks(): void;
}

const OK: Reply = { kind: "answer", body: "OK" };
const UNKNOWN: Reply = { kind: "answer", body: "" };
const NONE: Reply = { kind: "none" };
const answer = (body: string): Reply => ({ kind: "answer", body });

const EARLY_FROM_BYTES = 8;
/** Cycles that a checksum takes on the core, per byte (model after OpenOCD: 240 KiB in 0.58 s). */
const CRC_CYCLES_PER_BYTE = 16;
const CRC_POLYNOMIAL = 0x04c1_1db7;

export class GdbCommands {
  readonly #host: CommandHost;
  readonly #flash: ServerFlash;
  readonly #registers: RegisterCache;
  readonly #breakpoints: Breakpoints;
  #attached: boolean;
  #earlyFailure = false;

  constructor(host: CommandHost) {
    this.#host = host;
    this.#flash = new ServerFlash(host.probe, host.personality);
    this.#registers = new RegisterCache(host.probe, host.personality);
    this.#breakpoints = new Breakpoints(host.probe, host.personality);
    this.#attached = !host.personality.needsAttach;
  }

  /** The client is gone, or there is another. */
  forget(): void {
    this.#flash.forget();
    this.#registers.forget();
    this.#earlyFailure = false;
    this.#attached = !this.#host.personality.needsAttach;
    this.#breakpoints.forget();
  }

  /** Halts the core because somebody connects. */
  *attach(): Work<void> {
    if (this.#cpu.state !== "halted") yield* this.#host.probe.halt();
  }

  *interrupt(): Work<void> {
    yield* this.#host.probe.halt();
    if (this.#cpu.state === "halted") this.#host.answer("T02");
  }

  *stopped(): Work<void> {
    yield* this.#host.probe.roundTrip();
    this.#registers.forget();
    this.#host.answer("T05");
  }

  *handle(body: string): Work<Reply> {
    const rest = body.slice(1);
    switch (body.charAt(0)) {
      case "?":
        return answer(this.#attached ? "T05" : "W00");
      case "g":
        return answer(yield* this.#registers.readAll());
      case "G":
        yield* this.#registers.writeAll(rest);
        return OK;
      case "p":
        return answer(yield* this.#registers.read(Number.parseInt(rest, 16)));
      case "P":
        return yield* this.#writeRegister(rest);
      case "m":
        return yield* this.#read(rest);
      case "M":
        return yield* this.#write(rest, bytesOfHex(rest.slice(rest.indexOf(":") + 1)));
      case "X":
        if (!this.#host.personality.hasBinaryWrites) return UNKNOWN;
        return yield* this.#writeBinary(rest, bytesOf(rest.slice(rest.indexOf(":") + 1)));
      case "c":
      case "s":
        return yield* this.#run(body.startsWith("c") ? "c" : "s", rest);
      default:
        return yield* this.#handleRest(body);
    }
  }

  *#handleRest(body: string): Work<Reply> {
    const rest = body.slice(1);
    switch (body.charAt(0)) {
      case "Z":
      case "z":
        return answer(yield* this.#breakpoints.change(body.startsWith("Z"), rest));
      case "H":
      case "T":
      case "!":
        return OK;
      case "D":
        yield* this.#registers.flush();
        yield* this.#host.probe.resume();
        return OK;
      case "k":
        return NONE;
      case "R":
        yield* this.#reset();
        return NONE;
      case "v":
        return yield* this.#v(body);
      case "q":
      case "Q":
        return yield* this.#query(body);
      default:
        return UNKNOWN;
    }
  }

  get #cpu() {
    return this.#host.probe.machine.cpu;
  }

  *#reset(): Work<void> {
    yield* this.#host.probe.reset("halt", this.#host.personality.resetMs);
    this.#registers.forget();
  }

  *#writeRegister(rest: string): Work<Reply> {
    const [number = "", value = ""] = rest.split("=");
    const done = yield* this.#registers.write(Number.parseInt(number, 16), value);
    return done ? OK : answer("E01");
  }

  *#read(rest: string): Work<Reply> {
    const { address, length } = range(rest);
    const { readLimit, refusesLargeReads } = this.#host.personality;
    if (!this.#attached || (refusesLargeReads && length > readLimit)) return answer("E02");
    const data = yield* this.#host.probe.read(address, Math.min(length, readLimit));
    return data === undefined ? answer("E0E") : answer(hexOf(data));
  }

  *#write(rest: string, data: Uint8Array): Work<Reply> {
    const { address, length } = range(rest);
    if (!this.#attached || data.length !== length) return answer("E02");
    if (length === 0) return OK;
    return (yield* this.#host.probe.write(address, data)) ? OK : answer("E0E");
  }

  *#writeBinary(rest: string, data: Uint8Array): Work<Reply> {
    if (this.#earlyFailure) {
      this.#earlyFailure = false;
      return answer("E0E");
    }
    if (!this.#host.personality.answersWritesEarly || data.length < EARLY_FROM_BYTES) {
      return yield* this.#write(rest, data);
    }
    this.#host.answer("OK");
    const reply = yield* this.#write(rest, data);
    this.#earlyFailure = reply.kind === "answer" && reply.body !== "OK";
    return NONE;
  }

  *#run(how: "c" | "s", rest: string): Work<Reply> {
    if (rest !== "") this.#registers.set("pc", Number.parseInt(rest, 16));
    yield* this.#registers.flush();
    if (how === "c") {
      yield* this.#host.probe.resume();
      return { kind: "runs" };
    }
    yield* this.#host.probe.step();
    this.#registers.forget();
    return answer("T05");
  }

  *#v(body: string): Work<Reply> {
    if (body === "vCont?") {
      const has = this.#host.personality.features.includes("vContSupported+");
      return answer(has ? "vCont;c;C;s;S" : "");
    }
    if (body.startsWith("vCont;")) return yield* this.#run(body[6] === "s" ? "s" : "c", "");
    if (body.startsWith("vAttach;")) {
      this.#attached = true;
      yield* this.attach();
      return answer("T05");
    }
    if (body.startsWith("vFlashErase:")) {
      const { address, length } = range(body.slice(12));
      return (yield* this.#flash.erase(address, length)) ? OK : answer("E05");
    }
    if (body.startsWith("vFlashWrite:")) {
      const [, address = "", data = ""] = /^vFlashWrite:([^:]*):([\s\S]*)$/.exec(body) ?? [];
      return (yield* this.#flash.write(Number.parseInt(address, 16), bytesOf(data))) ? OK : answer("E05");
    }
    if (body !== "vFlashDone") return UNKNOWN;
    const done = yield* this.#flash.done();
    this.#registers.forget();
    if (done && this.#host.personality.resetsAfterFlash) {
      yield* this.#reset();
      this.#host.probe.machine.showFlash();
    }
    return done ? OK : answer("E05");
  }

  *#query(body: string): Work<Reply> {
    const { personality } = this.#host;
    const [head = ""] = /^\w+/.exec(body) ?? [];
    switch (head) {
      case "qSupported":
        return answer([`PacketSize=${personality.packetBytes.toString(16)}`, ...personality.features].join(";"));
      case "QStartNoAckMode":
        if (!personality.features.includes("QStartNoAckMode+")) return UNKNOWN;
        this.#host.stopSendingAcks();
        return OK;
      case "qXfer":
        return this.#transfer(body);
      case "qRcmd":
        return yield* this.#monitor(Buffer.from(bytesOfHex(body.slice(6))).toString("latin1"));
      case "qCRC":
        return personality.hasCrc ? yield* this.#crc(range(body.slice(5))) : UNKNOWN;
      case "QNonStop":
        return personality.features.includes("QNonStop+") && body === "QNonStop:0" ? OK : UNKNOWN;
      case "qAttached":
        return answer("1");
      case "qSymbol":
        return OK;
      case "qC":
        return answer("QC1");
      case "qfThreadInfo":
        return answer("m1");
      case "qsThreadInfo":
        return answer("l");
      case "qOffsets":
        return answer("Text=0;Data=0;Bss=0");
      default:
        return UNKNOWN;
    }
  }

  #transfer(body: string): Reply {
    const [, object, annex, offset = "", length = ""] = /^qXfer:([\w-]+):read:([^:]*):(\w+),(\w+)$/.exec(body) ?? [];
    const { personality, probe } = this.#host;
    let text: string | undefined;
    if (object === "features" && annex === "target.xml") text = targetXml(this.#registers.numbered);
    else if (object === "memory-map") text = memoryMapXml(probe.machine.chip, personality);
    else if (object === "threads") text = '<?xml version="1.0"?>\n<threads>\n<thread id="1"/>\n</threads>\n';
    if (text === undefined || !this.#attached) return object === undefined ? UNKNOWN : answer("E00");
    const from = Number.parseInt(offset, 16);
    const piece = text.slice(from, from + Number.parseInt(length, 16));
    return answer((from + piece.length < text.length ? "m" : "l") + piece);
  }

  *#monitor(line: string): Work<Reply> {
    const { personality, probe } = this.#host;
    const host: MonitorHost = {
      probe,
      personality,
      resume: () => this.#resume(),
      notices: () => this.#notices(),
      readRegister: (name) => this.#registers.readNamed(name),
      writeRegister: (name, value) => this.#registers.writeNamed(name, value),
      forget: () => this.#registers.forget(),
    };
    const said = yield* monitor(host, line);
    if (said === undefined) return UNKNOWN;
    const text = hexOf(bytesOf(said.text));
    if (personality.console === "final answer") return answer(text === "" ? hexOf(bytesOf("OK\n")) : text);
    if (text !== "") this.#host.answer(`O${text}`);
    return said.isFailure === true ? answer("E01") : OK;
  }

  *#resume(): Work<void> {
    yield* this.#registers.flush();
    yield* this.#host.probe.resume();
  }

  #notices(): boolean {
    this.#registers.forget();
    return true;
  }

  *#crc({ address, length }: Range): Work<Reply> {
    const { probe } = this.#host;
    yield* probe.roundTrip(6);
    yield (length * CRC_CYCLES_PER_BYTE * 1000) / probe.machine.chip.clockHz;
    const data = probe.machine.readMemory(address, length);
    if (data === undefined) return answer("E01");
    let crc = 0xffff_ffff;
    for (const byte of data) {
      crc ^= byte << 24;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000_0000) === 0 ? crc << 1 : (crc << 1) ^ CRC_POLYNOMIAL;
    }
    return answer(`C${(crc >>> 0).toString(16).padStart(8, "0")}`);
  }
}

interface Range {
  readonly address: number;
  readonly length: number;
}

/** `address,length`, in hex, up to a colon. */
function range(text: string): Range {
  const [address = "", length = ""] = (text.split(":")[0] ?? "").split(",");
  return { address: Number.parseInt(address, 16), length: Number.parseInt(length, 16) };
}
