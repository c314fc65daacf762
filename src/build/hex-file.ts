/** An Intel HEX file as an artifact: its addresses are those of the target's own memory map. */
import { basename, resolve } from "node:path";
import { imageBytes, makeImage } from "../core/image.ts";
import { readIntelHex } from "../core/intel-hex.ts";
import type { BuildSystem, ImageArtifact } from "./artifact.ts";
import { optional } from "./flash-files.ts";
import { readBytes } from "./read-file.ts";

/** @throws FlashError `bad-image` when it is missing or damaged, with the line. */
export async function loadHex(path: string, system: BuildSystem): Promise<ImageArtifact> {
  const full = resolve(path);
  return hexArtifact(await readBytes(full), full, system);
}

export function hexArtifact(bytes: Uint8Array, path: string, system: BuildSystem): ImageArtifact {
  const name = basename(path);
  const { segments, start } = readIntelHex(Buffer.from(bytes).toString("latin1"), name);
  const image = makeImage(segments);
  const offset = image.segments[0]?.address ?? 0;
  const file = { path, offset, size: imageBytes(image), name, encrypted: false };
  return { kind: "image", system, addresses: "memory", image, files: [file], ...optional("start", start) };
}
