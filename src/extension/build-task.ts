/** Runs the project's build task and tells how it ended. */
import { l10n, TaskGroup, tasks, type Disposable, type Task, type TaskExecution } from "vscode";

/** `stopped`: by the user, by a newer build, or because its terminal was closed. */
export type BuildEnd =
  | { readonly kind: "built" }
  | { readonly kind: "failed"; readonly exitCode: number | undefined }
  | { readonly kind: "stopped" };

export interface RunningBuild {
  readonly end: Promise<BuildEnd>;
  /** Resolves when it is over; the editor lets the task start again then. */
  stop(): Promise<void>;
}

/** A task that does not go away after it was stopped is left alone. */
const stopLimitMs = 10_000;

/** When a task that it depends on fails, the editor tells nothing of the task itself: it is given up this long after. */
const dependencyGraceMs = 1_000;

/**
 * The task of that name, else the default build task, else the only build task.
 * @param name label of a task, or `type: label` as the editor lists it
 */
export async function findBuildTask(name: string | undefined): Promise<Task | undefined> {
  const all = await tasks.fetchTasks();
  const others = all.filter((task) => task.definition.type !== "deltaflash");
  if (name !== undefined) return others.find((task) => task.name === name || `${task.source}: ${task.name}` === name);
  const builds = others.filter((task) => task.group?.id === TaskGroup.Build.id);
  return builds.find((task) => task.group?.isDefault === true) ?? (builds.length === 1 ? builds[0] : undefined);
}

/** Stops the task first if it runs. @throws whatever the editor says when it cannot start the task */
export async function startBuild(task: Task): Promise<RunningBuild> {
  for (const running of tasks.taskExecutions) if (isSame(running.task, task)) await stop(running);
  const listeners: Disposable[] = [];
  let settle: (end: BuildEnd) => void = () => undefined;
  const end = new Promise<BuildEnd>((resolve) => (settle = resolve)).finally(() => {
    for (const listener of listeners) listener.dispose();
  });
  const ours: { execution?: TaskExecution } = {};
  let stopping = false;
  let hasProcess = false;
  const isOurs = (other: TaskExecution) =>
    ours.execution === undefined ? isSame(other.task, task) : other === ours.execution;
  listeners.push(
    tasks.onDidStartTaskProcess((process) => {
      if (isOurs(process.execution)) hasProcess = true;
    }),
    tasks.onDidEndTaskProcess(({ execution: ended, exitCode }) => {
      if (isOurs(ended)) settle(endOf(exitCode, stopping));
      else if (exitCode !== 0 && !hasProcess) {
        setTimeout(() => {
          if (!hasProcess) settle(endOf(exitCode, stopping));
        }, dependencyGraceMs);
      }
    }),
    tasks.onDidEndTask(({ execution: ended }) => {
      // A task that only stands for others has no process; for one that has, its end is told first.
      if (isOurs(ended)) setTimeout(() => settle(stopping || hasProcess ? { kind: "stopped" } : { kind: "built" }), 50);
    }),
  );
  const execution = await Promise.resolve(tasks.executeTask(task)).catch((error: unknown) => {
    settle({ kind: "stopped" });
    throw error;
  });
  ours.execution = execution;
  return {
    end,
    stop: async () => {
      stopping = true;
      await stop(execution);
      settle({ kind: "stopped" });
    },
  };
}

/** What a failed build is told as. */
export function describeFailure(task: Task, exitCode: number | undefined): string {
  return exitCode === undefined
    ? l10n.t("The build '{0}' failed. Nothing was flashed.", task.name)
    : l10n.t("The build '{0}' failed with exit code {1}. Nothing was flashed.", task.name, exitCode);
}

async function stop(execution: TaskExecution): Promise<void> {
  if (!tasks.taskExecutions.includes(execution)) return;
  const { promise: gone, resolve } = deferred();
  const listener = tasks.onDidEndTask((ended) => {
    if (ended.execution === execution) resolve();
  });
  const timer = setTimeout(resolve, stopLimitMs);
  execution.terminate();
  await gone;
  clearTimeout(timer);
  listener.dispose();
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function endOf(exitCode: number | undefined, stopping: boolean): BuildEnd {
  if (stopping || exitCode === undefined) return { kind: "stopped" };
  return exitCode === 0 ? { kind: "built" } : { kind: "failed", exitCode };
}

function isSame(a: Task, b: Task): boolean {
  return a.name === b.name && a.source === b.source && a.definition.type === b.definition.type;
}
