/** What sets one family of boards apart in a job: how it is connected to, what an artifact becomes on it, how it is left. */
import type { Artifact } from "../build/artifact.ts";
import type { Address, Image } from "../core/image.ts";
import type { FlashMap } from "../core/flash-map.ts";
import type { FlashCosts } from "../core/plan.ts";
import type { KnownContents } from "../core/survey.ts";
import type { TraceRecorder } from "../core/trace.ts";
import type { Clock } from "../core/clock.ts";
import type { Context, MemorySession } from "../targets/target.ts";
import type { SerialTransport } from "../transport/transport.ts";
import type { History, KnownSector, PortHints } from "./history.ts";
import type { JobOptions } from "./job-options.ts";

/** What a connection must be like; one that was made ahead fits a job if these are the same. */
export type ConnectWishes = Pick<JobOptions, "baud" | "useStub" | "officialStub" | "flashBytes">;

/** Which port it is, and what was learned about it. */
export interface PortMemory {
  readonly port: string;
  readonly history: History;
}

/** What the user and the build want the board to be. */
export interface Meant {
  readonly chip: string | undefined;
  readonly artifact: Artifact;
}

export interface ImageRequest {
  readonly artifact: Artifact;
  readonly known: KnownContents;
  /** Keeps what was read back, so that next time a digest is enough. */
  remember(sectors: readonly KnownSector[]): Promise<void>;
  readonly appOffset: Address | undefined;
  /** Sentences for the user are added here. */
  readonly notes: string[];
}

/** A board that waits in its loader. Made ahead or by the job itself; whoever opened the transport closes it. */
export interface BoardConnection {
  readonly transport: SerialTransport;
  readonly session: MemorySession;
  /** Time, trace, cancellation and progress go to whoever was given the connection last. */
  readonly context: HandedContext;
  /** Sentences for the user about how it was made. */
  readonly notes: readonly string[];
  /** What the next connection through this port should know. */
  readonly hints: PortHints;
  /** Of the flash chip, for the record; undefined where there is none to be told from others. */
  readonly flashId: number | undefined;
  /** False where the user must press the board's reset button. */
  readonly canReset: boolean;
  /** @throws FlashError `wrong-chip` */
  check(meant: Meant): void;
  /** @throws FlashError `wrong-chip`, `bad-image`, `refused`, `does-not-fit` */
  image(request: ImageRequest): Promise<Image>;
  /** The board goes back to its program, in which nothing was changed. */
  leave(context: Context): Promise<void>;
}

export interface FoundBoard {
  readonly chip: string;
  readonly identity: string;
  /** The board goes back to its program. */
  leave(context: Context): Promise<void>;
}

export interface RamRequest {
  readonly meant: Meant;
  readonly baud: number | undefined;
  /** Stop before anything is loaded. */
  readonly dryRun: boolean;
  /** Called as soon as it is known. @throws FlashError `wrong-chip` for a board that is not meant */
  onBoard(board: FoundBoard): void;
  /** What a program said while its loader was still listened to. */
  onProgramText?(bytes: Uint8Array): void;
}

export interface RamProgram {
  readonly bytes: number;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** What is known of a board that nobody asks: enough for a plan. */
export interface OfflineBoard {
  readonly chip: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  /** @param session answers from the record. @throws FlashError `wrong-chip`, `bad-image`, `does-not-fit` */
  image(request: ImageRequest, session: MemorySession): Promise<Image>;
}

export interface OfflineQuestion {
  readonly meant: Meant;
  readonly baud: number | undefined;
  readonly hints: PortHints;
  /** The board that was last seen at the port. */
  readonly seen: { readonly chip: string; readonly flashId: number | undefined } | undefined;
}

export interface Family {
  /** Questions are answered one by one, so that it means something how many there were in each phase. */
  readonly countsRoundTrips: boolean;
  /** The program's output comes through the port too, so that a monitor can listen there. */
  readonly hasConsole: boolean;
  /**
   * To be called before a port is touched.
   * @param chip what the project is for, as its build system calls it; undefined: the artifact says it, or nobody does
   * @throws FlashError `wrong-chip` for what no board of this family can run
   */
  requireSupported(artifact: Artifact, chip: string | undefined): void;
  /** @throws FlashError `wrong-chip` for the name of a chip, typed by the user, that this family has not */
  requireChip(name: string): void;
  /** @throws FlashError `wrong-chip` when nobody says which chip it is */
  offline(question: OfflineQuestion): OfflineBoard;
  /** @param meant undefined: nobody knows yet. @throws FlashError; the board is then as `leave` finds it */
  connect(
    transport: SerialTransport,
    context: Context,
    request: { readonly wishes: ConnectWishes; readonly meant: Meant | undefined; readonly memory: PortMemory },
  ): Promise<BoardConnection>;
  /** Loads a program into RAM and starts it there. @throws FlashError */
  runInRam(
    transport: SerialTransport,
    context: Context,
    request: RamRequest & { readonly memory: PortMemory },
  ): Promise<RamProgram>;
  /** Whatever a connection that failed has done to the board is undone as far as it can be. */
  leave(transport: SerialTransport, context: Context): Promise<void>;
}

/** What the user and the build ask of a connection. */
export function wishesOf({ baud, useStub, officialStub, flashBytes }: JobOptions, artifact: Artifact): ConnectWishes {
  const refusesStub = artifact.kind === "image" && artifact.stub === false;
  return { baud, flashBytes, useStub: useStub && !refusesStub, officialStub: officialStub ?? false };
}

/** A context that stands for another one, which can be exchanged between two requests to the board. */
export class HandedContext implements Context {
  #holder: Context;

  constructor(holder: Context) {
    this.#holder = holder;
  }

  handTo(holder: Context): void {
    this.#holder = holder;
  }

  get clock(): Clock {
    return this.#holder.clock;
  }

  get signal(): AbortSignal {
    return this.#holder.signal;
  }

  get stop(): AbortSignal | undefined {
    return this.#holder.stop;
  }

  get trace(): TraceRecorder {
    return this.#holder.trace;
  }

  onProgress(bytes: number): void {
    this.#holder.onProgress(bytes);
  }

  log(line: string): void {
    this.#holder.log(line);
  }
}
