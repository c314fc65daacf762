/** Misfortune while our own stub works: seeded runs of everything that can go wrong, and what must never be reported then. */
import { describe, expect, test } from "vitest";
import { runScenario } from "./patch-stub-run.ts";
import { faultKinds, scenario, type FaultKind } from "./patch-stub-scenario.ts";
import { Tally } from "./patch-stub-tally.ts";

/** `npm test` makes 2,080 runs, `npm run check` 39 of them; `npm run soak` makes as many as are asked for. */
const runsPerKind = process.env["DELTAFLASH_CAMPAIGN"] === "full" ? 160 : 3;

async function campaign(kind: FaultKind): Promise<Tally> {
  const tally = new Tally();
  for (let round = 0; round < runsPerKind; round++) {
    const one = scenario(round * faultKinds.length + faultKinds.indexOf(kind));
    tally.add({ seed: one.seed, kind, ...(await runScenario(one)) });
  }
  return tally;
}

describe("never reported as flashed with wrong contents, over in a minute, and repaired by the next flash", () => {
  test.each(faultKinds)("%s", { timeout: 300_000 }, async (kind) => {
    const tally = await campaign(kind);
    expect(tally.wrong).toEqual([]);
    const count = (result: string) => tally.count(kind, result);
    switch (kind) {
      case "none":
        expect(tally.results.filter((result) => result !== "flashed" && result !== "unchanged")).toEqual([]);
        break;
      case "flash altered":
        expect(count("flashed") + count("flashed, some sent whole")).toBe(runsPerKind);
        expect(count("flashed, some sent whole")).toBeGreaterThan(runsPerKind / 2);
        break;
      case "host stalls":
      case "stub does not start":
        expect(tally.results.filter((result) => !/^(flashed|unchanged)/.test(result))).toEqual([]);
        break;
      case "bytes flipped, lost, doubled":
        expect(count("flashed")).toBeGreaterThan(runsPerKind / 2);
        break;
      case "noise up to 1e-4":
      case "host cancels and comes back":
      case "host dies and comes back":
      case "board unplugged":
      case "power lost in a commit":
      case "flash stays busy":
      case "bad sector":
      case "stuck bit":
        break; // whatever is reported
    }
  });
});
