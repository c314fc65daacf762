/** Failures in the user's words, each once, with one button that helps. */
import { commands, l10n, window } from "vscode";
import type { Report } from "./client.ts";
import { describeNoFlash, type FlashEnd, type FlashWish, type NoFlash } from "./flasher.ts";
import { remedyFor, slowBaud, wordsForEditor, type Remedy } from "./remedies.ts";

interface Button {
  readonly title: string;
  act(): Thenable<unknown>;
}

/** @param again flashes with another wish; its own failures are shown by the caller */
export async function showFailure(
  end: FlashEnd,
  wish: FlashWish,
  again: (wish: FlashWish) => Thenable<unknown>,
): Promise<void> {
  const [message, button] = end.kind === "report" ? ofReport(end.report, wish, again) : ofNoFlash(end, wish, again);
  if (message === undefined) return;
  const titles = button === undefined ? [] : [button.title];
  const chosen = await window.showErrorMessage(message, ...titles);
  if (chosen !== undefined && chosen === button?.title) await button.act();
}

type Shown = readonly [message: string | undefined, button?: Button];

function ofReport({ error, port }: Report, wish: FlashWish, again: (wish: FlashWish) => Thenable<unknown>): Shown {
  if (error === null) return [undefined];
  const remedy = remedyFor(error.code, port);
  if (remedy === undefined) return [undefined];
  const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  return [`${message.replace(/[.]?$/, ".")} ${wordsForEditor(error.remedy)}`, buttonFor(remedy, wish, again)];
}

function ofNoFlash(end: NoFlash, wish: FlashWish, again: (wish: FlashWish) => Thenable<unknown>): Shown {
  const message = describeNoFlash(end);
  switch (end.kind) {
    case "superseded":
    case "stopped":
      return [undefined];
    case "no-board":
      return wish.quiet === true ? [message, buttonFor("select-board", wish, again)] : [undefined];
    case "no-build-task":
      return [message, run(l10n.t("Choose Build Task"), "workbench.action.tasks.configureDefaultBuildTask")];
    case "untrusted":
    case "untrusted-server":
      return [message, run(l10n.t("Manage Workspace Trust"), "workbench.trust.manage")];
    case "build-failed":
      return [message, run(l10n.t("Show Problems"), "workbench.actions.view.problems")];
    case "server-gone":
      return [message, buttonFor("flash-again", wish, again)];
    case "debugging":
      return [message, buttonFor("stop-debugging", wish, again)];
  }
}

function buttonFor(remedy: Remedy, wish: FlashWish, again: (wish: FlashWish) => Thenable<unknown>): Button {
  const flash = (title: string, change: Partial<FlashWish>): Button => ({
    title,
    act: () => again({ ...wish, build: false, trigger: "remedy", quiet: false, ...change }),
  });
  switch (remedy) {
    case "select-board":
      return run(l10n.t("Select Board and Port"), "deltaflash.selectBoard");
    case "flash-again":
      return flash(l10n.t("Flash Again"), {});
    case "stop-debugging":
      return flash(l10n.t("Stop Debugging and Flash"), { build: wish.build, stopDebugging: true });
    case "flash-slower":
      return flash(l10n.t("Flash Slower"), { baud: slowBaud });
    case "flash-full":
      return flash(l10n.t("Flash Everything"), { mode: "full" });
    case "build":
      return flash(l10n.t("Build and Flash"), { build: true });
    case "show-changes":
      return run(l10n.t("Show Changes"), "deltaflash.sections.focus");
    case "show-log":
      return run(l10n.t("Show Log"), "deltaflash.showLog");
  }
}

function run(title: string, command: string): Button {
  return { title, act: () => commands.executeCommand(command) };
}
