/** `deltaflash boards`, `ports` and `history`: what is known, as a table or as JSON. */
import { formatBytes, hex } from "../core/bytes.ts";
import { History } from "../engine/history.ts";
import { stateFolder } from "../engine/state-folder.ts";
import { chips } from "../targets/esp/chips.ts";
import { chipRows } from "../targets/gdb/chips/list.ts";
import { triedOnWords } from "../targets/gdb/chips/row.ts";
import { exitCodes, UsageError, type ExitCode } from "./exit.ts";
import { readOptions } from "./options.ts";

type Row = Readonly<Record<string, string>>;

function wantsJson(args: readonly string[], name: string): boolean {
  const { values, positionals } = readOptions(args, { json: { type: "boolean" } } as const);
  if (positionals.length > 0) throw new UsageError(`${name} takes no words`);
  return values.json ?? false;
}

function print(json: boolean, data: unknown, rows: readonly Row[], empty: string): ExitCode {
  process.stdout.write(
    json ? `${JSON.stringify(data, null, 2)}\n` : rows.length === 0 ? `${empty}\n` : formatTable(rows),
  );
  return exitCodes.done;
}

function formatTable(rows: readonly Row[]): string {
  const heads = Object.keys(rows[0] ?? {});
  const widths = heads.map((head) => Math.max(head.length, ...rows.map((row) => row[head]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[heads, ...rows.map((row) => heads.map((head) => row[head] ?? ""))].map(line).join("\n")}\n`;
}

/** What each chip was tried on: nothing of ours has run on silicon yet. */
const triedOn = "simulated board";

export async function boardsCommand(args: readonly string[]): Promise<ExitCode> {
  const json = wantsJson(args, "boards");
  const { simCatalogue } = await import("../sim/catalogue.ts");
  const real = chips.map((chip) => ({
    id: chip.name,
    title: `${chip.title} over a serial port`,
    port: "serial, tcp://, rfc2217://",
    triedOn,
    silicon: false,
  }));
  const behindServers = chipRows.map((row) => ({
    id: row.name,
    title: `${row.title} behind a GDB server`,
    port: "gdb://",
    triedOn: triedOnWords[row.evidence],
    silicon: false,
  }));
  const simulated = simCatalogue.map((board) => ({
    id: `${board.id}-sim`,
    title: `${board.title}, simulated`,
    port: `sim:${board.id}`,
    triedOn,
    silicon: false,
  }));
  const boards = [...real, ...behindServers, ...simulated];
  const rows = boards.map(({ id, title, port, triedOn: tried }) => ({ board: id, title, port, "tried on": tried }));
  const exit = print(json, boards, rows, "");
  if (!json) process.stdout.write("Nothing has been tried on silicon yet.\n");
  return exit;
}

export async function portsCommand(args: readonly string[]): Promise<ExitCode> {
  const json = wantsJson(args, "ports");
  const { holderOf, listPorts } = await import("../transport/ports.ts");
  const ports = await Promise.all(
    (await listPorts()).map(async (port) => ({ ...port, holder: (await holderOf(port.path)) ?? null })),
  );
  const rows = ports.map((port) => ({
    port: port.path,
    kind: port.bridge?.name ?? port.product ?? "",
    usb: port.usb === undefined ? "" : `${hex(port.usb.vendorId, 4)}:${hex(port.usb.productId, 4)}`,
    serial: port.serialNumber ?? "",
    "held by": port.holder === null ? "" : `${port.holder.command} (${port.holder.pid})`,
  }));
  return print(json, ports, rows, "No serial ports. Simulated boards are there: deltaflash flash … --port sim:esp32c3");
}

export async function historyCommand(args: readonly string[]): Promise<ExitCode> {
  const json = wantsJson(args, "history");
  const boards = await new History(stateFolder()).boards();
  const rows = boards.map((board) => ({
    identity: board.identity,
    chip: board.chip,
    port: board.port,
    known: formatBytes(board.knownBytes),
    "in doubt": board.interruptedSectors === 0 ? "" : `${board.interruptedSectors} sectors`,
    "last change": new Date(board.changedAt).toISOString().replace("T", " ").slice(0, 19),
  }));
  return print(json, boards, rows, "No board was flashed from here yet.");
}
