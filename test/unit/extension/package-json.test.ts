/** What package.json promises to the editor, against the sources. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8")) as unknown;

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly category: string; readonly icon?: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly scope?: string }>> };
  };
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly supported: string; readonly restrictedConfigurations: readonly string[] };
  };
}

const manifest = read("package.json") as Manifest;

test("every text of package.json is in package.nls.json, and no other", () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key).sort();
  expect(Object.keys(read("package.nls.json") as object).sort()).toEqual([...new Set(used)]);
});

test("commands have one category and an icon each", () => {
  const odd = manifest.contributes.commands.filter(({ category, icon }) => category !== "Deltaflash" || !icon);
  expect(odd).toEqual([]);
});

test("settings that name files, ports and tasks are restricted", () => {
  const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  expect(supported).toBe("limited");
  const { properties } = manifest.contributes.configuration;
  expect(restrictedConfigurations.filter((key) => properties[key] === undefined)).toEqual([]);
  for (const key of ["port", "gdbServer", "buildTask", "artifact", "onBuild", "monitor.logFile"]) {
    expect(restrictedConfigurations).toContain(`deltaflash.${key}`);
  }
  expect(Object.values(properties).filter(({ scope }) => scope === undefined)).toEqual([]);
});
