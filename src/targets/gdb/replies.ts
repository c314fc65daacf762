/** What kind of packet came, as far as that can be seen without knowing what was asked. Source: GDB manual, E.3 "Stop Reply Packets". */

/** Longer texts are data. */
const longestText = 0x10000;

const consoleOutput = /^O(?:[0-9a-f]{2})*$/i;
const stopReply = /^(?:S[0-9a-f]{2}$|T[0-9a-f]{2}|[WX][0-9a-f]{2}(?:;|$))/i;
const refusal = /^(?:E[0-9a-f]{2}|E\..*)?$/i;

/** Text of the server's console, which may be empty; undefined for all that is none. `OK` is none. */
export function consoleTextOf(text: string): string | undefined {
  return text.length <= longestText && consoleOutput.test(text)
    ? Buffer.from(text.slice(1), "hex").toString("utf8")
    : undefined;
}

/** The target has stopped, or is gone. Memory in hex never looks like this. */
export function isStopReply(text: string): boolean {
  return stopReply.test(text);
}

/** A request to run was refused or is unknown. */
export function isRefusal(text: string): boolean {
  return refusal.test(text);
}
