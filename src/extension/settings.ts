/** The settings as values that can be relied on, and a sentence for each one that is not what it should be. Knows no editor. */
import * as l10n from "@vscode/l10n";
import type { GdbServerSetting } from "../server/protocol.ts";

export type OnBuild = "off" | "offer" | "flash";

export interface Settings {
  readonly onBuild: OnBuild;
  readonly buildTask: string | undefined;
  readonly artifact: string | undefined;
  readonly port: string | undefined;
  readonly gdbServer: GdbServerWish | undefined;
  readonly board: string | undefined;
  readonly chip: string | undefined;
  readonly baud: number | undefined;
  readonly useStub: boolean;
  /** Espressif's program in RAM even where ours can run. */
  readonly officialStub: boolean;
  readonly appOnly: boolean;
  readonly monitorBaud: number | undefined;
  readonly monitorTimestamps: boolean;
  readonly monitorLogFile: string | undefined;
  readonly monitorOpenAfterFlash: boolean;
}

/** A configuration of launch.json, a server that runs, or one that is started. */
export type GdbServerWish =
  | { readonly kind: "launch"; readonly name: string }
  | { readonly kind: "running"; readonly port: number }
  | { readonly kind: "command"; readonly server: GdbServerSetting };

export interface SettingProblem {
  readonly key: string;
  /** What it should be, and what it is: `a text, but it is 5`. */
  readonly expected: string;
  readonly found: string;
}

export interface ReadSettings {
  readonly settings: Settings;
  readonly problems: readonly SettingProblem[];
}

type Get = (key: string) => unknown;

/** No bridge is faster. */
const mostBaud = 12_000_000;

/** What is wrong counts as not set. */
export function readSettings(get: Get): ReadSettings {
  const problems: SettingProblem[] = [];
  const wrong = (key: string, expected: string, value: unknown) =>
    void problems.push({ key: `deltaflash.${key}`, expected, found: JSON.stringify(value) });
  const text = (key: string): string | undefined => {
    const value = get(key) ?? "";
    if (typeof value === "string") return value.trim() === "" ? undefined : value.trim();
    wrong(key, l10n.t("a text"), value);
    return undefined;
  };
  const yes = (key: string, otherwise: boolean): boolean => {
    const value = get(key) ?? otherwise;
    if (typeof value === "boolean") return value;
    wrong(key, l10n.t("true or false"), value);
    return otherwise;
  };
  const rate = (key: string, least: number): number | undefined => {
    const value = get(key) ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= mostBaud) return value;
    wrong(key, l10n.t("a whole number from {0} to {1}", least, mostBaud), value);
    return undefined;
  };
  const settings: Settings = {
    onBuild: onBuildOf(get("onBuild") ?? "offer", (value) =>
      wrong("onBuild", l10n.t("{0}, {1} or {2}", "off", "offer", "flash"), value),
    ),
    buildTask: text("buildTask"),
    artifact: text("artifact"),
    port: text("port"),
    gdbServer: gdbServerOf(get("gdbServer"), (value) =>
      wrong("gdbServer", l10n.t('an object that names "launch", "command" (with "args") or "port"'), value),
    ),
    board: text("board"),
    chip: text("chip"),
    baud: rate("baud", 1_200),
    useStub: yes("useStub", true),
    officialStub: yes("officialStub", false),
    appOnly: yes("appOnly", false),
    monitorBaud: rate("monitor.baud", 300),
    monitorTimestamps: yes("monitor.timestamps", false),
    monitorLogFile: text("monitor.logFile"),
    monitorOpenAfterFlash: yes("monitor.openAfterFlash", false),
  };
  return { settings, problems };
}

/** What is wrong is not `flash`: nothing is written to a board because of a typing mistake. */
function onBuildOf(value: unknown, wrong: (value: unknown) => void): OnBuild {
  if (value === "off" || value === "offer" || value === "flash") return value;
  wrong(value);
  return "offer";
}

/** The port that the setting stands for. */
export function portOfServer(wish: GdbServerWish): string {
  switch (wish.kind) {
    case "launch":
      return `gdb:launch/${wish.name}`;
    case "running":
      return `gdb://127.0.0.1:${wish.port}`;
    case "command":
      return "gdb:settings";
  }
}

/** Whether a program that the workspace names is started for this port. */
export function startsServer(port: string): boolean {
  return port.startsWith("gdb:launch/") || port === "gdb:settings";
}

function gdbServerOf(value: unknown, wrong: (value: unknown) => void): GdbServerWish | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const fields = isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  if (value === undefined || value === null || (fields !== undefined && Object.keys(fields).length === 0))
    return undefined;
  const wish = fields === undefined ? undefined : serverWish(fields);
  if (wish === undefined) wrong(value);
  return wish;
}

function serverWish({
  launch,
  command,
  args = [],
  port,
}: Readonly<Record<string, unknown>>): GdbServerWish | undefined {
  if (launch !== undefined) {
    const isName = typeof launch === "string" && launch.trim() !== "" && command === undefined;
    return isName ? { kind: "launch", name: launch.trim() } : undefined;
  }
  const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port <= 65_535;
  if (port !== undefined && !isPort) return undefined;
  if (command === undefined) return isPort ? { kind: "running", port } : undefined;
  if (typeof command !== "string" || command.trim() === "" || !isTexts(args)) return undefined;
  return { kind: "command", server: { command: command.trim(), args, ...(isPort ? { port } : {}) } };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
