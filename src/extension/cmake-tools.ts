/** Hints from CMake Tools, where it is installed. It has no event for the end of a build; a new code model is what comes closest. */
import { Disposable, type Event, type Extension, type Uri } from "vscode";

/** The part of its API (version 1 and newer) that is used. */
interface CmakeToolsApi {
  readonly onActiveProjectChanged: Event<Uri | undefined>;
  getProject(folder: Uri): Promise<{ readonly onCodeModelChanged: Event<void> } | undefined>;
}

interface CmakeToolsExports {
  getApi(version: number): CmakeToolsApi | undefined;
}

interface Extensions {
  getExtension<T>(id: string): Extension<T> | undefined;
  readonly onDidChange: Event<void>;
}

/** Never activates it: what the user does not use tells nothing. */
export function followCmakeTools(extensions: Extensions, onHint: () => void): readonly Disposable[] {
  const subscriptions: Disposable[] = [];
  let following = false;
  const follow = () => {
    const found = extensions.getExtension<CmakeToolsExports>("ms-vscode.cmake-tools");
    if (following || found?.isActive !== true) return;
    const api = found.exports.getApi(1);
    if (api === undefined) return;
    following = true;
    subscriptions.push(
      api.onActiveProjectChanged((folder) => {
        if (folder === undefined) return;
        void api.getProject(folder).then((project) => {
          if (project !== undefined) subscriptions.push(project.onCodeModelChanged(onHint));
        });
      }),
    );
  };
  subscriptions.push(extensions.onDidChange(follow));
  // It becomes active after us, without an event.
  const timer = setInterval(follow, 5_000);
  const stop = setTimeout(() => clearInterval(timer), 60_000);
  follow();
  return [
    new Disposable(() => {
      clearInterval(timer);
      clearTimeout(stop);
      for (const one of subscriptions) one.dispose();
    }),
  ];
}
