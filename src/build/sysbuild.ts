/**
 * Reads what Zephyr's sysbuild leaves: `domains.yaml` names the builds of one system (boot loader, application, second core) and
 * their order. Together they are one image. Source: `scripts/pylib/build_helpers/domains.py` of Zephyr (Apache-2.0).
 */
import { basename, join, resolve } from "node:path";
import { loadSegments } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import { imageBytes, makeImage, type Image } from "../core/image.ts";
import type { Artifact, ArtifactFile, ImageArtifact, LoadOptions } from "./artifact.ts";
import { optional } from "./flash-files.ts";
import { objectField, objectsField, requiredText, textField, textsField } from "./json.ts";
import { localPath } from "./local-path.ts";
import { kindOf } from "./read-file.ts";
import { readYaml } from "./yaml.ts";
import { loadZephyr } from "./zephyr.ts";

export const DOMAINS = "domains.yaml";
const BUILD_INFO = "build_info.yml";
const remedy = "Build the project again, `west build`: the file is incomplete.";

export interface Domain {
  readonly name: string;
  /** Full path of its build folder. */
  readonly folder: string;
}

export interface Domains {
  readonly path: string;
  /** In flash order, the default one among them. */
  readonly domains: readonly Domain[];
  /** The one that the user develops. */
  readonly main: Domain;
}

/** The folder itself or its `build` folder, whichever holds `domains.yaml`. */
export async function findDomains(folder: string): Promise<string | undefined> {
  for (const build of [folder, join(folder, "build")]) {
    if ((await kindOf(join(build, DOMAINS))) === "file") return resolve(build);
  }
  return undefined;
}

/** @throws FlashError `bad-image` when the file is missing, damaged, or orders a domain that it does not list. */
export async function readDomains(build: string): Promise<Domains> {
  const folder = resolve(build);
  const path = join(folder, DOMAINS);
  const data = await readYaml(path);
  const listed: Domain[] = [];
  for (const entry of objectsField(data, "domains")) {
    const name = requiredText(entry, "name");
    const written = requiredText(entry, "build_dir");
    listed.push({ name, folder: (await isOwnFolder(folder, name)) ?? (await localPath(folder, written)) });
  }
  const find = (name: string, field: string) => {
    const domain = listed.find((each) => each.name === name);
    if (domain !== undefined) return domain;
    throw new FlashError("bad-image", `${path}: ${field} names ${name}, which is no domain of it`, { remedy });
  };
  const main = find(requiredText(data, "default"), "default");
  const ordered = textsField(data, "flash_order").map((name) => find(name, "flash_order"));
  return { path, main, domains: ordered.length === 0 ? listed : ordered };
}

/** Sysbuild puts every domain into a folder of its name; what the file says may be of another machine. */
async function isOwnFolder(folder: string, name: string): Promise<string | undefined> {
  const own = join(folder, name);
  return (await kindOf(join(own, "zephyr"))) === "folder" ? own : undefined;
}

/**
 * All domains as one image; with `appOnly` the default domain alone.
 * @throws FlashError `bad-image` naming the domain's file, or when domains overlap or count their addresses differently.
 */
export async function loadSysbuild(build: string, options: LoadOptions = {}): Promise<Artifact> {
  const { path, domains, main } = await readDomains(build);
  if (options.appOnly === true || (domains.length === 1 && domains[0] === main))
    return loadZephyr(main.folder, options);
  const parts: Part[] = [];
  for (const domain of domains) parts.push(partOf(await loadZephyr(domain.folder), domain === main));
  const [addresses, another] = new Set(parts.map((part) => part.addresses));
  if (addresses === undefined || another !== undefined) {
    throw new FlashError("bad-image", `${path}: its domains are for flash and for memory at once`, {
      remedy: "Flash its domains one by one.",
    });
  }
  const mine = parts.find((part) => part.isMain);
  return {
    kind: "image",
    system: "zephyr",
    addresses,
    image: makeImage(parts.flatMap((part) => part.image.segments)),
    files: parts.flatMap((part) => part.files).sort((a, b) => a.offset - b.offset),
    ...optional("app", mine?.app),
    ...optional("bootloader", parts.find((part) => part.bootloader !== undefined)?.bootloader),
    ...optional("chip", mine?.chip),
    ...optional("elfPath", mine?.elfPath),
    ...optional("flashSettings", mine?.flashSettings),
  };
}

interface Part extends Omit<ImageArtifact, "kind" | "system"> {
  readonly isMain: boolean;
}

function partOf(artifact: Artifact, isMain: boolean): Part {
  if (artifact.kind === "elf") {
    const image = makeImage(loadSegments(artifact.elf));
    const file = fileOf(artifact.path, image);
    return { addresses: "memory", image, files: [file], app: file, elfPath: artifact.path, isMain };
  }
  const { app = artifact.files.length === 1 ? artifact.files[0] : undefined } = artifact;
  return { ...artifact, ...optional("app", app), isMain };
}

function fileOf(path: string, image: Image): ArtifactFile {
  const offset = image.segments[0]?.address ?? 0;
  return { path, offset, size: imageBytes(image), name: basename(path), encrypted: false };
}

/** `nrf5340dk/nrf5340/cpuapp` of `build_info.yml`; undefined when it is not there or damaged: it only adds to the title. */
export async function boardOfBuild(build: string): Promise<string | undefined> {
  try {
    const info = await readYaml(join(build, BUILD_INFO));
    const cmake = objectField(info, "cmake");
    const board = cmake === undefined ? undefined : objectField(cmake, "board");
    if (board === undefined) return undefined;
    const words = [textField(board, "name"), textField(board, "qualifiers")];
    return words.filter((word) => word !== undefined && word !== "").join("/") || undefined;
  } catch {
    return undefined;
  }
}
