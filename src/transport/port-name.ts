/** What the user's word for a port means. Pure: nothing is opened or looked up here. */
import { FlashError } from "../core/errors.ts";

export interface SocketAddress {
  readonly host: string;
  /** 0 … 65535; 0 only where a server may choose. */
  readonly port: number;
}

/** `sim` ports are no byte transports: whoever opens ports looks for them first. */
export type PortName =
  | { readonly kind: "serial"; readonly path: string }
  | ({ readonly kind: "tcp" } & SocketAddress)
  | ({ readonly kind: "rfc2217"; readonly options: readonly string[] } & SocketAddress)
  | ({ readonly kind: "gdb" } & SocketAddress)
  | GdbServerName
  | { readonly kind: "sim"; readonly board: string };

/** GDB servers that have no address of their own: on a serial port, in launch.json, in the settings. */
export type GdbServerName =
  | { readonly kind: "gdb-serial"; readonly path: string }
  | { readonly kind: "gdb-launch"; readonly name: string }
  | { readonly kind: "gdb-settings" };

const KNOWN_FORMS =
  "/dev/ttyUSB0, COM3, tcp://host:port, rfc2217://host:port, gdb://host:port, gdb:launch/<debug configuration> or sim:<board>";

/** @throws FlashError `board-not-found` naming the forms there are. */
export function parsePortName(name: string): PortName {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(name)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (name.trim() === "") throw notAPort(name);
    return { kind: "serial", path: name };
  }
  switch (scheme) {
    case "tcp":
      return { kind: "tcp", ...parseSocketAddress(name) };
    case "rfc2217":
      return { kind: "rfc2217", ...parseSocketAddress(name), options: queryOptions(name) };
    case "gdb":
      return parseGdbServer(name) ?? { kind: "gdb", ...parseSocketAddress(name) };
    case "sim":
      return { kind: "sim", board: name.slice("sim:".length) };
    default:
      throw notAPort(name);
  }
}

/** Whether a GDB server stands between us and the board. */
export function isBehindGdbServer({ kind }: PortName): boolean {
  return kind === "gdb" || kind === "gdb-serial" || kind === "gdb-launch" || kind === "gdb-settings";
}

/** Of `gdb:launch/<name of a debug configuration>`, with all its spaces, `gdb:settings`, `gdb:/dev/ttyBmpGdb` or `gdb:COM4`. */
function parseGdbServer(name: string): GdbServerName | undefined {
  const rest = name.slice("gdb:".length);
  if (rest === "settings") return { kind: "gdb-settings" };
  const launch = /^launch\/(.*\S.*)$/.exec(rest)?.[1];
  if (launch !== undefined) return { kind: "gdb-launch", name: launch };
  const isDevice = /^(\/(?!\/)|\\\\\.\\|COM\d+$)/i.test(rest);
  return isDevice ? { kind: "gdb-serial", path: rest } : undefined;
}

/** Of `scheme://host:port`; IPv6 hosts stand in brackets. @throws FlashError `board-not-found` */
export function parseSocketAddress(name: string): SocketAddress {
  const match = /^[a-z0-9+.-]+:\/\/(\[[0-9a-f:.%]+\]|[^:/?[\]]+):(\d{1,5})\/?(?:\?.*)?$/i.exec(name);
  const host = match?.[1]?.replace(/^\[|\]$/g, "");
  const port = Number(match?.[2]);
  if (host === undefined || !(port <= 65_535)) {
    throw new FlashError("board-not-found", `${name} is not an address of the form scheme://host:port`, {
      remedy: "Name host and port number, for example tcp://127.0.0.1:4000.",
    });
  }
  return { host, port };
}

/** Words behind `?`, as pySerial takes them (`rfc2217://host:port?ign_set_control`). */
function queryOptions(name: string): readonly string[] {
  return (name.split("?", 2)[1] ?? "").split("&").filter((word) => word !== "");
}

function notAPort(name: string): FlashError {
  return new FlashError("board-not-found", `"${name}" is no port that this program knows`, {
    remedy: `Name a port as ${KNOWN_FORMS}; \`deltaflash ports\` lists the serial ones.`,
  });
}
