/** `deltaflash flash`: write what changed and run it. */
import { loadArtifact } from "../build/load.ts";
import type { Clock } from "../core/clock.ts";
import { asFlashError } from "../core/errors.ts";
import { perfettoTrace } from "../core/trace-perfetto.ts";
import { runJob } from "../engine/job.ts";
import { History } from "../engine/history.ts";
import type { JobOptions } from "../engine/job-options.ts";
import { failedBefore, traceOf, type Report } from "../engine/report.ts";
import { stateFolder } from "../engine/state-folder.ts";
import { systemClock } from "../engine/system-clock.ts";
import { exitCodes, UsageError, type ExitCode } from "./exit.ts";
import { boardAtPort, onlyBoardPort } from "./open-board.ts";
import { readAppOffset, readBaud, readChip, readFlashSize, readOptions } from "./options.ts";
import { checkOutputs, writeOutput } from "./outputs.ts";
import { Progress } from "./progress.ts";
import { formatReport } from "./show-report.ts";

const flag = { type: "boolean" } as const;
const text = { type: "string" } as const;
const options = {
  port: text,
  chip: text,
  board: text,
  baud: text,
  full: flag,
  ram: flag,
  "app-only": flag,
  "app-offset": text,
  "flash-size": text,
  "no-stub": flag,
  "official-stub": flag,
  "dry-run": flag,
  "no-reset": flag,
  json: text,
  trace: text,
  verbose: flag,
} as const;

export async function flashCommand(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, options);
  if (positionals.length === 0) throw new UsageError("which artifact? For example build/firmware.elf");
  const given = <T>(word: string | undefined, read: (word: string) => T) =>
    word === undefined ? undefined : read(word);
  const jobOptions: JobOptions = {
    baud: given(values.baud, readBaud),
    chip: given(values.chip, readChip),
    identity: values.board,
    full: values.full ?? false,
    ram: values.ram ?? false,
    dryRun: values["dry-run"] ?? false,
    reset: !(values["no-reset"] ?? false),
    useStub: !(values["no-stub"] ?? false),
    officialStub: values["official-stub"] ?? false,
    appOffset: given(values["app-offset"], readAppOffset),
    flashBytes: given(values["flash-size"], readFlashSize),
  };
  const { json, trace } = values;
  const result = await flash(positionals, jobOptions, {
    appOnly: values["app-only"] ?? false,
    port: values.port,
    verbose: values.verbose ?? false,
    outputs: [json, trace],
  });
  return show(result, { json, trace });
}

interface Where {
  readonly appOnly: boolean;
  readonly port: string | undefined;
  readonly verbose: boolean;
  /** Files that will be written when it is over. */
  readonly outputs: readonly (string | undefined)[];
}

async function flash(
  artifacts: readonly string[],
  jobOptions: JobOptions,
  { appOnly, port, verbose, outputs }: Where,
): Promise<Result> {
  let clock: Clock = systemClock;
  const progress = new Progress({ output: process.stderr, verbose, nowMs: () => clock.nowMs() });
  const cancel = new AbortController();
  const onInterrupt = () => {
    if (cancel.signal.aborted) process.exit(exitCodes.cancelled);
    cancel.abort();
    progress.clear();
    process.stderr.write("cancelling at the next safe place; press again to leave at once\n");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    await checkOutputs(outputs);
    const artifact = await loadArtifact(artifacts, { appOnly });
    const folder = stateFolder();
    const board = await boardAtPort(port ?? (await onlyBoardPort()), folder);
    clock = board.clock;
    board.family.requireSupported(artifact, jobOptions.chip);
    let report: Report;
    let says: string | undefined;
    try {
      report = await runJob({
        ...board,
        artifact,
        options: jobOptions,
        history: new History(folder),
        signal: cancel.signal,
        observer: progress,
      });
    } finally {
      says = await board.finish();
    }
    return { report, simulated: board.board !== undefined, says };
  } catch (thrown) {
    return { report: failedBefore(port ?? "", asFlashError(thrown)), simulated: false, says: undefined };
  } finally {
    progress.clear();
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}

interface Result {
  readonly report: Report;
  readonly simulated: boolean;
  /** What the board said when its program started. */
  readonly says: string | undefined;
}

interface Outputs {
  readonly json: string | undefined;
  readonly trace: string | undefined;
}

async function show({ report, simulated, says }: Result, { json, trace }: Outputs): Promise<ExitCode> {
  const failed = report.error !== null;
  (json === "-" || failed ? process.stderr : process.stdout).write(formatReport(report, { simulated, says }));
  try {
    if (json !== undefined) await writeOutput(json, `${JSON.stringify(report, null, 2)}\n`);
    if (trace !== undefined) {
      const title = report.port === "" ? "deltaflash" : `${report.board} on ${report.port}`.trimStart();
      await writeOutput(trace, JSON.stringify(perfettoTrace(traceOf(report), title)));
    }
  } catch (error) {
    if (!failed) throw error; // else it has been said, or matters less than what was
  }
  if (!failed) return exitCodes.done;
  return report.error.code === "cancelled" ? exitCodes.cancelled : exitCodes.failed;
}
