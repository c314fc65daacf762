/** Code in RAM that ends, does not end, ends elsewhere or fails, on servers that are not ours; afterwards all of them serve as before. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/engine/system-clock.ts";
import { LoaderRunner, type LoaderEntry } from "../../../src/targets/gdb/run.ts";
import { failureOf } from "../transport-helpers.ts";
import { FirmwareFolder } from "./firmware.ts";
import { GdbSession } from "./gdb-session.ts";
import { servers } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

const code = 0x20000000;
const mailbox = 0x20000400;
const entry: LoaderEntry = { code, end: code + 4, mailbox, stackTop: 0x20000800 };
const limitMs = 5_000;
/** Some instructions. rp2040js does not see a `^C` that comes together with another packet. */
const settleMs = 30;

/** The first word, and a status that says "running". */
const job = (command: number) => {
  const words = new Uint32Array(24);
  words.set([command, 0xffffffff]);
  return [{ address: mailbox, data: new Uint8Array(words.buffer) }];
};

describe.each(servers)("on $title", ({ kind, start }) => {
  let session: GdbSession;
  let runner: LoaderRunner;
  beforeEach(async () => {
    const server = await start(firmware);
    session = await GdbSession.open(server.port);
    await session.client.write([{ address: code, data: firmware.runs() }]);
    runner = new LoaderRunner(session.client);
    await runner.prepare(entry.end);
    return async () => {
      await session[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    };
  });

  async function run(command: number, timeoutMs = limitMs): Promise<Uint32Array> {
    await runner.start(entry, job(command));
    return runner.finish(entry, timeoutMs);
  }

  test("code comes back with its status, ten times", async () => {
    for (let time = 0; time < 10; time++) expect([...(await run(1))].slice(0, 2)).toEqual([1, 0]);
  });

  test("a failure is told with its address", async () => {
    const words = await run(4);
    expect([words[1], words[12]]).toEqual([5, 0x12345678]);
  });

  test("code that never ends is stopped, and the server serves on", async () => {
    expect(await failureOf(run(2, 300))).toMatch(
      /^timeout: the loader in RAM did not come back within 300 ms; .* pc 0x200000[0-9a-f]{2}, .*status 0xffffffff$/,
    );
    expect((await run(1))[1]).toBe(0);
  });

  test("running code is halted on request, and the server serves on", async () => {
    await runner.start(entry, job(2));
    await systemClock.sleep(settleMs);
    await runner.stop();
    const [pc] = (await session.client.readRegisters(["pc"])).values();
    expect((pc ?? 0) >>> 8).toBe(code >>> 8);
    expect((await run(1))[1]).toBe(0);
  });

  // QEMU itself ends at a `bkpt` that nobody asked for, and any packet stops its machine.
  if (kind === "qemu") return;

  test("code that stops elsewhere is told with the place, and the server serves on", async () => {
    expect(await failureOf(run(3))).toMatch(/^protocol: the loader in RAM ended before .* pc 0x200000[0-9a-f]{2}/);
    expect((await run(1))[1]).toBe(0);
  });

  test("memory is read and written while code runs", async () => {
    await runner.start(entry, job(5));
    const [before = 0] = await session.client.readWords(mailbox + 32, 1);
    await systemClock.sleep(settleMs);
    const [after = 0] = await session.client.readWords(mailbox + 32, 1);
    expect(after).toBeGreaterThan(before);
    await session.client.writeWords(mailbox + 52, [1]);
    expect((await runner.finish(entry, limitMs))[1]).toBe(6);
  });
});
