import { expect, test } from "vitest";
import { FlashError, type FlashErrorCode } from "../../../src/core/errors.ts";
import { remedyFor, wordsForEditor } from "../../../src/extension/remedies.ts";

const codes: readonly FlashErrorCode[] = [
  "cancelled",
  "board-not-found",
  "port-busy",
  "disconnected",
  "timeout",
  "protocol",
  "refused",
  "wrong-chip",
  "bad-image",
  "does-not-fit",
  "verify-failed",
];

test("every failure but a cancelled flash has a button", () => {
  expect(codes.filter((code) => remedyFor(code) === undefined)).toEqual(["cancelled"]);
});

test("no message speaks of the command line's options", () => {
  const said = codes.map((code) => wordsForEditor(new FlashError(code, "x").remedy));
  expect(said.filter((text) => /--|`deltaflash/.test(text))).toEqual([]);
});
