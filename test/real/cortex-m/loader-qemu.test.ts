/** Our loader on flash controllers of QEMU, which are not ours: nRF51's, and Aspeed's with a serial flash that is a file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { equalBytes } from "../../../src/core/bytes.ts";
import { resetAndRun } from "../../../src/targets/gdb/reset.ts";
import { mixedBytes } from "../transport-helpers.ts";
import { firstLine, qemuBoard } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { imageWith, LoaderRig, places } from "./loader-rig.ts";
import { QemuBoard } from "./qemu.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());
const microbit = qemuBoard("microbit");
const pages = 248;
const pageBytes = 1024;
const imageOf = (version: number): Uint8Array =>
  imageWith(firmware.firmware({ board: microbit, place: "flash", version }), 0, pages * pageBytes);

async function contents(rig: LoaderRig): Promise<Uint8Array> {
  const [bytes = new Uint8Array()] = await rig.session.client.read([{ address: 0, size: pages * pageBytes }]);
  return bytes;
}

test("a microbit that is full of zeros is flashed whole and starts; again, one byte changed, one page is written", async () => {
  const image = imageOf(1);
  await using board = await QemuBoard.start("microbit");
  {
    await using rig = await LoaderRig.open(board.port, places.microbit);
    expect((await contents(rig)).every((value) => value === 0)).toBe(true);
    expect((await rig.flash(image)).length).toBe(pages);
    expect(equalBytes(await contents(rig), image)).toBe(true);
    await resetAndRun(rig.session.client);
    expect(await board.uart.line("data=")).toBe(firstLine(1));
  }
  {
    await using rig = await LoaderRig.open(board.port, places.microbit);
    const before = rig.session.client.counters.requests;
    expect(await rig.flash(image)).toEqual([]);
    expect(rig.session.client.counters.requests - before).toBeLessThanOrEqual(14);
    const changed = image.slice();
    changed[100 * pageBytes + 7] = (image[100 * pageBytes + 7] ?? 0) ^ 1;
    expect(await rig.flash(changed)).toEqual([100 * pageBytes]);
    expect(equalBytes(await contents(rig), changed)).toBe(true);
  }
});

test("another program in the same flash starts after its own pages alone were written", async () => {
  await using board = await QemuBoard.start("microbit");
  for (const version of [1, 2]) {
    await using rig = await LoaderRig.open(board.port, places.microbit);
    expect((await rig.flash(imageOf(version))).length).toBe(version === 1 ? pages : 1);
    await resetAndRun(rig.session.client);
    expect(await board.uart.line(`v${version}`)).toBe(firstLine(version));
  }
});

test("what is programmed without an erase is told, at the word where bits would have to rise", async () => {
  await using board = await QemuBoard.start("microbit");
  await using rig = await LoaderRig.open(board.port, places.microbit);
  await rig.write([{ kind: "erase", address: 0x400, size: pageBytes }]);
  await rig.write([{ kind: "write", address: 0x400, data: Uint8Array.of(1, 2, 3, 4, 0xf0, 0xff, 0xff, 0xff) }]);
  const again = rig.write([{ kind: "write", address: 0x400, data: Uint8Array.of(1, 2, 3, 4, 0x0f, 0xff, 0xff, 0xff) }]);
  await expect(again).rejects.toMatchObject({ code: "verify-failed" });
  await expect(again).rejects.toThrow("0x00000404");
  expect([...(await rig.session.client.readWords(0x400, 3))]).toEqual([0x04030201, 0xffffff00, 0xffffffff]);
});

test("what the AST1030's serial flash holds is known again after QEMU was started anew", async () => {
  using flash = new FlashFile();
  const image = mixedBytes(60 * 4096);
  {
    await using board = await QemuBoard.start("ast1030-evb", flash);
    await using rig = await LoaderRig.open(board.port, places.ast1030);
    expect((await rig.flash(image)).length).toBe(60);
    expect(await rig.flash(image)).toEqual([]);
  }
  expect(equalBytes(flash.read().subarray(0, image.length), image)).toBe(true);
  await using board = await QemuBoard.start("ast1030-evb", flash);
  await using rig = await LoaderRig.open(board.port, places.ast1030);
  expect(await rig.differing(image)).toEqual([]);
  image[0x5000] = 0;
  expect(await rig.flash(image)).toEqual([0x80005000]);
  expect(await rig.differing(image)).toEqual([]);
});

test("a board that is gone in the middle is told as lost; the next job writes the rest", async () => {
  using flash = new FlashFile();
  const image = mixedBytes(512 * 4096);
  {
    await using board = await QemuBoard.start("ast1030-evb", flash);
    await using rig = await LoaderRig.open(board.port, places.ast1030);
    const flashed = rig.flash(image).then(
      () => "flashed",
      (error: unknown) => (error as { code?: string }).code,
    );
    const isUnderWay = (): boolean => flash.read()[0x80000] !== 0xff;
    await board.uart.until(isUnderWay, "half a megabyte in flash", 20_000);
    await board[Symbol.asyncDispose]();
    expect(await flashed).toBe("disconnected");
  }
  await using board = await QemuBoard.start("ast1030-evb", flash);
  await using rig = await LoaderRig.open(board.port, places.ast1030);
  const left = await rig.flash(image);
  expect(left.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThanOrEqual(512 - 128);
  expect(await rig.differing(image)).toEqual([]);
});

/** What QEMU keeps the flash's contents in; blank at first. */
class FlashFile implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "deltaflash-mtd-"));
  readonly #file = join(this.#folder, "flash.bin");
  /** Of QEMU. */
  readonly args = ["-drive", `file=${this.#file},if=mtd,format=raw`];

  constructor() {
    writeFileSync(this.#file, new Uint8Array(0x400000).fill(0xff));
  }

  read(): Uint8Array {
    return readFileSync(this.#file);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
