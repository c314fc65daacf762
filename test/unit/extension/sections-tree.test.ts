import { expect, test } from "vitest";
import { treeOf, type TreeNode } from "../../../src/extension/sections-tree.ts";
import type { PlanView } from "../../../src/server/protocol.ts";

const plan: PlanView = {
  sectors: 40,
  sectorsToWrite: 3,
  bytesToWrite: 12_288,
  estimateMs: 200,
  fullEstimateMs: 2_400,
  boardKnown: true,
  runs: [{ address: 0x10000, bytes: 4096, erase: "4 KiB" }],
  changed: [
    { kind: "section", name: ".text", oldAddress: 0x42000020, oldSize: 1000, newAddress: 0x42000020, newSize: 1016 },
    { kind: "symbol", name: "grown", oldAddress: 0x42000100, oldSize: 40, newAddress: 0x42000100, newSize: 56 },
    { kind: "symbol", name: "moved", oldAddress: 0x42000128, oldSize: 8, newAddress: 0x42000138, newSize: 8 },
    { kind: "symbol", name: "gone", oldAddress: 0x42000200, oldSize: 12 },
    { kind: "symbol", name: "elsewhere", newAddress: 0x3fc80000, newSize: 4 },
  ],
};

const lines = (nodes: readonly TreeNode[], depth = 0): string[] =>
  nodes.flatMap(({ kind, label, description, children }) => [
    `${"  ".repeat(depth)}${kind} ${label} | ${description}`,
    ...lines(children, depth + 1),
  ]);

test("symbols stand in their sections, and sectors come last", () => {
  expect(lines(treeOf(plan)).join("\n")).toMatchInlineSnapshot(`
    "section .text | 1000 → 1016 B (+16), at 0x42000020
      symbol grown | 40 → 56 B (+16), at 0x42000100
      symbol moved | 8 B, moved 0x42000128 → 0x42000138
      symbol gone | gone, 12 B
    symbol elsewhere | new, 4 B, at 0x3fc80000
    sectors Sectors to write | 3 of 40, 12.0 KiB
      run 0x10000 | 4.0 KiB, 4 KiB"
  `);
});

test("nothing to write is an empty tree", () => {
  expect(treeOf({ ...plan, sectorsToWrite: 0, runs: [], changed: [] })).toEqual([]);
});
