/** The ports for the board picker: what is plugged in, what was seen there last, GDB servers, and the simulated boards. */
import type { History } from "../engine/history.ts";
import { simCatalogue } from "../sim/catalogue.ts";
import { chipRows } from "../targets/gdb/chips/list.ts";
import { triedOnWords } from "../targets/gdb/chips/row.ts";
import { holderOf, listPorts, type PortDescription } from "../transport/ports.ts";
import type { PortChoice } from "./protocol.ts";

/** @param servers GDB servers that were found elsewhere */
export async function portChoices(
  history: History,
  servers: readonly PortChoice[] = [],
): Promise<readonly PortChoice[]> {
  const chips = new Map((await history.boards()).map((board) => [board.identity, board.chip]));
  const seen = async (port: string) => {
    const { identity } = await history.portHints(port);
    const chip = identity === undefined ? undefined : chips.get(identity);
    return { ...(identity === undefined ? {} : { identity }), ...(chip === undefined ? {} : { chip }) };
  };
  const real = (await listPorts()).filter((port) => port.bridge?.kind !== "debug-probe");
  const plugged = real.map(async (port) => {
    const holder = await holderOf(port.path);
    return {
      port: port.path,
      title: port.product ?? port.bridge?.name ?? port.path,
      detail: detailOf(port),
      simulated: false,
      recognised: port.bridge !== undefined,
      ...(await seen(port.path)),
      ...(holder === undefined ? {} : { holder: `${holder.command} (process ${holder.pid})` }),
    };
  });
  const simulated = simCatalogue.map(async (board) => {
    const port = `sim:${board.id}`;
    return {
      port,
      title: board.title,
      detail: "simulated",
      simulated: true,
      recognised: true,
      ...(await seen(port)),
      ...(board.link === "serial" ? { chip: board.id } : {}),
    };
  });
  const served = servers.map(async (choice) => {
    const board = await seen(choice.port);
    const row = chipRows.find(({ name }) => name === board.chip);
    const tried = row === undefined ? [] : [`${row.title}: driver tried on ${triedOnWords[row.evidence]}`];
    return { ...choice, ...board, detail: [choice.detail, ...tried].filter((word) => word !== "").join(" · ") };
  });
  return Promise.all([...plugged, ...served, ...simulated]);
}

function detailOf(port: PortDescription): string {
  const { manufacturer, serialNumber, usb } = port;
  const ids = usb === undefined ? undefined : `${hex4(usb.vendorId)}:${hex4(usb.productId)}`;
  return [manufacturer, ids, serialNumber].filter((word) => word !== undefined).join(" · ");
}

function hex4(id: number): string {
  return id.toString(16).padStart(4, "0");
}
