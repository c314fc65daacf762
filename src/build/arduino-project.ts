/**
 * Finds what the Arduino builder compiled: build folders by `build.options.json` or `flash_args`, and sketches whose build folder
 * lies in the builder's cache. Source: `internal/arduino/sketch` of arduino-cli.
 */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { BUILD_OPTIONS, FLASH_ARGS, sketchOf } from "./arduino.ts";
import { chipOfImageFile } from "./esp-files.ts";
import { brokenFinding, judge, type Finding } from "./finding.ts";
import { readFlashArgs } from "./flash-args.ts";
import { optional } from "./flash-files.ts";
import { readJson, textField, type JsonObject } from "./json.ts";
import { asBaud } from "./kconfig.ts";
import { isInside } from "./local-path.ts";
import { kindOf } from "./read-file.ts";
import type { Scan } from "./scan.ts";
import { readYaml } from "./yaml.ts";

const system = "arduino";

/** `caches`: the folders in which the builder keeps a build folder per sketch. */
export async function findArduino(scan: Scan, caches: readonly string[]): Promise<readonly Finding[]> {
  const folders = new Set(scan.foldersWith(BUILD_OPTIONS));
  for (const folder of scan.foldersWith(FLASH_ARGS)) {
    if ((await sketchOf(folder).catch(() => undefined)) !== undefined) folders.add(folder);
  }
  const findings = await Promise.all([...folders].map((folder) => findingOf(folder)));
  const built = new Set(findings.map((finding) => finding.sketchFolder));
  for (const sketch of scan.sketches) {
    const isBuilt = built.has(sketch) || [...folders].some((folder) => isInside(sketch, folder));
    if (!isBuilt) findings.push(await cachedBuild(sketch, caches));
  }
  return findings;
}

interface SketchFinding extends Finding {
  readonly sketchFolder?: string;
}

/** The builder names the folder by the MD5 of the sketch's path. */
async function cachedBuild(sketch: string, caches: readonly string[]): Promise<SketchFinding> {
  const name = createHash("md5").update(sketch).digest("hex").toUpperCase();
  const folders = caches.map((cache) => join(cache, name));
  for (const folder of folders) {
    if ((await kindOf(join(folder, BUILD_OPTIONS)).catch(() => "missing")) === "file") return findingOf(folder, sketch);
  }
  const folder = folders[0] ?? join(sketch, "build");
  const program = join(folder, `${basename(sketch)}.ino.elf`);
  const hints = await sketchHints(sketch);
  return {
    id: `${system}:${sketch}`,
    system,
    title: `${basename(sketch)} (Arduino)`,
    artifact: [folder],
    watch: [program],
    folder,
    sketchFolder: sketch,
    ...hints.facts,
    ...optional("chip", chipOfBoard(hints.fqbn)),
    state: "missing",
    builtMs: 0,
    isPreferred: true,
    reasons: [
      `${join(sketch, `${basename(sketch)}.ino`)} is an Arduino sketch.`,
      ...hints.reasons,
      "It has no build folder yet: compile it first.",
    ],
  };
}

async function findingOf(folder: string, fromSketch?: string): Promise<SketchFinding> {
  const metadata = join(folder, BUILD_OPTIONS);
  const base = {
    id: `${system}:${fromSketch ?? folder}`,
    system,
    title: `${basename(fromSketch ?? folder)} (Arduino)`,
    artifact: [folder],
    watch: [metadata],
    folder,
    reasons: [`${folder} is a build folder of the Arduino builder.`],
  } as const;
  try {
    const hasOptions = (await kindOf(metadata)) === "file";
    const options: JsonObject = hasOptions ? await readJson(metadata) : { where: metadata, values: {} };
    const sketchFolder = fromSketch ?? textField(options, "sketchLocation");
    const hints = await sketchHints(sketchFolder);
    const fqbn = textField(options, "fqbn") ?? hints.fqbn;
    const sketch = (await sketchOf(folder)) ?? `${basename((sketchFolder ?? folder).replaceAll("\\", "/"))}.ino`;
    const watch = await filesOf(folder, join(folder, sketch), fqbn);
    const judged = await judge(watch, hasOptions ? [metadata] : []);
    const chip = (await chipOfImageFile(join(folder, `${sketch}.bin`))) ?? chipOfBoard(fqbn);
    const baud = asBaud(/(?:UploadSpeed|baud)=(\d+)/.exec(fqbn ?? "")?.[1]);
    return {
      ...base,
      ...optional("sketchFolder", sketchFolder),
      title: `${sketch.replace(/\.(ino|pde|cpp)$/, "")} (Arduino${fqbn === undefined ? "" : `, ${fqbn.split(":")[2] ?? fqbn}`})`,
      watch,
      ...hints.facts,
      ...optional("chip", chip),
      ...optional("baud", baud),
      ...judged,
      isPreferred: true,
      reasons: [
        ...base.reasons,
        ...(fqbn === undefined ? [] : [`It was compiled for ${fqbn}.`]),
        ...(chip === undefined ? [] : [`The chip is ${chip}.`]),
        ...hints.reasons,
        ...judged.reasons,
      ],
    };
  } catch (thrown) {
    return brokenFinding(base, thrown);
  }
}

/** The main file first: the image for ESP chips, the ELF for all others, a HEX file where there is no ELF. */
async function filesOf(folder: string, base: string, fqbn: string | undefined): Promise<readonly string[]> {
  const flashArgs = join(folder, FLASH_ARGS);
  if ((await kindOf(flashArgs)) === "file") {
    const { files } = await readFlashArgs(flashArgs);
    const app = `${base}.bin`;
    return [app, ...files.map((file) => file.path).filter((path) => path !== app)];
  }
  if (/^esp/.test(fqbn?.split(":")[1] ?? "")) return [`${base}.bin`];
  const isHexAlone = (await kindOf(`${base}.elf`)) === "missing" && (await kindOf(`${base}.hex`)) === "file";
  return [isHexAlone ? `${base}.hex` : `${base}.elf`];
}

/** `esp32c3` of `esp32:esp32:esp32c3:UploadSpeed=921600` and of `esp32:esp32:XIAO_ESP32C3`; undefined where the name does not say. */
function chipOfBoard(fqbn: string | undefined): string | undefined {
  const [, core, board = ""] = fqbn?.split(":") ?? [];
  if (core === "esp8266") return "esp8266";
  if (core === "rp2040") return /2350|pico2/i.test(board) ? "rp2350" : "rp2040";
  if (core !== "esp32") return undefined;
  const variant = /esp32[-_]?([cshp]\d+)/i.exec(board)?.[1] ?? /(?:^|_)([CS]\d)(?:_|$)/i.exec(board)?.[1];
  if (variant !== undefined) return `esp32${variant.toLowerCase()}`;
  return /^(esp32|esp32da|esp32wrover.*|esp32cam|lolin32|nodemcu-32s|d1_mini32|esp32doit.*)$/.test(board)
    ? "esp32"
    : undefined;
}

interface SketchHints {
  readonly fqbn?: string;
  readonly facts: { readonly port?: string };
  readonly reasons: readonly string[];
}

/** `sketch.yaml`, where `arduino-cli board attach` keeps the board and the port. */
async function sketchHints(sketch: string | undefined): Promise<SketchHints> {
  const path = join(sketch ?? "", "sketch.yaml");
  if (sketch === undefined || (await kindOf(path).catch(() => "missing")) !== "file") return { facts: {}, reasons: [] };
  try {
    const data = await readYaml(path);
    const port = textField(data, "default_protocol") === "network" ? undefined : textField(data, "default_port");
    const fqbn = textField(data, "default_fqbn");
    const said = [fqbn, port].filter((word) => word !== undefined).join(" at ");
    const reasons = said === "" ? [] : [`${path} attaches the sketch to ${said}.`];
    return { facts: optional("port", port), ...optional("fqbn", fqbn), reasons };
  } catch (thrown) {
    return {
      facts: {},
      reasons: [thrown instanceof Error ? `${thrown.message}.` : `${dirname(path)} cannot be read.`],
    };
  }
}
