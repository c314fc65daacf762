/** What a flash page by page costs on the simulated probe, to compare ours with. */
import { expect, test } from "vitest";
import { baselines, flashPageByPage } from "../../../../src/sim/cortex-m/baseline.ts";
import { makeCortexBoard } from "../../../../src/sim/cortex-m/cortex-boards.ts";

test("65 KiB, page by page, on each chip, with a slow clock and defaults and with a faster one and less to erase", () => {
  const data = Uint8Array.from({ length: 65 * 1024 }, (_, at) => (at * 7) ^ (at >> 8));
  const lines: string[] = [];
  for (const board of ["nrf51", "stm32f4", "stm32f767", "rp2040"]) {
    for (const [kind, clockHz] of [["default", 1_800_000] as const, ["tuned", 10_000_000] as const]) {
      const sim = makeCortexBoard({ board, server: "pyocd", probe: { clockHz } });
      const segments = [{ address: sim.chip.flash.start, data }];
      const { totalMs, eraseMs, programMs, calls } = flashPageByPage(sim, segments, baselines[kind]);
      const times = [totalMs, eraseMs, programMs].map((ms) => (ms / 1000).toFixed(2)).join(" = … + ");
      lines.push(`${board} ${kind}: ${times} s, ${calls} calls`);
      expect(Buffer.compare(sim.flash.subarray(0, data.length), data)).toBe(0);
      expect(sim.counters().violations).toEqual({});
    }
  }
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "nrf51 default: 7.72 = … + 0.04 = … + 1.88 s, 66 calls
    nrf51 tuned: 5.27 = … + 2.61 = … + 1.86 s, 130 calls
    stm32f4 default: 15.50 = … + 8.02 = … + 1.68 s, 66 calls
    stm32f4 tuned: 3.91 = … + 1.64 = … + 1.46 s, 70 calls
    stm32f767 default: 15.50 = … + 8.02 = … + 1.68 s, 66 calls
    stm32f767 tuned: 3.07 = … + 0.81 = … + 1.46 s, 68 calls
    rp2040 default: 17.49 = … + 10.02 = … + 1.67 s, 66 calls
    rp2040 tuned: 3.11 = … + 1.04 = … + 1.27 s, 82 calls"
  `);
});
