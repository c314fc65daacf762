/** Stands in for Cortex-Debug in the tests: a session of its type that debugs nothing and ends when it is told to. */
import {
  debug,
  DebugAdapterInlineImplementation,
  Disposable,
  EventEmitter,
  type DebugAdapter,
  type DebugProtocolMessage,
  type ExtensionContext,
} from "vscode";

interface Request {
  readonly seq: number;
  readonly command: string;
}

function idleAdapter(): DebugAdapter {
  const sent = new EventEmitter<DebugProtocolMessage>();
  const send = (message: Readonly<Record<string, unknown>>) => sent.fire({ seq: 0, ...message });
  const handleMessage = (message: DebugProtocolMessage) => {
    const { seq, command } = message as unknown as Request;
    const body = command === "threads" ? { threads: [] } : {};
    send({ type: "response", request_seq: seq, success: true, command, body });
    if (command === "initialize") send({ type: "event", event: "initialized" });
    if (command === "disconnect" || command === "terminate") send({ type: "event", event: "terminated" });
  };
  return Object.assign(new Disposable(() => sent.dispose()), { onDidSendMessage: sent.event, handleMessage });
}

export function activate(context: ExtensionContext): void {
  context.subscriptions.push(
    debug.registerDebugAdapterDescriptorFactory("cortex-debug", {
      createDebugAdapterDescriptor: () => new DebugAdapterInlineImplementation(idleAdapter()),
    }),
  );
}
