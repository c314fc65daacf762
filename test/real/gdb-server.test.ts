/** GDB servers as flashes use them, with a program that stands for one: found, started, kept, lost, ended. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { gdbPortMark, type GdbServerLaunch } from "../../src/build/gdb-server-launch.ts";
import { FlashError } from "../../src/core/errors.ts";
import { GdbServers } from "../../src/engine/gdb-server.ts";
import { freePort, hasClients, isListening } from "../../src/engine/listening.ts";
import { systemClock } from "../../src/engine/system-clock.ts";

const program = join(import.meta.dirname, "../fixtures/gdb-server.mjs");
const open: GdbServers[] = [];
const logged: string[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((servers) => servers.close()));
  logged.length = 0;
});

function servers(readyMs?: number): GdbServers {
  const made = new GdbServers({
    clock: systemClock,
    log: (line) => void logged.push(line),
    ...(readyMs === undefined ? {} : { readyMs }),
  });
  open.push(made);
  return made;
}

function launch(words: readonly string[], more: Partial<GdbServerLaunch> = {}): GdbServerLaunch {
  const args = [program, gdbPortMark, ...words];
  return {
    ...{ id: "launch.json#Debug", name: "Debug", kind: "other", evidence: "launch.json line 3" },
    ...{ program: { command: process.execPath, args, cwd: import.meta.dirname }, adapterSpeedNote: "" },
    ...more,
  };
}

/** Of the programs that were started, in order. */
const pids = () => logged.flatMap((line) => /\(process (\d+)\)$/.exec(line)?.slice(1).map(Number) ?? []);

/** Nobody may have fetched the end of a program that another one left behind: that one does not live. */
function lives(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? NaN, 0);
    return !(process.platform === "linux" && / Z /.test(readFileSync(`/proc/${pid ?? 0}/stat`, "latin1")));
  } catch {
    return false;
  }
}

async function client(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function errorOf(work: Promise<unknown>): Promise<FlashError> {
  return work.then(
    () => Promise.reject(new Error("there was no error")),
    (error: unknown) => error as FlashError,
  );
}

test("a server is started on a free port, and the next flash finds the same process", async () => {
  const own = servers();
  const first = await own.at(launch([]));
  expect(first).toEqual({ host: "127.0.0.1", port: expect.any(Number) as number, origin: "started" });
  expect(await isListening(first.port)).toBe(true);
  expect(await own.at(launch([]))).toEqual({ ...first, origin: "kept" });
  expect(pids()).toHaveLength(1);
});

test("two flashes at once start one process", async () => {
  const own = servers();
  const [a, b] = await Promise.all([own.at(launch([])), own.at(launch([]))]);
  expect(a.port).toBe(b.port);
  expect(pids()).toHaveLength(1);
});

test("what is started is ended by its process, and what that has started, too", async () => {
  const own = servers();
  await own.at(launch(["child"]));
  const [pid] = pids();
  const child = Number(/child (\d+)/.exec(logged.join("\n"))?.[1]);
  expect([lives(pid), lives(child)]).toEqual([true, true]);
  await own.close();
  expect(lives(pid)).toBe(false);
  await expect.poll(() => lives(child)).toBe(false);
  await expect(own.at(launch([]))).rejects.toMatchObject({ code: "cancelled" });
});

test("a server that does not end when it is asked to is ended after half a second", async () => {
  const own = servers();
  await own.at(launch(["deaf"]));
  const [pid] = pids();
  const startMs = performance.now();
  await own.close();
  expect(lives(pid)).toBe(false);
  const tookMs = performance.now() - startMs;
  expect(tookMs).toBeGreaterThan(450);
  expect(tookMs).toBeLessThan(900);
});

test("a server that listens already is attached to, and left alone at the end", async () => {
  const foreign = createServer().listen(0, "127.0.0.1");
  await once(foreign, "listening");
  try {
    const { port } = foreign.address() as { port: number };
    let connections = 0;
    foreign.on("connection", () => (connections += 1));
    const own = servers();
    expect(await own.at(launch([], { attach: `gdb://127.0.0.1:${port}` }))).toMatchObject({ port, origin: "foreign" });
    await own.close();
    expect(pids()).toEqual([]);
    expect(await isListening(port)).toBe(true);
    if (process.platform === "linux") expect(connections).toBe(0); // connecting would halt the chip
  } finally {
    foreign.close();
  }
});

test("a fixed port at which nobody listens is that of the server that is started", async () => {
  const port = await freePort();
  const args = [program, String(port)];
  const fixed = { attach: `gdb://localhost:${port}`, program: { command: process.execPath, args, cwd: "." } };
  expect(await servers().at(launch([], fixed))).toEqual({ host: "127.0.0.1", port, origin: "started" });
});

test("a server on another machine is not looked for here", async () => {
  const address = await servers().at(launch([], { attach: "gdb://bench.invalid:3333" }));
  expect(address).toEqual({ host: "bench.invalid", port: 3333, origin: "foreign" });
});

test("a server that chooses its port itself is heard", async () => {
  const args = [program, "0", "say=serving {port}, ready"];
  const own = { program: { command: process.execPath, args, cwd: ".", readyPattern: "serving (\\d+)," } };
  const { port } = await servers().at(launch([], own));
  expect(port).toBeGreaterThan(1024);
  (await client(port)).destroy();
});

test("servers with words of their own are ready at their word", async () => {
  const words = ["say=Info : Listening on port {port} for gdb connections"];
  const { port, origin } = await servers().at(launch(words, { kind: "openocd" }));
  expect(origin).toBe("started");
  (await client(port)).destroy();
});

test("one that was told to be quiet is found by its listening", async () => {
  expect(await servers().at(launch([], { kind: "openocd" }))).toMatchObject({ origin: "started" });
});

test("a server that ends while it starts: its last words and what to look at", async () => {
  const words = ["silent", "complain=Error: unable to find a matching CMSIS-DAP device", "die=30"];
  const { code, message, remedy } = await errorOf(servers().at(launch(words)));
  expect(code).toBe("disconnected");
  expect(message).toBe(
    `the GDB server of “Debug” (${process.execPath}) ended with exit code 7: Error: unable to find a matching CMSIS-DAP device`,
  );
  expect(remedy).toContain("launch.json line 3");
});

test("a probe that somebody else has, and a port that is taken, are busy", async () => {
  const busy = await errorOf(servers().at(launch(["silent", "complain=Error: LIBUSB_ERROR_BUSY", "die=30"])));
  expect([busy.code, busy.remedy]).toEqual([
    "port-busy",
    "Stop debugging, or end the program that has the probe, then flash again.",
  ]);
  const taken = [
    "silent",
    "complain=Error: couldn't bind gdb to socket on port 3333: Address already in use",
    "die=30",
  ];
  expect(await errorOf(servers().at(launch(taken)))).toMatchObject({ code: "port-busy" });
  expect(pids()).toHaveLength(4); // three free ports were tried for the second
});

test("a server that hangs is given up and ended", async () => {
  const own = servers(300);
  const { code, message } = await errorOf(own.at(launch(["silent", "complain=Waiting for a probe"])));
  expect([code, message]).toEqual([
    "timeout",
    `the GDB server of “Debug” (${process.execPath}) does not listen after 0.3 s: Waiting for a probe`,
  ]);
  expect(pids().map(lives)).toEqual([false]);
});

test("a program that is not there, and a server that cannot be started, are no board", async () => {
  const missing = { program: { command: "no-such-gdb-server", args: [], cwd: "." } };
  const { code, message } = await errorOf(servers().at(launch([], missing)));
  expect([code, message]).toEqual([
    "board-not-found",
    "the GDB server of “Debug” (no-such-gdb-server) cannot be started: there is no program no-such-gdb-server (or no folder .)",
  ]);
  const attachOnly: GdbServerLaunch = {
    ...{ id: "a", name: "Debug", kind: "other", evidence: "launch.json line 9", adapterSpeedNote: "" },
    attach: `gdb://localhost:${await freePort()}`,
  };
  const nobody = await errorOf(
    servers().at({ ...attachOnly, cannotStart: "its parameters are known to the editor only" }),
  );
  expect(nobody.code).toBe("board-not-found");
  expect(nobody.message).toMatch(/^nothing listens at .* of “Debug”, and it cannot be started: its parameters are/);
  const device = await errorOf(servers().at({ ...attachOnly, attach: "gdb:/dev/ttyACM0" }));
  expect(device.code).toBe("board-not-found");
});

test("a server that dies between two flashes is started anew; in the middle of one it is told what became of it", async () => {
  const own = servers();
  const first = await own.at(launch([]));
  process.kill(pids()[0] ?? NaN, "SIGKILL");
  const broken = new FlashError("disconnected", "the other end closed the connection");
  const told = await own.explain({ port: "gdb:launch/Debug", launch: launch([]), answered: true }, broken);
  expect([told.code, told.message]).toEqual([
    "disconnected",
    `the GDB server of “Debug” (${process.execPath}) was ended by SIGKILL; it said nothing`,
  ]);
  const second = await own.at(launch([]));
  expect(second).toMatchObject({ origin: "started" });
  expect(second.port).not.toBe(first.port);
  expect(pids()).toHaveLength(2);
});

test("a second client that is turned away: another debugger has the server", async () => {
  const own = servers();
  const { port } = await own.at(launch(["one"]));
  const first = await client(port);
  const second = await client(port);
  await once(second.resume(), "close");
  const broken = new FlashError("disconnected", "the other end closed the connection");
  const told = await own.explain({ port: "gdb:launch/Debug", launch: launch(["one"]), answered: false }, broken);
  expect(told.code).toBe("port-busy");
  expect(told.message).toContain("takes no second client: Info : rejected 'gdb' connection");
  expect(told.remedy).toMatch(/^Stop debugging, or let the server take more clients .*-gdb-max-connections/);
  first.destroy();
});

test("a foreign server that says nothing is said to be a debugger's; other errors stay what they are", async () => {
  const own = servers();
  const port = "gdb://127.0.0.1:3333";
  const silent = new FlashError("timeout", "no answer to qSupported");
  expect(await own.explain({ port, answered: false }, silent)).toMatchObject({ code: "port-busy", cause: silent });
  expect(await own.explain({ port, answered: true }, silent)).toBe(silent);
  const locked = new FlashError("refused", "the chip is locked");
  expect(await own.explain({ port, answered: false }, locked)).toBe(locked);
});

test("a changed configuration gets a new server in the place of the old one, a removed one none", async () => {
  const own = servers();
  await own.at(launch(["a"]));
  await own.at(launch(["b"]));
  expect(pids().map(lives)).toEqual([false, true]);
  const { port } = await own.at(launch(["b"]));
  await own.keepOnly([launch(["b"])]);
  expect(pids().map(lives)).toEqual([false, true]);
  if (process.platform === "linux") {
    const flash = await client(port);
    await expect.poll(() => hasClients(port)).toBe(true);
    await own.keepOnly([]);
    expect(pids().map(lives)).toEqual([false, true]); // not in the middle of a flash
    flash.destroy();
    await expect.poll(() => hasClients(port)).toBe(false);
  }
  await own.keepOnly([launch(["c"])]);
  expect(pids().map(lives)).toEqual([false, false]);
});

test("a server that nobody uses makes way for one that does not start beside it", async () => {
  const own = servers(300);
  const { port } = await own.at(launch([], { id: "other", name: "Other" }));
  const hanging = launch(["silent"]);
  if (process.platform !== "linux") return; // where nobody can tell, both stay
  const user = await client(port);
  await expect.poll(() => hasClients(port)).toBe(true);
  await errorOf(own.at(hanging));
  expect(pids().map(lives)).toEqual([true, false]);
  user.destroy();
  await expect.poll(() => hasClients(port)).toBe(false);
  await errorOf(own.at(hanging));
  expect(pids().map(lives)).toEqual([false, false, false, false]);
});
