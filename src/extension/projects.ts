/** What the workspace's builds make, as the server finds it, and which of them is meant. */
import { basename, isAbsolute, join, sep } from "node:path";
import { commands, EventEmitter, l10n, window, workspace, type Disposable, type Event, type Memento } from "vscode";
import type { ProjectCandidate } from "../server/protocol.ts";
import type { Server } from "./client.ts";
import type { Config } from "./config.ts";
import { projectItems } from "./project-items.ts";

const chosenKey = "project";

export class Projects implements Disposable {
  readonly #server: Server;
  readonly #config: Config;
  readonly #memory: Memento;
  readonly #changed = new EventEmitter<void>();
  readonly #subscriptions: Disposable[];
  #found: readonly ProjectCandidate[] = [];
  #discovering: Promise<void> | undefined;
  #onlyId = "";

  constructor(server: Server, config: Config, memory: Memento) {
    this.#server = server;
    this.#config = config;
    this.#memory = memory;
    const again = () => {
      if (this.#server.isStarted) void this.discover().catch(() => undefined); // the next use says what is wrong
    };
    this.#subscriptions = [
      workspace.onDidChangeWorkspaceFolders(again),
      workspace.onDidGrantWorkspaceTrust(again),
      config.onDidChange(again),
      server.onDidRestart(again),
    ];
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get all(): readonly ProjectCandidate[] {
    return this.#found;
  }

  /** The one that was chosen, the only one, or the one that was the only one until another turned up. */
  get current(): ProjectCandidate | undefined {
    const [only, ...more] = this.#found;
    const chosen = this.byId(this.#memory.get<string>(chosenKey) ?? "");
    return chosen ?? (more.length === 0 ? only : this.byId(this.#onlyId));
  }

  byId(id: string): ProjectCandidate | undefined {
    return this.#found.find((one) => one.id === id);
  }

  /** Asks the server what there is and has it watched. @throws ServerGone */
  discover(): Promise<void> {
    this.#discovering ??= this.#discover().finally(() => (this.#discovering = undefined));
    return this.#discovering;
  }

  /** The project to work with; looks again when there is none, asks when there are several. */
  async require(): Promise<ProjectCandidate | undefined> {
    if (this.current === undefined) await this.discover();
    if (this.current !== undefined) return this.current;
    if (this.#found.length > 1) return this.pick();
    const open = l10n.t("Choose File…");
    const message = l10n.t("No firmware was found in this workspace. Build the project, or choose what to flash.");
    if ((await window.showErrorMessage(message, open)) !== open) return undefined;
    return this.#chooseFile();
  }

  async pick(): Promise<ProjectCandidate | undefined> {
    await this.discover();
    const chosen = await window.showQuickPick(projectItems(this.#found, this.current), {
      title: l10n.t("Deltaflash: Which Firmware?"),
      placeHolder: l10n.t("What the workspace builds; the choice is remembered"),
      matchOnDetail: true,
    });
    if (chosen === undefined) return undefined;
    await this.#memory.update(chosenKey, chosen.project.id);
    this.#changed.fire();
    return chosen.project;
  }

  /** Projects whose artifacts stand below `folder`, or that are built in a folder above it. */
  around(folder: string): readonly ProjectCandidate[] {
    return this.#found.filter((project) =>
      [...project.artifact, ...project.watch].some((path) => {
        const file = pathOf(path);
        const root = workspaceFolderOf(file);
        return isInside(file, folder) || (root !== undefined && isInside(folder, root));
      }),
    );
  }

  dispose(): void {
    for (const one of this.#subscriptions) one.dispose();
    this.#changed.dispose();
  }

  async #discover(): Promise<void> {
    const folders = (workspace.workspaceFolders ?? [])
      .filter((folder) => folder.uri.scheme === "file")
      .map((folder) => folder.uri.fsPath);
    const fixed = this.#fromSetting(folders[0]);
    const { projects } =
      fixed === undefined ? await this.#server.request("deltaflash/discover", { folders }) : { projects: [fixed] };
    this.#found = projects;
    if (projects.length === 1) this.#onlyId = projects[0]?.id ?? "";
    await this.#server.request("deltaflash/watch", { projects });
    if (projects.length > 0) await commands.executeCommand("setContext", "deltaflash.active", true);
    this.#changed.fire();
  }

  #fromSetting(root: string | undefined): ProjectCandidate | undefined {
    const { artifact } = this.#config.settings;
    if (artifact === undefined) return undefined;
    const path = isAbsolute(artifact) || root === undefined ? artifact : join(root, artifact);
    return projectOfFile(path, l10n.t("the setting deltaflash.artifact names {0}", artifact));
  }

  async #chooseFile(): Promise<ProjectCandidate | undefined> {
    const [file] =
      (await window.showOpenDialog({
        title: l10n.t("What to Flash"),
        openLabel: l10n.t("Flash This"),
        filters: { [l10n.t("Firmware")]: ["elf", "axf", "out", "hex", "json"], [l10n.t("All files")]: ["*"] },
      })) ?? [];
    if (file === undefined) return undefined;
    const project = projectOfFile(file.fsPath, l10n.t("you chose the file {0}", file.fsPath));
    this.#found = [project];
    await this.#server.request("deltaflash/watch", { projects: this.#found });
    await commands.executeCommand("setContext", "deltaflash.active", true);
    this.#changed.fire();
    return project;
  }
}

function projectOfFile(path: string, reason: string): ProjectCandidate {
  return {
    id: `file:${path}`,
    system: "file",
    title: basename(path),
    artifact: [path],
    watch: [path],
    reasons: [reason],
  };
}

/** Without the offset that may stand before it: `0x10000:/ws/app.bin`. */
function pathOf(artifact: string): string {
  return artifact.replace(/^(0x[0-9a-f]+|[0-9]+):/i, "");
}

function workspaceFolderOf(file: string): string | undefined {
  return workspace.workspaceFolders?.map((one) => one.uri.fsPath).find((root) => isInside(file, root));
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
