import { describe, expect, test } from "vitest";
import { noise } from "../stubs/operations.ts";
import { loaderStatus } from "../../../src/targets/gdb/loader-abi.ts";
import type { Unit } from "./flash-models/array.ts";
import { testBoards } from "./flash-models/boards.ts";
import { carryOut, hurry, setUp, unitsOf, type Setup } from "./flash-models/run.ts";
import { layout } from "./machine.ts";

/** First and last, and what lies between them, more sparsely the more there are. */
function some(units: readonly Unit[]): readonly Unit[] {
  const step = Math.ceil(units.length / 24);
  return units.filter((_, index) => index % step === 0 || index === units.length - 1);
}

/** What the job needed of the loader's stack. */
const stackBytes = ({ rig }: Setup) => rig.ram.start + layout.stackTop - rig.machine.lowestSp;

const offsetOf = (array: { readonly start: number }, address: number) => address - array.start;

/** STM32F4, F7 and SAMD21 take a second programming, which then reads back differently; the others refuse it. */
function whenOverwritten(chip: string): number {
  return /^stm32f[47]|^samd21/.test(chip) ? loaderStatus.verifyFailed : loaderStatus.programFailed;
}

describe.each(testBoards)("$title", (board) => {
  test("has the units that the chip's row says, and erases the one that is meant", () => {
    const setup = setUp(board);
    const { array } = setup.model;
    expect(unitsOf(setup.memory)).toEqual(array.units);
    const meant = some(array.units).toReversed();
    const records = meant.map(({ start, size }) => ({ kind: "erase", address: start, size }) as const);
    expect(carryOut(setup, records, { flags: 0 })).toMatchObject({ status: 0, done: meant.length });
    expect(array.erased).toEqual(meant);
  });

  test("erases several units by one record", () => {
    const setup = setUp(board);
    const { array } = setup.model;
    const three = array.units.slice(1, 4);
    const [first] = three;
    const size = three.reduce((sum, unit) => sum + unit.size, 0);
    expect(carryOut(setup, [{ kind: "erase", address: first?.start ?? 0, size }], { flags: 0 }).status).toBe(0);
    expect(array.erased).toEqual(three);
  });

  test("erases and programs what it is told, and leaves the rest and the controller alone", () => {
    const setup = setUp(board);
    const { model, row } = setup;
    const { array } = model;
    const old = noise(array.bytes.length, 5);
    array.bytes.set(old);
    array.busyPolls = 7;
    model.leaveErrors();
    const unit = array.units[1] ?? { start: 0, size: 0 };
    const offset = offsetOf(array, unit.start);
    const length = Math.min(unit.size / 4, 0x1400);
    const data = noise(length, 6);
    const tail = noise(row.programUnit, 7);
    const done = carryOut(setup, [
      { kind: "erase", address: unit.start, size: unit.size },
      { kind: "write", address: unit.start, data },
      { kind: "write", address: unit.start + unit.size - tail.length, data: tail },
    ]);
    expect(done).toMatchObject({ status: 0, done: 3, programmed: length + tail.length });
    const wanted = old.slice();
    wanted.fill(0xff, offset, offset + unit.size);
    wanted.set(data, offset);
    wanted.set(tail, offset + unit.size - tail.length);
    expect(Buffer.from(array.bytes).equals(wanted)).toBe(true);
    expect(model.isClosed).toBe(true);
    expect(stackBytes(setup)).toBeLessThanOrEqual(256);
  });

  test("waits for the second bank as well as for the first", () => {
    const setup = setUp(board);
    const { array } = setup.model;
    array.busyPolls = 7;
    const { start, size } = array.units.at(-1) ?? { start: 0, size: 0 };
    const done = carryOut(setup, [
      { kind: "erase", address: start, size },
      { kind: "write", address: start, data: noise(0x100, 9) },
    ]);
    expect(done).toMatchObject({ status: 0, done: 2 });
    expect(setup.model.isClosed).toBe(true);
  });

  test("says that a unit is protected, when it is erased and when it is programmed", () => {
    const setup = setUp(board);
    const { array } = setup.model;
    const { start, size } = array.units[1] ?? { start: 0, size: 0 };
    array.guarded.add(start);
    const refused = { status: loaderStatus.protected, failure: start, done: 0 };
    expect(carryOut(setup, [{ kind: "erase", address: start, size }])).toMatchObject(refused);
    expect(setup.model.isClosed).toBe(true);
    expect(carryOut(setup, [{ kind: "write", address: start, data: noise(0x100) }])).toMatchObject(refused);
    expect(setup.model.isClosed).toBe(true);
    expect(array.bytes.every((byte) => byte === 0xff)).toBe(true);
    expect(carryOut(setup, [{ kind: "write", address: start - 0x100, data: noise(0x100) }]).status).toBe(0);
  });

  test.each([0, 1] as const)("gives up when the controller stays busy (record %i)", (which) => {
    const setup = setUp(board);
    const { array } = setup.model;
    const { start, size } = array.units[1] ?? { start: 0, size: 0 };
    array.busyPolls = Infinity;
    hurry(setup);
    const records = [
      { kind: "erase", address: start, size },
      { kind: "write", address: start, data: noise(0x100) },
    ] as const;
    expect(carryOut(setup, [records[which]])).toMatchObject({ status: loaderStatus.timeout, failure: start });
  });
});

/** The H7 does not say so: drivers-apart.test.ts. */
const tellingBoards = testBoards.filter(({ chip }) => chip !== "stm32h743");

test.each(tellingBoards)("programming what was not erased fails ($title)", (board) => {
  const setup = setUp(board);
  const { array } = setup.model;
  const { start } = array.units[1] ?? { start: 0 };
  array.bytes.fill(0x5a, offsetOf(array, start), offsetOf(array, start) + 0x100);
  const done = carryOut(setup, [{ kind: "write", address: start, data: noise(0x100, 8) }]);
  expect(done).toMatchObject({ status: whenOverwritten(board.chip), failure: start });
  expect(setup.model.isClosed).toBe(true);
});
