import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "vitest";
import { loadArtifact } from "../../src/build/load.ts";
import { makeSimBoard } from "../../src/sim/boards.ts";
import type { SimCounters } from "../../src/sim/board.ts";
import { elfToAppImage } from "../../src/targets/esp/elf-to-image.ts";
import { Desk, meter, type Ran } from "./cli-helper.ts";

/** A board from the factory with this program. */
async function boardWith(path: string): Promise<Uint8Array> {
  const { flash } = makeSimBoard({ board: "esp32c3", factory: true });
  const artifact = await loadArtifact([path]);
  if (artifact.kind !== "elf") throw new Error("the fixture is an ELF file");
  flash.set(elfToAppImage(artifact.elf, "esp32c3", { elfSha256: Buffer.from(artifact.elfSha256, "hex") }), 0x10000);
  return flash;
}

function countersOf({ stdout }: Ran): SimCounters {
  const lines = stdout.trimEnd().split("\n");
  if (lines.length !== 2) throw new Error(`two lines were expected: ${stdout}`);
  return JSON.parse(lines[1] ?? "") as SimCounters;
}

const wires = ["tcp://127.0.0.1:0", "rfc2217://127.0.0.1:0", "pty"];
const addresses = [/^tcp:\/\/127\.0\.0\.1:\d+$/, /^rfc2217:\/\/127\.0\.0\.1:\d+$/, /^\/dev\/pts\/\d+$/];

describe.concurrent(
  "a simulated board behind a real wire is flashed whole, then where it changed, then not at all",
  () => {
    for (const [index, listen] of wires.entries()) {
      for (const speed of ["max", "10x", "real"]) {
        test(`${listen} at speed ${speed}`, async ({ expect }) => {
          await using desk = new Desk();
          const file = desk.path("flash.bin");
          const words = ["--factory", "--listen", listen, "--speed", speed, "--flash", file];
          const sim = await desk.sim(["esp32c3", ...words]);
          expect(sim.address).toMatch(addresses[index] ?? "");
          const port = ["--port", sim.address];
          const all = await desk.flash([meter.base, ...port]);
          expect(all.report).toMatchObject({ result: "flashed", error: null, written: { sectors: 40 } });
          const changed = await desk.flash([meter.const, ...port]);
          expect(changed.report).toMatchObject({ result: "flashed", error: null, written: { sectors: 3 } });
          const same = await desk.flash([meter.const, ...port]);
          expect(same.report).toMatchObject({ result: "unchanged", error: null, written: { sectors: 0 } });
          expect([all.code, changed.code, same.code]).toEqual([0, 0, 0]);

          const end = await sim.stop(speed === "max" ? "SIGINT" : "SIGTERM");
          expect(end).toMatchObject({ code: 0, stderr: "" });
          const { erases, pagesProgrammed } = countersOf(end);
          expect(erases).toEqual({ 4096: 3 });
          // Four commands a page at most; what is blank needs none.
          expect(pagesProgrammed).toBeGreaterThan(640);
          expect(pagesProgrammed).toBeLessThanOrEqual(4 * (640 + 48));
          expect(Buffer.compare(readFileSync(file), await boardWith(meter.const))).toBe(0);
        });
      }
    }
  },
);

/** Flashes at real speed, and once it writes, flashes the same board from another process. */
async function flashTwice(desk: Desk, listen: string): Promise<{ first: Ran; second: Ran; pid: number; port: string }> {
  const sim = await desk.sim(["esp32c3", "--factory", "--listen", listen]);
  let second: Promise<Ran> | undefined;
  let pid = 0;
  const first = await desk.run(["flash", meter.base, "--port", sim.address], {
    onStderr: (text, child) => {
      if (!text.includes("connecting")) return;
      pid = child.pid ?? 0;
      second ??= desk.run(["flash", meter.const, "--port", sim.address]);
    },
  });
  if (second === undefined) throw new Error("the first one never connected");
  return { first, second: await second, pid, port: sim.address };
}

describe.concurrent("a board that is being flashed is not to be had twice", () => {
  test("over RFC 2217", async ({ expect }) => {
    await using desk = new Desk();
    const { first, second, port } = await flashTwice(desk, "rfc2217://127.0.0.1:0");
    expect(first).toMatchObject({ code: 0 });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(
      `deltaflash: ${port}: the server hung up at once; another client may hold the port\nClose the program that holds the port, then flash again.\n`,
    );
  });

  test("over raw TCP", async ({ expect }) => {
    await using desk = new Desk();
    const { first, second, port } = await flashTwice(desk, "tcp://127.0.0.1:0");
    expect(first).toMatchObject({ code: 0 });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`deltaflash: ${port}: `);
  });

  test("over a serial port, and the program that holds it is named", async ({ expect }) => {
    await using desk = new Desk();
    const { first, second, pid, port } = await flashTwice(desk, "pty");
    expect(first).toMatchObject({ code: 0 });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(`deltaflash: ${port} is open in \\S*node .* \\(process ${pid}\\)\nClose `),
    );
  });
});

describe.concurrent("deltaflash sim", () => {
  test("creates the file of a blank chip", async ({ expect }) => {
    await using desk = new Desk();
    const sim = await desk.sim(["esp8266", "--flash", desk.path("new.bin")]);
    const created = readFileSync(desk.path("new.bin"));
    expect(created.length).toBe(0x400000);
    expect(created.every((byte) => byte === 0xff)).toBe(true);
    expect(countersOf(await sim.stop())).toMatchObject({ bytesIn: 0, bytesOut: 0, erases: {}, commands: {} });
  });

  test("ends with what was left of the flash when its cable is pulled", async ({ expect }) => {
    await using desk = new Desk();
    const words = ["--listen", "rfc2217://127.0.0.1:0", "--speed", "max", "--fault", "unplug@program:100"];
    const sim = await desk.sim(["esp32c3", "--factory", "--flash", desk.path("flash.bin"), ...words]);
    await desk.flash([meter.base, "--port", sim.address]);
    const end = await sim.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toBe("deltaflash: the simulated ESP32-C3 was unplugged\nStart the simulated board again.\n");
    expect(countersOf(end).pagesProgrammed).toBeGreaterThanOrEqual(99);
    expect(readFileSync(desk.path("flash.bin"))[0x10000]).toBe(0xe9);
  });

  test("refuses a file that is no flash chip, and an address that is taken", async ({ expect }) => {
    await using desk = new Desk();
    const file = desk.path("odd.bin");
    writeFileSync(file, "odd");
    const odd = await desk.run(["sim", "esp32c3", "--flash", file]);
    expect(odd).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `deltaflash: ${file} holds 3 bytes, which is no size of a flash chip\nGive the contents of a whole chip, 64 KiB or more and a power of two, or a file that does not exist yet.\n`,
    });
    const sim = await desk.sim(["esp32c3"]);
    const second = await desk.run(["sim", "esp32c3", "--listen", sim.address]);
    const where = sim.address.replace("tcp://", "");
    expect(second).toMatchObject({
      code: 1,
      stderr: `deltaflash: another program listens on ${where} already\nTake another port number, or 0 to let the system choose one.\n`,
    });
  });
});
