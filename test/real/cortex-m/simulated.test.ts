/** Our simulated boards behind our simulated servers, judged by Debian's GDB with programs of Debian's compiler. */
import { afterAll, describe, expect, test } from "vitest";
import { makeCortexBoard } from "../../../src/sim/cortex-m/cortex-boards.ts";
import { serve } from "../../../src/sim/serve.ts";
import { firstLine, simulatedBoards } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { gdb } from "./gdb-program.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

/** How each server is told to reset; Black Magic is attached to first. */
const servers = [
  { server: "openocd", halt: ["monitor reset halt"] },
  { server: "pyocd", halt: ["monitor reset halt"] },
  { server: "st-util", halt: ["monitor reset"] },
  { server: "plain", halt: ["monitor reset halt"] },
] as const;

describe.each(servers)("behind $server", ({ server, halt }) => {
  test.each(simulatedBoards)(
    "$machine is loaded, compared, stopped in its program and prints its line",
    async (board) => {
      const simulated = makeCortexBoard({ board: board.machine, server });
      await using served = await serve(simulated, "gdb://127.0.0.1:0", { speed: "real" });
      const said = await gdb({
        port: Number(new URL(served.address).port),
        elf: firmware.firmware({ board, place: "flash" }),
        commands: ["load", "compare-sections", ...halt, "thbreak report", "continue", "p/x in_data", "finish"],
      });
      expect(said).toContain("Section .text");
      expect(said).not.toContain("MIS-MATCHED");
      expect(said).toContain("Temporary breakpoint 1, report ()");
      expect(said).toContain("$1 = 0xcafef00d");
      expect(simulated.bootLog).toContain(firstLine(1));
      expect(simulated.counters().violations).toEqual({});
    },
  );
});

test.each(simulatedBoards)("$machine behind black-magic is scanned for, attached to, loaded and run", async (board) => {
  const simulated = makeCortexBoard({ board: board.machine, server: "black-magic" });
  await using served = await serve(simulated, "gdb://127.0.0.1:0", { speed: "real" });
  const said = await gdb({
    port: Number(new URL(served.address).port),
    elf: firmware.firmware({ board, place: "flash" }),
    isExtended: true,
    commands: ["monitor swd_scan", "attach 1", "load", "compare-sections", "thbreak report", "run", "finish"],
  });
  expect(said).not.toContain("MIS-MATCHED");
  expect(said).toContain("Temporary breakpoint 1, report ()");
  expect(simulated.bootLog).toContain(firstLine(1));
  expect(simulated.counters().violations).toEqual({});
});
