/** `deltaflash plan`: what a flash of the new artifact would write on a board that holds the old one. Needs no board. */
import { loadArtifact } from "../build/load.ts";
import { formatBytes, hex } from "../core/bytes.ts";
import { formatDuration } from "../core/trace-text.ts";
import { offlinePlan, type OfflinePlan } from "../engine/offline-plan.ts";
import { exitCodes, UsageError, type ExitCode } from "./exit.ts";
import { readBaud, readChip, readOptions } from "./options.ts";
import { checkOutputs, writeOutput } from "./outputs.ts";

const options = { chip: { type: "string" }, baud: { type: "string" }, json: { type: "string" } } as const;

export async function planCommand(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, options);
  const [oldPath, newPath, ...more] = positionals;
  if (oldPath === undefined || newPath === undefined || more.length > 0) {
    throw new UsageError("plan takes the old and the new artifact");
  }
  const chip = values.chip === undefined ? undefined : readChip(values.chip);
  const baud = values.baud === undefined ? undefined : readBaud(values.baud);
  await checkOutputs([values.json]);
  const old = await loadArtifact([oldPath]);
  const plan = offlinePlan(old, await loadArtifact([newPath]), { chip, baud });
  (values.json === "-" ? process.stderr : process.stdout).write(formatPlan(plan));
  if (values.json !== undefined) await writeOutput(values.json, `${JSON.stringify(plan, null, 2)}\n`);
  return exitCodes.done;
}

function formatPlan(plan: OfflinePlan): string {
  const { image, written, runs } = plan;
  const lines = [
    `${plan.chip}: ${written.sectors} of ${image.sectors} sectors (${formatBytes(written.bytes)} of ${formatBytes(image.bytes)}), about ${formatDuration(plan.estimateMs)} to write and verify at ${plan.baud} baud; everything would take ${formatDuration(plan.fullEstimateMs)}`,
    ...runs.map((run) => `  ${hex(run.address, 6)}  ${formatBytes(run.bytes).padStart(9)}  ${run.erase}`),
  ];
  return `${lines.join("\n")}\n`;
}
