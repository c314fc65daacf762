// How far status bar and panel are behind the engine: when the server said it, against when it stood on the screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { enlargePanel, item, openDemo, panel, runCommand, slowEnough, until, waitForItem } from "./screen.mjs";

/** What is promised is 100 ms; a busy machine gets more, and the figures are printed. */
const mostMs = { p99: 300, max: 1_000 };
const promisedMs = 100;
const flashes = 3;

export async function tests(places, test) {
  const file = join(places.scratch, "told.jsonl");
  const demo = await openDemo({
    ...{ stage: places.stage, scratch: places.scratch, beside: [join(import.meta.dirname, "../probe")] },
    settings: { "deltaflash.port": "sim:esp32c3" },
    environment: { DELTAFLASH_PROBE: file },
  });
  const { page } = demo;
  const told = () =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  try {
    await test(`status bar and panel are at most ${promisedMs} ms behind the engine`, async () => {
      await item(page).waitFor(slowEnough);
      await page.keyboard.press("Control+Alt+F");
      await waitForItem(page, /\d+(\.\d)? m?s/);
      await runCommand(page, "Deltaflash: Show Timing Panel");
      await enlargePanel(page);
      await panel(page)
        .locator(".progress")
        .waitFor({ state: "attached", ...slowEnough });
      const seen = [
        await watch(item(page), (element) => element.textContent),
        await watch(panel(page).locator(".progress"), (element) => element.textContent),
      ];
      const from = told().length;
      for (let number = 0; number < flashes; number++) {
        const before = told().length;
        await runCommand(page, "Deltaflash: Flash Everything (Full)");
        await until("the flash", () =>
          told()
            .slice(before)
            .some(({ state }) => state.kind === "done"),
        );
        await page.waitForTimeout(1_000);
      }
      const messages = told().slice(from);
      const status = delays(messages, inStatusBar, await seen[0]());
      const inPanelMs = delays(messages, inPanel, await seen[1]());
      print("status bar", status);
      print("panel", inPanelMs);
      for (const all of [status, inPanelMs]) {
        assert.ok(all.length >= 30, `${all.length} messages`);
        assert.ok(quantile(all, 0.99) <= mostMs.p99, `p99 ${quantile(all, 0.99)} ms`);
        assert.ok(quantile(all, 1) <= mostMs.max, `max ${quantile(all, 1)} ms`);
      }
    });
  } finally {
    await demo.stop();
  }
}

/** Notes every text that the element has had, and when. @returns what asks for the notes */
async function watch(locator, textOf) {
  await locator.evaluate((element, text) => {
    const read = new Function("element", `return (${text})(element)`);
    const notes = [{ at: Date.now(), text: read(element) }];
    globalThis.deltaflashNotes = notes;
    new MutationObserver(() => {
      const now = read(element);
      if (now !== notes.at(-1).text) notes.push({ at: Date.now(), text: now });
    }).observe(element, { subtree: true, childList: true, characterData: true, attributes: true });
  }, String(textOf));
  return () => locator.evaluate(() => globalThis.deltaflashNotes);
}

/** The text that stands for a state: what follows the board in the status bar, without the spaces that fill it up. */
function inStatusBar(state, shown) {
  const text = shown.replaceAll(/[\s\u2006\u2007]+/g, " ").trim();
  switch (state.kind) {
    case "connecting":
      return text.endsWith("Connecting");
    case "working": {
      const phase = `${state.phase.charAt(0).toUpperCase()}${state.phase.slice(1)}`;
      if (state.percent === undefined) return text.endsWith(phase);
      return text.endsWith(`${phase.slice(0, 6)} ${Math.min(99, Math.floor(state.percent))}%`);
    }
    case "done":
      return /\d m?s$|Unchanged$/.test(text);
    default:
      throw new Error(state.kind);
  }
}

function inPanel(state, text) {
  switch (state.kind) {
    case "connecting":
      return text === "Connecting";
    case "working": {
      const phase = `${state.phase.charAt(0).toUpperCase()}${state.phase.slice(1)}`;
      return text === (state.percent === undefined ? phase : `${phase}, ${Math.round(state.percent)} %`);
    }
    case "done":
      return text === "";
    default:
      throw new Error(state.kind);
  }
}

/** Of each message: until it, or one that came after it, stood on the screen. Milliseconds. */
function delays(messages, stands, notes) {
  return messages.map((message, index) => {
    const shows = (note, atMs) =>
      messages.some((one, at) => at >= index && one.at <= atMs && stands(one.state, note.text));
    const before = notes.findLast((note) => note.at <= message.at);
    if (before !== undefined && shows(before, message.at)) return 0;
    const shown = notes.find((note) => note.at >= message.at && shows(note, note.at));
    return shown === undefined ? Infinity : shown.at - message.at;
  });
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

function print(where, values) {
  const late = values.filter((ms) => ms > promisedMs).length;
  const figures = [0.5, 0.99, 1].map((share) => quantile(values, share));
  process.stdout.write(
    `     ${where} behind the engine: median ${figures[0]} ms, p99 ${figures[1]} ms, max ${figures[2]} ms; ${late} of ${values.length} messages later than ${promisedMs} ms\n`,
  );
}
