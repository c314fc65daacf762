/** The words for faults. */
import { describe, expect, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import { parseFaults } from "../../../src/sim/fault-spec.ts";

test("every fault has words", () => {
  const spec = `drop@in:10, flip@out:77,double@in:rate=1e-4,unplug@in:1234,unplug@out:5,unplug@ms:250.5,unplug@erase:2,
    power-cut@program:7,power-cut@ms:9,stuck-busy@erase:3,stall@FLASH_DEFL_DATA:3,silence@SYNC:1,bad-sector@0x12345,
    stuck-bit@0x12000.3,clock@+6%,clock@-2.5%,boot-noise@64`;
  expect(parseFaults(spec)).toMatchInlineSnapshot(`
    [
      {
        "direction": "in",
        "kind": "drop",
        "place": {
          "at": 10,
        },
      },
      {
        "direction": "out",
        "kind": "flip",
        "place": {
          "at": 77,
        },
      },
      {
        "direction": "in",
        "kind": "double",
        "place": {
          "rate": 0.0001,
        },
      },
      {
        "at": 1234,
        "direction": "in",
        "kind": "unplug",
      },
      {
        "at": 5,
        "direction": "out",
        "kind": "unplug",
      },
      {
        "atMs": 250.5,
        "kind": "unplug",
      },
      {
        "kind": "unplug",
        "number": 2,
        "work": "erase",
      },
      {
        "kind": "power-cut",
        "number": 7,
        "work": "program",
      },
      {
        "atMs": 9,
        "kind": "power-cut",
      },
      {
        "kind": "stuck-busy",
        "number": 3,
        "work": "erase",
      },
      {
        "command": "FLASH_DEFL_DATA",
        "kind": "stall",
        "number": 3,
      },
      {
        "command": "SYNC",
        "kind": "silence",
        "number": 1,
      },
      {
        "address": 73728,
        "kind": "bad-sector",
      },
      {
        "address": 73728,
        "bit": 3,
        "kind": "stuck-bit",
      },
      {
        "factor": 1.06,
        "kind": "clock",
      },
      {
        "factor": 0.975,
        "kind": "clock",
      },
      {
        "bytes": 64,
        "kind": "boot-noise",
      },
    ]
  `);
});

test("no words, no faults", () => expect(parseFaults(" , ")).toEqual([]));

describe("words that are off are named, with what there is", () => {
  test.each([
    "explode@in:1",
    "drop",
    "drop@up:1",
    "drop@in:x",
    "unplug@erase:0",
    "stall@NONSENSE:1",
    "stuck-bit@0x10.8",
    "clock@6",
  ])("%s", (word) => {
    const error = caught(() => parseFaults(`flip@in:1,${word}`));
    expect(error.message).toBe(`"${word}" is no fault that a simulated board knows`);
    expect(error.remedy).toContain("unplug@in|out:BYTE");
    expect(error.code).toBe("refused");
  });
});

function caught(run: () => unknown): FlashError {
  try {
    run();
  } catch (error) {
    if (error instanceof FlashError) return error;
  }
  throw new Error("nothing was thrown");
}
