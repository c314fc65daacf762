import { beforeEach, describe, expect, test } from "vitest";
import { connectGdb } from "../../../../src/targets/gdb/connect.ts";
import { LoaderRunner, stillRunning, type LoaderEntry } from "../../../../src/targets/gdb/run.ts";
import type { ServerKind } from "../../../../src/targets/gdb/servers.ts";
import { FakeServer, hexOf } from "./fake-server.ts";
import { FakeTarget } from "./fake-target.ts";
import { commandOf, recordings } from "./servers.ts";

const entry: LoaderEntry = { code: 0x20000000, end: 0x20000004, mailbox: 0x20000380, stackTop: 0x20000800 };
const statusAt = entry.mailbox + 4;
const DHCSR = 0xe000edf0;
const S_HALT = 1 << 17;

const pc = 15;

/** A server with a core behind it whose loader takes so long. */
class Rig {
  readonly server: FakeServer;
  readonly target: FakeTarget;
  readonly status: number;
  /** Milliseconds that the loader works; Infinity = for ever. */
  worksMs = 0;
  /** What it leaves in the status word; undefined = nothing. */
  leaves: number | undefined = 0;
  /** Neither `^C` nor `halt` helps. */
  isWild = false;
  doneAtMs = Infinity;
  halted = true;

  constructor(kind: ServerKind, status: number) {
    this.status = status;
    this.target = new FakeTarget({ statusRegister: status, hasX: !["qemu", "st-util", "rp2040js"].includes(kind) });
    this.server = new FakeServer(recordings[kind])
      .also((body) => (body === "X0,0:" ? undefined : this.target.answer(body)))
      .also((body) => this.#core(body));
    if (kind === "pyocd") this.server.also((body) => (body.startsWith("p") ? "" : undefined));
  }

  #core(body: string) {
    this.#progress();
    const command = commandOf(body);
    if (body === "c" || body === "vCont;c") {
      this.#go();
      if (this.worksMs !== Infinity) this.#sayStop("S05", this.worksMs);
      return [];
    }
    if (body === "^C") {
      if (this.isWild) return [];
      this.halted = true;
      return "S02";
    }
    if (body.startsWith(`m${DHCSR.toString(16)}`)) return this.#debugState();
    return command === undefined ? undefined : this.#command(command);
  }

  #command(command: string) {
    if (command === "continue" || command.includes("resume")) {
      for (const [, name = "", value = ""] of command.matchAll(/reg (\w+) (\w+)/g)) {
        this.target.registers.set({ r0: 0, sp: 13, xPSR: 16 }[name] ?? 99, Number(value));
      }
      const at = /resume (\w+)/.exec(command)?.[1];
      if (at !== undefined) this.target.registers.set(pc, Number(at));
      this.#go();
      return "OK";
    }
    if (!command.startsWith("halt") && !command.startsWith("wait_halt")) return undefined;
    if (command.startsWith("halt") && !this.isWild) this.halted = true;
    return this.halted ? "OK" : [`O${hexOf("timed out while waiting for target halted\n")}`, "E01"];
  }

  #go(): void {
    this.halted = false;
    this.doneAtMs = this.server.clock.nowMs() + this.worksMs;
  }

  #sayStop(stop: string, afterMs: number): void {
    this.server.say(stop, afterMs);
  }

  #progress(): void {
    if (this.server.clock.nowMs() < this.doneAtMs) return;
    this.doneAtMs = Infinity;
    this.halted = true;
    this.target.registers.set(pc, entry.end);
    if (this.leaves !== undefined) this.target.setWord(statusAt, this.leaves);
  }

  #debugState(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(this.halted ? S_HALT : 0);
    return bytes.toString("hex");
  }
}

/** The mailbox as whoever starts a loader writes it. */
const mailbox = () => {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(3, 0);
  data.writeUInt32LE(stillRunning, 4);
  return { address: entry.mailbox, data: new Uint8Array(data) };
};

async function start(rig: Rig) {
  const client = await connectGdb(rig.server, rig.server.context);
  const runner = new LoaderRunner(client);
  await runner.prepare(entry.end);
  rig.server.heard.length = 0;
  return { client, runner };
}

const said = ({ server }: Rig) =>
  server.heard.map((body) => (commandOf(body) === undefined ? body : `monitor ${commandOf(body) ?? ""}`));

const rows: readonly (readonly [ServerKind, number])[] = [
  ["qemu", 25],
  ["openocd", 16],
  ["pyocd", 16],
  ["probe-rs", 16],
  ["black-magic", 16],
  ["st-util", 25],
  ["rp2040js", 16],
];

describe.each(rows)("a loader behind %s", (kind, status) => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig(kind, status);
  });

  test("runs with mailbox, stack and Thumb state, and its mailbox comes back when it is done", async () => {
    const { runner } = await start(rig);
    for (const worksMs of [0, 3, 40]) {
      rig.worksMs = worksMs;
      await runner.start(entry, [mailbox()]);
      expect(rig.target.registers.get(0)).toBe(entry.mailbox);
      expect(rig.target.registers.get(13)).toBe(entry.stackTop);
      expect(rig.target.registers.get(status)).toBe(0x01000000);
      const words = await runner.finish(entry, 1000);
      expect([words.length, words[0], words[1]]).toEqual([16, 3, 0]);
      expect(rig.target.registers.get(pc)).toBe(entry.end);
    }
  });

  test("that does not come back is stopped, and the error tells where it was", async () => {
    const { client, runner } = await start(rig);
    rig.worksMs = Infinity;
    await runner.start(entry, [mailbox()]);
    await expect(runner.finish(entry, 500)).rejects.toMatchObject({
      code: "timeout",
      message:
        "the loader in RAM did not come back within 500 ms; it was stopped at pc 0x20000000, sp 0x20000800, lr 0x00000000, xPSR 0x01000000, r0 0x20000380, status 0xffffffff",
    });
    expect(rig.halted).toBe(true);
    rig.worksMs = 1;
    await runner.start(entry, [mailbox()]);
    expect((await runner.finish(entry, 500))[1]).toBe(0);
    expect(client.wire.broken).toBeUndefined();
  });

  test("that stops without a result is no success", async () => {
    const { runner } = await start(rig);
    rig.leaves = undefined;
    await runner.start(entry, [mailbox()]);
    await expect(runner.finish(entry, 5000)).rejects.toMatchObject({
      code: "protocol",
      message: expect.stringMatching(
        /^the loader in RAM ended before its work was done \(.*\) at pc 0x20000004/,
      ) as string,
    });
  });

  test("on a core that cannot be stopped ends with an error that says so", async () => {
    const { runner } = await start(rig);
    rig.worksMs = Infinity;
    rig.isWild = true;
    await runner.start(entry, [mailbox()]);
    await expect(runner.finish(entry, 500)).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringContaining("the core does not halt") as string,
    });
    expect(rig.server.clock.nowMs()).toBeLessThan(7000);
  });

  test("can be stopped after a cancel", async () => {
    const { client, runner } = await start(rig);
    rig.worksMs = Infinity;
    await runner.start(entry, [mailbox()]);
    const waiting = runner.finish(entry, 60_000);
    rig.server.cancel.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    await client.evenIfCancelled(() => runner.stop());
    expect(rig.halted).toBe(true);
  });
});

describe("how a loader is run", () => {
  test("QEMU: breakpoint at the end, writes, registers and c without a wait in between; nothing is sent while it runs", async () => {
    const rig = new Rig("qemu", 25);
    const { client, runner } = await start(rig);
    expect(rig.target.breakpoints).toEqual(new Set(["0,20000004,2"]));
    rig.worksMs = 30;
    const before = client.counters.roundTrips;
    await runner.start(entry, [mailbox()]);
    await runner.finish(entry, 1000);
    expect(said(rig).slice(1)).toEqual([
      "P0=80030020",
      "Pd=00080020",
      "Pf=00000020",
      "P19=00000001",
      "c",
      "m20000380,40",
    ]);
    expect(client.counters.roundTrips - before).toBe(2);
    await runner.release();
    expect(rig.target.breakpoints.size).toBe(0);
  });

  test("OpenOCD: one command with registers and resume, never c; then the mailbox is looked at, less often as it takes longer", async () => {
    const rig = new Rig("openocd", 16);
    const { runner } = await start(rig);
    for (const [worksMs, looks] of [
      [5, 3],
      [400, 50],
    ] as const) {
      rig.worksMs = worksMs;
      rig.server.heard.length = 0;
      await runner.start(entry, [mailbox()]);
      await runner.finish(entry, 1000);
      const [, ...others] = said(rig);
      expect(others.filter((packet) => !packet.startsWith("me000edf0"))).toEqual([
        "X20000380,0:",
        "monitor reg r0 0x20000380; reg sp 0x20000800; reg xPSR 0x1000000; resume 0x20000000",
        ...Array<string>(looks).fill("m20000380,40"),
        "monitor wait_halt 2000",
      ]);
    }
  });

  test("what stands behind the mailbox comes along with it when it is asked for", async () => {
    const rig = new Rig("openocd", 16);
    const { runner } = await start(rig);
    await runner.start(entry, [mailbox(), { address: entry.mailbox + 64, data: Uint8Array.of(1, 2, 3, 4) }]);
    const words = await runner.finish(entry, 1000, 17);
    expect([words.length, words[1], words[16]]).toEqual([17, 0, 0x04030201]);
  });

  test("pyOCD: registers by P, monitor continue, then mailbox and halt are looked at", async () => {
    const rig = new Rig("pyocd", 16);
    const { runner } = await start(rig);
    rig.worksMs = 1;
    await runner.start(entry, [mailbox()]);
    await runner.finish(entry, 1000);
    expect(said(rig).slice(1)).toEqual([
      "P0=80030020",
      "Pd=00080020",
      "Pf=00000020",
      "P10=00000001",
      "monitor continue",
      "m20000380,40",
      "me000edf0,4",
    ]);
  });

  test("rp2040js: vCont;c, since it answers c with OK; the same wait serves", async () => {
    const rig = new Rig("rp2040js", 16);
    const { runner } = await start(rig);
    await runner.start(entry, [mailbox()]);
    await runner.finish(entry, 1000);
    expect(said(rig)).toContain("vCont;c");
    expect(said(rig)).not.toContain("c");
  });

  test("an interrupt that the server missed is repeated", async () => {
    const rig = new Rig("rp2040js", 16);
    let misses = 1;
    rig.server.also((body) => (body === "^C" && misses-- > 0 ? [] : undefined));
    const { runner } = await start(rig);
    rig.worksMs = Infinity;
    await runner.start(entry, [mailbox()]);
    await runner.stop();
    expect(said(rig).filter((body) => body === "^C")).toHaveLength(2);
    expect(rig.halted).toBe(true);
  });

  test("a server that refuses the breakpoint is no hindrance: the loader ends in one of its own", async () => {
    const rig = new Rig("st-util", 25);
    rig.server.also((body) => (body.startsWith("Z0") ? "E00" : undefined));
    const { runner } = await start(rig);
    await runner.start(entry, [mailbox()]);
    expect((await runner.finish(entry, 1000))[1]).toBe(0);
    await runner.release();
    expect(said(rig).filter((body) => body.startsWith("z0"))).toEqual([]);
  });

  test("a server that refuses a register does not leave the core running unseen", async () => {
    const rig = new Rig("qemu", 25);
    rig.worksMs = Infinity;
    rig.server.also((body) => (body.startsWith("P19") ? "E22" : undefined));
    const { client, runner } = await start(rig);
    await expect(runner.start(entry, [mailbox()])).rejects.toThrow("P xpsr (register 25): the GDB server");
    expect(client.wire.isRunning).toBe(true);
    await runner.stop();
    expect(client.wire.isRunning).toBe(false);
  });

  test("an interrupt that crosses the loader's own end leaves no stop behind for the next run", async () => {
    const rig = new Rig("qemu", 25);
    const { runner } = await start(rig);
    rig.worksMs = 0;
    await runner.start(entry, [mailbox()]);
    await runner.stop();
    rig.worksMs = 30;
    await runner.start(entry, [mailbox()]);
    expect((await runner.finish(entry, 1000))[1]).toBe(0);
  });
});
