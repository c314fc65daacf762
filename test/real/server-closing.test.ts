/** The editor goes away in the middle of a flash, in every way in which editors go away. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Range } from "../../src/core/image.ts";
import { pseudoFirmware } from "../sim/rig.ts";
import { Desk } from "./cli-helper.ts";
import { bundleServer, Server, type ServerOptions } from "./server-helper.ts";

let bundle: ReturnType<typeof bundleServer>;
beforeAll(() => void (bundle = bundleServer()));
afterAll(() => bundle.remove());

const flashBytes = 4 * 1024 * 1024;
const sectorBytes = 0x1000;
const imageAt = 0x100000;
const imageBytes = 512 * 1024; // 6 s at 921600 baud

interface Way {
  readonly name: string;
  readonly listen: string;
  readonly options?: ServerOptions;
  /** @returns milliseconds until the server has ended */
  leave(server: Server): Promise<number>;
}

const rfc2217 = "rfc2217://127.0.0.1:0";
const ways: readonly Way[] = [
  { name: "shutdown and exit", listen: rfc2217, leave: (server) => server.stop() },
  { name: "exit without shutdown", listen: rfc2217, leave: (server) => server.exit() },
  { name: "a front end whose pipes close", listen: "pty", leave: (server) => server.abandon() },
  { name: "a channel that is gone", listen: rfc2217, options: { wire: "ipc" }, leave: (server) => server.abandon() },
  { name: "SIGTERM", listen: "pty", leave: (server) => server.signal("SIGTERM") },
];

test.each(ways)(
  "$name in the middle of a flash: it ends at a sector, is on record, and the next flash repairs what is in doubt",
  async (way) => {
    const { listen, options } = way;
    await using desk = new Desk();
    const file = desk.path("flash.bin");
    const before = randomBytes(flashBytes);
    const image = Buffer.from(pseudoFirmware(imageBytes, 7));
    writeFileSync(file, before);
    const artifact = desk.path("image.bin");
    writeFileSync(artifact, image);
    const params = { artifact: [`${imageAt}:${artifact}`], mode: "changed", trigger: "key" } as const;

    {
      const sim = await desk.sim(["esp32c3", "--listen", listen, "--flash", file]);
      const target = { port: sim.address };
      await using server = await Server.started(bundle.path, desk.path("state"), options);
      const flash = server.request("deltaflash/flash", { ...params, target });
      flash.catch(() => undefined); // nobody answers any more
      await server.until(() => isPast(server, 20));
      expect(await way.leave(server)).toBeLessThan(2_000);
      await new Promise((resolve) => setTimeout(resolve, 300)); // the board finishes what it was told
      await sim.stop();
    }

    const after = readFileSync(file);
    const states = sectorStates(before, after, image);
    expect(states.torn).toEqual([]);
    expect(states.isNew.length).toBeGreaterThan(10);
    expect(states.isNew.length).toBeLessThan(imageBytes / sectorBytes);
    const inDoubt = interruptedSectors(desk.path("state"));
    expect([...states.isErased, ...states.isOld].every((address) => inDoubt.has(address))).toBe(true);

    const sim = await desk.sim(["esp32c3", "--listen", listen, "--flash", file, "--speed", "10x"]);
    await using server = await Server.started(bundle.path, desk.path("state"), options);
    await server.request("deltaflash/prepare", { target: { port: sim.address } });
    const report = await server.request("deltaflash/flash", { ...params, target: { port: sim.address } });
    expect(report).toMatchObject({ result: "flashed", error: null });
    expect(report.notes.join()).toContain("An earlier flash was cut short");
    // Whole erase blocks are written where that is faster, so some good sectors may come along.
    expect(report.written.sectors).toBeGreaterThanOrEqual(states.isErased.length + states.isOld.length);
    expect(report.written.sectors).toBeLessThan(imageBytes / sectorBytes);
    await sim.stop();
    expect(
      readFileSync(file)
        .subarray(imageAt, imageAt + imageBytes)
        .equals(image),
    ).toBe(true);
  },
);

function isPast(server: Server, percent: number): boolean {
  return server.of("deltaflash/state").some(({ state }) => state.kind === "working" && (state.percent ?? 0) > percent);
}

interface SectorStates {
  readonly isOld: readonly number[];
  readonly isErased: readonly number[];
  readonly isNew: readonly number[];
  /** Neither of the three. */
  readonly torn: readonly number[];
}

function sectorStates(before: Buffer, after: Buffer, image: Buffer): SectorStates {
  const states: Record<keyof SectorStates, number[]> = { isOld: [], isErased: [], isNew: [], torn: [] };
  const erased = Buffer.alloc(sectorBytes, 0xff);
  for (let address = 0; address < flashBytes; address += sectorBytes) {
    const found = after.subarray(address, address + sectorBytes);
    const wanted = image.subarray(address - imageAt, address - imageAt + sectorBytes);
    const isInside = address >= imageAt && address < imageAt + imageBytes;
    const isOld = found.equals(before.subarray(address, address + sectorBytes));
    if (!isInside) {
      if (!isOld) states.torn.push(address);
    } else if (found.equals(wanted)) states.isNew.push(address);
    else if (isOld) states.isOld.push(address);
    else if (found.equals(erased)) states.isErased.push(address);
    else states.torn.push(address);
  }
  return states;
}

/** What the journal does not know any more. */
function interruptedSectors(stateFolder: string): ReadonlySet<number> {
  const [board = ""] = readdirSync(`${stateFolder}/boards`);
  const text = readFileSync(`${stateFolder}/boards/${board}/board.json`, "utf8");
  const { interrupted } = JSON.parse(text) as { interrupted: readonly Range[] };
  return new Set(interrupted.map(({ address }) => address));
}
