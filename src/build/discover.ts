/**
 * Finds what there is to flash in workspace folders: asks the reader of every build system, and ranks the answers. Reads only; starts
 * no program. A build that cannot be read is an answer too, with the reason.
 */
import { homedir, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { asFlashError } from "../core/errors.ts";
import { findArduino } from "./arduino-project.ts";
import { findCMake } from "./cmake-project.ts";
import { findEspIdf } from "./esp-idf-project.ts";
import { brokenFinding, type DiscoveredProject, type Finding, type ProjectSystem } from "./finding.ts";
import { addPlain } from "./plain-project.ts";
import { findPlatformIo } from "./platformio-project.ts";
import type { Environment } from "./platformio-ini.ts";
import { rank } from "./rank.ts";
import { scanFolder, scanLimits, type Scan, type ScanLimits } from "./scan.ts";
import { findZephyr } from "./zephyr-project.ts";

export type { DiscoveredProject } from "./finding.ts";

export interface DiscoverOptions {
  /** Build folders outside the workspace that someone else named: a setting, another extension. */
  readonly buildFolders?: readonly string[];
  /** Where the Arduino builder keeps one build folder per sketch; default: where it does on this system. */
  readonly arduinoCaches?: readonly string[];
  /** For `${sysenv.X}`, `${env:X}` and PLATFORMIO_…; default: this process's. */
  readonly environment?: Environment;
  readonly limits?: ScanLimits;
}

/** Best candidate first; empty when the folders hold no firmware project. Never rejects for what a build wrote. */
export async function discoverProjects(
  folders: readonly string[],
  options: DiscoverOptions = {},
): Promise<readonly DiscoveredProject[]> {
  const roots = [...new Set([...folders, ...(options.buildFolders ?? [])].map((folder) => resolve(folder)))];
  const found: Finding[] = [];
  for (const root of roots) found.push(...(await findIn(root, options)));
  const once = new Map<string, Finding>();
  for (const finding of found) if (!once.has(finding.id)) once.set(finding.id, finding);
  return rank([...once.values()]);
}

async function findIn(root: string, options: DiscoverOptions): Promise<readonly Finding[]> {
  const scan = await scanFolder(root, options.limits ?? scanLimits);
  const environment = options.environment ?? process.env;
  const caches = options.arduinoCaches ?? defaultArduinoCaches(environment);
  const own = await Promise.all([
    guarded("esp-idf", scan, () => findEspIdf(scan)),
    guarded("platformio", scan, () => findPlatformIo(scan, environment)),
    guarded("zephyr", scan, () => findZephyr(scan)),
    guarded("arduino", scan, () => findArduino(scan, caches)),
  ]);
  const known = own.flat();
  const claimed = known.map((finding) => finding.folder);
  const cmake = await guarded("cmake", scan, () => findCMake(scan, claimed));
  const others = [...known, ...cmake];
  const all = await guarded("plain", scan, () => addPlain(scan, others, environment));
  return [...others.filter((other) => !all.some((finding) => finding.id === other.id)), ...all];
}

/** A reader that fails as a whole becomes one entry, so that the others are still heard. */
async function guarded(
  system: ProjectSystem,
  scan: Scan,
  find: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await find();
  } catch (thrown) {
    const { root } = scan;
    const entry = {
      id: `${system}:${root}`,
      system,
      title: `${basename(root)} (${system})`,
      artifact: [root],
      watch: [],
      folder: root,
    };
    return [brokenFinding({ ...entry, reasons: [`${root} cannot be searched.`] }, asFlashError(thrown))];
  }
}

/** Newer and older places of arduino-cli, most likely first. */
function defaultArduinoCaches(environment: Environment): readonly string[] {
  const cache = {
    win32: environment["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"),
    darwin: join(homedir(), "Library", "Caches"),
  }[process.platform as string];
  const user = cache ?? environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return [join(user, "arduino", "sketches"), join(tmpdir(), "arduino", "sketches")];
}
