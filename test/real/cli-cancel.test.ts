import { spawn } from "node:child_process";
import { describe, inject, test } from "vitest";
import { Desk, ended, meter } from "./cli-helper.ts";

/** Sends SIGINT, once, as soon as standard error says `word`. */
function interruptAt(word: string) {
  let sent = false;
  return {
    onStderr: (text: string, child: { kill(signal: NodeJS.Signals): boolean }) => {
      if (sent || !text.includes(word)) return;
      sent = true;
      child.kill("SIGINT");
    },
  };
}

const halfWay = {
  code: "cancelled",
  message: "the flash was cancelled half way; the board waits in its loader with a program that is not complete",
  remedy: "Flash again: what was half written is found and repaired.",
};

describe.concurrent("Ctrl-C", () => {
  for (const listen of ["rfc2217://127.0.0.1:0", "pty"]) {
    test(`in the middle of a flash over ${listen} ends with code 130, and the next flash repairs the board`, async ({
      expect,
    }) => {
      await using desk = new Desk();
      const sim = await desk.sim(["esp32c3", "--factory", "--listen", listen]);
      const port = ["--port", sim.address];
      const { code, ms, report, stderr } = await desk.flash([meter.base, ...port], interruptAt("writing"));
      expect(code).toBe(130);
      expect(report).toMatchObject({ result: "failed", error: halfWay });
      expect(report.spans.at(-1)?.phase).toBe("write");
      expect(stderr).toContain("cancelling at the next safe place; press again to leave at once\n");
      expect(stderr).toMatch(/^cancelled after \d+ ms: esp32c3 60:55:f9:00:00:01 on /m);
      expect(ms).toBeLessThan(15_000);

      const history = await desk.run(["history"]);
      expect(history.stdout).toMatch(/^60:55:f9:00:00:01 .* (40|48) sectors /m);
      const repaired = await desk.flash([meter.base, ...port]);
      expect(repaired).toMatchObject({ code: 0, report: { result: "flashed", error: null } });
      expect(repaired.report.notes[0]).toMatch(/^An earlier flash was cut short; 40 sectors /);
      expect((await desk.flash([meter.base, ...port])).report.result).toBe("unchanged");
    });
  }

  test("before anything was written leaves the board as it was, and running", async ({ expect }) => {
    await using desk = new Desk();
    await desk.flash([meter.base, "--port", "sim:esp32c3?speed=max"]);
    const ran = await desk.flash([meter.const, "--port", "sim:esp32c3"], interruptAt("connecting"));
    expect(ran.code).toBe(130);
    expect(ran.report).toMatchObject({
      result: "failed",
      error: { code: "cancelled", message: "the flash was cancelled" },
      written: { sectors: 0 },
    });
    expect(ran.stderr).toContain('the board says: I (430) app: running "meter" 2.3.1, elf sha256 6a806200fc97ab08');
    expect((await desk.flash([meter.base, "--port", "sim:esp32c3?speed=max"])).report.result).toBe("unchanged");
  });

  test("typed at a terminal takes the bar away and says what happened", async ({ expect }) => {
    await using desk = new Desk();
    const program = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    const command = [process.execPath, inject("cli"), "flash", meter.base, "--port", "sim:esp32c3", "--baud", "115200"];
    const child = spawn("python3", ["-c", program, ...command], {
      env: { ...process.env, DELTAFLASH_STATE: desk.path("state") },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let typed = false;
    let shown = "";
    child.stdout.on("data", (bytes: Buffer) => {
      shown += bytes.toString();
      if (typed || !/writing \[#+-*\]/.test(shown)) return;
      typed = true;
      child.stdin.write("\u0003");
    });
    const { code, stdout } = await ended(child);
    expect(code).toBe(130);
    expect(stdout).toMatch(
      /\rwriting \[#+-*\] +\d+ % {2}[\d.]+ KiB of 160\.0 KiB, [\d.]+ KiB\/s, [\d.]+ s left\u001b\[K/,
    );
    expect(stdout).toContain("\r\u001b[Kcancelling at the next safe place; press again to leave at once\r\n");
    expect(stdout).toContain(`deltaflash: ${halfWay.message}\r\n${halfWay.remedy}\r\n`);
  });
});
