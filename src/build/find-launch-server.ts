/** Looks for GDB servers in the launch.json files of workspace folders. Reads only. */
import { asFlashError, FlashError } from "../core/errors.ts";
import type { GdbServerLaunch, LaunchServer } from "./gdb-server-launch.ts";
import { readLaunchFile } from "./launch-json.ts";
import type { Environment } from "./platformio-ini.ts";

/** In the order of the files. A file that cannot be read is a reason, not an error. */
export async function launchServers(
  folders: readonly string[],
  environment: Environment,
): Promise<readonly LaunchServer[]> {
  const found = folders.map(async (folder) => {
    try {
      return (await readLaunchFile(folder, environment))?.servers ?? [];
    } catch (error) {
      return [{ name: folder, reasons: [asFlashError(error).message] }];
    }
  });
  return (await Promise.all(found)).flat();
}

/** @throws FlashError `board-not-found` for a name that is not there, or whose server is not known */
export function launchServerNamed(name: string, servers: readonly LaunchServer[]): GdbServerLaunch {
  const named = servers.filter((one) => one.name === name);
  const known = named.find(({ server }) => server !== undefined)?.server;
  if (known !== undefined) return known;
  const [reason] = named.flatMap(({ reasons }) => reasons);
  if (reason !== undefined) {
    throw new FlashError("board-not-found", reason.replace(/\.$/, ""), {
      remedy: "Start the server and name its address (gdb://localhost:3333), or set deltaflash.gdbServer.",
    });
  }
  const others = servers.flatMap((one) => (one.server === undefined ? [] : [`“${one.name}”`]));
  const there = others.length === 0 ? "none there names a GDB server" : `there are ${others.join(", ")}`;
  throw new FlashError("board-not-found", `launch.json has no debug configuration “${name}”; ${there}`, {
    remedy: "Choose another port, or correct the name.",
  });
}
