/** The list of boards: what is plugged in first, then the simulated ones, which say that they are. */
import { l10n, QuickPickItemKind, window, type QuickPickItem } from "vscode";
import type { PortChoice } from "../server/protocol.ts";
import type { BoardChoice } from "./board-choice.ts";

interface Item extends QuickPickItem {
  /** Undefined: something else than a listed port. */
  readonly act?: "type" | "forget";
  readonly port?: string;
}

/** @returns the port that was picked and is remembered now; undefined when the user did not pick */
export async function pickBoard(choice: BoardChoice, fixedPort: string | undefined): Promise<string | undefined> {
  const items = choice.ports().then((ports) => itemsFor(ports, choice.picked, fixedPort));
  const chosen = await window.showQuickPick(items, {
    title: l10n.t("Deltaflash: Select Board and Port"),
    placeHolder: l10n.t("Boards that are plugged in, then simulated ones"),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen === undefined) return undefined;
  if (chosen.act === "forget") {
    await choice.pick(undefined);
    return fixedPort;
  }
  const port = chosen.act === "type" ? await typePort() : chosen.port;
  if (port !== undefined) await choice.pick(port);
  return port;
}

function itemsFor(ports: readonly PortChoice[], picked: string | undefined, fixed: string | undefined): Item[] {
  const item = (port: PortChoice): Item => ({
    label: `$(${port.simulated ? "beaker" : port.gdbServer === true ? "debug-alt" : "circuit-board"}) ${port.title}`,
    description: [
      port.title === port.port ? undefined : port.port,
      port.identity,
      port.port === picked ? l10n.t("current") : undefined,
    ]
      .filter((word) => word !== undefined)
      .join(" · "),
    ...detailOf(port),
    port: port.port,
  });
  const separator = (label: string): Item => ({ label, kind: QuickPickItemKind.Separator });
  const served = ports.filter((port) => port.gdbServer === true);
  const real = ports.filter((port) => !port.simulated && port.gdbServer !== true);
  const simulated = ports.filter((port) => port.simulated);
  return [
    separator(l10n.t("plugged in")),
    ...(real.length === 0
      ? [{ label: l10n.t("$(info) No board is plugged in"), act: "type" as const }]
      : real.map(item)),
    ...(served.length === 0 ? [] : [separator(l10n.t("behind a debug probe")), ...served.map(item), separator("")]),
    {
      label: l10n.t("$(edit) Another Port…"),
      description: "COM3, gdb://host:port, tcp://host:port, rfc2217://host:port",
      act: "type",
    },
    ...(picked === undefined || fixed === undefined
      ? []
      : [{ label: l10n.t("$(settings-gear) As the Setting Says"), description: fixed, act: "forget" as const }]),
    separator(l10n.t("simulated: nothing runs on silicon")),
    ...simulated.map(item),
  ];
}

/** The simulated ones say what they are above all of them. */
function detailOf({ simulated, detail, holder }: PortChoice): { readonly detail?: string } {
  const held = holder === undefined ? undefined : l10n.t("held by {0}", holder);
  const words = [simulated || detail === "" ? undefined : detail, held].filter((word) => word !== undefined);
  return words.length === 0 ? {} : { detail: words.join(" · ") };
}

function typePort(): Thenable<string | undefined> {
  return window.showInputBox({
    title: l10n.t("Deltaflash: Port"),
    prompt: l10n.t("For example /dev/ttyUSB0, COM3, tcp://127.0.0.1:5555 or sim:esp32c3?speed=max"),
    validateInput: (text) => (text.trim() === "" ? l10n.t("Name a port.") : undefined),
  });
}
