/** Writes the trace of a flash into a file that ui.perfetto.dev opens. */
import { l10n, Uri, window, workspace } from "vscode";
import { perfettoTrace } from "../core/trace-perfetto.ts";
import type { StoredReport } from "../server/protocol.ts";

/** Asks where. @throws what the editor says when the file cannot be written */
export async function exportTrace(stored: StoredReport | undefined): Promise<void> {
  if (stored === undefined) {
    void window.showInformationMessage(l10n.t("Nothing was flashed yet."));
    return;
  }
  const { report } = stored;
  const root = workspace.workspaceFolders?.[0]?.uri;
  const file = await window.showSaveDialog({
    title: l10n.t("Export the Last Flash"),
    filters: { [l10n.t("Trace for ui.perfetto.dev")]: ["json"] },
    ...(root === undefined ? {} : { defaultUri: Uri.joinPath(root, "deltaflash-trace.json") }),
  });
  if (file === undefined) return;
  const title = `${report.board} on ${report.port}`.trimStart();
  const trace = perfettoTrace({ totalMs: report.totalMs, spans: report.spans }, title);
  await workspace.fs.writeFile(file, Buffer.from(JSON.stringify(trace)));
}
