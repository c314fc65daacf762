/** Reads the settings from the editor, and says once what is wrong with them. */
import { commands, EventEmitter, l10n, window, workspace, type Disposable, type Event } from "vscode";
import { readSettings, type SettingProblem, type Settings } from "./settings.ts";

export class Config implements Disposable {
  readonly #changed = new EventEmitter<void>();
  readonly #watching: Disposable;
  #current: Settings | undefined;
  #said = "";

  constructor() {
    this.#watching = workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration("deltaflash")) return;
      this.#current = undefined;
      this.#changed.fire();
    });
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get settings(): Settings {
    if (this.#current !== undefined) return this.#current;
    const values = workspace.getConfiguration("deltaflash", workspace.workspaceFolders?.[0]?.uri);
    const { settings, problems } = readSettings((key) => values.get(key));
    this.#current = settings;
    this.#complain(problems);
    return settings;
  }

  dispose(): void {
    this.#watching.dispose();
    this.#changed.dispose();
  }

  /** One message for all of them, and again only when it would be another one. */
  #complain(problems: readonly SettingProblem[]): void {
    const text = problems.map(({ key, expected, found }) =>
      l10n.t("{0} should be {1}, but it is {2}", key, expected, found),
    );
    const said = text.join("; ");
    if (said === this.#said) return;
    this.#said = said;
    if (problems.length === 0) return;
    const open = l10n.t("Open Settings");
    const message = l10n.t("Settings that Deltaflash cannot use, and takes as not set: {0}.", said);
    void window.showErrorMessage(message, open).then((chosen) => {
      if (chosen === open) return openSettings(problems);
      return undefined;
    });
  }
}

/** Where the values stand; the editor's search knows one setting, or all of an extension that are set. */
function openSettings(problems: readonly SettingProblem[]): Thenable<unknown> {
  const [first, ...more] = problems;
  const query = first === undefined || more.length > 0 ? "@modified @ext:deltaflash.deltaflash" : `@id:${first.key}`;
  const isInWorkspace = problems.some(({ key }) => {
    const found = workspace.getConfiguration(undefined, workspace.workspaceFolders?.[0]?.uri).inspect(key);
    return found?.workspaceFolderValue !== undefined || found?.workspaceValue !== undefined;
  });
  const command = isInWorkspace ? "workbench.action.openWorkspaceSettings" : "workbench.action.openSettings";
  return commands.executeCommand(command, { query });
}
