/** Wiring: makes the parts, tells them of each other, and nothing else. */
import { config as configureWords } from "@vscode/l10n";
import { join } from "node:path";
import { commands, l10n, tasks, window, workspace, type Event, type ExtensionContext } from "vscode";
import type { Notifications } from "../server/protocol.ts";
import { Activity } from "./activity.ts";
import type { DeltaflashApi } from "./api.ts";
import { BoardChoice } from "./board-choice.ts";
import { pickBoard } from "./board-picker.ts";
import { BuildWatch } from "./build-watch.ts";
import { Server } from "./client.ts";
import { registerCommands } from "./commands.ts";
import { Config } from "./config.ts";
import { DebugSessions } from "./debug-sessions.ts";
import { exportTrace } from "./export-trace.ts";
import { describeNoFlash, Flasher, type FlashEnd, type FlashWish } from "./flasher.ts";
import { Monitors } from "./monitor-terminal.ts";
import { Projects } from "./projects.ts";
import { SectionsView } from "./sections-view.ts";
import { showFailure } from "./show-error.ts";
import { StatusBar } from "./status-bar.ts";
import { FlashTasks } from "./task-provider.ts";
import { TimingPanel } from "./timing-panel.ts";
import { showWhyTarget } from "./why-target.ts";

let running: Server | undefined;

export function activate(context: ExtensionContext): DeltaflashApi {
  if (l10n.bundle !== undefined) configureWords({ contents: l10n.bundle });
  const parts = makeParts(context);
  wire(context, parts);
  return apiOf(parts);
}

/** The editor waits for this: a flash that runs ends at a safe place. */
export async function deactivate(): Promise<void> {
  await running?.stop();
}

type Parts = ReturnType<typeof makeParts>;

function makeParts(context: ExtensionContext) {
  const log = window.createOutputChannel("Deltaflash", { log: true });
  const server = (running = new Server(join(context.extensionPath, "dist", "server.cjs"), log));
  const config = new Config();
  const projects = new Projects(server, config, context.workspaceState);
  const choice = new BoardChoice(server, config, context.workspaceState);
  const currentPort = () => choice.known(projects.current)?.target.port;
  const activity = new Activity(server, currentPort);
  const sections = new SectionsView({ server, projects, choice, log });
  const statusBar = new StatusBar({ activity, currentPort, currentPlan: () => sections.plan });
  const monitors = new Monitors(server, config, log);
  const debugging = new DebugSessions();
  const askForBoard = () => pickBoard(choice, choice.fixedPort);
  const flasher = new Flasher({ server, config, projects, choice, activity, debugging, log, askForBoard });
  /** Shows what went wrong, too. */
  const flash = async (wish: FlashWish): Promise<FlashEnd> => {
    const end = await flasher.flash(wish);
    void showFailure(end, wish, flash);
    const hasConsole = end.kind === "report" && !end.report.port.startsWith("gdb:"); // no output comes through a GDB server
    if (hasConsole && end.report.error === null && config.settings.monitorOpenAfterFlash) {
      monitors.show(end.report.port, projects.current?.monitorBaud);
    }
    return end;
  };
  return {
    ...{ log, server, config, projects, choice, activity, debugging, sections, statusBar, monitors, flasher },
    ...{ askForBoard, flash },
  };
}

function wire(context: ExtensionContext, parts: Parts): void {
  const { log, server, config, projects, choice, activity, sections, statusBar, flasher, flash } = parts;
  const { extensionUri } = context;
  const timing = new TimingPanel({ extensionUri, server, activity, log, flash, exportTrace });
  const builds = new BuildWatch({
    ...parts,
    flashBuild: (built) =>
      void flash({ mode: "changed", build: false, quiet: true, trigger: `build:${built.sources.join("+")}` }),
  });
  const flashTasks = new FlashTasks({
    server,
    flash: (wish) => flasher.flash(wish),
    cancel: (port) => (port === undefined ? flasher.cancel() : server.request("deltaflash/cancel", { port }).then()),
  });
  const becomeActive = () => {
    statusBar.show();
    void commands.executeCommand("setContext", "deltaflash.active", true);
  };
  context.subscriptions.push(
    ...[log, server, config, projects, choice, activity, parts.debugging, sections, statusBar, parts.monitors],
    ...[timing, builds],
    registerCommands({ ...parts, showWhy: () => showWhyTarget({ config, projects, choice, activity }) }),
    tasks.registerTaskProvider("deltaflash", flashTasks),
    projects.onDidChange(() => {
      if (projects.all.length > 0) becomeActive();
      activity.refresh();
    }),
    choice.onDidChange(() => {
      becomeActive();
      activity.refresh();
    }),
    config.onDidChange(() => activity.refresh()),
    sections.onDidPlan(() => statusBar.refresh()),
  );
  if ((choice.picked ?? choice.fixedPort ?? config.settings.artifact) !== undefined) becomeActive();
  // After activation: whether there is firmware here is the server's to find out.
  setImmediate(() => {
    if (workspace.workspaceFolders === undefined) return;
    projects.discover().catch((error: unknown) => log.error(String(error)));
  });
}

function apiOf({ flasher, server }: Parts): DeltaflashApi {
  const eventOf =
    <K extends keyof Notifications>(name: K): Event<Notifications[K]> =>
    (listener, self?: unknown) =>
      server.on(name, (params) => void listener.call(self, params));
  return {
    version: 1,
    flash: async ({ mode = "changed", build = false, ...rest } = {}) => {
      const end = await flasher.flash({ ...rest, mode, build, trigger: "api", quiet: true });
      if (end.kind === "report") return end.report;
      throw new Error(describeNoFlash(end) ?? l10n.t("Stopped before the flash."));
    },
    onDidFlash: eventOf("deltaflash/report"),
    onDidBuild: eventOf("deltaflash/buildCompleted"),
  };
}
