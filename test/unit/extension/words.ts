/** What the tests of words share: the lists of sentences, and a made-up language in which every translated piece stands in brackets. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { config } from "@vscode/l10n";

const root = join(import.meta.dirname, "../../..");

export type Words = Readonly<Record<string, string>>;

export function wordsOf(file: string): Words {
  return JSON.parse(readFileSync(join(root, file), "utf8")) as Words;
}

/** `{0} of {1} sectors` becomes `{0}⟦ of ⟧{1}⟦ sectors⟧`: what is put in stays outside, so that it has to be translated by itself. */
export function bracketed(words: Words): Words {
  const piece = (text: string) => (/^\{[^}]*\}$|^$/.test(text) ? text : `⟦${text}⟧`);
  const sentence = (text: string) =>
    text
      .split(/(\{[^}]*\})/)
      .map(piece)
      .join("");
  return Object.fromEntries(Object.entries(words).map(([key, text]) => [key, sentence(text)]));
}

/** What is left of a text when translated pieces, cut ones too, and units and numbers are taken away. */
export function untranslated(text: string): string {
  return text
    .replace(/⟦[^⟧]*?(⟧|…)/g, " ")
    .replace(/\$\([a-z~-]+\)/g, "")
    .replace(/\b0x[0-9a-f]+\b|\b\d+(\.\d+)?\b|\b(ms|s|B|KiB|MiB)\b/g, "")
    .replace(/[^\p{L}]+/gu, " ")
    .trim();
}

export function speak(words: Words): void {
  config({ contents: { ...words } });
}
