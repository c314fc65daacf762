/** Finds Zephyr builds by `zephyr/runners.yaml`, and systems of several builds by sysbuild's `domains.yaml`. */
import { basename, dirname, join, relative } from "node:path";
import { brokenFinding, judge, type Finding } from "./finding.ts";
import { optional } from "./flash-files.ts";
import { asBaud } from "./kconfig.ts";
import { isInside } from "./local-path.ts";
import type { Scan } from "./scan.ts";
import { boardOfBuild, DOMAINS, readDomains } from "./sysbuild.ts";
import { readZephyrBuild, RUNNERS, type ZephyrBuild } from "./zephyr.ts";

const system = "zephyr";

export async function findZephyr(scan: Scan): Promise<readonly Finding[]> {
  const systems = scan.foldersWith(DOMAINS);
  const builds = scan
    .foldersWith(RUNNERS)
    .filter((folder) => basename(folder) === "zephyr")
    .map((folder) => dirname(folder))
    .filter((folder) => !systems.some((system) => isInside(system, folder)));
  return Promise.all([
    ...systems.map((folder) => systemFinding(folder, scan.root)),
    ...builds.map((folder) => buildFinding(folder, scan.root)),
  ]);
}

function baseOf(folder: string, root: string, metadata: string) {
  const place = relative(root, folder) || basename(folder);
  const project = relative(root, folder) === "" ? basename(dirname(folder)) : basename(dirname(join(root, place)));
  return {
    id: `${system}:${folder}`,
    system,
    title: `${project} (Zephyr, ${place})`,
    artifact: [folder],
    watch: [metadata],
    folder,
  } as const;
}

async function buildFinding(folder: string, root: string): Promise<Finding> {
  const metadata = join(folder, "zephyr", RUNNERS);
  const base = { ...baseOf(folder, root, metadata), reasons: [`${metadata} marks a build of Zephyr.`] };
  try {
    const build = await readZephyrBuild(folder);
    const watch = filesOf(build);
    const judged = await judge(watch, [metadata]);
    const board = (await boardOfBuild(folder)) ?? build.board;
    return {
      ...base,
      title: board === undefined ? base.title : `${base.title.slice(0, -1)}, ${board})`,
      watch,
      ...hints(build),
      ...judged,
      isPreferred: true,
      reasons: [...base.reasons, ...reasonsOf(build), ...judged.reasons],
    };
  } catch (thrown) {
    return brokenFinding(base, thrown);
  }
}

async function systemFinding(folder: string, root: string): Promise<Finding> {
  const metadata = join(folder, DOMAINS);
  const base = { ...baseOf(folder, root, metadata), reasons: [`${metadata} marks a build of Zephyr's sysbuild.`] };
  try {
    const { domains, main } = await readDomains(folder);
    const builds = await Promise.all(domains.map((domain) => readZephyrBuild(domain.folder)));
    const mine = builds.find((build) => build.folder === main.folder) ?? (await readZephyrBuild(main.folder));
    const files = [mine, ...builds.filter((build) => build !== mine)].flatMap(filesOf);
    const watch = [...new Set(files)];
    const judged = await judge(watch, [metadata]);
    const board = (await boardOfBuild(folder)) ?? (await boardOfBuild(main.folder)) ?? mine.board;
    const order = domains.map((domain) => domain.name).join(", ");
    return {
      ...base,
      title: board === undefined ? base.title : `${base.title.slice(0, -1)}, ${board})`,
      watch,
      ...hints(mine),
      ...judged,
      isPreferred: true,
      reasons: [
        ...base.reasons,
        `It is made of ${order}, in this order; ${main.name} is the application.`,
        ...(domains.includes(main) ? [] : [`flash_order leaves ${main.name} out, so only the others are written.`]),
        ...reasonsOf(mine),
        ...judged.reasons,
      ],
    };
  } catch (thrown) {
    return brokenFinding(base, thrown);
  }
}

function filesOf(build: ZephyrBuild): readonly string[] {
  const { program } = build;
  return program.kind === "esp" ? program.files.map((file) => file.path) : [program.path];
}

function hints({ chip, args }: ZephyrBuild): Pick<Finding, "chip" | "port" | "baud" | "monitorBaud"> {
  return {
    ...optional("chip", chip),
    ...optional("port", args.get("esp-device")),
    ...optional("baud", asBaud(args.get("esp-baud-rate"))),
    ...optional("monitorBaud", asBaud(args.get("esp-monitor-baud"))),
  };
}

function reasonsOf(build: ZephyrBuild): readonly string[] {
  const { program, flashRunner, chip, args } = build;
  const device = args.get("device");
  return [
    `${build.runners} names ${basename(program.path)}${chip === undefined ? "" : ` for ${chip}`}.`,
    ...(flashRunner === undefined ? [] : [`\`west flash\` would use ${flashRunner}.`]),
    ...(device === undefined ? [] : [`The debug probe's name of the chip is ${device}.`]),
    ...(program.kind === "hex"
      ? [`${basename(program.path)} was signed or merged after linking, so it is taken and not the ELF file.`]
      : []),
  ];
}
