/** One job on one board, from an open port to the report: connect, image, flash or RAM load, remember, report. Never throws. */
import type { Artifact } from "../build/artifact.ts";
import type { Clock } from "../core/clock.ts";
import type { DeltaPlanner } from "../core/delta.ts";
import { asFlashError, FlashError } from "../core/errors.ts";
import { TraceRecorder, waitTotals, type Phase } from "../core/trace.ts";
import { checkStop, StoppedBetweenRequests, type Context } from "../targets/target.ts";
import { holderOf } from "../transport/port-holder.ts";
import type { SerialTransport } from "../transport/transport.ts";
import { checkIdentity } from "./board-identity.ts";
import { wishesOf, type BoardConnection, type Family, type FoundBoard } from "./family.ts";
import { noProgress, type FlashProgress } from "./flash-job.ts";
import { flashMemory } from "./flash.ts";
import type { History } from "./history.ts";
import type { JobOptions } from "./job-options.ts";
import { errorOf, wireSince, type FlashOutcome, type Report } from "./report.ts";

/** What front ends are told while a job runs. */
export interface JobObserver {
  phase(phase: Phase, label: string): void;
  /** Bytes erased and written, and how many these will be. */
  progress(done: number, total: number): void;
  log(line: string): void;
}

export interface BoardJob {
  readonly family: Family;
  readonly artifact: Artifact;
  /** Opens the port; the time it takes belongs to the job. The job closes it. */
  open(): Promise<SerialTransport>;
  /**
   * A connection that was made ahead, or is being made; `open` is not called then, and its port is left open. For flashes only:
   * a program for the RAM needs the loader as it is after a reset.
   */
  readonly ahead?: () => Promise<BoardConnection>;
  /** Called before every reset into the program: whoever listens next wants to hear all of it. */
  readonly beforeReset?: (transport: SerialTransport) => Promise<void>;
  /** What a program in RAM said while its loader was still listened to. */
  readonly onProgramText?: (bytes: Uint8Array) => void;
  /** As soon as it aborts the job ends where the loader waits for its next request. */
  readonly stop?: AbortSignal;
  /**
   * Called when the job was stopped there: true when somebody goes on with the connection, to whom the port and the board belong
   * from then on. Otherwise a board on which nothing was changed goes back to its program.
   */
  readonly handOver?: (connection: BoardConnection) => boolean;
  /** Plans patches elsewhere than on this thread. */
  readonly planDelta?: DeltaPlanner;
  /** As the user named it. */
  readonly port: string;
  /** The catalogue's name where the port is known to be a certain board; else the chip's name is used. */
  readonly board?: string;
  readonly options: JobOptions;
  readonly history: History;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observer: JobObserver;
}

interface Running {
  readonly job: BoardJob;
  readonly context: Context;
  readonly progress: FlashProgress;
  chip: string;
  identity: string;
  connection: BoardConnection | undefined;
  /** How the board gets back to its program. */
  leave(context: Context): Promise<void>;
}

/** The outcome of the job, whatever happens; a failure is in `error`, with the spans up to it. */
export async function runJob(job: BoardJob): Promise<Report> {
  const { clock, signal, observer } = job;
  const progress = noProgress();
  const first = job.ahead === undefined ? "open port" : "connected ahead";
  const trace = new TraceRecorder(clock, { phase: "connect", label: first }, (phase, label) =>
    observer.phase(phase, label),
  );
  let written = 0;
  const context: Context = {
    clock,
    signal,
    stop: job.stop,
    trace,
    onProgress: (bytes) => observer.progress((written += bytes), progress.plan?.erasedBytes ?? written),
    log: (line) => observer.log(line),
  };
  const leave = () => Promise.resolve();
  const running: Running = { job, context, progress, chip: "", identity: "", connection: undefined, leave };
  let wire: () => Report["wire"] = () => ({ sentBytes: 0, receivedBytes: 0, roundTrips: 0 });
  let outcome: FlashOutcome = "failed";
  let error: FlashError | undefined;
  try {
    if (job.ahead === undefined) {
      await using transport = await job.open();
      wire = wireSince(transport);
      outcome = await onBoard(running, transport);
    } else {
      const connection = await job.ahead();
      wire = wireSince(connection.transport);
      outcome = await onBoard(running, connection.transport, connection);
    }
  } catch (thrown) {
    error = asFlashError(thrown);
  }
  return report(running, { outcome, error, wire: wire() });
}

async function onBoard(running: Running, transport: SerialTransport, ahead?: BoardConnection): Promise<FlashOutcome> {
  const { family } = running.job;
  running.leave = (context) => family.leave(transport, context);
  if (family.countsRoundTrips) running.context.trace.countRoundTrips(() => transport.counters.roundTrips);
  try {
    const outcome = await (running.job.options.ram
      ? loadIntoRam(running, transport)
      : flash(running, transport, ahead));
    if (outcome === "planned") await leaveUntouched(running, transport);
    return outcome;
  } catch (error) {
    if (!goesOn(running, error) && !running.progress.dirty) await leaveUntouched(running, transport);
    throw await withHolder(running, error);
  }
}

/** Whether somebody else takes the connection as it is. */
function goesOn({ job, connection }: Running, error: unknown): boolean {
  if (!(error instanceof StoppedBetweenRequests) || connection === undefined) return false;
  return job.handOver?.(connection) ?? false;
}

/** When nobody answers, another program that has the port open may be eating the answers. */
async function withHolder(running: Running, error: unknown): Promise<unknown> {
  const { port } = running.job;
  if (!(error instanceof FlashError && error.code === "timeout") || running.identity !== "") return error;
  const holder = await holderOf(port);
  if (holder === undefined) return error;
  return new FlashError(
    "port-busy",
    `${error.message}; ${holder.command} (process ${holder.pid}) has the port open too`,
    { cause: error },
  );
}

async function flash(running: Running, transport: SerialTransport, ahead?: BoardConnection): Promise<FlashOutcome> {
  const { job, context, progress } = running;
  const { history, options } = job;
  const connection = ahead === undefined ? await connect(running, transport) : takeOver(running, ahead);
  const { session, flashId } = connection;
  running.connection = connection;
  progress.notes.push(...connection.notes);
  checkStop(context);
  found(running, {
    ...session,
    chip: session.chip,
    identity: session.identity,
    leave: (final) => connection.leave(final),
  });
  const board = await history.board(session.identity, session.chip);
  context.trace.enter("plan", "image");
  const facts = { port: job.port, flashId };
  try {
    const image = await connection.image({
      artifact: job.artifact,
      known: board.known,
      remember: (sectors) => board.enter(sectors, facts),
      appOffset: options.appOffset,
      notes: progress.notes,
    });
    const record = {
      known: board.known,
      interrupted: board.interrupted,
      contents: () => board.contents(),
      strikeOut: (sectors: Parameters<typeof board.strikeOut>[0]) => board.strikeOut(sectors, job.port),
      enter: (sectors: Parameters<typeof board.enter>[0]) => board.enter(sectors, facts),
    };
    const beforeReset = () => readyForProgram(job, transport);
    const { planDelta } = job;
    const outcome = await flashMemory({
      ...{ session, image, record, options, context, progress, beforeReset },
      ...(planDelta === undefined ? {} : { planDelta }),
    });
    if (options.reset && !connection.canReset && outcome !== "planned") {
      progress.notes.push(`${job.port} has no reset line: press the board's reset button to start the program.`);
    }
    return outcome;
  } finally {
    await rememberPort(job, connection);
  }
}

/** @throws FlashError `wrong-chip` if it is not the board that the user means */
function found(running: Running, board: FoundBoard): void {
  const { job } = running;
  running.chip = board.chip;
  running.identity = board.identity;
  running.leave = (context) => board.leave(context);
  const name = job.board ?? board.chip;
  checkIdentity({ board: name, identity: board.identity, port: job.port }, job.options.identity);
}

function connect({ job, context }: Running, transport: SerialTransport): Promise<BoardConnection> {
  const { artifact, options, family } = job;
  const meant = { chip: options.chip, artifact };
  return family.connect(transport, context, { wishes: wishesOf(options, artifact), meant, memory: job });
}

/** When the connection was made nobody knew yet what the build would make. */
function takeOver(running: Running, ahead: BoardConnection): BoardConnection {
  const { job, context } = running;
  ahead.context.handTo(context);
  running.leave = (final) => ahead.leave(final);
  ahead.check({ chip: job.options.chip, artifact: job.artifact });
  return ahead;
}

async function readyForProgram({ beforeReset }: BoardJob, transport: SerialTransport): Promise<void> {
  if (transport.hasModemLines) await beforeReset?.(transport); // without a reset line the loader is still to be spoken to
}

/** Nothing was changed: the board goes back to its program. A failure here must not hide the one before. */
async function leaveUntouched(running: Running, transport: SerialTransport): Promise<void> {
  const { context, job } = running;
  if (!job.options.reset) return;
  try {
    await readyForProgram(job, transport);
    await running.leave(context);
  } catch (error) {
    context.log(`the board could not be reset: ${String(error)}`);
  }
}

async function rememberPort(job: BoardJob, { hints }: BoardConnection): Promise<void> {
  try {
    await job.history.rememberPort(job.port, hints);
  } catch (error) {
    job.observer.log(`what was learned about ${job.port} could not be kept: ${String(error)}`);
  }
}

async function loadIntoRam(running: Running, transport: SerialTransport): Promise<FlashOutcome> {
  const { job, context, progress } = running;
  const { options, artifact, onProgramText } = job;
  const { bytes, notes } = await job.family.runInRam(transport, context, {
    meant: { chip: options.chip, artifact },
    baud: options.baud,
    dryRun: options.dryRun,
    memory: job,
    onBoard: (board) => found(running, board),
    ...(onProgramText === undefined ? {} : { onProgramText }),
  });
  progress.image = { bytes, sectors: 0 };
  progress.notes.push(...notes);
  return options.dryRun ? "planned" : "loaded";
}

interface Ended {
  readonly outcome: FlashOutcome;
  readonly error: FlashError | undefined;
  readonly wire: Report["wire"];
}

function report(running: Running, { outcome, error, wire }: Ended): Report {
  const { job, context, progress, chip, identity } = running;
  const { totalMs, spans } = context.trace.finish();
  const { plan } = progress;
  const planned = outcome === "planned" && plan !== undefined;
  const waits = waitTotals(spans);
  return {
    version: 1,
    board: job.board ?? chip,
    chip,
    identity,
    port: job.port,
    result: error === undefined ? outcome : "failed",
    error: error === undefined ? null : errorOf(inContext(error, progress)),
    totalMs,
    spans,
    image: progress.image,
    written: planned
      ? { bytes: plan.bytesToWrite, sectors: plan.sectorsToWrite, erasedBytes: plan.erasedBytes }
      : progress.written,
    wire,
    ...(waits === undefined ? {} : { waits }),
    ...(planned ? { estimateMs: progress.estimateMs } : {}),
    notes: progress.notes,
  };
}

/** After the first erase the user must know that the board holds half a program. */
function inContext(error: FlashError, progress: FlashProgress): FlashError {
  if (!progress.dirty || error.code !== "cancelled") return error;
  return new FlashError(
    "cancelled",
    "the flash was cancelled half way; the board waits in its loader with a program that is not complete",
    { cause: error },
  );
}
