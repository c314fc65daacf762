/**
 * Files at flash offsets: how `0x10000:app.bin` is written, and what a set of them is as an artifact.
 * Reads the files; knows nothing of build systems.
 */
import { basename, resolve } from "node:path";
import { hex } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import { makeImage } from "../core/image.ts";
import type { ArtifactFile, ImageArtifact, LoadOptions } from "./artifact.ts";
import { isAppImage } from "./esp-files.ts";
import { readBytes } from "./read-file.ts";

/** A file that is to be flashed, not read yet. */
export interface FileAt {
  readonly offset: number;
  readonly path: string;
  readonly name?: string;
  readonly encrypted?: boolean;
}

const ADDRESS_SPACE = 0x1_0000_0000;

/** `0x10000:app.bin` or `65536:app.bin`; undefined for a plain path, of which `C:\app.bin` is one. @throws FlashError `bad-image` for an offset past 2^32. */
export function parseFileAt(text: string): FileAt | undefined {
  const match = /^(0x[0-9a-f]+|[0-9]+):(.+)$/i.exec(text);
  const [, offset, path] = match ?? [];
  if (offset === undefined || path === undefined) return undefined;
  return { offset: parseOffset(offset, text), path };
}

/** Hexadecimal with `0x`, else decimal. @throws FlashError `bad-image` when it is no offset below 2^32; `where` says of what. */
export function parseOffset(text: string, where: string): number {
  const value = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text.trim()) ? Number(text.trim()) : NaN;
  if (value < ADDRESS_SPACE) return value;
  throw new FlashError("bad-image", `${where}: ${JSON.stringify(text)} is no flash offset`, {
    remedy: "Write it as 0x10000 or 65536.",
  });
}

/** What a build says besides the files; the parts that it names are given by their offsets. */
export interface ImageFacts extends Pick<
  ImageArtifact,
  "system" | "chip" | "flashSettings" | "before" | "after" | "stub" | "elfPath" | "monitorBaud"
> {
  readonly parts?: { readonly app?: number; readonly bootloader?: number; readonly partitionTable?: number };
}

/**
 * Reads the files and puts them together; where the build does not name the application, it is found by its contents.
 * @throws FlashError `bad-image` when one is missing or empty, when two overlap, or when only the application is wanted and none is there.
 */
export async function loadFiles(
  files: readonly FileAt[],
  facts: ImageFacts,
  options: LoadOptions = {},
): Promise<ImageArtifact> {
  const { parts = {}, ...rest } = facts;
  const named = options.appOnly === true && parts.app !== undefined;
  const loaded: Loaded[] = [];
  for (const file of files) if (!named || file.offset === parts.app) loaded.push(await readFileAt(file));
  const app = loaded.find(({ file, data }) => (parts.app === undefined ? isAppImage(data) : file.offset === parts.app));
  if (options.appOnly === true && app === undefined) {
    throw new FlashError("bad-image", `none of the files is an application: ${files.map((f) => f.path).join(", ")}`, {
      remedy: "Leave --app-only away, or give the application's file.",
    });
  }
  const wanted = options.appOnly === true && app !== undefined ? [app] : loaded;
  const sorted = [...wanted].sort((a, b) => a.file.offset - b.file.offset);
  const fileAt = (offset: number | undefined) => sorted.find(({ file }) => file.offset === offset)?.file;
  const segments = sorted.map(({ file, data }) => ({ address: file.offset, data, name: basename(file.path) }));
  return {
    kind: "image",
    addresses: "flash-offset",
    ...rest,
    image: makeImage(segments, facts.system === "files" ? "Correct the offsets, or leave a file away." : undefined),
    files: sorted.map(({ file }) => file),
    ...optional("app", app?.file),
    ...optional("bootloader", fileAt(parts.bootloader)),
    ...optional("partitionTable", fileAt(parts.partitionTable)),
  };
}

/** An object with this one field, or without it when there is no value. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

interface Loaded {
  readonly file: ArtifactFile;
  readonly data: Uint8Array;
}

async function readFileAt(at: FileAt): Promise<Loaded> {
  const path = resolve(at.path);
  const data = await readBytes(path, "Check the path, or build first: not every file of the build is there.");
  if (data.length === 0) {
    throw new FlashError("bad-image", `${path} for ${hex(at.offset)} is empty`, { remedy: "Build again." });
  }
  const file = {
    path,
    offset: at.offset,
    size: data.length,
    name: at.name ?? basename(path),
    encrypted: at.encrypted === true,
  };
  return { file, data };
}
