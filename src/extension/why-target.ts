/** *Why This Target?*: what would be flashed where, and what each choice rests on. */
import { l10n, window, workspace } from "vscode";
import { triggerWord } from "../webview/phrases.ts";
import type { Activity } from "./activity.ts";
import type { BoardChoice } from "./board-choice.ts";
import { findBuildTask } from "./build-task.ts";
import type { Config } from "./config.ts";
import type { Projects } from "./projects.ts";
import { describeReport } from "./status-bar.ts";

export interface WhyParts {
  readonly config: Config;
  readonly projects: Projects;
  readonly choice: BoardChoice;
  readonly activity: Activity;
}

/** Opens it as text, which can be read aloud, searched and copied. */
export async function showWhyTarget(parts: WhyParts): Promise<void> {
  await parts.projects.discover();
  const document = await workspace.openTextDocument({ language: "markdown", content: await whyTarget(parts) });
  await window.showTextDocument(document, { preview: true });
}

async function whyTarget({ config, projects, choice, activity }: WhyParts): Promise<string> {
  const project = projects.current;
  const chosen = await choice.find(project);
  const task = await findBuildTask(config.settings.buildTask);
  const lines = ["# Deltaflash", "", `## ${l10n.t("What is flashed")}`, ""];
  if (project === undefined) {
    lines.push(projects.all.length === 0 ? l10n.t("No firmware was found.") : l10n.t("None is chosen yet."));
  } else {
    lines.push(`**${project.title}** (${project.system})`, "", ...project.artifact.map((path) => `- \`${path}\``), "");
    lines.push(...project.reasons.map((reason) => `- ${reason}`));
  }
  const others = projects.all.filter((one) => one !== project);
  if (others.length > 0)
    lines.push("", l10n.t("Also found:"), "", ...others.map((one) => `- ${one.title} (${one.system})`));
  lines.push("", `## ${l10n.t("Where")}`, "");
  if (chosen === undefined) lines.push(l10n.t("No board is chosen, and not exactly one is plugged in."));
  else {
    const { port, chip, baud, board } = chosen.target;
    lines.push(`**${port}**: ${chosen.reason}.`);
    if (port.startsWith("sim:"))
      lines.push("", l10n.t("A simulated board: a model in software, nothing runs on silicon."));
    if (chip !== undefined) lines.push("", l10n.t("Chip: {0}", chip));
    if (board !== undefined) lines.push("", l10n.t("Only the board {0}", board));
    if (baud !== undefined) lines.push("", l10n.t("{0} bits per second", baud));
  }
  lines.push("", `## ${l10n.t("How it is built")}`, "");
  lines.push(
    task === undefined ? l10n.t("There is no build task.") : l10n.t("By the task '{0}' ({1}).", task.name, task.source),
  );
  const last = activity.lastReport;
  if (last !== undefined) {
    lines.push("", `## ${l10n.t("Last flash")}`, "", describeReport(last.report), "");
    lines.push(l10n.t("Started by: {0}", triggerWord(last.trigger)), ...last.report.notes.map((note) => `- ${note}`));
  }
  return `${lines.join("\n")}\n`;
}
