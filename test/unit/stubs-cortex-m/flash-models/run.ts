/** Has a driver's real machine code carry out records on a register model. */
import {
  encodeRecords,
  loaderCommand,
  loaderFlag,
  progressOf,
  type LoaderProgress,
  type LoaderRecord,
} from "../../../../src/targets/gdb/loader-abi.ts";
import { chipRows } from "../../../../src/targets/gdb/chips/list.ts";
import type { ChipMemory, ChipRow } from "../../../../src/targets/gdb/chips/row.ts";
import { Rig } from "../machine.ts";
import type { FlashModel, Unit } from "./array.ts";
import { testBoards, type TestBoard } from "./boards.ts";

export interface Setup<Model extends FlashModel = FlashModel> {
  readonly row: ChipRow;
  readonly memory: ChipMemory;
  readonly model: Model;
  readonly rig: Rig;
}

export function setUp(board: TestBoard): Setup {
  const row = chipRows.find(({ name }) => name === board.chip);
  const memory = row?.memory(board.words);
  const driver = row?.drivers[0]?.name;
  if (row === undefined || memory === undefined || driver === undefined) throw new Error(`no row ${board.chip}`);
  const model = board.make();
  return { row, memory, model, rig: new Rig(driver, model.memories) };
}

/** The board of that title, with its model as what it is. */
export function setUpAs<Model extends FlashModel>(
  title: string,
  kind: abstract new (...all: never[]) => Model,
): Setup<Model> {
  const board = testBoards.find((each) => each.title === title);
  if (board === undefined) throw new Error(`no board ${title}`);
  const setup = setUp(board);
  const { model } = setup;
  if (!(model instanceof kind)) throw new Error(`${title} is another model`);
  return { ...setup, model };
}

interface Options {
  readonly flags?: number;
  readonly driverWords?: readonly number[];
}

export function carryOut(
  { rig, model, memory }: Setup,
  records: readonly LoaderRecord[],
  { flags = loaderFlag.verify, driverWords = memory.driverWords }: Options = {},
): LoaderProgress {
  const { start, bytes } = model.array;
  const flash = { address: start, size: bytes.length };
  const command = { command: loaderCommand.batch, count: records.length, flags, flash, driverArguments: driverWords };
  rig.put(command, encodeRecords(records));
  rig.go();
  return progressOf(rig.mailboxWords);
}

/** Waits are bounded by billions of loops: the register that counts them down is brought near its end. */
export function hurry({ rig }: Setup): void {
  const { registers } = rig.machine.core;
  const isCounter = (value: number) => (value > 0x100000 && value <= 0x4000000) || value > 0xf0000000;
  rig.machine.onSlice = () => {
    for (const [at, value] of registers.subarray(0, 8).entries()) if (isCounter(value)) registers[at] = 16;
  };
}

/** The units of a row's map. */
export function unitsOf({ flash }: ChipMemory): readonly Unit[] {
  return flash.flatMap(({ start, size, sectorSize }) =>
    Array.from({ length: size / sectorSize }, (_, index) => ({ start: start + index * sectorSize, size: sectorSize })),
  );
}
