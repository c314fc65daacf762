/**
 * Every message between a front end and the server, typed: names, parameters, results. Data only, so that any front end can
 * import it. Paths are absolute; times are milliseconds; failures of a flash are reports, never error responses.
 */
import type { GdbServerSetting } from "../build/launch-servers.ts";
import type { Report } from "../engine/report.ts";
import type { BoardState, BuildCompleted, BuildHint, MonitorState, PlanView, StoredReport } from "../engine/views.ts";

export type { GdbServerSetting } from "../build/launch-servers.ts";
export type {
  BoardState,
  BuildCompleted,
  BuildHint,
  ChangedItem,
  MonitorState,
  PlanView,
  StoredReport,
} from "../engine/views.ts";

/** Where GDB servers may be found. A front end names nothing here that its user does not trust: programs are started by it. */
export interface GdbSources {
  /** Whose `.vscode/launch.json` are read. */
  readonly folders: readonly string[];
  /** For the port `gdb:settings`. */
  readonly setting?: GdbServerSetting;
}

/** Where to flash: a port as the command line takes it, and what the user fixed beside it. */
export interface TargetSelection {
  readonly port: string;
  readonly chip?: string;
  /** Identity or catalogue name that the board must have. */
  readonly board?: string;
  readonly baud?: number;
  readonly useStub?: boolean;
  /** Espressif's stub even where Deltaflash's own can run. */
  readonly officialStub?: boolean;
  /** For ports of the form `gdb:launch/<name>` and `gdb:settings`. */
  readonly gdb?: GdbSources;
}

/** One thing that a build of a workspace folder makes. */
export interface ProjectCandidate {
  /** Stays the same between discoveries: `esp-idf:/ws/build`. */
  readonly id: string;
  readonly system: string;
  readonly title: string;
  /** What `loadArtifact` takes. */
  readonly artifact: readonly string[];
  /** Files whose change means that a build has ended. */
  readonly watch: readonly string[];
  /** One that can be flashed. */
  readonly chip?: string;
  /** What the build calls a chip that cannot be flashed yet; there is no `chip` then. */
  readonly unsupportedChip?: string;
  readonly port?: string;
  readonly baud?: number;
  readonly monitorBaud?: number;
  /** Sentences for *Why This Target?*: what was read where, and what it said. */
  readonly reasons: readonly string[];
}

export type FlashMode = "changed" | "full" | "ram" | "plan";

export interface FlashParams {
  readonly target: TargetSelection;
  readonly artifact: readonly string[];
  readonly mode: FlashMode;
  readonly appOnly?: boolean;
  /** Why: `key`, `button`, `task`, `build:watcher` … kept with the report. */
  readonly trigger: string;
}

export interface PortChoice {
  readonly port: string;
  readonly title: string;
  readonly detail: string;
  readonly simulated: boolean;
  /** A board's USB bridge or own USB port; other serial ports of the machine are never chosen by themselves. */
  readonly recognised: boolean;
  /** A GDB server of a debug configuration or of the settings; it need not run. */
  readonly gdbServer?: boolean;
  /** The board that was last seen there. */
  readonly identity?: string;
  readonly chip?: string;
  /** Who holds it, where the system tells. */
  readonly holder?: string;
}

/** Requests of the front end: name → parameters and result. */
export interface Requests {
  /** `buildFolders`: folders of builds outside the workspace, named by a setting or by another extension. */
  "deltaflash/discover": [
    { folders: readonly string[]; buildFolders?: readonly string[] },
    { projects: readonly ProjectCandidate[] },
  ];
  "deltaflash/ports": [{ gdb?: GdbSources }, { ports: readonly PortChoice[] }];
  /** Connects ahead; resolves at once. A flash of the same target takes the session over, otherwise it is dropped after a while. */
  "deltaflash/prepare": [{ target: TargetSelection }, null];
  "deltaflash/flash": [FlashParams, Report];
  "deltaflash/cancel": [{ port: string }, null];
  /** From the record of the board that was last seen at the port; touches no board. */
  "deltaflash/plan": [{ target: TargetSelection; artifact: readonly string[]; appOnly?: boolean }, PlanView];
  "deltaflash/reports": [{ identity?: string; limit: number }, { reports: readonly StoredReport[] }];
  "deltaflash/watch": [{ projects: readonly ProjectCandidate[] }, null];
  "deltaflash/hint": [BuildHint, null];
  "deltaflash/monitor/open": [{ port: string; baud: number; logFile?: string }, null];
  "deltaflash/monitor/write": [{ port: string; text: string }, null];
  "deltaflash/monitor/close": [{ port: string }, null];
}

/** Notifications of the server: name → parameters. */
export interface Notifications {
  "deltaflash/state": { readonly port: string; readonly state: BoardState };
  "deltaflash/report": StoredReport;
  "deltaflash/buildCompleted": BuildCompleted;
  "deltaflash/monitor/data": { readonly port: string; readonly text: string };
  "deltaflash/monitor/state": { readonly port: string; readonly state: MonitorState; readonly detail?: string };
}
