/** The one error class of the project. A code stands for one recovery: two failures share a code when the user does the same about both. */
export type FlashErrorCode =
  | "cancelled"
  | "board-not-found"
  | "port-busy"
  | "disconnected"
  | "timeout"
  | "protocol"
  | "refused"
  | "wrong-chip"
  | "bad-image"
  | "does-not-fit"
  | "verify-failed";

export interface FlashErrorOptions extends ErrorOptions {
  /** What the user should do, one sentence, where the code's general remedy is not good enough. */
  readonly remedy?: string;
}

/** `message` says what happened and where, in one sentence; `remedy` says what to do about it, in one sentence. */
export class FlashError extends Error {
  readonly code: FlashErrorCode;
  readonly remedy: string;

  constructor(code: FlashErrorCode, message: string, options: FlashErrorOptions = {}) {
    super(message, options);
    this.name = "FlashError";
    this.code = code;
    this.remedy = options.remedy ?? generalRemedy(code);
  }
}

/** Turns whatever was thrown into a FlashError; what is not one already is a defect of ours and says so. */
export function asFlashError(thrown: unknown): FlashError {
  if (thrown instanceof FlashError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new FlashError("protocol", `internal error: ${text}`, {
    cause: thrown,
    remedy: "Flash again; if it stays, report it together with the output of --verbose.",
  });
}

function generalRemedy(code: FlashErrorCode): string {
  switch (code) {
    case "cancelled":
      return "Flash again: what was half written is found and repaired.";
    case "board-not-found":
      return "Check the cable and the port; `deltaflash ports` lists what is there.";
    case "port-busy":
      return "Close the program that holds the port, then flash again.";
    case "disconnected":
      return "Plug the board in again and flash again: what was half written is found and repaired.";
    case "timeout":
      return "Hold the boot button, press reset, let go, and flash again; try a lower --baud if it stays.";
    case "protocol":
      return "Flash again with a lower --baud; check cable and power if it stays.";
    case "refused":
      return "Read the reason above; the board was left as it was.";
    case "wrong-chip":
      return "Build for the chip that is connected, or choose another --port.";
    case "bad-image":
      return "Build again, then flash again; the board was left as it was.";
    case "does-not-fit":
      return "Make the image smaller or move it; the board was left as it was.";
    case "verify-failed":
      return "Flash again with --full; if it stays, try a lower --baud or suspect the flash chip.";
  }
}
