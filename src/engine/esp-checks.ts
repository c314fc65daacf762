/** Whether the board that answers is one that the build can be for. */
import type { Artifact } from "../build/artifact.ts";
import type { ElfMachine } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import { chipMeant, type Chip } from "../targets/esp/chips.ts";
import { chipOfArtifact } from "./esp-image.ts";

/**
 * The name in the table of chips of what the user asked for, or else of what the build is for; undefined when neither says.
 * @throws FlashError `wrong-chip` for a chip that is not in the table
 */
export function expectedChip(wanted: string | undefined, artifact: Artifact): string | undefined {
  const name = wanted ?? chipOfArtifact(artifact);
  if (name === undefined) return undefined;
  return requireChip(name).name;
}

/** @throws FlashError `wrong-chip` for a chip that is not in the table */
export function requireChip(name: string): Chip {
  const chip = chipMeant(name);
  if (chip !== undefined) return chip;
  throw new FlashError("wrong-chip", `'${name}' is not a chip that Deltaflash knows`, {
    remedy: "See `deltaflash boards` for the chips that it knows.",
  });
}

const espMachines: readonly ElfMachine[] = ["xtensa", "riscv"];

/**
 * To be called before a port is touched.
 * @param chip what the project is for, as its build system calls it; undefined: the artifact says it, or nobody does
 * @throws FlashError `wrong-chip` for a program of a chip that cannot be flashed yet
 */
export function requireSupported(artifact: Artifact, chip: string | undefined): void {
  const program = artifact.kind === "elf" ? artifact.elf : undefined;
  const name = chip ?? chipOfArtifact(artifact);
  const isForeign = name !== undefined && chipMeant(name) === undefined;
  if (isForeign || (program !== undefined && !espMachines.includes(program.machine))) {
    const what = program?.name ?? (artifact.kind === "image" ? artifact.files[0]?.path : undefined) ?? "this build";
    throw notYet(what, isForeign ? name : `${(program?.machine ?? "other").toUpperCase()} processors`);
  }
}

function notYet(what: string, chip: string): FlashError {
  return new FlashError("wrong-chip", `${what} is for ${chip}, which Deltaflash cannot flash yet`, {
    remedy: "Choose a project for an ESP chip, or flash this one with its build system's own command.",
  });
}
