/** One flash as the user means it: save, connect while the compiler runs, build, write what changed. The newest one wins. */
import { l10n, workspace, type LogOutputChannel } from "vscode";
import type { FlashMode, ProjectCandidate, TargetSelection } from "../server/protocol.ts";
import type { Activity } from "./activity.ts";
import type { BoardChoice } from "./board-choice.ts";
import { describeFailure, findBuildTask, startBuild, type RunningBuild } from "./build-task.ts";
import { ServerGone, type Report, type Server } from "./client.ts";
import type { Config } from "./config.ts";
import type { DebugSessions } from "./debug-sessions.ts";
import type { Projects } from "./projects.ts";
import { isBehindProbe } from "./remedies.ts";
import { startsServer } from "./settings.ts";

export interface FlashWish {
  readonly mode: FlashMode;
  readonly build: boolean;
  /** Why: `key`, `task`, `build:watcher` … */
  readonly trigger: string;
  readonly artifact?: readonly string[];
  readonly port?: string;
  readonly baud?: number;
  /** Nobody is there to be asked. */
  readonly quiet?: boolean;
  /** Debug sessions that hold the probe are ended first. */
  readonly stopDebugging?: boolean;
}

/** Everything that stops a flash before there is a report. `superseded` and `stopped` are not worth a word. */
export type NoFlash =
  | { readonly kind: "superseded" | "stopped" }
  | { readonly kind: "no-board" | "no-build-task" | "untrusted" | "untrusted-server" }
  | { readonly kind: "debugging"; readonly session: string }
  | { readonly kind: "build-failed" | "server-gone"; readonly message: string };

export type FlashEnd = { readonly kind: "report"; readonly report: Report } | NoFlash;

export interface FlasherParts {
  readonly server: Server;
  readonly config: Config;
  readonly projects: Projects;
  readonly choice: BoardChoice;
  readonly activity: Activity;
  readonly debugging: DebugSessions;
  readonly log: LogOutputChannel;
  /** Asks the user for a board; undefined when he does not say. */
  askForBoard(): Promise<string | undefined>;
}

class Stop extends Error {
  constructor(readonly end: NoFlash) {
    super(end.kind);
  }
}

export class Flasher {
  readonly #parts: FlasherParts;
  #newest = 0;
  #build: RunningBuild | undefined;

  constructor(parts: FlasherParts) {
    this.#parts = parts;
  }

  /** Never throws for what can go wrong with a board or a build. */
  async flash(wish: FlashWish): Promise<FlashEnd> {
    try {
      return { kind: "report", report: await this.#flash(wish) };
    } catch (error) {
      if (error instanceof Stop) return error.end;
      if (error instanceof ServerGone) return { kind: "server-gone", message: error.message };
      throw error;
    }
  }

  /** Stops the build that runs, and the job of the chosen board. */
  async cancel(): Promise<void> {
    this.#newest += 1;
    await this.#build?.stop();
    const { choice, projects, server } = this.#parts;
    const port = choice.known(projects.current)?.target.port;
    if (port !== undefined && server.isStarted) await server.request("deltaflash/cancel", { port });
  }

  async #flash(wish: FlashWish): Promise<Report> {
    const { server, activity, config } = this.#parts;
    const number = wish.build ? ++this.#newest : this.#newest;
    if (wish.build && !workspace.isTrusted) throw new Stop({ kind: "untrusted" });
    const target = await this.#target(wish);
    await this.#requireProbe(target.port, wish);
    activity.withdrawOffer();
    if (wish.build) {
      this.#prepare(target);
      await activity.during(() => this.#buildFirst(number));
    }
    const artifact = wish.artifact ?? (await this.#project(wish)).artifact;
    if (wish.build && number !== this.#newest) throw new Stop({ kind: "superseded" });
    const { appOnly } = config.settings;
    return server.request("deltaflash/flash", {
      target,
      artifact,
      mode: wish.mode,
      trigger: wish.trigger,
      ...(appOnly ? { appOnly } : {}),
    });
  }

  async #target(wish: FlashWish): Promise<TargetSelection> {
    const { choice, projects } = this.#parts;
    if (projects.current === undefined && wish.artifact === undefined) await projects.discover();
    let found = await choice.find(projects.current);
    if (found === undefined && wish.port === undefined) {
      const port = wish.quiet === true ? undefined : await this.#parts.askForBoard();
      if (port === undefined) throw new Stop({ kind: "no-board" });
      found = choice.known(projects.current);
    }
    const port = wish.port ?? found?.target.port ?? "";
    return {
      ...found?.target,
      ...choice.sourcesFor(port),
      port,
      ...(wish.baud === undefined ? {} : { baud: wish.baud }),
    };
  }

  /** The probe of a board is not taken from a debugger without a word, and nothing of a workspace is run that is not trusted. */
  async #requireProbe(port: string, wish: FlashWish): Promise<void> {
    const { debugging } = this.#parts;
    if (startsServer(port) && !workspace.isTrusted) throw new Stop({ kind: "untrusted-server" });
    if (!isBehindProbe(port)) return;
    if (wish.stopDebugging === true) await debugging.stop();
    if (debugging.current !== undefined) throw new Stop({ kind: "debugging", session: debugging.current.name });
  }

  async #project(wish: FlashWish): Promise<ProjectCandidate> {
    const { projects } = this.#parts;
    const project = wish.quiet === true ? projects.current : await projects.require();
    if (project === undefined) throw new Stop({ kind: "stopped" });
    return project;
  }

  /** Connects while the compiler runs. What goes wrong is told by the flash itself. */
  #prepare(target: TargetSelection): void {
    this.#parts.server
      .request("deltaflash/prepare", { target })
      .catch((error: unknown) => this.#parts.log.debug(`prepare: ${String(error)}`));
  }

  async #buildFirst(number: number): Promise<void> {
    const { config, projects, server } = this.#parts;
    const [, task] = await Promise.all([
      workspace.saveAll(false),
      findBuildTask(config.settings.buildTask),
      this.#build?.stop(),
    ]);
    if (number !== this.#newest) throw new Stop({ kind: "superseded" });
    if (task === undefined) throw new Stop({ kind: "no-build-task" });
    const build = await startBuild(task);
    this.#build = build;
    const end = await build.end;
    if (this.#build === build) this.#build = undefined;
    if (number !== this.#newest) throw new Stop({ kind: "superseded" });
    if (end.kind === "stopped") throw new Stop({ kind: "stopped" });
    if (projects.current === undefined) await projects.discover();
    const project = projects.current;
    const exitCode = end.kind === "built" ? 0 : end.exitCode;
    if (project !== undefined) {
      const hint = { project: project.id, source: "own", ...(exitCode === undefined ? {} : { exitCode }) };
      await server.request("deltaflash/hint", hint);
    }
    if (end.kind === "failed") throw new Stop({ kind: "build-failed", message: describeFailure(task, end.exitCode) });
  }
}

/** What to say when there is no report; undefined when nothing needs to be said. */
export function describeNoFlash(end: NoFlash): string | undefined {
  switch (end.kind) {
    case "superseded":
    case "stopped":
      return undefined;
    case "no-board":
      return l10n.t("No board is chosen.");
    case "no-build-task":
      return l10n.t(
        "There is no build task to run. Choose a default build task, or name one in the setting deltaflash.buildTask.",
      );
    case "untrusted":
      return l10n.t("This workspace is in Restricted Mode, so its build is not run.");
    case "untrusted-server":
      return l10n.t("This workspace is in Restricted Mode, so the GDB server that it names is not started.");
    case "debugging":
      return l10n.t("The debug session “{0}” has the debug probe: flashing would take the board from it.", end.session);
    case "build-failed":
    case "server-gone":
      return end.message;
  }
}
