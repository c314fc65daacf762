/** What a loader's status means to the user. */
import { hex } from "../../core/bytes.ts";
import { FlashError, type FlashErrorCode } from "../../core/errors.ts";
import type { Address } from "../../core/image.ts";
import { loaderStatus, type LoaderProgress } from "./loader-abi.ts";

/** The loader ended by itself, and says why. */
export class LoaderFailed extends FlashError {
  /** As in `loaderStatus`. */
  readonly status: number;
  /** Where; 0 where it does not say. */
  readonly address: Address;

  constructor({ status, failure }: LoaderProgress) {
    const { code, text, remedy } = meaningOf(status, hex(failure, 8));
    super(code, text, { remedy });
    this.status = status;
    this.address = failure;
  }
}

interface Meaning {
  readonly code: FlashErrorCode;
  readonly text: string;
  readonly remedy: string;
}

const again = "Flash again: what was half written is found and repaired.";
const suspectSupply =
  "Check the supply voltage and that no write protection is set for this sector, then flash again; if it stays, suspect the flash.";
const defect = "Flash again; if it stays, report it together with the output of --verbose.";

const meanings = new Map<number, (at: string) => Meaning>([
  [
    loaderStatus.eraseFailed,
    (at) => ({ code: "verify-failed", text: `erasing at ${at} failed`, remedy: suspectSupply }),
  ],
  [
    loaderStatus.programFailed,
    (at) => ({ code: "verify-failed", text: `the flash controller refused to program ${at}`, remedy: suspectSupply }),
  ],
  [
    loaderStatus.verifyFailed,
    (at) => ({ code: "verify-failed", text: `${at} reads back differently than written`, remedy: suspectSupply }),
  ],
  [
    loaderStatus.patchWrong,
    (at) => ({
      code: "verify-failed",
      text: `what was composed for ${at} is not what it should be; nothing was erased there`,
      remedy: "Flash again with --full: the board holds something else than was thought.",
    }),
  ],
  [loaderStatus.aborted, () => ({ code: "cancelled", text: "the loader was told to stop", remedy: again })],
  [
    loaderStatus.timeout,
    (at) => ({
      code: "timeout",
      text: `the flash controller stays busy at ${at}`,
      remedy: "Power the board off and on and flash again; if it stays, suspect its clock, its supply or the flash.",
    }),
  ],
  [
    loaderStatus.protected,
    (at) => ({
      code: "refused",
      text: `the flash at ${at} is protected against writing`,
      remedy: "Remove the write protection with the vendor's tool, then flash again.",
    }),
  ],
]);

function meaningOf(status: number, at: string): Meaning {
  const meaning = meanings.get(status);
  if (meaning !== undefined) return meaning(at);
  return { code: "protocol", text: `the loader in RAM ended with status ${hex(status)} at ${at}`, remedy: defect };
}
