/** The view that holds the timing panel: a web page that can load nothing but its own script and style, and what it asks for. */
import { randomBytes } from "node:crypto";
import {
  commands,
  ConfigurationTarget,
  env,
  l10n,
  Uri,
  window,
  workspace,
  type Disposable,
  type LogOutputChannel,
  type Webview,
  type WebviewView,
  type WebviewViewProvider,
} from "vscode";
import type { StoredReport } from "../server/protocol.ts";
import type { FromPanel, ToPanel } from "../webview/messages.ts";
import type { Activity } from "./activity.ts";
import type { Server } from "./client.ts";
import type { FlashWish } from "./flasher.ts";

/** Flashes that the panel shows side by side, and a few to compare them with. */
const shownReports = 30;

export interface TimingPanelParts {
  readonly extensionUri: Uri;
  readonly server: Server;
  readonly activity: Activity;
  readonly log: LogOutputChannel;
  flash(wish: FlashWish): Promise<unknown>;
  exportTrace(stored: StoredReport): Promise<void>;
}

export class TimingPanel implements WebviewViewProvider, Disposable {
  readonly #parts: TimingPanelParts;
  readonly #subscriptions: Disposable[];
  #view: WebviewView | undefined;
  /** What the panel shows, newest first. */
  #reports: readonly StoredReport[] = [];

  constructor(parts: TimingPanelParts) {
    this.#parts = parts;
    this.#subscriptions = [
      window.registerWebviewViewProvider("deltaflash.timing", this),
      parts.server.on("deltaflash/report", (report) => {
        this.#reports = [report, ...this.#reports].slice(0, shownReports);
        this.#post({ kind: "report", report });
      }),
      parts.server.on("deltaflash/state", ({ port, state }) => this.#post({ kind: "state", port, state })),
    ];
  }

  resolveWebviewView(view: WebviewView): void {
    this.#view = view;
    const { extensionUri, log } = this.#parts;
    view.webview.options = {
      enableScripts: true,
      enableCommandUris: false,
      localResourceRoots: [Uri.joinPath(extensionUri, "dist"), Uri.joinPath(extensionUri, "media")],
    };
    view.webview.html = pageFor(view.webview, extensionUri);
    view.webview.onDidReceiveMessage((message: FromPanel) => {
      this.#onMessage(message).catch((error: unknown) => log.error(`timing panel: ${String(error)}`));
    });
    view.onDidDispose(() => {
      if (this.#view === view) this.#view = undefined;
    });
  }

  dispose(): void {
    for (const one of this.#subscriptions) one.dispose();
  }

  #post(message: ToPanel): void {
    void this.#view?.webview.postMessage(message);
  }

  async #onMessage(message: FromPanel): Promise<void> {
    switch (message.kind) {
      case "ready":
        return this.#sendAll();
      case "flash":
        await commands.executeCommand("deltaflash.flash");
        return;
      case "choose-board":
        await commands.executeCommand("deltaflash.selectBoard");
        return;
      case "export-trace": {
        const stored = this.#reports.find((one) => one.at === message.at);
        if (stored !== undefined) await this.#parts.exportTrace(stored);
        return;
      }
      case "advice":
        return this.#follow(message.action);
    }
  }

  /** The reports of the board that was flashed last. */
  async #sendAll(): Promise<void> {
    const { server, activity } = this.#parts;
    const identity = activity.lastReport?.report.identity ?? "";
    const limit = shownReports;
    const { reports } = await server.request("deltaflash/reports", identity === "" ? { limit } : { identity, limit });
    this.#reports = reports;
    const [newest] = reports;
    if (newest !== undefined) activity.remember(newest);
    this.#post({ kind: "reports", reports });
  }

  async #follow(action: Extract<FromPanel, { kind: "advice" }>["action"]): Promise<void> {
    switch (action.kind) {
      case "set-baud":
        return changeSetting("baud", action.baud);
      case "use-stub":
        return changeSetting("useStub", true);
      case "flash-changed":
        await this.#parts.flash({ mode: "changed", build: false, trigger: "advice" });
        return;
      case "explain": {
        const page = Uri.joinPath(this.#parts.extensionUri, "media", "advice.md").with({ fragment: action.topic });
        await commands.executeCommand("markdown.showPreview", page);
      }
    }
  }
}

/** The user pressed a button that says so. */
async function changeSetting(key: string, value: unknown): Promise<void> {
  const where = workspace.workspaceFolders === undefined ? ConfigurationTarget.Global : ConfigurationTarget.Workspace;
  await workspace.getConfiguration("deltaflash").update(key, value, where);
}

function pageFor(webview: Webview, root: Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const script = webview.asWebviewUri(Uri.joinPath(root, "dist", "timing-panel.js")).toString();
  const style = webview.asWebviewUri(Uri.joinPath(root, "media", "timing-panel.css")).toString();
  // Data, which no policy is asked about: it must only not end the element.
  const words = l10n.bundle === undefined ? "" : JSON.stringify(l10n.bundle).replaceAll("<", "\\u003c");
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
    `script-src 'nonce-${nonce}'`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>${l10n.t("Flash Timing")}</title>
</head>
<body>
<main id="timing"></main>
<script type="application/json" id="words">${words}</script>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
