/** Every command of the palette, each a few words long: what they do stands elsewhere. */
import { commands, Disposable, l10n, window, type LogOutputChannel } from "vscode";
import type { Activity } from "./activity.ts";
import type { BoardChoice } from "./board-choice.ts";
import type { Server } from "./client.ts";
import { exportTrace } from "./export-trace.ts";
import type { FlashWish, Flasher } from "./flasher.ts";
import type { Monitors } from "./monitor-terminal.ts";
import type { Projects } from "./projects.ts";
import type { SectionsView } from "./sections-view.ts";

export interface CommandParts {
  readonly server: Server;
  readonly projects: Projects;
  readonly choice: BoardChoice;
  readonly activity: Activity;
  readonly flasher: Flasher;
  readonly monitors: Monitors;
  readonly sections: SectionsView;
  readonly log: LogOutputChannel;
  /** Flashes, and shows what went wrong. */
  flash(wish: FlashWish): Promise<unknown>;
  askForBoard(): Promise<string | undefined>;
  showWhy(): Promise<void>;
}

type Act = () => unknown;

export function registerCommands(parts: CommandParts): Disposable {
  const { flasher, monitors, projects, sections, server, log } = parts;
  const acts: Readonly<Record<string, Act>> = {
    flash: () => parts.flash({ mode: "changed", build: true, trigger: "key" }),
    flashOnly: () => parts.flash({ mode: "changed", build: false, trigger: "button" }),
    flashFull: () => parts.flash({ mode: "full", build: false, trigger: "button" }),
    loadRam: () => parts.flash({ mode: "ram", build: false, trigger: "button" }),
    selectBoard: () => parts.askForBoard(),
    selectProject: () => projects.pick(),
    showTiming: () => commands.executeCommand("deltaflash.timing.focus"),
    openMonitor: () => openMonitor(parts),
    sendLine: () => monitors.sendLine(),
    toggleTimestamps: () => monitors.toggleTimestamps(),
    cancel: () => flasher.cancel(),
    whyTarget: () => parts.showWhy(),
    exportTrace: () => exportTrace(parts.activity.lastReport),
    refreshSections: () => sections.refresh(),
    restartServer: () => server.restart(),
    showLog: () => log.show(),
  };
  const registered = Object.entries(acts).map(([name, act]) =>
    commands.registerCommand(`deltaflash.${name}`, () => tell(act, log)),
  );
  return Disposable.from(...registered);
}

/** A command that rejects would show a modal dialog of the editor's: what fails is said here, once. */
async function tell(act: Act, log: LogOutputChannel): Promise<void> {
  try {
    await act();
  } catch (error) {
    log.error(error instanceof Error ? error : String(error));
    const show = l10n.t("Show Log");
    const message = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(message, show).then((chosen) => {
      if (chosen === show) log.show();
    });
  }
}

async function openMonitor(parts: CommandParts): Promise<void> {
  const { projects, choice, monitors } = parts;
  if (projects.current === undefined) await projects.discover();
  const project = projects.current;
  const port = (await choice.find(project))?.target.port ?? (await parts.askForBoard());
  if (port !== undefined) monitors.show(port, project?.monitorBaud);
}
