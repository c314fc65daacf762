/** Finds ESP-IDF builds: every folder with `flasher_args.json` or `project_description.json`, and projects not built yet by their `sdkconfig`. */
import { basename, dirname, join, relative } from "node:path";
import { FLASHER_ARGS, PROJECT_DESCRIPTION, readFlasherArgs, readProjectDescription } from "./esp-idf.ts";
import { brokenFinding, judge, timeOf, type Finding } from "./finding.ts";
import { optional } from "./flash-files.ts";
import { asBaud, readKconfig, type Kconfig } from "./kconfig.ts";
import { isInside } from "./local-path.ts";
import { kindOf } from "./read-file.ts";
import type { Scan } from "./scan.ts";

const system = "esp-idf";

export async function findEspIdf(scan: Scan): Promise<readonly Finding[]> {
  const builds = new Set([...scan.foldersWith(FLASHER_ARGS), ...scan.foldersWith(PROJECT_DESCRIPTION)]);
  const findings = await Promise.all([...builds].map((folder) => findingOf(folder, scan.root)));
  const others = new Set(scan.foldersWith("platformio.ini"));
  for (const project of scan.foldersWith("sdkconfig")) {
    const isBuilt = [...builds].some((folder) => isInside(project, folder));
    if (!isBuilt && !others.has(project)) findings.push(await unbuilt(project));
  }
  return findings;
}

async function findingOf(folder: string, root: string): Promise<Finding> {
  const path = join(folder, FLASHER_ARGS);
  const base = {
    id: `${system}:${folder}`,
    system,
    title: `${basename(dirname(folder))} (ESP-IDF, ${basename(folder)})`,
    artifact: [path],
    watch: [path],
    folder,
    reasons: [`${folder} is a build folder of ESP-IDF.`],
  } as const;
  try {
    const { files, facts } = await readFlasherArgs(path);
    const project = await readProjectDescription(folder);
    const config = await configOf(project?.configPath ?? join(dirname(folder), "sdkconfig"));
    const chip = facts.chip ?? project?.chip;
    const app = files.find((file) => file.offset === facts.parts?.app);
    const ordered = [...(app === undefined ? [] : [app]), ...files.filter((file) => file !== app)];
    const watch = ordered.map((file) => file.path);
    const judged = await judge(watch, [path]);
    const place = relative(root, folder) || basename(folder);
    const monitorBaud = facts.monitorBaud ?? config.monitorBaud;
    return {
      ...base,
      title: `${project?.name ?? basename(dirname(folder))} (ESP-IDF, ${place})`,
      watch,
      ...optional("chip", chip),
      ...optional("monitorBaud", monitorBaud),
      ...judged,
      isPreferred: true,
      reasons: [
        ...base.reasons,
        `${path} names ${files.length} files${chip === undefined ? "" : ` for ${chip}`}.`,
        ...(monitorBaud === undefined ? [] : [`The program's output comes at ${monitorBaud} baud.`]),
        ...(project?.configPath === undefined ? [] : await configReasons(config, path, chip)),
        ...judged.reasons,
        ...(await unfinished(app?.path, project?.elfPath)),
      ],
    };
  } catch (thrown) {
    return brokenFinding(base, thrown);
  }
}

interface Config {
  readonly path: string;
  readonly chip?: string;
  readonly monitorBaud?: number;
}

async function configOf(path: string): Promise<Config> {
  const config: Kconfig = await readKconfig(path);
  const rate = config.get("ESPTOOLPY_MONITOR_BAUD") ?? config.get("ESP_CONSOLE_UART_BAUDRATE");
  return { path, ...optional("chip", config.get("IDF_TARGET")), ...optional("monitorBaud", asBaud(rate)) };
}

/** `sdkconfig` is what the user changes; the build folder follows only when it is configured again. */
async function configReasons(config: Config, args: string, chip: string | undefined): Promise<readonly string[]> {
  if (config.chip !== undefined && chip !== undefined && config.chip !== chip) {
    return [`${config.path} says ${config.chip}, but this folder was configured for ${chip}: build again.`];
  }
  const [changed, configured] = [await timeOf(config.path), await timeOf(args)];
  const isNewer = changed !== undefined && configured !== undefined && changed > configured + 60_000;
  return isNewer ? [`${config.path} was changed after this folder was configured.`] : [];
}

/** The linker is done, the image not made yet, or it failed. */
async function unfinished(app: string | undefined, elf: string | undefined): Promise<readonly string[]> {
  const [image, program] = [await timeOf(app ?? ""), await timeOf(elf ?? "")];
  if (image === undefined || program === undefined || program <= image + 2_000) return [];
  return [`${elf ?? ""} is newer than ${app ?? ""}: the build did not finish.`];
}

async function unbuilt(project: string): Promise<Finding> {
  const folder = join(project, "build");
  const path = join(folder, FLASHER_ARGS);
  const config = await configOf(join(project, "sdkconfig"));
  const hasBuild = (await kindOf(folder).catch(() => "missing")) === "folder";
  return {
    id: `${system}:${folder}`,
    system,
    title: `${basename(project)} (ESP-IDF, build)`,
    artifact: [path],
    watch: [path],
    folder,
    ...optional("chip", config.chip),
    ...optional("monitorBaud", config.monitorBaud),
    state: "missing",
    builtMs: 0,
    isPreferred: true,
    reasons: [
      `${config.path} marks an ESP-IDF project${config.chip === undefined ? "" : ` for ${config.chip}`}.`,
      hasBuild ? `${path} does not exist: build first.` : `${folder} does not exist: build first.`,
    ],
  };
}
