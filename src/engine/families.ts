/** Which family the boards at a port belong to: behind GDB servers are Cortex-M boards, on serial lines ESP chips. */
import { espFamily } from "./esp-family.ts";
import type { Family } from "./family.ts";
import { gdbFamily } from "./gdb-family.ts";

export type Link = "serial" | "gdb";

const families: Readonly<Record<Link, Family>> = { serial: espFamily, gdb: gdbFamily };

export function familyBehind(link: Link): Family {
  return families[link];
}
