/** Artifacts as text, so that a test compares them whole. */
import { hex } from "../../../src/core/bytes.ts";
import { FlashError } from "../../../src/core/errors.ts";
import type { Artifact } from "../../../src/build/artifact.ts";
import type { BuildFolder } from "../../fixtures/build-folder.ts";

export function describeArtifact(artifact: Artifact, folder: BuildFolder): string {
  if (artifact.kind === "elf") {
    return folder.plain(`elf ${artifact.path} (${artifact.system}): ${artifact.elf.machine}`);
  }
  const { image, files, kind, system, addresses, app, bootloader, partitionTable, ...facts } = artifact;
  const role = (file: unknown) =>
    (file === app ? " app" : "") +
    (file === bootloader ? " bootloader" : "") +
    (file === partitionTable ? " table" : "");
  const rows = files.map(
    (file) =>
      `${hex(file.offset)} ${file.size} ${file.name} ${file.path}${file.encrypted ? " encrypted" : ""}${role(file) && ` =${role(file)}`}`,
  );
  const segments = image.segments.map((segment) => `${hex(segment.address)}+${segment.data.length}`).join(" ");
  return folder.plain([`${kind} (${system}, ${addresses}): ${segments}`, ...rows, JSON.stringify(facts)].join("\n"));
}

/** The artifact as text, or the error's code, message and remedy. */
export async function outcome(folder: BuildFolder, loading: Promise<Artifact>): Promise<string> {
  try {
    return describeArtifact(await loading, folder);
  } catch (error) {
    if (error instanceof FlashError) return folder.plain(`${error.code}: ${error.message} | ${error.remedy}`);
    throw error;
  }
}
