/** Whether the board that answers is the one that the user named. */
import { FlashError } from "../core/errors.ts";

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
