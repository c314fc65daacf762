/** The command line's front door: finds the command, runs it, turns its end into an exit code. Commands are loaded when they are needed. */
import { asFlashError } from "../core/errors.ts";
import { exitCodes, UsageError, type ExitCode } from "./exit.ts";
import { helpFor, noSuchCommand, overview } from "./help.ts";

type Command = (args: readonly string[]) => Promise<ExitCode>;

const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["flash", async () => (await import("./flash.ts")).flashCommand],
  ["plan", async () => (await import("./plan.ts")).planCommand],
  ["sim", async () => (await import("./sim.ts")).simCommand],
  ["boards", async () => (await import("./tables.ts")).boardsCommand],
  ["ports", async () => (await import("./tables.ts")).portsCommand],
  ["history", async () => (await import("./tables.ts")).historyCommand],
]);

async function run(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const about = name === "help" ? rest[0] : undefined;
    process.stdout.write(about === undefined ? overview() : helpFor(about));
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  if (name === "--version" || name === "version") {
    process.stdout.write(`${VERSION}\n`);
    return exitCodes.done;
  }
  const load = commands.get(name);
  if (load === undefined) throw noSuchCommand(name);
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(helpFor(name));
    return exitCodes.done;
  }
  return (await load())(rest);
}

/** Put in by the bundler. */
declare const VERSION: string;

// Whoever reads our output may stop reading: `deltaflash … | head`.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const [name = ""] = process.argv.slice(2);
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    const see = commands.has(name) ? `deltaflash ${name} --help` : "deltaflash --help";
    process.stderr.write(`deltaflash: ${error.message}\nSee: ${see}\n`);
    process.exitCode = exitCodes.usage;
  } else {
    const failure = asFlashError(error);
    process.stderr.write(`deltaflash: ${failure.message}\n${failure.remedy}\n`);
    process.exitCode = failure.code === "cancelled" ? exitCodes.cancelled : exitCodes.failed;
  }
}
