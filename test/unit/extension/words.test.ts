/** That everything the user reads goes through the lists of sentences, and that the lists belong together. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getL10nJson } from "@vscode/l10n-dev";
import ts from "typescript";
import { afterEach, describe, expect, test } from "vitest";
import { readSettings } from "../../../src/extension/settings.ts";
import { projectItems } from "../../../src/extension/project-items.ts";
import { treeOf, type TreeNode } from "../../../src/extension/sections-tree.ts";
import { statusText, widthOf, type ButtonState } from "../../../src/extension/status-text.ts";
import { phases } from "../../../src/core/trace.ts";
import { phaseWord, triggerWord } from "../../../src/webview/phrases.ts";
import { bracketed, speak, untranslated, wordsOf } from "./words.ts";

const root = join(import.meta.dirname, "../../..");
const sources = ["src/extension", "src/webview"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ name: `${folder}/${name}`, text: readFileSync(join(root, folder, name), "utf8") })),
);
const english = wordsOf("l10n/bundle.l10n.json");

afterEach(() => speak({}));

test("the list of sentences is what the sources say; `node tools/l10n.mjs` makes it anew", async () => {
  const found = await getL10nJson(sources.map(({ text }) => ({ extension: ".ts", contents: text })));
  expect(Object.keys(english)).toEqual(Object.keys(found).sort((a, b) => (a < b ? -1 : 1)));
});

const translations = [
  ["l10n/bundle.l10n.json", "l10n/bundle.l10n.de.json"],
  ["package.nls.json", "package.nls.de.json"],
] as const;

describe.each(translations)("%s and %s", (from, to) => {
  const original = wordsOf(from);
  const translated = wordsOf(to);

  test("have the same sentences, and none is empty", () => {
    expect(Object.keys(translated)).toEqual(Object.keys(original));
    expect(Object.values(translated).filter((text) => text.trim() === "")).toEqual([]);
  });

  test("put the same things in, and have the same links, icons and code", () => {
    const marks = (text: string) => text.match(/\{\d+\}|\]\([^)]*\)|\$\([^)]*\)|`[^`]*`|\n/g)?.sort() ?? [];
    const odd = Object.keys(original).filter(
      (key) => marks(original[key] ?? "").join() !== marks(translated[key] ?? "").join(),
    );
    expect(odd).toEqual([]);
  });
});

const allowed: readonly RegExp[] = [
  /: (Deltaflash|ServerGone|Compile Project|PlatformIO|ESP-IDF Build)$/, // names
  /remedies\.ts: /, // parts of the engine's sentences, which are English everywhere
  /export-trace\.ts: … on …$/, // the title inside the file
  /extension\/timing-panel\.ts: ([a-z]+-src |<!DOCTYPE)/, // its only words come from the list
  /webview\/[a-z-]+\.ts: ([a-z]+ (…|wide|wider|stacked)|Arrow[A-Z][a-z]+|Home|End)$/, // style classes, keys
  /: (… )?… ms$/,
];

/** Of more than one word, or a word that begins a sentence; outside of `l10n.t`, imports, types and what is only logged or thrown at developers. */
function looseSentences(name: string, text: string): readonly string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (
      ts.isCallExpression(node) &&
      /(^|[.#])(l10n\.t|log\.(debug|info|warn|error))$/.test(node.expression.getText(file))
    )
      return;
    if (ts.isNewExpression(node) && node.expression.getText(file) === "Error" && !node.getText(file).includes("l10n"))
      return;
    if (ts.isStringLiteralLike(node) && /[A-Za-z]{2,} [A-Za-z]{2,}|^[A-Z][a-z]{2,}/.test(node.text))
      found.push(node.text);
    if (ts.isTemplateExpression(node)) {
      const pieces = [node.head, ...node.templateSpans.map((span) => span.literal)].map((piece) => piece.text);
      if (pieces.some((piece) => /[a-z]{2,} |(^| )[a-z]{2,}$/i.test(piece))) found.push(pieces.join("…"));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test("no sentence in the sources is beside the list", () => {
  const loose = sources.flatMap(({ name, text }) => looseSentences(name, text).map((words) => `${name}: ${words}`));
  expect(loose.filter((line) => !allowed.some((pattern) => pattern.test(line)))).toEqual([]);
});

describe("in a made-up language everything is in brackets", () => {
  const left = (texts: readonly string[]) => texts.map(untranslated).filter((text) => text !== "");

  test("the status bar item and what screen readers say of it", () => {
    speak(bracketed(english));
    const states: readonly ButtonState[] = [
      ...(["idle", "offer", "building", "connecting", "ready"] as const).map((kind) => ({ kind })),
      ...phases.map((phase) => ({ kind: "working", phase, percent: undefined }) as const),
      ...["flashed", "unchanged", "loaded", "planned"].map(
        (result) => ({ kind: "done", result, totalMs: 1_234 }) as const,
      ),
      ...["cancelled", "timeout"].map((code) => ({ kind: "failed", code, message: "7" }) as const),
    ];
    const said = states.flatMap((state) => [statusText("", state), statusText("7", state)]);
    expect(left(said.flatMap(({ text, spoken }) => [text, spoken.replace(/^Deltaflash, /, "")]))).toEqual([]);
  });

  test("the tree of changes", () => {
    speak(bracketed(english));
    const item = { kind: "symbol", name: "7" } as const;
    const nodes = treeOf({
      ...{
        sectors: 40,
        sectorsToWrite: 3,
        bytesToWrite: 12_288,
        estimateMs: 200,
        fullEstimateMs: 2_400,
        boardKnown: true,
      },
      runs: [{ address: 0x10000, bytes: 4096, erase: "4 KiB" }],
      changed: [
        { ...item, newAddress: 16, newSize: 8 },
        { ...item, oldAddress: 16, oldSize: 8 },
        { ...item, oldAddress: 16, oldSize: 8, newAddress: 32, newSize: 12 },
        { ...item, oldAddress: 16, oldSize: 8, newAddress: 16, newSize: 8 },
      ],
    });
    const texts = (all: readonly TreeNode[]): string[] =>
      all.flatMap(({ label, description, detail, children }) => [label, description, detail, ...texts(children)]);
    expect(left(texts(nodes))).toEqual([]);
  });

  test("what settings should be, phases, and what flashes are started by", () => {
    speak(bracketed(english));
    const { problems } = readSettings((key) => (key === "onBuild" ? 5 : key.includes("baud") ? "7" : [7]));
    expect(problems.length).toBe(15);
    expect(left(problems.map(({ expected }) => expected.replace(/\b(off|offer|flash)\b/g, "")))).toEqual([]);
    expect(left(phases.map(phaseWord))).toEqual([]);
    expect(left(["key", "button", "task", "remedy", "advice", "api", "build:7"].map(triggerWord))).toEqual([]);
  });
});

test("German words fit the status bar item, uncut and equally wide in every state", () => {
  speak(wordsOf("l10n/bundle.l10n.de.json"));
  const states: readonly ButtonState[] = [
    ...(["idle", "offer", "building", "connecting", "ready"] as const).map((kind) => ({ kind })),
    ...phases.map((phase) => ({ kind: "working", phase, percent: 42 }) as const),
    { kind: "done", result: "unchanged", totalMs: 1 },
    { kind: "failed", code: "cancelled", message: "" },
  ];
  const texts = states.map((state) => statusText("esp32c3", state).text.replace(/^\$\([^)]*\) /, ""));
  expect(texts.filter((text) => text.includes("…"))).toEqual([]);
  const widths = texts.map(widthOf);
  expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(0.33);
  expect(Math.max(...widths)).toBeLessThan(22);
});

describe("the list of what the workspace builds", () => {
  const project = (id: string, reasons: readonly string[]) =>
    ({ id, system: "plain", title: id, artifact: [`/ws/${id}.elf`], watch: [], reasons }) as const;
  const ranked = [
    project("best", ["It stands first of 2: it was built later than other.", "more"]),
    project("other", ["why"]),
  ];

  test("begins with the best, says why it is that, and marks the current one", () => {
    expect(
      projectItems(ranked, ranked[1]).map(({ label, description, detail }) => [label, description, detail]),
    ).toEqual([
      ["best", "plain", "It stands first of 2: it was built later than other. /ws/best.elf"],
      ["other", "plain (current)", "/ws/other.elf"],
    ]);
  });
});
