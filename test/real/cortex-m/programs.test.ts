/** Somebody else may take a free port before the program that is to listen there does. */
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { Rp2040Board } from "./rp2040-board.ts";

test.each([
  { title: "QEMU", start: (choosePort: () => Promise<number>) => QemuBoard.start("microbit", { choosePort }) },
  { title: "OpenOCD", start: (choosePort: () => Promise<number>) => OpenOcd.start(new Rp2040Board(), { choosePort }) },
])("$title is started again where its port was taken", async ({ start }) => {
  const thief = createServer().listen(0, "127.0.0.1");
  const other = createServer().listen(0, "127.0.0.1");
  await Promise.all([once(thief, "listening"), once(other, "listening")]);
  const portOf = (server: typeof thief): number => (server.address() as { port: number }).port;
  const ports = [portOf(thief), portOf(other)];
  await new Promise((resolve) => other.close(resolve));
  try {
    await using started = await start(() => Promise.resolve(ports.shift() ?? 0));
    expect(ports).toEqual([]);
    expect(started.port).not.toBe(portOf(thief));
  } finally {
    thief.close();
  }
});
