/**
 * As much XML as GDB servers send: elements, attributes, text. Tolerant of what they get wrong: stray text, missing heads. No
 * entities beyond the five that XML has by itself, so nothing can grow, and no files are opened.
 */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All text directly inside, in one piece. */
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

/** Comments, CDATA, declarations and instructions first, since they may hold anything; then tags; then text. */
const token =
  /<!--[^]*?-->|<!\[CDATA\[([^]*?)\]\]>|<\?[^]*?\?>|<![^>[]*(?:\[[^\]]*\][^>]*)?>|<(\/?)([\w:.-]+)([^<>]*?)(\/?)>|([^<]+|<)/g;
const attribute = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const deepest = 32;

/** The elements at the top, usually one. What is never closed ends where its parent ends. */
export function parseXml(source: string): readonly XmlElement[] {
  const root: Open = { name: "", attributes: {}, children: [], text: "" };
  const open: Open[] = [root];
  const close = () => {
    const done = open.pop();
    if (done !== undefined) open.at(-1)?.children.push(done);
  };
  for (const [, cdata, slash, name, attributes, selfClosing, text] of source.matchAll(token)) {
    const inner = open.at(-1);
    if (inner === undefined) break;
    if (text !== undefined || cdata !== undefined) inner.text += cdata ?? plain(text ?? "");
    else if (name === undefined) continue;
    else if (slash === "/") {
      const at = open.findLastIndex((one) => one.name === name);
      if (at > 0) while (open.length > at) close();
    } else {
      open.push({ name, attributes: attributesOf(attributes ?? ""), children: [], text: "" });
      if (selfClosing === "/" || open.length > deepest) close();
    }
  }
  while (open.length > 1) close();
  return root.children;
}

/** All elements of that name, at any depth, in document order. */
export function elementsNamed(elements: readonly XmlElement[], name: string): readonly XmlElement[] {
  return elements.flatMap((one) => [...(one.name === name ? [one] : []), ...elementsNamed(one.children, name)]);
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, name, double, single] of text.matchAll(attribute)) {
    if (name !== undefined) found[name] = plain(double ?? single ?? "");
  }
  return found;
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function plain(text: string): string {
  return text.replace(/&(\w+);/g, (all, name: string) => entities[name] ?? all);
}
