/** The GDB servers that the workspace and the settings name, for front ends to choose from and for ports to be opened. */
import { launchServerNamed, launchServers } from "../build/find-launch-server.ts";
import type { GdbServerLaunch, LaunchServer } from "../build/gdb-server-launch.ts";
import { serverOfSetting } from "../build/launch-servers.ts";
import type { BoardAtPort } from "../engine/board-port.ts";
import { boardBehindServer } from "../engine/gdb-server-board.ts";
import { GdbServers, type GdbServersParts } from "../engine/gdb-server.ts";
import type { GdbServerName } from "../transport/port-name.ts";
import type { GdbServerSetting, GdbSources, PortChoice, TargetSelection } from "./protocol.ts";

const nothing: GdbSources = { folders: [] };

export class GdbLaunches {
  readonly #servers: GdbServers;
  #sources = nothing;

  constructor(parts: GdbServersParts) {
    this.#servers = new GdbServers(parts);
  }

  /** What the front end said last counts. Something that is no such thing is as good as nothing. */
  know(sources: GdbSources | undefined): void {
    if (sources !== undefined) this.#sources = checked(sources);
  }

  /** Of a request that came over the wire and may be anything; whoever carries it out says what is wrong with it. */
  knowTarget({ target }: { readonly target?: Pick<TargetSelection, "gdb"> }): void {
    this.know(target?.gdb);
  }

  /** Each configuration that names a server, for the board picker. */
  async choices(sources: GdbSources | undefined): Promise<readonly PortChoice[]> {
    this.know(sources);
    const all = [...(await this.#inLaunchFiles()), ...this.#inSettings()];
    return all.flatMap(({ name, server }) => {
      if (server === undefined) return [];
      const { id, evidence, program, attach, adapterSpeedNote } = server;
      const isSetting = id === "deltaflash.gdbServer";
      const how = program === undefined ? attach : [program.command, attach].filter(Boolean).join(" · ");
      return [
        {
          port: isSetting ? "gdb:settings" : `gdb:launch/${name}`,
          title: isSetting ? "GDB server of the settings" : `GDB server of launch.json: ${name}`,
          detail: [how, evidence, adapterSpeedNote].filter(Boolean).join(" · "),
          simulated: false,
          recognised: false,
          gdbServer: true,
        },
      ];
    });
  }

  /** Looks it up when the port is opened, so that it is what the files say then. */
  board(port: string, name: Exclude<GdbServerName, { kind: "gdb-serial" }>): BoardAtPort {
    return boardBehindServer(port, this.#servers, async () => {
      const inFiles = await this.#inLaunchFiles();
      const inSettings = this.#inSettings();
      const all = [...inFiles, ...inSettings].flatMap(({ server }) => (server === undefined ? [] : [server]));
      await this.#servers.keepOnly(all);
      return name.kind === "gdb-launch" ? launchServerNamed(name.name, inFiles) : ofSettings(inSettings);
    });
  }

  /** Ends the servers that were started. */
  close(): Promise<void> {
    return this.#servers.close();
  }

  #inLaunchFiles(): Promise<readonly LaunchServer[]> {
    return launchServers(this.#sources.folders, process.env);
  }

  #inSettings(): readonly LaunchServer[] {
    const { folders, setting } = this.#sources;
    const folder = folders[0] ?? process.cwd();
    return setting === undefined ? [] : [serverOfSetting(setting, { folder, environment: process.env })];
  }
}

/** @throws FlashError `board-not-found` */
function ofSettings(servers: readonly LaunchServer[]): GdbServerLaunch {
  return launchServerNamed("deltaflash.gdbServer", servers);
}

function checked({ folders, setting }: Partial<GdbSources>): GdbSources {
  const list: unknown = folders;
  const given = checkedSetting(setting);
  return {
    folders: Array.isArray(list) ? list.filter((one) => typeof one === "string") : [],
    ...(given === undefined ? {} : { setting: given }),
  };
}

function checkedSetting(setting: unknown): GdbServerSetting | undefined {
  if (typeof setting !== "object" || setting === null) return undefined;
  const { command, args, port } = setting as Partial<Record<keyof GdbServerSetting, unknown>>;
  if (typeof command !== "string") return undefined;
  const list = Array.isArray(args) ? args.filter((one) => typeof one === "string") : [];
  const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port <= 65_535;
  return { command, args: list, ...(isPort ? { port } : {}) };
}
