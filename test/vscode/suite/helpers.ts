/** What the tests inside the editor share: the extension's exports, edits of the demo firmware, waiting. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationTarget, extensions, tasks, window, workspace, type Event, type Task } from "vscode";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import type { StoredReport } from "../../../src/server/protocol.ts";

export const fastPort = "sim:esp32c3?speed=max";
const patienceMs = 20_000;

export function workspaceFolder(): string {
  const folder = workspace.workspaceFolders?.[0];
  if (folder === undefined) throw new Error("the tests need a folder");
  return folder.uri.fsPath;
}

export async function deltaflash(): Promise<DeltaflashApi> {
  const extension = extensions.getExtension<DeltaflashApi>("deltaflash.deltaflash");
  if (extension === undefined) throw new Error("the extension is not there");
  return extension.activate();
}

/** The edit of the demo firmware that the next build takes. */
export function edit(kind: "NONE" | "CONST" | "BROKEN"): void {
  const file = join(workspaceFolder(), "src/edit.h");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/^#define EDIT EDIT_.*$/m, `#define EDIT EDIT_${kind}`));
}

/** undefined takes the setting back. */
export async function set(key: string, value: unknown): Promise<void> {
  await workspace.getConfiguration("deltaflash").update(key, value, ConfigurationTarget.Workspace);
}

/** Resolves with the first event that `wanted` accepts, counted from the call on. */
export async function next<T>(event: Event<T>, wanted: (value: T) => boolean = () => true): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      listener.dispose();
      reject(new Error(`nothing came within ${patienceMs} ms`));
    }, patienceMs);
    const listener = event((value) => {
      if (!wanted(value)) return;
      clearTimeout(timer);
      listener.dispose();
      resolve(value);
    });
  });
}

/** Everything that comes while `during` runs. */
export async function all<T>(event: Event<T>, during: () => Promise<unknown>): Promise<readonly T[]> {
  const values: T[] = [];
  const listener = event((value) => void values.push(value));
  try {
    await during();
  } finally {
    listener.dispose();
  }
  return values;
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patienceMs} ms`);
    await sleep(20);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @returns the exit code of its process */
export async function runTask(task: Task): Promise<number | undefined> {
  const ended = next(tasks.onDidEndTaskProcess, ({ execution }) => execution.task.name === task.name);
  await tasks.executeTask(task);
  return (await ended).exitCode;
}

/** Of tasks.json, which the editor may still be reading. */
export async function taskNamed(name: string): Promise<Task> {
  let found: Task | undefined;
  await until(`the task ${name}`, async () => {
    found = (await tasks.fetchTasks()).find((task) => task.name === name);
    return found !== undefined;
  });
  return found as Task;
}

/** Error messages that the extension shows while `during` runs; each is answered with `answer`, if it offers that. */
export async function errorsDuring(during: () => Promise<unknown>, answer?: string): Promise<readonly string[]> {
  const said: string[] = [];
  const original = window.showErrorMessage;
  const stand = (message: string, ...items: unknown[]) => {
    said.push([message, ...items.map((item) => `[${String(item)}]`)].join(" "));
    return Promise.resolve(items.includes(answer) ? answer : undefined);
  };
  window.showErrorMessage = stand;
  try {
    await during();
  } finally {
    window.showErrorMessage = original;
  }
  return said;
}

export function summary({ trigger, report }: StoredReport): string {
  const { result, written, image, error } = report;
  return `${trigger}: ${result} ${written.sectors}/${image.sectors}${error === null ? "" : ` ${error.code}`}`;
}
