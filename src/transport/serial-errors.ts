/** The serialport package's texts, turned into our errors. The package gives no codes, so its words are all there is. */
import { readFile, stat } from "node:fs/promises";
import { FlashError } from "../core/errors.ts";
import { holderOf } from "./port-holder.ts";

/** A line ioctl on something without lines, such as a pty. */
export function saysNoModemLines(error: unknown): boolean {
  return /inappropriate ioctl|invalid argument/i.test(textOf(error));
}

/**
 * Linux since 6.1.76 and 6.8: a CDC-ACM device that cannot send breaks refuses "break off", with which the package begins
 * every change of lines (serialport/node-serialport issue 2777).
 */
export function saysBreakUnsupported(error: unknown): boolean {
  return /operation not supported|not supported/i.test(textOf(error));
}

/** Why `path` could not be opened. */
export async function openFailure(path: string, cause: unknown): Promise<FlashError> {
  const text = textOf(cause);
  if (/no such file|file not found|no such device|no entry/i.test(text)) {
    return new FlashError("board-not-found", `there is no port ${path}`, { cause });
  }
  if (/permission denied/i.test(text)) {
    const group = await groupOf(path);
    return new FlashError("refused", `this user may not open ${path}`, {
      cause,
      remedy: `Run \`sudo usermod -a -G ${group} $USER\` to join the group ${group} that owns the port, then log in again.`,
    });
  }
  // Windows says "Access denied" for a port that another program has open.
  if (/cannot lock port|resource busy|temporarily unavailable|access denied/i.test(text)) return busy(path, cause);
  if (/inappropriate ioctl|not a (tty|typewriter)|setting custom baud rate/i.test(text)) {
    return new FlashError("board-not-found", `${path} is no serial port (${text})`, { cause });
  }
  return new FlashError("board-not-found", `cannot open ${path} (${text})`, { cause });
}

async function busy(path: string, cause: unknown): Promise<FlashError> {
  const holder = await holderOf(path);
  if (holder === undefined) return new FlashError("port-busy", `${path} is open in another program`, { cause });
  return new FlashError("port-busy", `${path} is open in ${holder.command} (process ${holder.pid})`, {
    cause,
    remedy: `Close ${holder.command} (process ${holder.pid}), then flash again.`,
  });
}

/** The group that owns the device: `dialout` on Debian, `uucp` on Arch. */
async function groupOf(path: string): Promise<string> {
  const usual = "dialout";
  const gid = await stat(path).then(
    (status) => status.gid,
    () => 0,
  );
  if (gid === 0) return usual;
  const groups = await readFile("/etc/group", "utf8").catch(() => "");
  const line = groups.split("\n").find((entry) => entry.split(":")[2] === String(gid));
  return line?.split(":")[0] ?? usual;
}

/** Without the "Error: " that the package puts in front, sometimes twice. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^(Error:?\s+)+/, "").trim();
}
