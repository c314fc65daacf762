/**
 * What would make the next flash shorter, drawn from the trace of this one. Every rule has thresholds with a reason, counts
 * with the numbers of this very flash, and keeps silent where nothing is to be gained. Pure.
 */
import { linkRules } from "./advice-link.ts";
import { memoryRules } from "./advice-memory.ts";
import { probeRules } from "./advice-probe.ts";
import type { Advice, FlashFacts } from "./advice-rule.ts";

/**
 * The greatest saving first. A flash that failed has a remedy instead, and one that was only planned has no rates.
 * @param earlier newest first; those of other boards are left out here
 */
export function advise(flash: FlashFacts, earlier: readonly FlashFacts[]): readonly Advice[] {
  if (flash.result === "failed" || flash.result === "planned") return [];
  const sameBoard = earlier.filter((one) => one.identity === flash.identity);
  return [...linkRules, ...memoryRules, ...probeRules]
    .map((rule) => rule(flash, sameBoard))
    .filter((advice) => advice !== undefined)
    .sort(byWeight);
}

/** Longest first what can be saved; warnings before the rest. */
function byWeight(a: Advice, b: Advice): number {
  return (b.savesMs ?? 0) - (a.savesMs ?? 0) || Number(b.severity === "warning") - Number(a.severity === "warning");
}
