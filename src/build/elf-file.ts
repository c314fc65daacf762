/** A linked program as an artifact; `.elf.gz` is unpacked first. */
import { basename, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { sha256Hex } from "../core/digest.ts";
import { readElf } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import type { BuildSystem, ElfArtifact } from "./artifact.ts";
import { readBytes } from "./read-file.ts";

/** Bytes that an unpacked file may have at most; more is no firmware. */
const MAX_ELF_SIZE = 1024 * 1024 * 1024;

/** @throws FlashError `bad-image` when it is missing, damaged or no program for a controller. */
export async function loadElf(path: string, system: BuildSystem): Promise<ElfArtifact> {
  const full = resolve(path);
  return elfArtifact(await readBytes(full), full, system);
}

export function elfArtifact(stored: Uint8Array, path: string, system: BuildSystem): ElfArtifact {
  const bytes = isGzip(stored) ? unpack(stored, path) : stored;
  return { kind: "elf", path, elf: readElf(bytes, basename(path)), elfSha256: sha256Hex(bytes), system };
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function unpack(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_ELF_SIZE });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FlashError("bad-image", `${path} cannot be unpacked: ${reason}`, {
      cause,
      remedy: "Build or copy it again.",
    });
  }
}
