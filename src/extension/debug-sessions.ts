/** The debug sessions that have a debug probe, and so the board, to themselves. */
import { debug, type DebugSession, type Disposable } from "vscode";
import { holdsProbe } from "./remedies.ts";

/** A debugger that takes longer to let go of its probe has failed to. */
const endLimitMs = 5_000;

export class DebugSessions implements Disposable {
  readonly #sessions = new Set<DebugSession>();
  readonly #watching: readonly Disposable[];
  #onEnd: () => void = () => undefined;

  constructor() {
    const { activeDebugSession } = debug; // one that began before this extension
    if (activeDebugSession !== undefined) this.#sessions.add(activeDebugSession);
    this.#watching = [
      debug.onDidStartDebugSession((session) => void this.#sessions.add(session)),
      debug.onDidTerminateDebugSession((session) => {
        this.#sessions.delete(session);
        this.#onEnd();
      }),
    ];
  }

  /** Of any window's own sessions the first that holds a probe. */
  get current(): DebugSession | undefined {
    return [...this.#sessions].find(({ type }) => holdsProbe(type));
  }

  /** Resolves when all of them have ended, or do not in time. */
  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      const check = () => {
        if (this.current === undefined) resolve();
      };
      this.#onEnd = check;
      setTimeout(resolve, endLimitMs);
      check();
    });
    for (const session of this.#sessions) if (holdsProbe(session.type)) await debug.stopDebugging(session);
    await ended;
    this.#onEnd = () => undefined;
  }

  dispose(): void {
    for (const watch of this.#watching) watch.dispose();
  }
}
