import { describe, expect, test } from "vitest";
import { identifyChip, type Identified } from "../../../../../src/targets/gdb/chips/identify.ts";
import { chipRows } from "../../../../../src/targets/gdb/chips/list.ts";

/** Words by address; what is not there cannot be read. */
type Words = Readonly<Record<number, number>>;

async function identify(words: Words): Promise<Identified> {
  const asked: number[] = [];
  const found = await identifyChip((address) => {
    asked.push(address);
    return Promise.resolve(words[address]);
  });
  expect(new Set(asked).size).toBe(asked.length);
  return found;
}

const cpuid = 0xe000ed00;
const M0 = { [cpuid]: 0x410cc200 };
const M0PLUS = { [cpuid]: 0x410cc601 };
const M3 = { [cpuid]: 0x411fc231 };
const M4 = { [cpuid]: 0x410fc241 };
const M7 = { [cpuid]: 0x411fc270 };

/** Three words from there on. */
const unique = (address: number): Words => ({ [address]: 0x1, [address + 4]: 0xabcdef01, [address + 8]: 0x20303441 });

const f405: Words = {
  ...M4,
  0xe0042000: 0x10076413,
  0x1fff7a20: 0x04000000,
  0x40023c14: 0x0fffaaed,
  ...unique(0x1fff7a10),
};
const nrf52840: Words = {
  ...M4,
  0x10000010: 4096,
  0x10000014: 256,
  0x10000100: 0x52840,
  0x1000010c: 256,
  0x10000060: 0x11223344,
  0x10000064: 0x55667788,
};
const g031: Words = {
  ...M0PLUS,
  0x40015800: 0x10010466,
  0x1fff75e0: 0xffff0040,
  0x40022020: 0xfffffeaa,
  ...unique(0x1fff7590),
};

/** One line: what it is, what it has, who drives it. */
function summary(found: Identified): string {
  switch (found.kind) {
    case "unknown":
      return `unknown: ${found.because}`;
    case "ambiguous":
      return `ambiguous: ${found.rows.map(({ title }) => title).join(" or ")}`;
    case "known": {
      const { row, memory, driver, uniqueId, obstacles } = found;
      const flash = memory.flash.map(
        ({ start, size, sectorSize }) => `${start.toString(16)}+${size / sectorSize}x${sectorSize}`,
      );
      const words = memory.driverWords.join(",");
      return [
        `${row.title} (${row.name})`,
        flash.join(" "),
        `RAM ${memory.ram.address.toString(16)}+${memory.ram.size / 1024}K`,
        `${driver}(${words})`,
        uniqueId ?? "no number",
        ...obstacles,
      ].join("; ");
    }
  }
}

describe("a chip is known by what it says of itself", () => {
  test.each<readonly [Words, string]>([
    [
      f405,
      "STM32F405, F407, F415, F417 (stm32f405); 8000000+4x16384 8010000+1x65536 8020000+7x131072; RAM 20000000+128K; stm32f4(14,0,2); 00000001abcdef0120303441",
    ],
    [
      { ...f405, 0xe0042000: 0x20006411 },
      "STM32F405, F407, F415, F417 (stm32f405); 8000000+4x16384 8010000+1x65536 8020000+7x131072; RAM 20000000+128K; stm32f4(14,0,2); 00000001abcdef0120303441",
    ],
    [nrf52840, "nRF52840 (nrf52840); 0+256x4096; RAM 20000000+256K; nrf(4096); 1122334455667788"],
    [
      {
        ...M0,
        0x10000010: 1024,
        0x10000014: 256,
        0x4001e400: 1,
        0x10000034: 2,
        0x10000038: 0x2000,
        0x10001004: 0xffffffff,
      },
      "nRF51822, nRF51422 (nrf51822); 0+256x1024; RAM 20000000+16K; nrf(1024); no number",
    ],
    [
      { ...M3, 0xe0042000: 0x20036410, 0x1ffff7e0: 0xffff0040, 0x4002201c: 0x03fffffc, ...unique(0x1ffff7e8) },
      "STM32F103, medium density (stm32f103-medium); 8000000+64x1024; RAM 20000000+20K; stm32f1(1024); 00000001abcdef0120303441",
    ],
    [
      g031,
      "STM32G030, G031, G041 (stm32g030); 8000000+32x2048; RAM 20000000+8K; stm32g0(11,0); 00000001abcdef0120303441",
    ],
    [
      { ...M7, 0xe0042000: 0x10016451, 0x1ff0f440: 0x08000000, 0x40023c14: 0xffffaafd },
      "STM32F765, F767, F769, F777, F779 (stm32f767); 8000000+4x32768 8020000+1x131072 8040000+7x262144; RAM 20000000+512K; stm32f7(15,0,2); no number",
    ],
    [
      { ...M7, 0x5c001000: 0x20036450, 0x1ff1e880: 0xffff0080, 0x5200201c: 0x1b86aaf0 },
      "STM32H742 to H757 (stm32h743); 8000000+1x131072; RAM 20000000+128K; stm32h7(); no number",
    ],
    [
      { ...M0PLUS, 0x40000000: 0x20002927, 0x10: 0x0201754d },
      "RP2040 (rp2040); 10000000+512x4096; RAM 20000000+256K; rp2040-rom(); no number",
    ],
    [
      { ...M0PLUS, 0x40000000: 0x10002927 },
      "RP2040 (rp2040); 10000000+512x4096; RAM 20000000+256K; rp2040-ssi(); no number",
    ],
    [
      { ...M0PLUS, 0x40000000: 0, 0x41002018: 0x10010305, 0x41004008: 0x00031000, 0x41002000: 0 },
      "SAMD21, SAMR21 (samd21); 0+1024x256; RAM 20000000+32K; samd21(); no number",
    ],
  ])("%#", async (words, expected) => {
    expect(summary(await identify(words))).toBe(expected);
  });
});

describe("what is not known is not guessed", () => {
  test.each<readonly [string, Words, string]>([
    [
      "a locked debug port",
      {},
      "unknown: not even the core's registers can be read; the chip's debug port may be locked",
    ],
    ["another core", { [cpuid]: 0x411fd210 }, "unknown: no core that we know (CPUID 0x411fd210)"],
    ["a chip without a row", { ...M4, 0xe0042000: 0x10006439 }, "unknown: a Cortex-M4 of no chip that we know"],
    [
      "an STM32F2, which has the number of an early STM32F4",
      { ...M3, 0xe0042000: 0x20006411 },
      "unknown: a Cortex-M3 of no chip that we know",
    ],
    [
      "a chip whose size was never written",
      { ...f405, 0x1fff7a20: 0xffff0000 },
      "unknown: STM32F405, F407, F415, F417, but it does not say how much flash it has",
    ],
    [
      "a chip with more flash than there is",
      { ...f405, 0x1fff7a20: 0x08000000 },
      "unknown: STM32F405, F407, F415, F417, but it does not say how much flash it has",
    ],
    [
      "a chip whose size cannot be read",
      { ...f405, 0x1fff7a20: undefined as unknown as number },
      "unknown: STM32F405, F407, F415, F417, but it does not say how much flash it has",
    ],
    [
      "RAM that holds what looks like FICR",
      { ...f405, ...nrf52840 },
      "ambiguous: nRF52840 or STM32F405, F407, F415, F417",
    ],
  ])("%s", async (_, words, expected) => {
    expect(summary(await identify(words))).toBe(expected);
  });

  test("an STM32G0 that hides behind a clock says which", async () => {
    const found = await identify({ ...g031, 0x40015800: 0 });
    expect(found).toMatchObject({ kind: "unknown", wake: [{ address: 0x4002103c, bits: 1 << 27 }] });
  });

  test("an RP2040 is not asked for an STM32's clock", async () => {
    expect(await identify({ ...M0PLUS, 0x40000000: 0x10004927 })).toMatchObject({ kind: "unknown", wake: [] });
  });
});

describe("what stands in the way is told", () => {
  test.each<readonly [string, Words, RegExp]>([
    ["RDP of an STM32F4", { ...f405, 0x40023c14: 0x0fff55ed }, /RDP is not level 0.*erases the whole flash/],
    ["RDP of an STM32G0", { ...g031, 0x40022020: 0xfffffebb }, /RDP is not level 0/],
    ["RDP of an STM32G0 that nobody has set", { ...g031, 0x40022020: 0xfffffe00 }, /read protected/],
    ["RDPRT of an STM32F1", { ...M3, 0xe0042000: 0x20036410, 0x1ffff7e0: 0xffff0080, 0x4002201c: 0x03fffffe }, /RDPRT/],
    [
      "RBPCONF of an nRF51",
      { ...M0, 0x10000010: 1024, 0x10000014: 128, 0x4001e400: 1, 0x10000034: 0, 0x10000038: 0, 0x10001004: 0xffff00ff },
      /RBPCONF/,
    ],
    [
      "the security bit of a SAMD21",
      { ...M0PLUS, 0x41002018: 0x10010305, 0x41004008: 0x00031000, 0x41002000: 0x10000 },
      /security bit/,
    ],
    [
      "banks that have changed places",
      { ...M7, 0x5c001000: 0x20036450, 0x1ff1e880: 0xffff0800, 0x5200201c: 0x9b86aaf0 },
      /second flash bank/,
    ],
  ])("%s", async (_, words, expected) => {
    const found = await identify(words);
    expect(found.kind === "known" ? found.obstacles : []).toEqual([expect.stringMatching(expected)]);
  });
});

describe("the rows", () => {
  test("have names and titles of their own", () => {
    expect(new Set(chipRows.map(({ name }) => name)).size).toBe(chipRows.length);
    expect(new Set(chipRows.map(({ title }) => title)).size).toBe(chipRows.length);
  });

  test.each(chipRows)(
    "$name says where its numbers come from, and its times are in order",
    ({ times, source, evidence }) => {
      expect(source.length).toBeGreaterThan(20);
      expect(times.source.length).toBeGreaterThan(20);
      expect(evidence).toMatch(/emulator|untested/);
      for (const { typicalMs, maxMs } of times.erase) expect(maxMs).toBeGreaterThanOrEqual(typicalMs);
      expect(times.program.maxUs).toBeGreaterThanOrEqual(times.program.typicalUs);
      const sizes = times.erase.map(({ bytes }) => bytes);
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    },
  );
});
