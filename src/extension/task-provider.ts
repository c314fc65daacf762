/** The task type `deltaflash`: flashing as a task, with the exit codes of the command line, for `dependsOn` and `preLaunchTask`. */
import {
  CustomExecution,
  EventEmitter,
  l10n,
  Task,
  TaskScope,
  type Disposable,
  type Pseudoterminal,
  type TaskDefinition,
  type TaskProvider,
} from "vscode";
import { formatTrace } from "../core/trace-text.ts";
import type { BoardState, FlashMode } from "../server/protocol.ts";
import { phaseWord } from "../webview/phrases.ts";
import type { Server } from "./client.ts";
import { describeNoFlash, type FlashEnd, type FlashWish } from "./flasher.ts";
import { wordsForEditor } from "./remedies.ts";
import { describeReport } from "./status-bar.ts";

interface Definition extends TaskDefinition {
  readonly mode?: FlashMode;
  readonly build?: boolean;
  readonly port?: string;
  readonly artifact?: string;
}

export interface TaskParts {
  readonly server: Server;
  flash(wish: FlashWish): Promise<FlashEnd>;
  cancel(port: string | undefined): Promise<void>;
}

/** As of the command line. */
const exitCodes = { done: 0, failed: 1, cancelled: 130 } as const;

export class FlashTasks implements TaskProvider {
  readonly #parts: TaskParts;

  constructor(parts: TaskParts) {
    this.#parts = parts;
  }

  provideTasks(): Task[] {
    return [
      this.#task({ type: "deltaflash", mode: "changed" }, l10n.t("flash")),
      this.#task({ type: "deltaflash", mode: "changed", build: true }, l10n.t("build and flash")),
      this.#task({ type: "deltaflash", mode: "full" }, l10n.t("flash everything")),
      this.#task({ type: "deltaflash", mode: "ram" }, l10n.t("load to RAM")),
    ];
  }

  resolveTask(task: Task): Task {
    const definition = task.definition as Definition;
    const resolved = this.#task(definition, task.name, task.scope);
    resolved.presentationOptions = task.presentationOptions;
    return resolved;
  }

  #task(definition: Definition, name: string, scope: Task["scope"] = TaskScope.Workspace): Task {
    const execution = new CustomExecution((resolved) =>
      Promise.resolve(new FlashTerminal(this.#parts, resolved as Definition)),
    );
    return new Task(definition, scope, name, "deltaflash", execution, []);
  }
}

class FlashTerminal implements Pseudoterminal {
  readonly #parts: TaskParts;
  readonly #definition: Definition;
  readonly #write = new EventEmitter<string>();
  readonly #close = new EventEmitter<number>();
  readonly #listener: Disposable;
  #phase = "";
  #port: string | undefined;
  #done = false;

  constructor(parts: TaskParts, definition: Definition) {
    this.#parts = parts;
    this.#definition = definition;
    this.#port = definition.port;
    this.#listener = parts.server.on("deltaflash/state", ({ port, state }) => this.#onState(port, state));
  }

  get onDidWrite() {
    return this.#write.event;
  }

  get onDidClose() {
    return this.#close.event;
  }

  open(): void {
    const { mode = "changed", build = false, port, artifact } = this.#definition;
    const wish: FlashWish = {
      mode,
      build,
      trigger: "task",
      quiet: true,
      ...(port === undefined ? {} : { port }),
      ...(artifact === undefined ? {} : { artifact: [artifact] }),
    };
    this.#parts.flash(wish).then(
      (end) => this.#end(end),
      (error: unknown) => this.#finish(`${String(error)}\n`, exitCodes.failed),
    );
  }

  /** The terminal was closed or the task stopped: the flash ends at the next safe place. */
  close(): void {
    this.#listener.dispose();
    if (!this.#done) void this.#parts.cancel(this.#port).catch(() => undefined); // nobody is left to be told
  }

  #onState(port: string, state: BoardState): void {
    if (this.#port === undefined && state.kind === "working") this.#port = port;
    if (port !== this.#port || state.kind !== "working" || state.phase === this.#phase) return;
    this.#phase = state.phase;
    this.#print(`${phaseWord(state.phase)}\n`);
  }

  #end(end: FlashEnd): void {
    if (end.kind !== "report") {
      const said = describeNoFlash(end) ?? l10n.t("Stopped before the flash.");
      this.#finish(
        `${said}\n`,
        end.kind === "superseded" || end.kind === "stopped" ? exitCodes.cancelled : exitCodes.failed,
      );
      return;
    }
    const { report } = end;
    const lines = [describeReport(report), ...report.notes];
    if (report.error !== null) lines.push(wordsForEditor(report.error.remedy));
    if (report.spans.length > 0) lines.push("", formatTrace({ totalMs: report.totalMs, spans: report.spans }));
    if (report.port.startsWith("sim:")) lines.push(l10n.t("This was a simulated board: nothing ran on silicon."));
    const code =
      report.error === null
        ? exitCodes.done
        : report.error.code === "cancelled"
          ? exitCodes.cancelled
          : exitCodes.failed;
    this.#finish(`${lines.join("\n")}\n`, code);
  }

  #finish(text: string, code: number): void {
    this.#done = true;
    this.#listener.dispose();
    this.#print(text);
    this.#close.fire(code);
  }

  #print(text: string): void {
    this.#write.fire(text.replace(/\n/g, "\r\n"));
  }
}
