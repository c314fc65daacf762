/** Debian's GDB in a batch: the client that is not ours, which judges servers, boards and images. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "./programs.ts";

const limitMs = 60_000;

interface Batch {
  readonly port: number;
  readonly elf?: string;
  /** `target extended-remote`: nothing is attached yet, and programs are started by `run`. */
  readonly isExtended?: boolean;
  /** One after another; GDB ends at the first that fails. */
  readonly commands: readonly string[];
}

const settings = ["set confirm off", "set pagination off", "set architecture armv6-m", "set remotetimeout 20"];

/** @returns what it printed, warnings included. @throws when a command fails */
export async function gdb({ port, elf, isExtended = false, commands }: Batch): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-gdb-"));
  try {
    // Commands of a script end at the first error; those of -ex do not.
    const script = join(folder, "commands");
    const target = `target ${isExtended ? "extended-remote" : "remote"} 127.0.0.1:${port}`;
    writeFileSync(script, [...settings, target, ...commands, "echo done\\n"].join("\n"));
    await using program = new Program("gdb-multiarch", ["-nx", "-batch", "-x", script, ...(elf ? [elf] : [])]);
    await program.exit(limitMs);
    const said = program.output.printed + program.complaints;
    if (!program.output.printed.includes("done\n")) throw new Error(`gdb stopped early: ${said}`);
    return said;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
