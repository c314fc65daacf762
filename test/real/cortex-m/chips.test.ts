/** Our catalogue of chips, asked through servers that are not ours: what it knows it finds, and nothing is taken for something else. */
import { afterAll, expect, test } from "vitest";
import { qemuBoards } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { identified } from "./loader-rig.ts";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { Rp2040Board } from "./rp2040-board.ts";
import { Rp2040JsServer } from "./rp2040js-server.ts";
import { rp2040Board } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

const known: Readonly<Record<string, string>> = { microbit: "nrf51822 nrf 262144" };

// QEMU's STM32 have no register that says which they are.
test.each(qemuBoards)("$machine", async ({ machine }) => {
  await using board = await QemuBoard.start(machine);
  expect(await identified(board.port)).toBe(known[machine] ?? "unknown");
});

test("an RP2040 behind OpenOCD, with its boot ROM and without", async () => {
  {
    await using server = await OpenOcd.start(rp2040Board(firmware));
    expect(await identified(server.port)).toBe("rp2040 rp2040-rom 2097152");
  }
  await using server = await OpenOcd.start(new Rp2040Board());
  expect(await identified(server.port)).toBe("rp2040 rp2040-ssi 2097152");
});

test("an RP2040 behind rp2040js", async () => {
  await using server = await Rp2040JsServer.start(new Rp2040Board());
  expect(await identified(server.port)).toBe("rp2040 rp2040-ssi 2097152");
});
