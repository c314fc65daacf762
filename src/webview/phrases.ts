/** Words for what the engine names by a key: phases, and what a flash was started by. For the panel and for the status bar. */
import * as l10n from "@vscode/l10n";
import type { Phase } from "../core/trace.ts";

const phaseWords: Readonly<Record<Phase, () => string>> = {
  wait: () => l10n.t("wait"),
  connect: () => l10n.t("connect"),
  survey: () => l10n.t("survey"),
  plan: () => l10n.t("plan"),
  erase: () => l10n.t("erase"),
  write: () => l10n.t("write"),
  verify: () => l10n.t("verify"),
  load: () => l10n.t("load"),
  reset: () => l10n.t("reset"),
};

/** A verb in small letters; what is no phase is said as it is. */
export function phaseWord(phase: string): string {
  return phase in phaseWords ? phaseWords[phase as Phase]() : phase;
}

/** @param trigger as kept with the report: `key`, `build:task+watcher` … */
export function triggerWord(trigger: string): string {
  if (trigger.startsWith("build:")) return l10n.t("a build ({0})", trigger.slice("build:".length));
  switch (trigger) {
    case "key":
      return l10n.t("key");
    case "button":
      return l10n.t("button");
    case "task":
      return l10n.t("task");
    case "remedy":
      return l10n.t("remedy");
    case "advice":
      return l10n.t("advice");
    case "api":
      return l10n.t("another extension");
    default:
      return trigger;
  }
}

/** For the beginning of a line. */
export function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
