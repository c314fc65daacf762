/** Workspace folders for tests of project discovery: a copy of a sample, and discovery's answer as text. */
import { cpSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { discoverProjects, type DiscoveredProject, type DiscoverOptions } from "../../../src/build/discover.ts";
import { buildFolder, type BuildFolder } from "../../fixtures/build-folder.ts";

const HOUR_SECONDS = 3_600;

/** The files of `test/fixtures/build/workspaces/<name>`, an hour old; `{folder}` in them becomes the folder's path. */
export function sampleWorkspace(name?: string): BuildFolder {
  const folder = buildFolder();
  if (name === undefined) return folder;
  cpSync(fileURLToPath(new URL(`../../fixtures/build/workspaces/${name}`, import.meta.url)), folder.path, {
    recursive: true,
  });
  const time = Date.now() / 1000 - HOUR_SECONDS;
  for (const file of readdirSync(folder.path, { recursive: true, encoding: "utf8" })) {
    const path = join(folder.path, file);
    if (!statSync(path).isFile()) continue;
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("{folder}", folder.path.replaceAll("\\", "/")));
    utimesSync(path, time, time);
  }
  return folder;
}

/** Without the caches and the environment of the machine that runs the tests. */
export async function discover(
  folder: BuildFolder,
  options: DiscoverOptions = {},
): Promise<readonly DiscoveredProject[]> {
  return discoverProjects([folder.path], { arduinoCaches: [], environment: {}, ...options });
}

export async function discovered(folder: BuildFolder, options?: DiscoverOptions): Promise<string> {
  const projects = await discover(folder, options);
  return folder.plain(projects.map(describeProject).join("\n"));
}

function describeProject(project: DiscoveredProject): string {
  const { id, title, artifact, watch, reasons, chip, port, baud, monitorBaud } = project;
  const hints = Object.entries({ chip, port, baud, monitorBaud }).filter(([, value]) => value !== undefined);
  const facts = hints.map(([name, value]) => `${name}=${value}`);
  return [
    `${title} [${id}]`,
    `  flash ${artifact.join(" ")}${facts.length === 0 ? "" : `; ${facts.join(" ")}`}`,
    ...watch.map((path) => `  watch ${path}`),
    ...reasons.map((reason) => `  - ${reason}`),
  ].join("\n");
}
