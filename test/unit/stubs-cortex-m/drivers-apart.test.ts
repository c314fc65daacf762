import { describe, expect, test } from "vitest";
import { noise } from "../stubs/operations.ts";
import { loaderStatus } from "../../../src/targets/gdb/loader-abi.ts";
import type { Memory } from "./machine.ts";
import type { FlashModel } from "./flash-models/array.ts";
import { Fpec } from "./flash-models/fpec.ts";
import { Nvmctrl } from "./flash-models/nvmctrl.ts";
import { carryOut, setUpAs, type Setup } from "./flash-models/run.ts";
import { Stm32F4 } from "./flash-models/stm32f4.ts";
import { Stm32H7 } from "./flash-models/stm32h7.ts";
import { Stm32L4 } from "./flash-models/stm32l4.ts";

/** Erases the first unit and writes to its beginning. */
function rewrite(setup: Setup, data: Uint8Array) {
  const [unit] = setup.model.array.units;
  const { start, size } = unit ?? { start: 0, size: 0 };
  return carryOut(setup, [
    { kind: "erase", address: start, size },
    { kind: "write", address: start, data },
  ]);
}

/** The first word as a program reads it. */
function firstWord({ memories }: FlashModel): number {
  const [flash]: readonly (Memory | undefined)[] = memories;
  return (flash?.load(0, 4) ?? 0) >>> 0;
}

const data = new Uint8Array(0x100).fill(0x11);

describe("a watchdog that cannot be stopped", () => {
  test.each([
    ["STM32F103C8", Fpec],
    ["STM32F407VG", Stm32F4],
    ["STM32L432KC", Stm32L4],
    ["STM32G031K8", Stm32L4],
    ["STM32H743ZI", Stm32H7],
  ] as const)("is fed while an erase takes its time (%s)", (title, kind) => {
    const setup = setUpAs<FlashModel>(title, kind);
    setup.model.array.busyPolls = 500;
    const [unit] = setup.model.array.units;
    const { start, size } = unit ?? { start: 0, size: 0 };
    carryOut(setup, [{ kind: "erase", address: start, size }], { flags: 0 });
    expect(setup.model.feeds).toBeGreaterThan(500);
  });

  test("is fed on the SAMD21 before each row and page, unless it is early that is wrong", () => {
    const fedWith = (watchdog: number) => {
      const setup = setUpAs("SAMD21G18A", Nvmctrl);
      setup.model.watchdog = watchdog;
      expect(rewrite(setup, data).status).toBe(0);
      return setup.model.feeds;
    };
    expect([0, 2, 0x80, 6].map(fedWith)).toEqual([0, 5, 5, 0]);
  });
});

describe("caches", () => {
  test.each([
    ["STM32F407VG", Stm32F4],
    ["STM32F746ZG", Stm32F4],
  ] as const)("show the new contents afterwards, and are on again (%s)", (title, kind) => {
    const setup = setUpAs(title, kind);
    setup.model.array.bytes.fill(0x77);
    setup.model.switchCacheOn();
    expect(firstWord(setup.model)).toBe(0x77777777);
    expect(rewrite(setup, data).status).toBe(0);
    expect(setup.model.cache.isOn).toBe(true);
    expect(firstWord(setup.model)).toBe(0x11111111);
  });

  test.each([
    ["STM32L432KC", Stm32L4],
    ["STM32G071RB", Stm32L4],
    ["STM32G431KB", Stm32L4],
    ["SAMD21G18A", Nvmctrl],
  ] as const)("are on after a reset, and show the new contents (%s)", (title, kind) => {
    const setup = setUpAs<FlashModel>(title, kind);
    setup.model.array.bytes.fill(0x77);
    expect(firstWord(setup.model)).toBe(0x77777777);
    expect(rewrite(setup, data).status).toBe(0);
    expect(firstWord(setup.model)).toBe(0x11111111);
    expect(setup.model.isClosed).toBe(true);
  });
});

describe("a chip that was empty when it was powered", () => {
  test.each(["STM32L432KC", "STM32G031K8"])("starts its firmware after the next reset (%s)", (title) => {
    const setup = setUpAs(title, Stm32L4);
    setup.model.isEmpty = true;
    rewrite(setup, data);
    expect(setup.model.isEmpty).toBe(false);
  });

  test.each(["STM32L432KC", "STM32G031K8"])("stays empty if nothing was put at its beginning (%s)", (title) => {
    const setup = setUpAs(title, Stm32L4);
    setup.model.isEmpty = true;
    carryOut(setup, [{ kind: "write", address: 0x08000800, data }]);
    expect(setup.model.isEmpty).toBe(true);
  });
});

describe("the clock", () => {
  test("of the L4 is raised for every job and set back", () => {
    const setup = setUpAs("STM32L432KC", Stm32L4);
    for (const job of [1, 2]) {
      setup.model.fastest = 6;
      rewrite(setup, data.slice().fill(job));
      expect([setup.model.fastest, (setup.model.rcc >>> 4) & 15]).toEqual([8, 6]);
    }
  });

  test("of the L4 stays as it is when a program has changed it", () => {
    const setup = setUpAs("STM32L432KC", Stm32L4);
    setup.model.rcc = 0x1000063;
    rewrite(setup, data);
    expect([setup.model.fastest, setup.model.rcc]).toEqual([6, 0x1000063]);
  });

  test("of the SAMD21 is raised and set back", () => {
    const setup = setUpAs("SAMD21G18A", Nvmctrl);
    rewrite(setup, data);
    expect([setup.model.fastest, setup.model.oscillator]).toEqual([0, 0x300]);
  });
});

describe("peculiarities", () => {
  test("an STM32F1 takes FFFF over FFFF and nothing else over what is programmed", () => {
    const setup = setUpAs("STM32F103C8", Fpec);
    expect(rewrite(setup, noise(0x400, 3)).status).toBe(0);
    expect(carryOut(setup, [{ kind: "write", address: 0x08000000, data }])).toMatchObject({
      status: loaderStatus.programFailed,
      failure: 0x08000000,
    });
  });

  test.each([
    [0, 1],
    [1, 2],
    [2, 4],
  ])("an STM32F4 is programmed by the width that its supply allows (PSIZE %i)", (psize, width) => {
    const setup = setUpAs("STM32F407VG", Stm32F4);
    const driverWords = [14, 0, psize];
    const address = 0x08004000;
    expect(carryOut(setup, [{ kind: "write", address, data: noise(0x100) }], { driverWords }).status).toBe(0);
    expect(setup.model.array.programs).toBe(0x100 / width);
  });

  test("a flash word of the H7 that is programmed twice cannot be read any more", () => {
    const setup = setUpAs("STM32H743ZI", Stm32H7);
    expect(rewrite(setup, data).status).toBe(0);
    const twice = () => carryOut(setup, [{ kind: "write", address: 0x08000000, data: noise(32) }]);
    expect(twice).toThrow("two bits wrong in a flash word");
  });

  test("a write across the banks of the H7 is divided", () => {
    const setup = setUpAs("STM32H743ZI", Stm32H7);
    const address = 0x080ffe00;
    expect(carryOut(setup, [{ kind: "write", address, data: noise(0x400, 4) }])).toMatchObject({ status: 0 });
    expect(setup.model.isClosed).toBe(true);
  });

  test("NVMCTRL's write protection is lifted and set again", () => {
    const setup = setUpAs("SAMD21G18A", Nvmctrl);
    setup.model.isGuarded = true;
    expect(rewrite(setup, data).status).toBe(0);
    expect(setup.model.isGuarded).toBe(true);
  });
});
