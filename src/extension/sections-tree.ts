/** What differs from the board as a tree: sections with their symbols, then the sectors. From the server's plan alone; knows no editor. */
import * as l10n from "@vscode/l10n";
import { formatBytes, hex } from "../core/bytes.ts";
import type { ChangedItem, PlanView } from "../server/protocol.ts";

export interface TreeNode {
  readonly kind: "section" | "symbol" | "sectors" | "run";
  readonly label: string;
  /** Short, behind the label. */
  readonly description: string;
  /** Everything, for tooltip and screen reader. */
  readonly detail: string;
  readonly children: readonly TreeNode[];
}

export function treeOf(plan: PlanView): readonly TreeNode[] {
  const sections = plan.changed.filter((item) => item.kind === "section");
  const symbols = plan.changed.filter((item) => item.kind === "symbol");
  const homeless = new Set(symbols);
  const nodes = sections.map((section): TreeNode => {
    const inside = symbols.filter((symbol) => isInside(symbol, section));
    for (const symbol of inside) homeless.delete(symbol);
    return { ...nodeOf(section), children: inside.map(nodeOf) };
  });
  return [...nodes, ...[...homeless].map(nodeOf), ...(plan.runs.length > 0 ? [sectorsNode(plan)] : [])];
}

function nodeOf(item: ChangedItem): TreeNode {
  const description = changeOf(item);
  return { kind: item.kind, label: item.name, description, detail: `${item.name}: ${description}`, children: [] };
}

/** `1200 B → 1216 B (+16 B), moved 0x42000020 → 0x42000040` */
function changeOf({ oldAddress, oldSize, newAddress, newSize }: ChangedItem): string {
  const parts: string[] = [];
  if (oldSize === undefined && newSize !== undefined) parts.push(l10n.t("new, {0}", formatBytes(newSize)));
  else if (newSize === undefined && oldSize !== undefined) parts.push(l10n.t("gone, {0}", formatBytes(oldSize)));
  else if (oldSize !== undefined && newSize !== undefined && oldSize !== newSize) {
    const difference = newSize - oldSize;
    parts.push(`${oldSize} → ${newSize} B (${difference > 0 ? "+" : "−"}${Math.abs(difference)})`);
  } else if (newSize !== undefined) parts.push(formatBytes(newSize));
  if (oldAddress !== undefined && newAddress !== undefined && oldAddress !== newAddress) {
    parts.push(l10n.t("moved {0} → {1}", hex(oldAddress), hex(newAddress)));
  } else if (newAddress !== undefined) parts.push(l10n.t("at {0}", hex(newAddress)));
  return parts.join(", ");
}

function sectorsNode(plan: PlanView): TreeNode {
  const runs = plan.runs.map((run): TreeNode => {
    const label = hex(run.address);
    const description = `${formatBytes(run.bytes)}, ${run.erase}`;
    return { kind: "run", label, description, detail: `${label}: ${description}`, children: [] };
  });
  const description = l10n.t("{0} of {1}, {2}", plan.sectorsToWrite, plan.sectors, formatBytes(plan.bytesToWrite));
  const label = l10n.t("Sectors to write");
  return {
    kind: "sectors",
    label,
    description,
    detail: `${label}: ${description}`,
    children: runs,
  };
}

function isInside(symbol: ChangedItem, section: ChangedItem): boolean {
  const lies = (address: number | undefined, from: number | undefined, size: number | undefined) =>
    address !== undefined && from !== undefined && size !== undefined && address >= from && address < from + size;
  return (
    lies(symbol.newAddress, section.newAddress, section.newSize) ||
    (symbol.newAddress === undefined && lies(symbol.oldAddress, section.oldAddress, section.oldSize))
  );
}
