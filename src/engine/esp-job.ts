/** One job on an ESP board, from an open port to the report: connect, image, flash or RAM load, remember, report. Never throws. */
import type { Artifact } from "../build/artifact.ts";
import { formatBytes, hex } from "../core/bytes.ts";
import type { Clock } from "../core/clock.ts";
import type { DeltaPlanner } from "../core/delta.ts";
import { asFlashError, FlashError } from "../core/errors.ts";
import type { Address } from "../core/image.ts";
import { TraceRecorder, waitTotals, type Phase } from "../core/trace.ts";
import { checkRamProgram } from "../targets/esp/ram-image.ts";
import { resetIntoProgram, type ResetWay } from "../targets/esp/reset.ts";
import { startInRam } from "../targets/esp/stub.ts";
import { enterRom, type EspFindings } from "../targets/esp/target.ts";
import { checkStop, StoppedBetweenRequests, type Context } from "../targets/target.ts";
import { holderOf } from "../transport/port-holder.ts";
import type { SerialTransport } from "../transport/transport.ts";
import { connectThrough, otherStubNote, usualBaud, type EspConnection } from "./esp-connect.ts";
import { checkIdentity, expectedChip } from "./esp-checks.ts";
import { imageForEsp } from "./esp-image.ts";
import { noProgress, type FlashProgress } from "./flash-job.ts";
import { flashMemory } from "./flash.ts";
import type { History } from "./history.ts";
import { errorOf, type FlashOutcome, type Report } from "./report.ts";

export interface EspJobOptions {
  /** undefined: 921600, or what worked on this port last time; 115200 where the port cannot follow a change. */
  readonly baud: number | undefined;
  readonly chip: string | undefined;
  /** Refuse any board but the one with this identity, or with this name in the catalogue. */
  readonly identity: string | undefined;
  readonly full: boolean;
  readonly ram: boolean;
  readonly dryRun: boolean;
  readonly reset: boolean;
  readonly useStub: boolean;
  /** Espressif's stub even where Deltaflash's own can run. Default false. */
  readonly officialStub?: boolean;
  readonly appOffset: Address | undefined;
  readonly flashBytes: number | undefined;
}

/** What front ends are told while a job runs. */
export interface JobObserver {
  phase(phase: Phase, label: string): void;
  /** Bytes erased and written, and how many these will be. */
  progress(done: number, total: number): void;
  log(line: string): void;
}

export interface EspJob {
  readonly artifact: Artifact;
  /** Opens the port; the time it takes belongs to the job. The job closes it. */
  open(): Promise<SerialTransport>;
  /**
   * A connection that was made ahead, or is being made; `open` is not called then, and its port is left open. For flashes only:
   * a program for the RAM needs the loader as it is after a reset.
   */
  readonly ahead?: () => Promise<EspConnection>;
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
  readonly handOver?: (connection: EspConnection) => boolean;
  /** Plans patches elsewhere than on this thread. */
  readonly planDelta?: DeltaPlanner;
  /** As the user named it. */
  readonly port: string;
  /** The catalogue's name where the port is known to be a certain board; else the chip's name is used. */
  readonly board?: string;
  readonly options: EspJobOptions;
  readonly history: History;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observer: JobObserver;
}

interface Running {
  readonly job: EspJob;
  readonly context: Context;
  readonly progress: FlashProgress;
  chip: string;
  identity: string;
  /** How the board was reset, once that is known. */
  resetWay: ResetWay;
  connection: EspConnection | undefined;
}

/** The outcome of the job, whatever happens; a failure is in `error`, with the spans up to it. */
export async function runEspJob(job: EspJob): Promise<Report> {
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
  const running: Running = { job, context, progress, chip: "", identity: "", resetWay: "quick", connection: undefined };
  let wire: () => Report["wire"] = () => ({ sentBytes: 0, receivedBytes: 0, roundTrips: 0 });
  let outcome: FlashOutcome = "failed";
  let error: FlashError | undefined;
  try {
    if (job.ahead === undefined) {
      await using transport = await job.open();
      wire = countFrom(transport);
      outcome = await onBoard(running, transport);
    } else {
      const connection = await job.ahead();
      wire = countFrom(connection.transport);
      outcome = await onBoard(running, connection.transport, connection);
    }
  } catch (thrown) {
    error = asFlashError(thrown);
  }
  return report(running, { outcome, error, wire: wire() });
}

function countFrom({ counters }: SerialTransport): () => Report["wire"] {
  const before = { ...counters };
  return () => ({
    sentBytes: counters.sentBytes - before.sentBytes,
    receivedBytes: counters.receivedBytes - before.receivedBytes,
    roundTrips: counters.roundTrips - before.roundTrips,
  });
}

async function onBoard(running: Running, transport: SerialTransport, ahead?: EspConnection): Promise<FlashOutcome> {
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

async function flash(running: Running, transport: SerialTransport, ahead?: EspConnection): Promise<FlashOutcome> {
  const { job, context, progress } = running;
  const { history, options } = job;
  const connection = ahead === undefined ? await connect(running, transport) : takeOver(running, ahead);
  const { session, findings } = connection;
  running.connection = connection;
  running.chip = session.chip;
  running.identity = session.identity;
  running.resetWay = findings.resetWay;
  if (findings.usesOtherStub) progress.notes.push(otherStubNote);
  checkStop(context);
  checkIdentity({ ...job, board: job.board ?? running.chip, identity: running.identity }, job.options.identity);
  const board = await history.board(session.identity, session.chip);
  context.trace.enter("plan", "image");
  const facts = { port: job.port, flashId: findings.flashId };
  try {
    const image = await imageForEsp({
      artifact: job.artifact,
      chip: findings.chip,
      session,
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
    if (options.reset && !transport.hasModemLines && outcome !== "planned") {
      progress.notes.push(`${job.port} has no reset line: press the board's reset button to start the program.`);
    }
    return outcome;
  } finally {
    await rememberPort(job, findings);
  }
}

function connect(running: Running, transport: SerialTransport): Promise<EspConnection> {
  const { job, context } = running;
  const { artifact, options } = job;
  const wishes = {
    baud: options.baud,
    useStub: options.useStub && !refusesStub(artifact),
    officialStub: options.officialStub ?? false,
    expectedChip: expectedChip(job.options.chip, job.artifact),
    flashBytes: options.flashBytes,
  };
  return connectThrough(transport, context, wishes, job);
}

/** When the connection was made nobody knew yet what the build would make. */
function takeOver(running: Running, ahead: EspConnection): EspConnection {
  const { job, context } = running;
  ahead.context.handTo(context);
  running.resetWay = ahead.findings.resetWay;
  const expected = expectedChip(job.options.chip, job.artifact);
  if (expected !== undefined && expected !== ahead.session.chip) {
    const { title } = ahead.findings.chip;
    throw new FlashError("wrong-chip", `the image is for ${expected}, the board on ${job.port} is an ${title}`);
  }
  return ahead;
}

/** The build says that the ROM alone is to be used. */
export function refusesStub(artifact: Artifact): boolean {
  return artifact.kind === "image" && artifact.stub === false;
}

async function readyForProgram({ beforeReset }: EspJob, transport: SerialTransport): Promise<void> {
  if (transport.hasModemLines) await beforeReset?.(transport); // without a reset line the loader is still to be spoken to
}

/** Nothing was changed: the board goes back to its program. A failure here must not hide the one before. */
async function leaveUntouched(running: Running, transport: SerialTransport): Promise<void> {
  const { context, job } = running;
  if (!job.options.reset) return;
  try {
    await readyForProgram(job, transport);
    await resetIntoProgram(transport, context, running.resetWay);
  } catch (error) {
    context.log(`the board could not be reset: ${String(error)}`);
  }
}

async function rememberPort(job: EspJob, findings: EspFindings): Promise<void> {
  const { identity, resetWay, baud, failedStub } = findings;
  // A rate that the user asked for once is not what the next flash should begin with, unless it had to be lowered.
  const lowered = baud < (job.options.baud ?? usualBaud) ? { baud } : {};
  const hints = { identity, resetWay, ...lowered, ...(failedStub === undefined ? {} : { failedStub }) };
  try {
    await job.history.rememberPort(job.port, hints);
  } catch (error) {
    job.observer.log(`what was learned about ${job.port} could not be kept: ${String(error)}`);
  }
}

async function loadIntoRam(running: Running, transport: SerialTransport): Promise<FlashOutcome> {
  const { job, context, progress } = running;
  const { artifact } = job;
  if (artifact.kind !== "elf") {
    throw new FlashError("bad-image", "only an .elf can be loaded into RAM: it says where its sections belong", {
      remedy: "Give the .elf of a program that is linked for RAM.",
    });
  }
  const hints = await job.history.portHints(job.port);
  const { client, chip, identity, entered } = await enterRom(transport, context, {
    baud: job.options.baud,
    expectedChip: expectedChip(job.options.chip, job.artifact),
    resetWay: hints.resetWay as ResetWay | undefined,
  });
  running.chip = chip.name;
  running.identity = identity;
  running.resetWay = entered.way;
  checkIdentity({ ...job, board: job.board ?? running.chip, identity: running.identity }, job.options.identity);
  context.trace.enter("plan", "RAM program");
  const segments = checkRamProgram(artifact.elf, chip.name);
  const bytes = segments.reduce((sum, segment) => sum + segment.data.length, 0);
  progress.image = { bytes, sectors: 0 };
  if (job.options.dryRun) return "planned";
  progress.notes.push(
    `${formatBytes(bytes)} run from RAM at ${hex(artifact.elf.entry)}; a reset starts the program in the flash again.`,
  );
  context.trace.enter("load", `${formatBytes(bytes)} into RAM`);
  client.forgetHeard();
  await startInRam(client, { pieces: segments, entry: artifact.elf.entry });
  job.onProgramText?.(Buffer.from(client.heard, "latin1"));
  return "loaded";
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
