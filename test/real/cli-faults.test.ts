import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "vitest";
import { loadArtifact } from "../../src/build/load.ts";
import { elfToAppImage } from "../../src/targets/esp/elf-to-image.ts";
import { Desk, meter } from "./cli-helper.ts";

/** A board that misbehaves at the other end of a socket, as often as the wire's own faults are reported to users. */
interface Misbehaviour {
  readonly name: string;
  readonly fault: string;
  readonly code: "disconnected" | "timeout" | "verify-failed" | RegExp;
  /** Beside artifact and port. */
  readonly words?: readonly string[];
  /** `PORT` stands for the port's name. */
  readonly message: string | RegExp;
  readonly remedy: string | RegExp;
}

const pulled = {
  code: "disconnected",
  message: /^PORT: (the other end closed the connection|the connection (broke|is closed).*)$/,
  remedy: "Plug the board in again and flash again: what was half written is found and repaired.",
} as const;
const official = ["--official-stub"];
const anySentence = /^\S.{10,}$/;

const misbehaviours: readonly Misbehaviour[] = [
  { name: "a cable pulled while the loader greets", fault: "unplug@in:100", ...pulled },
  { name: "a cable pulled while the stub is loaded", fault: "unplug@in:5000", ...pulled },
  { name: "a cable pulled while the flash is written", fault: "unplug@in:40000", ...pulled },
  { name: "a cable pulled in the middle of an answer", fault: "unplug@out:600", ...pulled },
  { name: "a cable pulled in the middle of an erase", fault: "unplug@erase:2", ...pulled },
  {
    name: "power lost in the middle of a page",
    fault: "power-cut@program:300",
    code: "timeout",
    message: "Deltaflash's stub on PORT does not answer",
    remedy: "Hold the boot button, press reset, let go, and flash again; try a lower --baud if it stays.",
  },
  {
    name: "power lost in the middle of a page, with Espressif's stub",
    fault: "power-cut@program:300",
    words: official,
    code: "timeout",
    message: /^writing \d+ KiB at 0x\d0000 failed: no answer to \w+ from the stub on PORT within \d+ ms$/,
    remedy: "Hold the boot button, press reset, let go, and flash again; try a lower --baud if it stays.",
  },
  {
    name: "a stub that does not answer",
    fault: "stall@MEM_END:1",
    words: official,
    code: "timeout",
    message: "the stub on PORT was loaded but does not answer",
    remedy: "Flash again with a lower --baud; if it stays, with --no-stub.",
  },
  {
    name: "a loader that falls silent",
    fault: "silence@MEM_DATA:1",
    words: official,
    code: "timeout",
    message: "no answer to MEM_DATA from the ROM loader on PORT within 3000 ms",
    remedy: "Hold the boot button, press reset, let go, and flash again; try a lower --baud if it stays.",
  },
  {
    name: "a digest that does not match",
    fault: "stuck-bit@0x10100.2",
    words: official,
    code: "verify-failed",
    message: /^the \d+ KiB at 0x10000 read back differently than they were written$/,
    remedy: "Flash again with --full; if it stays, try a lower --baud or suspect the flash chip.",
  },
  {
    name: "a sector that does not erase",
    fault: "bad-sector@0x12000",
    code: "verify-failed",
    message:
      /^writing \d+ KiB at 0x10000 failed: the stub says 0x05: the flash reads back differently than it was programmed$/,
    remedy: "Flash again with --full; if it stays, try a lower --baud or suspect the flash chip.",
  },
  {
    name: "a crystal that is off",
    fault: "clock@+8%",
    code: "timeout",
    message: /^no ESP loader answers on PORT; it said ".*"$/,
    remedy: "Hold the boot button, press reset, let go, and flash again; try a lower --baud if it stays.",
  },
  { name: "noise towards the board", fault: "flip@in:rate=0.02", code: /./, message: anySentence, remedy: anySentence },
  { name: "noise from the board", fault: "drop@out:rate=0.02", code: /./, message: anySentence, remedy: anySentence },
];

const wire = ["--listen", "rfc2217://127.0.0.1:0", "--speed", "max"];
/** Three times what the slowest of them needs. */
const longestMs = 45_000;

/** A flash chip whose every sector must be erased before the application fits. */
const used = new Uint8Array(0x400000).fill(0xff).fill(0x00, 0x10000, 0x60000);

async function application(): Promise<Uint8Array> {
  const artifact = await loadArtifact([meter.base]);
  if (artifact.kind !== "elf") throw new Error("the fixture is an ELF file");
  return elfToAppImage(artifact.elf, "esp32c3", { elfSha256: Buffer.from(artifact.elfSha256, "hex") });
}

describe.concurrent("ends with code 1 and two sentences, and the next flash repairs the board", () => {
  for (const bad of misbehaviours) {
    test(bad.name, async ({ expect }) => {
      await using desk = new Desk();
      const file = desk.path("flash.bin");
      writeFileSync(file, used);
      const sim = await desk.sim(["esp32c3", "--factory", "--flash", file, "--fault", bad.fault, ...wire]);
      const { code, ms, report, stderr } = await desk.flash([meter.base, "--port", sim.address, ...(bad.words ?? [])]);
      expect(code).toBe(1);
      expect(report.result).toBe("failed");
      expect(report.spans.length).toBeGreaterThan(0);
      expect(report.error?.code).toMatch(bad.code);
      const message = report.error?.message.replaceAll(sim.address, "PORT");
      if (typeof bad.message === "string") expect(message).toBe(bad.message);
      else expect(message).toMatch(bad.message);
      expect(report.error?.remedy).toMatch(bad.remedy);
      expect(stderr).toContain(`deltaflash: ${report.error?.message ?? ""}\n${report.error?.remedy ?? ""}\n`);
      expect(ms).toBeLessThan(longestMs);

      if (bad.fault.startsWith("unplug")) expect(await sim.ended).toMatchObject({ code: 1 });
      else await sim.stop();
      const well = await desk.sim(["esp32c3", "--flash", file, ...wire]);
      const repaired = await desk.flash([meter.base, "--port", well.address]);
      expect(repaired.report).toMatchObject({ result: "flashed", error: null });
      await well.stop();
      const wanted = used.subarray(0x10000, 0x60000).slice();
      wanted.set(await application());
      expect(Buffer.compare(readFileSync(file).subarray(0x10000, 0x60000), wanted)).toBe(0);
    });
  }
});

describe.concurrent("is put up with", () => {
  const harmless = [
    "boot-noise@300",
    "stall@SYNC:1",
    "stall@MEM_END:1",
    "silence@MEM_DATA:1",
    "silence@FLASH_DEFL_DATA:2",
    "clock@+2%",
    "flip@in:10",
  ];
  for (const fault of harmless) {
    test(fault, async ({ expect }) => {
      await using desk = new Desk();
      const sim = await desk.sim(["esp32c3", "--factory", "--fault", fault, ...wire]);
      const { code, report } = await desk.flash([meter.base, "--port", sim.address]);
      expect(report).toMatchObject({ result: "flashed", error: null });
      expect(code).toBe(0);
    });
  }
});

test("a board that is not in its loader, behind a wire that cannot reset it, is asked for by hand", async ({
  expect,
}) => {
  await using desk = new Desk();
  const fault = ["--fault", "power-cut@ms:1"]; // and so its program runs
  const sim = await desk.sim(["esp32c3", "--factory", "--listen", "pty", ...fault]);
  const { code, ms, report } = await desk.flash([meter.base, "--port", sim.address]);
  expect(code).toBe(1);
  expect(report.error).toEqual({
    code: "timeout",
    message: `no ESP loader answers on ${sim.address}; it said nothing at all`,
    remedy: "Hold the boot button, press reset, let go, and flash again; try a lower --baud if it stays.",
  });
  expect(ms).toBeLessThan(10_000);
});
