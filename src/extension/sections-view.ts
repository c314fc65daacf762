/** The view *Changed Since Last Flash*: what the next flash would write and why, before anything is written. */
import {
  EventEmitter,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  window,
  type Disposable,
  type Event,
  type LogOutputChannel,
  type TreeDataProvider,
  type TreeView,
} from "vscode";
import type { PlanView } from "../server/protocol.ts";
import type { BoardChoice } from "./board-choice.ts";
import type { Server } from "./client.ts";
import type { Projects } from "./projects.ts";
import { treeOf, type TreeNode } from "./sections-tree.ts";
import { describePlan } from "./status-bar.ts";

export interface SectionsParts {
  readonly server: Server;
  readonly projects: Projects;
  readonly choice: BoardChoice;
  readonly log: LogOutputChannel;
}

export class SectionsView implements TreeDataProvider<TreeNode>, Disposable {
  readonly #parts: SectionsParts;
  readonly #changed = new EventEmitter<undefined>();
  readonly #planned = new EventEmitter<void>();
  readonly #view: TreeView<TreeNode>;
  readonly #subscriptions: Disposable[];
  #plan: PlanView | undefined;
  #asked = 0;

  constructor(parts: SectionsParts) {
    this.#parts = parts;
    this.#view = window.createTreeView("deltaflash.sections", { treeDataProvider: this, showCollapseAll: true });
    const again = () => void this.refresh();
    this.#subscriptions = [
      parts.server.on("deltaflash/buildCompleted", again),
      parts.server.on("deltaflash/report", again),
      parts.projects.onDidChange(again),
      parts.choice.onDidChange(again),
      this.#view,
    ];
  }

  get onDidChangeTreeData(): Event<undefined> {
    return this.#changed.event;
  }

  /** A new plan is known. */
  get onDidPlan(): Event<void> {
    return this.#planned.event;
  }

  get plan(): PlanView | undefined {
    return this.#plan;
  }

  /** Asks the server, if board and project are known. Only the newest answer counts. */
  async refresh(): Promise<void> {
    const { server, projects, choice, log } = this.#parts;
    const number = ++this.#asked;
    const project = projects.current;
    const target = choice.known(project)?.target;
    const plan =
      project === undefined || target === undefined || !server.isStarted
        ? undefined
        : await server.request("deltaflash/plan", { target, artifact: project.artifact }).catch((error: unknown) => {
            log.info(`no plan: ${String(error)}`); // an unreadable artifact is told when it is flashed
            return undefined;
          });
    if (number !== this.#asked) return;
    this.#plan = plan;
    this.#view.message = plan === undefined ? "" : describePlan(plan);
    this.#view.description = project?.title ?? "";
    this.#changed.fire(undefined);
    this.#planned.fire();
  }

  getChildren(node?: TreeNode): TreeNode[] {
    if (node !== undefined) return [...node.children];
    return this.#plan === undefined ? [] : [...treeOf(this.#plan)];
  }

  getTreeItem(node: TreeNode): TreeItem {
    const hasChildren = node.children.length > 0;
    const item = new TreeItem(
      node.label,
      hasChildren ? TreeItemCollapsibleState.Collapsed : TreeItemCollapsibleState.None,
    );
    item.description = node.description;
    item.tooltip = node.detail;
    item.accessibilityInformation = { label: node.detail };
    item.iconPath = new ThemeIcon(iconOf(node));
    return item;
  }

  dispose(): void {
    for (const one of this.#subscriptions) one.dispose();
    this.#changed.dispose();
    this.#planned.dispose();
  }
}

function iconOf(node: TreeNode): string {
  switch (node.kind) {
    case "section":
      return "symbol-namespace";
    case "symbol":
      return "symbol-method";
    case "sectors":
      return "layers";
    case "run":
      return "symbol-array";
  }
}
