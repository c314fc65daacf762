/** Which board a flash goes to: the one that was picked, the settings, the build's own hint, or the only one there is. */
import { EventEmitter, l10n, workspace, type Disposable, type Event, type Memento } from "vscode";
import type { GdbSources, PortChoice, ProjectCandidate, TargetSelection } from "../server/protocol.ts";
import type { Server } from "./client.ts";
import type { Config } from "./config.ts";
import { portOfServer, startsServer } from "./settings.ts";

const pickedKey = "port";

export interface ChosenTarget {
  readonly target: TargetSelection;
  /** A sentence for *Why This Target?*. */
  readonly reason: string;
}

export class BoardChoice implements Disposable {
  readonly #server: Server;
  readonly #config: Config;
  readonly #memory: Memento;
  readonly #changed = new EventEmitter<void>();

  constructor(server: Server, config: Config, memory: Memento) {
    this.#server = server;
    this.#config = config;
    this.#memory = memory;
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get picked(): string | undefined {
    return this.#memory.get<string>(pickedKey);
  }

  /** What the settings say, whatever was picked. */
  get fixedPort(): string | undefined {
    const { port, gdbServer } = this.#config.settings;
    return port ?? (gdbServer === undefined ? undefined : portOfServer(gdbServer));
  }

  /** Kept for this workspace; settings are not touched. */
  async pick(port: string | undefined): Promise<void> {
    await this.#memory.update(pickedKey, port);
    this.#changed.fire();
  }

  /** What is known without asking the machine; undefined when only a look at the ports can tell. */
  known(project: ProjectCandidate | undefined): ChosenTarget | undefined {
    const { port, gdbServer } = this.#config.settings;
    if (this.picked !== undefined) return this.#at(this.picked, project, l10n.t("you picked this port"));
    if (port !== undefined) return this.#at(port, project, l10n.t("the setting deltaflash.port names it"));
    if (gdbServer !== undefined) {
      return this.#at(portOfServer(gdbServer), project, l10n.t("the setting deltaflash.gdbServer names it"));
    }
    if (project?.port !== undefined) return this.#at(project.port, project, l10n.t("the build's own settings name it"));
    return undefined;
  }

  /** Undefined when there is no board or more than one. @throws ServerGone */
  async find(project: ProjectCandidate | undefined): Promise<ChosenTarget | undefined> {
    const known = this.known(project);
    if (known !== undefined) return known;
    const boards = (await this.ports()).filter((port) => !port.simulated && port.recognised);
    const [only] = boards;
    if (only === undefined || boards.length > 1) return undefined;
    return this.#at(only.port, project, l10n.t("it is the only board that is plugged in"));
  }

  /** @throws ServerGone */
  async ports(): Promise<readonly PortChoice[]> {
    return (await this.#server.request("deltaflash/ports", { gdb: this.#gdbSources })).ports;
  }

  /** What the server needs to know to find the GDB server of such a port; nothing for other ports. */
  sourcesFor(port: string): { readonly gdb?: GdbSources } {
    return startsServer(port) ? { gdb: this.#gdbSources } : {};
  }

  /** Nothing that a workspace names is started unless it is trusted; the setting is the editor's to hold back. */
  get #gdbSources(): GdbSources {
    const { gdbServer } = this.#config.settings;
    const folders = (workspace.isTrusted ? (workspace.workspaceFolders ?? []) : []).map(({ uri }) => uri.fsPath);
    return { folders, ...(gdbServer?.kind === "command" ? { setting: gdbServer.server } : {}) };
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #at(port: string, project: ProjectCandidate | undefined, reason: string): ChosenTarget {
    const { chip = project?.chip, board, baud = project?.baud, useStub, officialStub } = this.#config.settings;
    return {
      reason,
      target: {
        port,
        useStub,
        officialStub,
        ...this.sourcesFor(port),
        ...(chip === undefined ? {} : { chip }),
        ...(board === undefined ? {} : { board }),
        ...(baud === undefined ? {} : { baud }),
      },
    };
  }
}
