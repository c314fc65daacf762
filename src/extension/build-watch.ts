/** Notices builds that something else started, hints the server, and acts on what the server says has been built. */
import {
  extensions,
  tasks,
  Uri,
  window,
  workspace,
  type Disposable,
  type LogOutputChannel,
  type Task,
  type WorkspaceFolder,
} from "vscode";
import type { BuildCompleted } from "../server/protocol.ts";
import type { Activity } from "./activity.ts";
import type { BoardChoice } from "./board-choice.ts";
import { signalOfCommand, signalOfTask, type Signal } from "./build-signals.ts";
import type { Server } from "./client.ts";
import { followCmakeTools } from "./cmake-tools.ts";
import type { Config } from "./config.ts";
import type { Projects } from "./projects.ts";

export interface BuildWatchParts {
  readonly server: Server;
  readonly config: Config;
  readonly projects: Projects;
  readonly choice: BoardChoice;
  readonly activity: Activity;
  readonly log: LogOutputChannel;
  /** A build is to be flashed, because the user wants that after every build. */
  flashBuild(built: BuildCompleted): void;
}

export class BuildWatch implements Disposable {
  readonly #parts: BuildWatchParts;
  readonly #subscriptions: Disposable[];
  /** The build that was last offered or flashed, here or by the one who ran it: never twice in a row. */
  #actedOn = "";

  constructor(parts: BuildWatchParts) {
    this.#parts = parts;
    this.#subscriptions = [
      tasks.onDidStartTask(({ execution }) => {
        if (signalOf(execution.task) === "flash") this.#standDown(execution.task.name);
      }),
      tasks.onDidEndTaskProcess(({ execution, exitCode }) => this.#onTask(execution.task, exitCode)),
      window.onDidStartTerminalShellExecution(({ execution }) => {
        const line = execution.commandLine.value;
        if (signalOfCommand(line) === "flash") this.#standDown(line);
      }),
      window.onDidEndTerminalShellExecution(({ execution, exitCode }) => {
        if (signalOfCommand(execution.commandLine.value) !== "build") return;
        this.#hint("terminal", execution.cwd?.fsPath, exitCode);
      }),
      parts.server.on("deltaflash/buildCompleted", (built) => this.#onBuilt(built)),
      followCmakeTools({
        extensions,
        folders: () => (workspace.workspaceFolders ?? []).map((folder) => folder.uri),
        onHint: (folder) => this.#hint("cmake-tools", folder, undefined),
      }),
    ];
  }

  dispose(): void {
    for (const one of this.#subscriptions) one.dispose();
  }

  /** Our own builds are told by the one who runs them. */
  #onTask(task: Task, exitCode: number | undefined): void {
    if (this.#parts.activity.isBuilding) return;
    const isNamed = task.name === this.#parts.config.settings.buildTask;
    if (!isNamed && signalOf(task) !== "build") return;
    this.#hint("task", folderOf(task)?.uri.fsPath, exitCode);
  }

  #hint(source: string, folder: string | undefined, exitCode: number | undefined): void {
    this.#tell(source, folder, exitCode).catch((error: unknown) => this.#parts.log.warn(`hint: ${String(error)}`));
  }

  async #tell(source: string, folder: string | undefined, exitCode: number | undefined): Promise<void> {
    const { projects, server } = this.#parts;
    if (projects.all.length === 0) {
      // Maybe the first build of a project that was not there before.
      if (exitCode === 0 && workspace.workspaceFolders !== undefined) await projects.discover();
      return;
    }
    const meant = folder === undefined ? projects.all : projects.around(folder);
    for (const project of meant) {
      await server.request("deltaflash/hint", {
        project: project.id,
        source,
        ...(exitCode === undefined ? {} : { exitCode }),
      });
    }
  }

  /** Somebody else flashes: the port is let go of. */
  #standDown(by: string): void {
    const { choice, projects, server, log } = this.#parts;
    const port = choice.known(projects.current)?.target.port;
    if (port === undefined || !server.isStarted) return;
    log.info(`'${by}' flashes: letting go of ${port}`);
    server.request("deltaflash/cancel", { port }).catch((error: unknown) => log.warn(`cancel: ${String(error)}`));
  }

  #onBuilt(built: BuildCompleted): void {
    const { activity, config, projects } = this.#parts;
    const failed = built.exitCode !== undefined && built.exitCode !== 0;
    const isOwn = activity.isOwnBuild || built.sources.includes("own");
    const isMeant = projects.current === undefined || projects.current.id === built.project;
    if (failed || !built.changed || !isMeant || built.id === this.#actedOn) return;
    this.#actedOn = built.id;
    if (isOwn) return;
    switch (config.settings.onBuild) {
      case "off":
        return;
      case "offer":
        activity.offer();
        return;
      case "flash":
        if (workspace.isTrusted) this.#parts.flashBuild(built);
        else activity.offer();
    }
  }
}

function signalOf(task: Task): Signal | undefined {
  const { type, args } = task.definition as { readonly type: string; readonly args?: unknown };
  return signalOfTask({
    type,
    name: task.name,
    group: task.group?.id,
    args: Array.isArray(args) ? args.filter((word) => typeof word === "string") : [],
  });
}

function folderOf(task: Task): WorkspaceFolder | undefined {
  const { scope } = task;
  return typeof scope === "object" && scope.uri instanceof Uri ? scope : undefined;
}
