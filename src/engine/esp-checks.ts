/** Whether the board that answers is the one that the user and the build mean. */
import type { Artifact } from "../build/artifact.ts";
import { FlashError } from "../core/errors.ts";
import { chipNamed } from "../targets/esp/chips.ts";
import { chipOfArtifact } from "./esp-image.ts";

/**
 * The name in the table of chips of what the user asked for, or else of what the build is for; undefined when neither says.
 * @throws FlashError `wrong-chip` for a chip that is not in the table
 */
export function expectedChip(wanted: string | undefined, artifact: Artifact): string | undefined {
  const name = wanted ?? chipOfArtifact(artifact);
  if (name === undefined) return undefined;
  const chip = chipNamed(name);
  if (chip === undefined) {
    throw new FlashError("wrong-chip", `'${name}' is not a chip that Deltaflash knows`, {
      remedy: "See `deltaflash boards` for the chips that it knows.",
    });
  }
  return chip.name;
}

interface FoundBoard {
  /** The catalogue's name, or the chip's. */
  readonly board: string;
  readonly identity: string;
  readonly port: string;
}

/** @param wanted what the report calls `board` or `identity`; undefined: any. @throws FlashError `wrong-chip` */
export function checkIdentity({ board, identity, port }: FoundBoard, wanted: string | undefined): void {
  const name = wanted?.toLowerCase();
  if (name === undefined || [identity, board].includes(name)) return;
  throw new FlashError("wrong-chip", `the board on ${port} is ${board} ${identity}, not ${name}`, {
    remedy: "Plug in the board you mean, or leave --board away.",
  });
}
