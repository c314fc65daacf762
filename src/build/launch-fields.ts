/** Fields of a debug configuration as texts with their variables filled in. Remembers which ones only the editor can fill in. */
import { asValues, expand, type Values, type Words } from "./launch-values.ts";

const MAX_TEXTS = 200;

export class LaunchFields {
  /** `${command:…}` and the like that stood in fields that were asked for. */
  readonly unknown: string[] = [];
  readonly words: Words;
  readonly #values: Values;

  constructor(values: Values, words: Words) {
    this.#values = values;
    this.words = words;
  }

  /** Numbers are texts too; undefined for what is missing, empty, or known to the editor only. */
  text(key: string): string | undefined {
    const value = this.#values[key];
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text !== "string" || text.trim() === "") return undefined;
    return expand(text.trim(), this.words, this.unknown);
  }

  /** Of a list; a single text is a list of one. Undefined when the field is missing or no list of texts. */
  texts(key: string): readonly string[] | undefined {
    const value = this.#values[key];
    const list: readonly unknown[] | undefined = Array.isArray(value)
      ? value
      : typeof value === "string"
        ? [value]
        : undefined;
    if (list === undefined || list.length > MAX_TEXTS) return undefined;
    return list.flatMap((one) => {
      const text = typeof one === "number" ? String(one) : one;
      return typeof text === "string" ? [expand(text, this.words, this.unknown) ?? ""] : [];
    });
  }

  isTrue(key: string): boolean {
    return this.#values[key] === true;
  }

  /** With its own list of what is unknown. */
  within(key: string): LaunchFields {
    return new LaunchFields(asValues(this.#values[key]), this.words);
  }
}
