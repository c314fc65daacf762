/** The timing panel in a real browser: what it shows, how it is used, and that all its words can be translated. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bracketed, untranslated, wordsOf } from "../unit/extension/words.ts";
import { bundlePanel, hand, inPage, removePanel, threeFlashes } from "./panel-page.ts";

beforeAll(bundlePanel);
afterAll(removePanel);

describe("the timing panel", () => {
  test("asks for reports, and says what to do while there are none", () => {
    expect(
      inPage(`told.push(JSON.stringify(posted), ...text("h1"), ...text(".buttons button"));
        await click("[data-key=board]"); told.push(JSON.stringify(posted.at(-1)));`),
    ).toEqual([`[{"kind":"ready"}]`, "No flash yet", "Flash", "Select board and port", `{"kind":"choose-board"}`]);
  });

  test("shows the last flash, what it saved, and the flashes before", async () => {
    const reports = await threeFlashes();
    expect(
      inPage(
        `${hand(reports)} told.push(...text("h1"), ...text(".row .phase"), ...text(".saved .sum"), ...text(".small .what"));`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "Unchanged: all 40 sectors were right already, 248 ms Simulated board",
        "connect",
        "survey",
        "plan",
        "reset",
        "Saved about 1014 ms (80 %) against writing all 40 sectors.",
        "unchanged",
        "3 of 40 sectors",
        "40 of 40 sectors",
      ]
    `);
  });

  test("is used by keyboard: arrows move, one row is reached by Tab, a press shows the steps and keeps the focus", async () => {
    const reports = await threeFlashes();
    expect(
      inPage(`${hand(reports)} told.push(document.querySelectorAll(".row[tabindex='0']").length);
        document.querySelector(".row").focus();
        for (const key of ["ArrowDown", "End", "ArrowDown", "ArrowUp", "Home"]) { press(key); told.push(focus()); }
        await click("[data-key=row-connect]"); document.querySelector("[data-key=row-connect]").focus();
        await send({ kind: "state", port: "P", state: { kind: "working", phase: "write", percent: 43 } });
        told.push(focus(), saved.selected, ...text(".details caption"), ...text(".details th"), ...text(".progress"), ...text("[role=status]"));`),
    ).toMatchInlineSnapshot(`
      [
        1,
        "row-survey",
        "row-reset",
        "row-reset",
        "row-plan",
        "row-connect",
        "row-connect",
        "connect",
        "connect: 153 ms, 62 % of the flash",
        "reset + sync",
        "chip",
        "bit rate",
        "identity",
        "flash pins",
        "stub upload",
        "stub start",
        "Write, 43 %",
        "Write",
      ]
    `);
  });

  test("shows an older flash on request, and the new one when it comes", async () => {
    const reports = await threeFlashes();
    const failed = {
      ...reports[1],
      at: 9,
      report: {
        ...reports[1]?.report,
        result: "failed",
        error: { code: "timeout", message: "no answer", remedy: "Press reset." },
      },
    };
    expect(
      inPage(`${hand(reports)} await click("[data-key=flash-1]"); told.push(saved.shownAt, text("h1")[0]);
        await click("[data-key=export]"); told.push(JSON.stringify(posted.at(-1)));
        await send({ kind: "report", report: ${JSON.stringify(failed)} }); told.push(text("h1")[0], ...text(".error"), ...text("[role=status]"));`),
    ).toMatchInlineSnapshot(`
      [
        1,
        "Flashed 40 of 40 sectors (160.0 KiB) in 1307 ms Simulated board",
        "{"kind":"export-trace","at":1}",
        "Failed after 410 ms Simulated board",
        "No answer. Press reset.",
        "Failed after 410 ms. no answer. Press reset.",
      ]
    `);
  });

  test("tells the same in tables, and keeps the choice when it is hidden and shown again", async () => {
    const reports = await threeFlashes();
    const state = { reports, view: "table" };
    expect(
      inPage(
        `told.push(...text("caption"), ...text("tfoot td"), document.querySelector("[data-key=view]").getAttribute("aria-pressed"));
        await click("[data-key=view]"); told.push(saved.view, text(".row").length);`,
        { startState: state },
      ),
    ).toMatchInlineSnapshot(`
      [
        "Where the time went",
        "Last flashes of this board",
        "",
        "",
        "248 ms",
        "100 %",
        "",
        "",
        "true",
        "chart",
        4,
      ]
    `);
  });
});

/** Everything that can be read or heard, but what the engine says: names of steps, advice, notes and errors. */
const collect = `{
const engine = ".details th, .full td:nth-child(2), .advice h3, .advice li p, .advice .action, .note, .error";
const walker = document.createTreeWalker(document.getElementById("timing"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const { parentElement, data } = walker.currentNode;
  if (parentElement.closest(engine) === null && parentElement.closest("svg title") === null) told.push(data);
}
for (const element of document.querySelectorAll("#timing [aria-label], #timing [title]"))
  told.push(element.getAttribute("aria-label") ?? "", element.getAttribute("title") ?? "");
for (const element of document.querySelectorAll(".advice h3 span")) told.push(element.textContent);
}`;

describe("in a made-up language every word of the timing panel is in brackets", () => {
  /** Board, port and clock are nobody's words. */
  const left = (texts: readonly string[]) =>
    texts
      .map((text) =>
        untranslated(text.replaceAll(/sim:esp32c3|esp32c3(-sim)?|([0-9a-f]{2}:){5}[0-9a-f]{2}|\b[AP]M\b/g, "")),
      )
      .filter((text) => text !== "");
  const words = bracketed(wordsOf("l10n/bundle.l10n.json"));

  test("when there is nothing yet, and while a board is worked on", () => {
    const told = inPage(
      `${collect} for (const state of [{ kind: "connecting" }, { kind: "ready" }, { kind: "working", phase: "write", percent: 43 }]) {
        await send({ kind: "state", port: "7", state }); ${collect} }`,
      { words },
    );
    expect(told.length).toBeGreaterThan(15);
    expect(left(told)).toEqual([]);
  });

  test("after flashes, with a phase opened, a slower one among them, and in tables", async () => {
    const [unchanged, part, full] = await threeFlashes();
    if (unchanged === undefined || part === undefined || full === undefined) throw new Error("three flashes");
    const slow = { ...part, at: 20, report: { ...part.report, totalMs: part.report.totalMs + 900 } };
    const usual = [11, 12, 13, 14].map((at) => ({ ...part, at }));
    const results = (["failed", "planned", "loaded"] as const).map((result, index) => ({
      ...part,
      at: 30 + index,
      trigger: "build:7",
      report: { ...part.report, result, notes: [], estimateMs: 7 },
    }));
    const reports = [slow, ...usual, unchanged, full, ...results];
    const told = inPage(
      `${hand(reports)} ${collect} await click("[data-key=row-write]"); ${collect}
      for (const at of [11, 30, 31, 32]) { await click("[data-key=flash-" + at + "]"); ${collect} }
      await click("[data-key=view]"); ${collect}`,
      { words },
    );
    expect(told.length).toBeGreaterThan(300);
    expect(told.join("\n")).toContain("▲ marks");
    expect(left(told)).toEqual([]);
  });

  test("which is what a word that is not in the list looks like", () => {
    const { Flash, ...others } = words;
    expect(Flash).toBe("⟦Flash⟧");
    expect(left(inPage(collect, { words: others }))).toEqual(["Flash"]);
  });
});
