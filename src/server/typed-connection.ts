/** The wire to the front end with the types of `protocol.ts`: what is not a message there cannot be sent or handled. */
import { ResponseError, type Connection } from "vscode-languageserver/node";
import { asFlashError } from "../core/errors.ts";
import type { Notifications, Requests } from "./protocol.ts";

export class TypedConnection {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A handler that throws answers with an error whose data hold code and remedy. */
  on<Name extends keyof Requests>(
    name: Name,
    handle: (params: Requests[Name][0]) => Promise<Requests[Name][1]> | Requests[Name][1],
  ): void {
    this.#connection.onRequest(name, async (params: Requests[Name][0]) => {
      try {
        return await handle(params);
      } catch (thrown) {
        const { code, message, remedy } = asFlashError(thrown);
        return new ResponseError(requestFailed, message, { code, remedy });
      }
    });
  }

  /** Resolves when the message is on its way. Never rejects: when the front end is gone, nobody misses it. */
  async send<Name extends keyof Notifications>(name: Name, params: Notifications[Name]): Promise<void> {
    try {
      await this.#connection.sendNotification(name, params);
    } catch {
      return;
    }
  }

  log(line: string): void {
    unlessGone(() => this.#connection.console.log(line));
  }

  error(line: string): void {
    unlessGone(() => this.#connection.console.error(line));
  }
}

/** A wire that is closed throws at once. */
function unlessGone(say: () => void): void {
  try {
    say();
  } catch {
    return;
  }
}

/** Source: LSP 3.17, ErrorCodes.RequestFailed. */
const requestFailed = -32803;
