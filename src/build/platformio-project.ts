/** Finds PlatformIO projects: one project per environment of `platformio.ini`, built or not. */
import { basename, dirname, join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import { chipOfImageFile } from "./esp-files.ts";
import { brokenFinding, judge, type Finding } from "./finding.ts";
import { optional } from "./flash-files.ts";
import { asBaud } from "./kconfig.ts";
import { IDEDATA } from "./platformio.ts";
import { multiValue, readPlatformIoConfig, type Environment, type PlatformIoConfig } from "./platformio-ini.ts";
import { kindOf } from "./read-file.ts";
import type { Scan } from "./scan.ts";

const system = "platformio";
const INI = "platformio.ini";
const MAX_ENVIRONMENTS = 40;

export async function findPlatformIo(scan: Scan, environment: Environment): Promise<readonly Finding[]> {
  const projects = scan.foldersWith(INI).map((folder) => findProject(folder, environment));
  return (await Promise.all(projects)).flat();
}

async function findProject(folder: string, environment: Environment): Promise<readonly Finding[]> {
  const path = join(folder, INI);
  const reasons = [`${path} marks a PlatformIO project.`];
  try {
    const config = await readPlatformIoConfig(path, environment);
    if (config.envs.length === 0) {
      throw new FlashError("bad-image", `${path} has no section [env:…]`, { remedy: "Add an environment to it." });
    }
    const build = resolve(folder, config.projectOption("build_dir") ?? join(".pio", "build"));
    const envs = config.envs.slice(0, MAX_ENVIRONMENTS);
    return await Promise.all(envs.map((env) => findingOf({ config, path, env, folder: join(build, env) })));
  } catch (thrown) {
    const builds = join(folder, ".pio", "build");
    const title = `${basename(folder)} (PlatformIO)`;
    const project = {
      id: `${system}:${folder}`,
      system,
      title,
      artifact: [folder],
      watch: [path],
      folder: builds,
      reasons,
    };
    return [brokenFinding({ ...project, system }, thrown)];
  }
}

interface EnvironmentOf {
  readonly config: PlatformIoConfig;
  /** Of the ini file. */
  readonly path: string;
  readonly env: string;
  /** Where its build goes. */
  readonly folder: string;
}

async function findingOf({ config, path, env, folder }: EnvironmentOf): Promise<Finding> {
  const option = (name: string) => config.option(env, name);
  const isEspressif = /espressif/.test(option("platform") ?? "");
  const program = join(folder, isEspressif ? "firmware.bin" : "firmware.elf");
  const chip = await chipOf(folder, option);
  const defaults = multiValue(config.projectOption("default_envs"));
  const monitorBaud = asBaud(option("monitor_speed"));
  const baud = asBaud(option("upload_speed"));
  const upload = uploadPort(option("upload_port"), option("upload_protocol"));
  const judged = await judge([program], [path]);
  return {
    id: `${system}:${folder}`,
    system,
    title: `${basename(dirname(path))} (PlatformIO, ${env})`,
    artifact: [folder],
    watch: [program],
    folder,
    ...optional("chip", chip),
    ...optional("port", upload.port),
    ...optional("baud", baud),
    ...optional("monitorBaud", monitorBaud),
    state: judged.state,
    builtMs: judged.builtMs,
    isPreferred: defaults.length === 0 || defaults.includes(env),
    reasons: [
      `${path} has the environment ${env}${boardWords(option("board"), chip)}.`,
      ...(defaults.includes(env) ? ["default_envs names it."] : []),
      ...upload.reasons,
      ...(baud === undefined ? [] : [`upload_speed is ${baud}.`]),
      ...(monitorBaud === undefined ? [] : [`monitor_speed is ${monitorBaud}.`]),
      ...(await ideDataReasons(folder)),
      ...judged.reasons,
    ],
  };
}

function boardWords(board: string | undefined, chip: string | undefined): string {
  const words = [board === undefined ? "" : ` for the board ${board}`, chip === undefined ? "" : ` (${chip})`];
  return words.join("");
}

/** The built image says it for certain; before the first build the board's name mostly does. */
async function chipOf(folder: string, option: (name: string) => string | undefined): Promise<string | undefined> {
  const platform = option("platform") ?? "";
  if (platform.includes("espressif8266")) return "esp8266";
  const built = await chipOfImageFile(join(folder, "bootloader.bin"));
  if (built !== undefined || !platform.includes("espressif32")) return built ?? option("board_build.mcu");
  const mcu = option("board_build.mcu");
  if (mcu !== undefined) return mcu.toLowerCase();
  const variant = /esp32[-_]?([cshp]\d+)/i.exec(option("board") ?? "")?.[1]?.toLowerCase();
  if (variant !== undefined) return `esp32${variant}`;
  return /^(esp32dev|esp32doit.*|nodemcu-32s|esp-wrover-kit|lolin32|esp32cam)$/.test(option("board") ?? "")
    ? "esp32"
    : undefined;
}

interface UploadPort {
  readonly port?: string;
  readonly reasons: readonly string[];
}

function uploadPort(port: string | undefined, protocol: string | undefined): UploadPort {
  const way = protocol === undefined ? [] : [`upload_protocol is ${protocol}.`];
  if (port === undefined || port === "") return { reasons: way };
  if (protocol === "espota" || /^\d+\.\d+\.\d+\.\d+$|\.local$/.test(port)) {
    return { reasons: [...way, `upload_port is ${port}, an address for updates over the air: not used here.`] };
  }
  if (/[*?[\]]/.test(port))
    return { reasons: [...way, `upload_port is the pattern ${port}: choose a port that fits it.`] };
  return { port, reasons: [...way, `upload_port is ${port}.`] };
}

async function ideDataReasons(folder: string): Promise<readonly string[]> {
  const path = join(folder, IDEDATA);
  const isThere = (await kindOf(path).catch(() => "missing")) === "file";
  return isThere ? [`${path} says where its files go.`] : [];
}
