/**
 * Hints from CMake Tools, where it is installed. It has no event for the end of a build: a new code model is what comes closest,
 * and the watched files tell the rest. Never activates it: what the user does not use tells nothing.
 */
import { Disposable, type Event, type Extension, type Uri } from "vscode";
import type { CMakeToolsApi, Project } from "vscode-cmake-tools";

export interface CmakeToolsSurroundings {
  readonly extensions: {
    getExtension<T>(id: string): Extension<T> | undefined;
    readonly onDidChange: Event<void>;
  };
  /** Workspace folders. */
  folders(): readonly Uri[];
  /** @param folder of the project */
  onHint(folder: string): void;
}

/** Its enum of versions is no number to the compiler. */
interface Exports {
  getApi(version: number): CMakeToolsApi | undefined;
}

/** The oldest version with everything that is used. */
const apiVersion = 1;
/** It becomes active after us, without an event. */
const lookEveryMs = 5_000;
const lookForMs = 60_000;

export function followCmakeTools(surroundings: CmakeToolsSurroundings): Disposable {
  const subscriptions: Disposable[] = [];
  const known = new Set<Project>();
  const join = async (api: CMakeToolsApi, folder: Uri) => {
    const project = await api.getProject(folder).catch(() => undefined); // one hint less
    if (project === undefined || known.has(project)) return;
    known.add(project);
    subscriptions.push(project.onCodeModelChanged(() => surroundings.onHint(folder.fsPath)));
  };
  let isFollowing = false;
  const follow = () => {
    const found = surroundings.extensions.getExtension<Exports | undefined>("ms-vscode.cmake-tools");
    const api = isFollowing || found?.isActive !== true ? undefined : found.exports?.getApi(apiVersion);
    if (api === undefined) return;
    isFollowing = true;
    clearInterval(looking);
    subscriptions.push(
      api.onActiveProjectChanged((folder) => {
        if (folder !== undefined) void join(api, folder);
      }),
    );
    for (const folder of surroundings.folders()) void join(api, folder);
  };
  const looking = setInterval(follow, lookEveryMs);
  const enough = setTimeout(() => clearInterval(looking), lookForMs);
  subscriptions.push(surroundings.extensions.onDidChange(follow));
  follow();
  return new Disposable(() => {
    clearInterval(looking);
    clearTimeout(enough);
    for (const one of subscriptions) one.dispose();
  });
}
