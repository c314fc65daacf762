/**
 * Stands in for CMake Tools in the tests: the documented interface that others see (npm `vscode-cmake-tools`), and builds as it
 * runs them by itself, in a child process that no task and no event tells of.
 */
import { spawn } from "node:child_process";
import { EventEmitter, workspace, type Uri } from "vscode";
import type { CMakeToolsApi, CMakeToolsExtensionExports, Project, Version } from "vscode-cmake-tools";

/** What the tests do in the user's place. */
export interface CmakeUser {
  /** F7. @returns the exit code of the build */
  build(): Promise<number | null>;
  /** Configure: there is a new code model, and nothing was built. */
  configure(): void;
}

export function activate(): CMakeToolsExtensionExports & { readonly user: CmakeUser } {
  const modelChanged = new EventEmitter<void>();
  const none = new EventEmitter<never>();
  const root = workspace.workspaceFolders?.[0]?.uri;
  const project = { onCodeModelChanged: modelChanged.event } satisfies Partial<Project>;
  const api = (version: Version): Partial<CMakeToolsApi> => ({
    version,
    onBuildTargetChanged: none.event,
    onLaunchTargetChanged: none.event,
    onActiveProjectChanged: none.event, // it was chosen before anybody listened
    getProject: (path: Uri) =>
      Promise.resolve(root?.toString() === path.toString() ? (project as unknown as Project) : undefined),
    getActiveFolderPath: () => root?.fsPath ?? "",
  });
  return {
    getApi: (version) => api(version) as CMakeToolsApi,
    user: {
      build: () =>
        new Promise((resolve, reject) => {
          const build = spawn("make", { cwd: root?.fsPath, stdio: "ignore" });
          build.once("error", reject);
          build.once("close", resolve);
        }),
      configure: () => modelChanged.fire(),
    },
  };
}
