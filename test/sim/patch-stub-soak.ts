/** `npm run soak`: as many runs of the fault campaign as are asked for, on all processors; prints a table of what became of them. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { formatTally, Tally, type TallyEntry } from "./patch-stub-tally.ts";
import { runScenario } from "./patch-stub-run.ts";
import { scenario } from "./patch-stub-scenario.ts";

const usualRuns = 20_000;
/** Results are handed over in pieces of so many runs. */
const pieceRuns = 100;

const [role, first = "1", step = "1", last = "0"] = process.argv.slice(2);
if (role === "worker") await work(Number(first), Number(step), Number(last));
else await lead(Number(role ?? usualRuns), Number(first));

/** Every `step`th seed. */
async function work(from: number, every: number, to: number): Promise<void> {
  let entries: TallyEntry[] = [];
  for (let seed = from; seed <= to; seed += every) {
    const one = scenario(seed);
    entries.push({ seed, kind: one.kind, ...(await runScenario(one)) });
    if (entries.length < pieceRuns && seed + every <= to) continue;
    process.send?.(entries.map((entry) => ({ ...entry, log: [] })));
    entries = [];
  }
}

async function lead(runs: number, from: number): Promise<void> {
  const tally = new Tally();
  const startedAt = performance.now();
  const workers = availableParallelism();
  const tell = () => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(`${tally.runs} of ${runs} runs, ${tally.wrong.length} wrong, ${seconds} s\n`);
  };
  const timer = setInterval(tell, 30_000);
  process.once("SIGINT", () => {
    process.stdout.write(`${formatTally(tally)}\n`);
    tell();
    process.exit(1);
  });
  const codes = await Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const child = fork(
        fileURLToPath(import.meta.url),
        ["worker", from + index, workers, from + runs - 1].map(String),
      );
      child.on("message", (entries) => (entries as TallyEntry[]).forEach((entry) => tally.add(entry)));
      return new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
    }),
  );
  clearInterval(timer);
  process.stdout.write(`${formatTally(tally)}\n`);
  tell();
  process.exitCode = codes.every((code) => code === 0) && tally.runs === runs && tally.wrong.length === 0 ? 0 : 1;
}
