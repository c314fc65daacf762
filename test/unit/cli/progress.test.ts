import { expect, test } from "vitest";
import { Progress } from "../../../src/cli/progress.ts";

const total = 160 * 1024;

/** Runs a flash of 160 KiB in 800 ms past a progress display. */
function shown(output: { isTTY?: boolean; columns?: number }, verbose = false): string {
  let text = "";
  let nowMs = 0;
  const progress = new Progress({
    output: { ...output, write: (more) => void (text += more) },
    verbose,
    nowMs: () => nowMs,
  });
  progress.phase("connect", "reset + sync");
  progress.log("reset: quick");
  progress.phase("connect", "chip");
  progress.phase("plan", "image");
  progress.phase("write", "0x10000");
  for (let step = 1; step <= 8; step++) {
    nowMs += 100;
    progress.progress((total * step) / 8, total);
  }
  progress.phase("verify", "digest");
  progress.clear();
  return text;
}

/** What a terminal showed, one line per state. */
function states(text: string): string[] {
  return text.split("\r").map((state) => state.replaceAll("\u001b[K", "|"));
}

test("without a terminal there are few plain lines, with bytes, rate and time left", () => {
  expect(shown({})).toMatchInlineSnapshot(`
    "connecting
    writing [######------------------]  25 %  40.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.6 s left
    writing [############------------]  50 %  80.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.4 s left
    writing [##################------]  75 %  120.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.2 s left
    writing [########################] 100 %  160.0 KiB of 160.0 KiB, 200.0 KiB/s
    verifying
    "
  `);
});

test("on a terminal one line is drawn again and again, and taken away at the end", () => {
  expect(states(shown({ isTTY: true, columns: 80 })).join("\n")).toMatchInlineSnapshot(`
    "
    connecting|
    planning|
    writing [##----------]  13 %  20.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.7 s left|
    writing [###---------]  25 %  40.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.6 s left|
    writing [#####-------]  38 %  60.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.5 s left|
    writing [######------]  50 %  80.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.4 s left|
    writing [########----]  63 %  100.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.3 s left|
    writing [#########---]  75 %  120.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.2 s left|
    writing [###########-]  88 %  140.0 KiB of 160.0 KiB, 200.0 KiB/s, 0.1 s left|
    writing [############] 100 %  160.0 KiB of 160.0 KiB, 200.0 KiB/s|
    verifying|
    |"
  `);
});

test("the line never reaches the edge of the terminal, however narrow", () => {
  for (const columns of [20, 40, 60, 80, 200]) {
    const widths = states(shown({ isTTY: true, columns })).map((state) => state.replace("|", "").length);
    expect(Math.max(...widths)).toBeLessThan(Math.max(columns, 21));
  }
});

test("the bar keeps its width while the figures change", () => {
  const bars = states(shown({ isTTY: true, columns: 80 })).flatMap((state) => /\[.*\]/.exec(state)?.[0].length ?? []);
  expect(new Set(bars).size).toBe(1);
});

test("a bar is not drawn more often than a person can see", () => {
  let writes = 0;
  let nowMs = 0;
  const output = { isTTY: true, write: () => writes++ };
  const progress = new Progress({ output, verbose: false, nowMs: () => nowMs });
  for (let done = 0; done < 1000; done++) {
    nowMs += 1;
    progress.progress(done, 1000);
  }
  expect(writes).toBeLessThanOrEqual(1000 / 40 + 1);
});

test("verbose gives every phase and decision a line of its own", () => {
  expect(shown({}, true).split("\n").slice(0, 5)).toEqual([
    "connect: reset + sync",
    "reset: quick",
    "connect: chip",
    "plan: image",
    "write: 0x10000",
  ]);
});

test("more bytes than were planned, after a repeated run, do not go past the end of the bar", () => {
  let text = "";
  const progress = new Progress({ output: { write: (more) => void (text += more) }, verbose: false, nowMs: () => 0 });
  progress.progress(3000, 2000);
  expect(text).toBe("writing [########################] 100 %  2.0 KiB of 2.0 KiB\n");
});
