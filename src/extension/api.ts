/** What other extensions get from `extensions.getExtension("deltaflash.deltaflash").exports`. */
import type { Event } from "vscode";
import type { BuildCompleted, FlashMode, StoredReport } from "../server/protocol.ts";

export interface FlashOptions {
  /** Default `changed`. */
  readonly mode?: FlashMode;
  /** Run the build task first. Default false. */
  readonly build?: boolean;
  /** Default: the chosen board's. */
  readonly port?: string;
  /** Paths as the command line takes them. Default: the workspace's firmware. */
  readonly artifact?: readonly string[];
}

export interface DeltaflashApi {
  readonly version: 1;
  /** Asks the user nothing. @throws Error when there is no board, no build task, or the build fails; a failed flash is a report */
  flash(options?: FlashOptions): Promise<StoredReport["report"]>;
  /** After every flash, whoever started it, failed ones too. */
  readonly onDidFlash: Event<StoredReport>;
  /** After every build of the workspace's firmware that was noticed. */
  readonly onDidBuild: Event<BuildCompleted>;
}
