/** Cortex-M boards and GDB servers that misbehave: what the user is told, how the core is left, and that the next flash repairs it. */
import { afterAll, describe, expect, test } from "vitest";
import type { Artifact } from "../../src/build/artifact.ts";
import { concat } from "../../src/core/bytes.ts";
import type { BoardConnection } from "../../src/engine/family.ts";
import { LentTransport } from "../../src/engine/lent-transport.ts";
import type { Report } from "../../src/engine/report.ts";
import { simChips, type SimChip } from "../../src/sim/cortex-m/chips.ts";
import type { CortexBoardOptions } from "../../src/sim/cortex-m/cortex-boards.ts";
import { armElf, bytesIn, CortexRig, speaker, type CortexServer, type JobChanges } from "./cortex-rig.ts";
import { firmware, pseudoFirmware } from "./rig.ts";

const servers: readonly CortexServer[] = ["openocd", "pyocd", "st-util", "black-magic", "plain"];
/** Bytes of the image: small, so that hundreds of flashes are over in seconds; some end inside a sector. */
const sizes = { nrf51: 6_001, stm32f4: 20_000, rp2040: 9_000 } as const;
type BoardName = keyof typeof sizes;

/** Longer than any single deadline of the protocol, and far shorter than for ever. Virtual time. */
const longestFlashMs = 60_000;

const tally = new Map<string, number>();
let flashes = 0;
afterAll(() => {
  const rows = [...tally].sort().map(([outcome, count]) => `${String(count).padStart(5)}  ${outcome}`);
  console.log(`${flashes} flashes that met a fault\n${rows.join("\n")}`);
});

interface Case {
  readonly board: BoardName;
  readonly server: CortexServer;
  readonly faults?: string;
  readonly seed?: number;
  /** False: the server's own driver writes. */
  readonly useStub?: boolean;
}

/** A board that holds the old image, and the new one. */
async function prepared({ board, server, useStub = true }: Case) {
  const rig = new CortexRig({ board, server });
  const old = pseudoFirmware(sizes[board], 5);
  old.set(speaker(board, rig.start, "old"));
  rig.board.flash.set(old);
  rig.board.flash.set(pseudoFirmware(50, 9), 0x8100); // beside the image, in another sector
  await rig.flash(bytesIn([rig.start, old]));
  const next = old.slice();
  for (const at of [0x223, 0x1123, old.length - 3]) next[at] = (next[at] ?? 0) ^ 0x3c;
  const artifact = bytesIn([rig.start, next]);
  // OpenOCD's own driver erases serial flash by 64 KiB.
  const unit = board === "rp2040" && !useStub ? 0x10000 : (rig.board.chip.flash.runs[0]?.bytes ?? 1);
  const before = rig.board.flash.slice();
  return { rig, artifact, unit, before, wanted: rig.shouldHold(before, artifact) };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

/** What must be true whatever happened, and what did: `flashed`, or an error's code with the state of the core. */
async function judged(
  { rig, artifact, before, wanted, unit }: Prepared,
  report: Report,
  name: string,
): Promise<string> {
  flashes++;
  expect(report.totalMs, `${name}: ${report.error?.message ?? ""}`).toBeLessThan(longestFlashMs);
  if (report.error === null) rig.expectFlash(wanted, `${name} reported ${report.result}`);
  else {
    expect(report.error.message, name).not.toMatch(/internal error|undefined|NaN/);
    expect(report.error.remedy, name).toMatch(/^[A-Z`].*\.$/s);
  }
  if (!rig.board.isUnplugged) rig.says(30);
  const isChanged = Buffer.compare(rig.board.flash, before) !== 0;
  const core = rig.board.isUnplugged ? "gone" : rig.board.running;
  if (report.error !== null && isChanged) {
    const boards = await rig.history.boards();
    expect(
      boards.some(({ interruptedSectors }) => interruptedSectors > 0),
      `${name}: the journal`,
    ).toBe(true);
  }
  const hasBegun = report.spans.some(({ phase }) => phase === "write");
  // A server that no longer answers cannot be asked to let the core run.
  const isDeaf = report.error?.code === "timeout" || report.error?.message.includes("damaged packet") === true;
  if (report.error !== null && !hasBegun && !isDeaf)
    expect(core, `${name}: ${report.error.message}`).not.toBe("halted");
  rig.again();
  const repaired = await rig.flash(artifact);
  expect(repaired.error, `${name}: the next flash`).toBeNull();
  // What stood beside the image in a sector that was erased may be gone for good when its other contents never came.
  const { address, size } = besideImage(artifact, unit);
  if (report.error !== null) wanted.set(rig.board.flash.subarray(address, address + size), address);
  rig.expectFlash(wanted, `${name}: the next flash`);
  const outcome =
    report.error === null ? report.result : `${report.error.code}, core ${core}${isChanged ? ", flash changed" : ""}`;
  tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  return outcome;
}

/** From the end of the image to the end of its last sector, from the start of the flash on. */
function besideImage(artifact: Artifact, unit: number) {
  const end = artifact.kind === "image" ? artifact.image.segments.reduce((at, { data }) => at + data.length, 0) : 0;
  return { address: end, size: (unit - (end % unit)) % unit };
}

async function flashWithFault(one: Case): Promise<string> {
  const board = await prepared(one);
  const { faults = "", seed = 1 } = one;
  board.rig.again({ faults, seed });
  const report = await board.rig.flash(board.artifact, { useStub: one.useStub ?? true });
  return judged(board, report, `${one.board} ${one.server} ${faults} seed ${seed}`);
}

async function outcomes(cases: readonly Case[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const one of cases) found.push(await flashWithFault(one));
  return found;
}

/** `npm test` runs one board and server for each fault, `npm run check` a part of that; all of them with DELTAFLASH_CAMPAIGN=soak. */
const campaign = process.env["DELTAFLASH_CAMPAIGN"];
const isFull = campaign === "soak";
/** Of a third of the faults is enough to see that nothing is badly broken. */
const share = campaign === undefined ? 3 : 1;
const longestTestMs = isFull ? 900_000 : 60_000;

/** So many boards and servers for each fault, in turn: all of them in the full campaign. */
function everywhere(faults: readonly string[], turns = 1): readonly Case[] {
  const boards: readonly BoardName[] = ["nrf51", "rp2040", "nrf51", "stm32f4"];
  if (isFull) return faults.flatMap((fault) => servers.flatMap((server) => casesOf(fault, server, boards.slice(1))));
  let turn = 0;
  const next = (fault: string): Case => {
    const at = turn++;
    return {
      board: boards[at % boards.length] ?? "nrf51",
      server: servers[at % servers.length] ?? "plain",
      faults: fault,
    };
  };
  const some = faults.length > 3 * share ? faults.filter((_, index) => index % share === 0) : faults;
  return some.flatMap((fault) => Array.from({ length: turns }, () => next(fault)));
}

function casesOf(faults: string, server: CortexServer, boards: readonly BoardName[]): readonly Case[] {
  return boards.map((board) => ({ board, server, faults }));
}

const spread = (count: number, last: number) =>
  Array.from({ length: count }, (_, index) => Math.round((index * last) / (count - 1)));

describe("never reported as flashed with wrong contents, and repaired by the next flash", () => {
  const packets = ["g", "p", "P", "m", "M", "X", "c", "Z0", "z0", "halt-reason", "qSupported", "qXfer", "qRcmd"];

  test(
    "a server that dies at any byte to or from it",
    async () => {
      const faults = [
        ...spread(30, 9_000).map((at) => `unplug@in:${at}`),
        ...spread(20, 4_000).map((at) => `unplug@out:${at}`),
      ];
      const found = await outcomes(everywhere(faults));
      expect(found.filter((one) => one.startsWith("disconnected")).length).toBeGreaterThan(15 / share);
    },
    longestTestMs,
  );

  test(
    "a server that says nonsense in answer to any packet",
    async () => {
      const found = await outcomes(
        everywhere(packets.flatMap((kind) => [1, 2, 5, 9].map((number) => `garble@${kind}:${number}`))),
      );
      expect(found.filter((one) => one.startsWith("protocol")).length).toBeGreaterThan(5 / share);
    },
    longestTestMs,
  );

  test(
    "a server that hangs, or swallows one answer, at any packet",
    async () => {
      const found = await outcomes(
        everywhere(
          packets.flatMap((kind) =>
            [1, 4].flatMap((number) => [`stall@${kind}:${number}`, `silence@${kind}:${number}`]),
          ),
        ),
      );
      expect(found.filter((one) => one.startsWith("timeout")).length).toBeGreaterThan(10 / share);
    },
    longestTestMs,
  );

  test(
    "a server that drops writes silently, from any write on",
    async () => {
      const found = await outcomes(
        everywhere(
          spread(12, 22).map((number) => `lost-write@${number + 1}`),
          2,
        ),
      );
      expect(found.filter((one) => one !== "flashed").length).toBeGreaterThan(5 / share);
    },
    longestTestMs,
  );

  test(
    "power lost, or the probe's cable pulled, in the middle of an erase or of programming",
    async () => {
      const faults = [1, 2, 3].flatMap((number) => [`power-cut@erase:${number}`, `unplug@erase:${number}`]);
      faults.push(
        ...[1, 30, 200, 700].flatMap((number) => [`power-cut@program:${number}`, `unplug@program:${number}`]),
      );
      const found = await outcomes(everywhere(faults, 2));
      expect(found.filter((one) => one !== "flashed").length).toBeGreaterThan(8 / share);
    },
    longestTestMs,
  );

  test(
    "flash that does not erase, does not program or stays busy",
    async () => {
      const faults = [
        "bad-sector@0x1000",
        "stuck-bit@0x1123.2",
        "stuck-bit@0x223.4",
        "stuck-busy@erase:1",
        "stuck-busy@program:9",
      ];
      await outcomes(everywhere(faults, 2));
    },
    longestTestMs,
  );

  test(
    "a server whose own driver writes, and that dies, hangs, lies or drops what it is given",
    async () => {
      const kinds = ["vFlashErase", "vFlashWrite", "vFlashDone"];
      const faults = kinds.flatMap((kind) => [`garble@${kind}:1`, `stall@${kind}:1`, `silence@${kind}:1`]);
      faults.push("garble@vFlashWrite:3", "power-cut@erase:1", "unplug@erase:2", "power-cut@program:40");
      faults.push("bad-sector@0x1000", "stuck-bit@0x1123.2", "stuck-busy@erase:1", "stuck-busy@program:9");
      faults.push(
        ...spread(6, 9_000).map((at) => `unplug@in:${at}`),
        ...spread(6, 25).map((at) => `lost-write@${at + 1}`),
      );
      const found = await outcomes(everywhere(faults).map((one) => ({ ...one, useStub: false })));
      expect(found.filter((one) => one !== "flashed").length).toBeGreaterThan(10 / share);
    },
    longestTestMs,
  );

  test.each(["drop", "flip", "double"])(
    "noise on the way: %s",
    async (kind) => {
      const cases = Array.from({ length: isFull ? 30 : 10 }, (_, index): Case => ({
        board: index % 2 === 0 ? "nrf51" : "rp2040",
        server: servers[index % servers.length] ?? "plain",
        faults: `${kind}@in:rate=0.0001,${kind}@out:rate=0.0003`,
        seed: index + 1,
      }));
      await outcomes(cases);
    },
    longestTestMs,
  );

  test(
    "a core that does not halt when it is told to, and loaders that do not end",
    async () => {
      const found = await outcomes(
        everywhere(["no-halt@1", "no-end@1", "no-end@2", "no-end@3", "no-end@1,no-halt@2"], 2),
      );
      expect(found.filter((one) => one.startsWith("timeout")).length).toBeGreaterThan(2);
    },
    longestTestMs,
  );
});

/** Rings at a moment of virtual time. */
async function interrupted(
  one: Case,
  atMs: number,
  how: (rig: CortexRig) => JobChanges & { readonly ring: () => void },
) {
  const board = await prepared(one);
  board.rig.again();
  const { ring, ...changes } = how(board.rig);
  board.rig.clock.alarm = { atMs, ring };
  const report = await board.rig.flash(board.artifact, {}, changes);
  return { board, report };
}

describe("a flash that is cancelled", () => {
  test.each(servers)(
    "at any moment leaves the core running or reset, and is repaired, through %s",
    async (server) => {
      const seen = new Set<string>();
      for (const [index, atMs] of spread(isFull ? 60 : 16, 460).entries()) {
        const one: Case = { board: index % 3 === 0 ? "rp2040" : "nrf51", server };
        const { board, report } = await interrupted(one, atMs + 0.37, () => {
          const cancel = new AbortController();
          return { signal: cancel.signal, ring: () => cancel.abort() };
        });
        const isDirty = report.error?.message.includes("half way") === true;
        if (report.error !== null) {
          expect(report.error.code).toBe("cancelled");
          board.rig.says(30);
          expect(board.rig.board.running, `${server} at ${atMs} ms`).toBe(isDirty ? "halted" : "running");
          const { pc } = coreOf(board.rig);
          if (isDirty) expect(pc >>> 28, "the loader is not what is left").not.toBe(2);
        }
        seen.add(await judged(board, report, `${server} cancelled at ${atMs} ms`));
      }
      expect([...seen].some((outcome) => outcome.startsWith("cancelled"))).toBe(true);
    },
    longestTestMs,
  );
});

function coreOf(rig: CortexRig) {
  return { pc: rig.board.bench.machine.cpu.readRegister("pc") };
}

describe("a flash that is to make way for a newer one", () => {
  test.each(servers)(
    "hands its connection over, and the newer one goes on with it, through %s",
    async (server) => {
      let takenOver = 0;
      for (const [index, atMs] of spread(isFull ? 40 : 10, 420).entries()) {
        const one: Case = { board: index % 2 === 0 ? "nrf51" : "stm32f4", server };
        let left: BoardConnection | undefined;
        const { board, report } = await interrupted(one, atMs + 0.21, (rig) => {
          const lent = new LentTransport(rig.transport());
          const stop = new AbortController();
          const handOver = (connection: BoardConnection) => {
            left = connection;
            return true;
          };
          return { stop: stop.signal, handOver, open: () => Promise.resolve(lent), ring: () => stop.abort() };
        });
        let last = report;
        if (left !== undefined) {
          takenOver++;
          expect(report.error?.code).toBe("cancelled");
          const connection = left;
          last = await board.rig.flash(board.artifact, {}, { ahead: () => Promise.resolve(connection) });
          expect(last.error, `${server} at ${atMs} ms`).toBeNull();
          board.rig.expectFlash(board.wanted, `${server} at ${atMs} ms`);
          board.rig.says(30);
          expect(board.rig.board.running).toBe("running");
        }
        await judged(board, last, `${server} stopped at ${atMs} ms`);
      }
      expect(takenOver).toBeGreaterThan(2);
    },
    longestTestMs,
  );

  test("and is not taken over leaves the core running where nothing was changed", async () => {
    const { board, report } = await interrupted({ board: "nrf51", server: "openocd" }, 70, () => {
      const stop = new AbortController();
      return { stop: stop.signal, handOver: () => false, ring: () => stop.abort() };
    });
    expect(report.error?.code).toBe("cancelled");
    board.rig.says(30);
    expect(board.rig.board.running).toBe("running");
    board.rig.expectFlash(board.before);
  });
});

describe("a load into RAM that comes to nothing", () => {
  const address = 0x2000_0000;
  const program = () =>
    armElf([
      { name: ".text", address, data: concat([speaker("nrf51", address, "new"), pseudoFirmware(4_000, 2)]), flags: 6 },
    ]);
  const withOldProgram = (server: CortexServer, faults = "") => {
    const rig = new CortexRig({ board: "nrf51", server });
    rig.board.flash.set(speaker("nrf51", 0, "old"));
    return rig.again({ faults });
  };

  test.each(servers)("because it is cancelled lets the old program run, through %s", async (server) => {
    const seen = new Set<string>();
    for (const atMs of spread(16, 140)) {
      const rig = withOldProgram(server);
      const before = rig.board.flash.slice();
      const cancel = new AbortController();
      rig.clock.alarm = { atMs: atMs + 0.3, ring: () => cancel.abort() };
      const report = await rig.flash(program(), { ram: true }, { signal: cancel.signal });
      rig.says(60);
      const said = rig.board.bootLog.trim().split("\n").at(-1);
      const isLoaded = report.error === null;
      if (!isLoaded) expect(report.error).toMatchObject({ code: "cancelled" });
      expect(`${said} ${rig.board.running}`, `${server} at ${atMs} ms`).toBe(isLoaded ? "new running" : "old running");
      rig.expectFlash(before);
      seen.add(report.result);
    }
    expect(seen.has("failed")).toBe(true);
  });

  test.each(servers)(
    "because the writes are lost says where, and lets the old program run, through %s",
    async (server) => {
      const rig = withOldProgram(server, "lost-write@1");
      const report = await rig.flash(program(), { ram: true });
      expect(report.error).toMatchObject({
        code: "verify-failed",
        message: ".text: 0x20000000 does not hold what was written",
      });
      expect(rig.says(60)).toMatch(/^(?:old\n)?$/);
      expect(rig.board.bootLog.trim().split("\n").at(-1)).toBe("old");
      expect(rig.board.running).toBe("running");
    },
  );
});

describe("what must not be flashed is refused, and the old program goes on", () => {
  async function refused(options: CortexBoardOptions, flash: (rig: CortexRig) => Promise<Report>) {
    const rig = new CortexRig(options);
    rig.board.flash.set(speaker(options.board, rig.start, "old"));
    rig.again();
    const before = rig.board.flash.slice();
    const report = await flash(rig);
    rig.expectFlash(before);
    expect(report.result).toBe("failed");
    rig.says();
    if (options.isLocked !== true) expect(rig.board.bootLog).toMatch(/^old\n(?:old\n)+$/);
    expect(rig.board.running).not.toBe("halted");
    return report;
  }
  const data = pseudoFirmware(3_000, 4);

  test.each(servers)("a chip that is not the one of the project, through %s", async (server) => {
    const report = await refused({ board: "nrf51", server }, (rig) =>
      rig.flash(bytesIn([0, data]), { chip: "STM32F407VG" }),
    );
    expect(report.error).toEqual({
      code: "wrong-chip",
      message: "the project is for STM32F407VG, the board on gdb://sim is an nRF51822, nRF51422",
      remedy: "Connect the board you mean, or correct the chip in the project's settings.",
    });
  });

  test.each(servers)("addresses outside the flash, through %s", async (server) => {
    const report = await refused({ board: "stm32f4", server }, (rig) =>
      rig.flash(bytesIn([0x0800_0000, data], [0x080f_ff00, data])),
    );
    expect(report.error).toMatchObject({
      code: "does-not-fit",
      message: expect.stringMatching(
        /^part 1 \(0x80fff00 to 0x8100ab8\) lies outside the flash at 0x8100000/,
      ) as string,
    });
    const nowhere = await refused({ board: "stm32f4", server }, (rig) => rig.flash(bytesIn([0x3000_0000, data])));
    expect(nowhere.error?.code).toBe("does-not-fit");
  });

  test.each(servers)("another board than the one that was named, through %s", async (server) => {
    const report = await refused({ board: "nrf51", server }, (rig) =>
      rig.flash(bytesIn([0, data]), { identity: "0123" }),
    );
    expect(report.error?.message).toBe("the board on gdb://sim is nrf51822 5117a0010d5b77e3, not 0123");
  });

  test.each(servers)("a chip that is locked against debuggers, through %s", async (server) => {
    for (const board of ["nrf51", "stm32f4", "stm32f767"]) {
      const report = await refused({ board, server, isLocked: true }, (rig) => {
        rig.again({ isLocked: true });
        return rig.flash(bytesIn([rig.start, data]));
      });
      expect(report.error).toMatchObject({
        code: "refused",
        message: expect.stringMatching(
          / is read protected \(.*\): a debugger may neither read nor write its flash; nothing was changed$/,
        ) as string,
        remedy: expect.stringMatching(/that erases the whole flash\.$|it erases the whole flash\.$/) as string,
      });
    }
  });

  test("the RAM of a chip that is too small for a loader, where the server cannot write either", async () => {
    const small = { ram: [{ start: 0x2000_0000, bytes: 0x800 }], identity: unknownChip };
    const report = await withChip("stm32f4", small, () =>
      refused({ board: "stm32f4", server: "plain" }, (rig) => {
        const data = armElf([
          { name: ".data", address: 0x2000_1000, data: speaker("stm32f4", 0x2000_1000, "no"), flags: 6 },
        ]);
        return rig.flash(data, { ram: true });
      }),
    );
    expect(report.error?.message).toMatch(/outside the RAM of the Cortex-M \(0x20000000 to 0x20000800\)$/);
  });

  test("a program for another processor", async () => {
    const report = await refused({ board: "nrf51", server: "plain" }, async (rig) => rig.flash(await firmware("base")));
    expect(report.error?.code).toBe("wrong-chip");
  });
});

describe("a loader that does not come back", () => {
  test.each(servers)("is given up at its deadline, with its registers, through %s", async (server) => {
    const board = await prepared({ board: "nrf51", server });
    board.rig.again();
    // The branch to itself behind its end.
    const ring = () => board.rig.board.bench.machine.cpu.writeRegister("pc", 0x2000_0006);
    board.rig.clock.alarm = { atMs: server === "plain" ? 60 : 140, ring };
    const report = await board.rig.flash(board.artifact);
    expect(report.error).toMatchObject({
      code: "timeout",
      message: expect.stringMatching(
        /^the loader in RAM did not come back within \d{4,5} ms; it was stopped at pc 0x20000006, sp /,
      ) as string,
    });
    await judged(board, report, `a loader that hangs through ${server}`);
  });
});

/** DBGMCU_IDCODE that no row has. */
const unknownChip: ReadonlyMap<number, number> = new Map([[0xe004_2000, 0x1000_6999]]);

/** Simulated boards of this kind are another chip meanwhile. */
async function withChip<T>(id: string, changes: Partial<SimChip>, work: () => Promise<T>): Promise<T> {
  const chip = simChips.find((one) => one.id === id);
  if (chip === undefined) throw new Error(`no chip ${id}`);
  const before = { ...chip };
  Object.assign(chip, changes);
  try {
    return await work();
  } finally {
    Object.assign(chip, before);
  }
}

describe("a chip that Deltaflash does not know is written by the server's driver", () => {
  test.each(servers)("and verified, what stands beside it stays, through %s", async (server) => {
    for (const bytes of [0x2_0000, 0x800]) {
      const changes = { identity: unknownChip, ram: [{ start: 0x2000_0000, bytes }] };
      await withChip("stm32f4", changes, async () => {
        const rig = new CortexRig({ board: "stm32f4", server });
        rig.board.flash.set(pseudoFirmware(0x9000, 6));
        const data = pseudoFirmware(0x6001, 7);
        data.set(speaker("stm32f4", rig.start, "new"));
        for (const change of [0, 0x80, 0x80]) {
          data[0x5123] = change;
          rig.again();
          const before = rig.board.flash.slice();
          const artifact = bytesIn([rig.start, data.slice()]);
          const report = await rig.flash(artifact);
          expect(report, `${server} ${bytes}`).toMatchObject({ error: null, chip: "cortex-m" });
          expect(report.notes.some((note) => note.includes("RAM is too small"))).toBe(bytes < 0x1000);
          rig.expectFlash(rig.shouldHold(before, artifact), `${server} ${bytes}`);
          rig.says();
          expect(rig.board.bootLog).toMatch(/new\n$/);
        }
      });
    }
  });

  test("a server that drops what it is given to write is found out", async () => {
    await withChip("stm32f4", { identity: unknownChip }, async () => {
      for (const server of servers) {
        const rig = new CortexRig({ board: "stm32f4", server });
        const board = rig.board;
        const receive = board.receive.bind(board);
        // The data of each vFlashWrite are lost: the packet comes without them.
        board.receive = (bytes, atMs) => {
          const text = Buffer.from(bytes).toString("latin1");
          const match = /^\$vFlashWrite:([0-9a-f]+):/.exec(text);
          receive(match === null ? bytes : packet(`vFlashWrite:${match[1] ?? ""}:`), atMs);
        };
        const report = await rig.flash(bytesIn([rig.start, pseudoFirmware(5_000, 3)]));
        expect(report.error, server).toMatchObject({
          code: "verify-failed",
          message: expect.stringMatching(
            /^the 16384 bytes at 0x08000000 that .* wrote read back differently$/,
          ) as string,
        });
      }
    });
  });
});

function packet(body: string): Uint8Array {
  const sum = Buffer.from(body, "latin1").reduce((total, one) => (total + one) & 0xff, 0);
  return Buffer.from(`$${body}#${sum.toString(16).padStart(2, "0")}`, "latin1");
}
