/** Makes elements. Text goes in as text, never as markup; geometry goes in as attributes, since the page allows no inline style. */

type Value = string | number | boolean | undefined;
type Child = Node | string | undefined;

/** `on…` listens; false and undefined leave the attribute away, true sets it empty. */
export interface Attributes {
  readonly [name: string]: Value | ((event: never) => void);
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as (event: Event) => void);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Arrow keys, Home and End move between the buttons of a list, of which Tab reaches only the current one. */
export function moveByArrows(list: HTMLElement): void {
  const buttons = [...list.querySelectorAll("button")];
  const current = buttons.find((one) => one.hasAttribute("data-current")) ?? buttons[0];
  for (const button of buttons) button.tabIndex = button === current ? 0 : -1;
  list.addEventListener("keydown", (event) => {
    const at = buttons.findIndex((one) => one === document.activeElement);
    const to = target(event.key, at, buttons.length);
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    for (const button of buttons) button.tabIndex = -1;
    const next = buttons[to];
    if (next === undefined) return;
    next.tabIndex = 0;
    next.focus();
  });
}

function target(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
    case "ArrowRight":
      return Math.min(at + 1, count - 1);
    case "ArrowUp":
    case "ArrowLeft":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
