import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { helpFor, overview } from "../../../src/cli/help.ts";

const commands = ["flash", "plan", "sim", "boards", "ports", "history"];

test("every command stands in the overview and has a help of its own", () => {
  for (const command of commands) {
    expect(overview()).toMatch(new RegExp(`deltaflash (.* \\| )?${command}\\b`));
    expect(helpFor(command)).toMatch(new RegExp(`^deltaflash ${command}`));
  }
});

test("a command that does not exist has no help, whatever objects are made of", () => {
  for (const name of ["", "flush", "constructor", "toString", "__proto__"]) {
    expect(() => helpFor(name)).toThrow(`there is no command '${name}'`);
  }
});

test("no line of help is wider than a usual terminal window", () => {
  const lines = [overview(), ...commands.map(helpFor)].join("\n").split("\n");
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

test("every option that flash, plan and sim take is explained, and no other", () => {
  for (const command of ["flash", "plan", "sim"]) {
    const source = readFileSync(new URL(`../../../src/cli/${command}.ts`, import.meta.url), "utf8");
    const table = /const options = \{([\s\S]*?)\} as const/.exec(source)?.[1] ?? "";
    const taken = [...table.matchAll(/(?:^|[{,])\s*"?([a-z][a-z-]*)"?:\s*(?:text|flag|\{)/g)].map((match) => match[1]);
    const explained = [...helpFor(command).matchAll(/^ {2}--([a-z-]+)/gm)].map((match) => match[1]);
    expect(taken.length).toBeGreaterThan(2);
    expect([...taken].sort()).toEqual([...explained].sort());
  }
});
