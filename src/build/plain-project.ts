/**
 * Finds firmware where no build system says anything: what `.vscode/launch.json` debugs, else the newest programs for a controller in
 * the usual folders. A launch configuration for a program that another reader found only adds to what is known of it.
 */
import { basename, dirname, extname, relative } from "node:path";
import { newestPrograms } from "./elf-head.ts";
import { judge, type Finding } from "./finding.ts";
import { optional } from "./flash-files.ts";
import { readLaunchFile, type Launch, type LaunchFile } from "./launch-json.ts";
import { isInside } from "./local-path.ts";
import type { Environment } from "./platformio-ini.ts";
import type { Scan } from "./scan.ts";

const system = "plain";
const MAX_PROGRAMS = 5;

/** `others`: what the other readers found in this folder. Gives them back, with what launch.json adds, and programs that are new. */
export async function addPlain(
  scan: Scan,
  others: readonly Finding[],
  environment: Environment,
): Promise<readonly Finding[]> {
  const file = await readLaunchFile(scan.root, environment);
  const added: Finding[] = [];
  let known = others;
  for (const launch of file?.launches ?? []) {
    if (file === undefined || launch.program === undefined) continue;
    const match = known.find((finding) => isSameProgram(finding, launch.program ?? ""));
    if (match !== undefined) known = known.map((each) => (each === match ? withLaunch(each, launch, file) : each));
    else if (!added.some((finding) => finding.artifact[0] === launch.program))
      added.push(await ofLaunch(launch, file, scan));
  }
  const isKnown = known.length > 0 || added.length > 0;
  const found = isKnown ? [] : await ofPrograms(scan, file);
  const all = [...known, ...added, ...found];
  return all.length === 0 && file !== undefined ? [withoutProgram(file, scan)] : all;
}

function isSameProgram(finding: Finding, program: string): boolean {
  return finding.watch.includes(program) || (finding.system !== "cmake" && isInside(finding.folder, program));
}

function withLaunch(finding: Finding, launch: Launch, file: LaunchFile): Finding {
  return {
    ...finding,
    ...(finding.chip === undefined ? optional("chip", launch.chip) : {}),
    reasons: [...finding.reasons, `“${launch.name}” in ${file.path} debugs its program.`],
  };
}

async function ofLaunch(launch: Launch, file: LaunchFile, scan: Scan): Promise<Finding> {
  const program = launch.program ?? "";
  const base = {
    id: `${system}:${program}`,
    system,
    title: `${basename(program, extname(program))} (${launch.type})`,
    artifact: [program],
    watch: [program],
    folder: dirname(program),
    ...optional("chip", launch.chip),
  } as const;
  const reasons = [`“${launch.name}” in ${file.path} debugs ${program}.`, ...file.reasons];
  const judged = await judge([program], []);
  const isElf = judged.state === "missing" || (await newestPrograms([program])).length > 0;
  const wrong = isElf ? [] : [`${program} is no program for an ARM, RISC-V or Xtensa controller.`];
  return {
    ...base,
    state: isElf ? judged.state : "broken",
    builtMs: judged.builtMs,
    isPreferred: true,
    reasons: [...reasons, ...judged.reasons, ...wrong, ...cutReasons(scan)],
  };
}

async function ofPrograms(scan: Scan, file: LaunchFile | undefined): Promise<readonly Finding[]> {
  const programs = (await newestPrograms(scan.programs)).slice(0, MAX_PROGRAMS);
  const makefiles = scan.foldersWith("Makefile");
  return programs.map(({ path, timeMs }) => {
    const makefile = makefiles.find((folder) => isInside(folder, path));
    const kind = makefile === undefined ? "program" : "Makefile";
    return {
      id: `${system}:${path}`,
      system,
      title: `${basename(path, extname(path))} (${kind}, ${relative(scan.root, dirname(path)) || basename(scan.root)})`,
      artifact: [path],
      watch: [path],
      folder: dirname(path),
      state: "fresh",
      builtMs: timeMs,
      isPreferred: true,
      reasons: [
        `No build system says what to flash in ${scan.root}; ${path} is a program for a controller.`,
        ...(file?.reasons ?? []),
        ...cutReasons(scan),
      ],
    };
  });
}

/** A launch file that names no program we can know is worth a word: it marks a firmware project all the same. */
function withoutProgram(file: LaunchFile, scan: Scan): Finding {
  const base = {
    id: `${system}:${file.path}`,
    system,
    title: `${basename(scan.root)} (launch.json)`,
    artifact: [scan.root],
    watch: [file.path],
    folder: scan.root,
    reasons: [
      `${file.path} debugs a controller, but names no program that is known without the editor.`,
      ...file.reasons,
    ],
  } as const;
  return { ...base, state: "missing", builtMs: 0, isPreferred: true };
}

function cutReasons(scan: Scan): readonly string[] {
  return scan.isCut ? [`${scan.root} is large: not all of it was looked at.`] : [];
}
