/** The long-lived process: owns ports, engine and history, and answers front ends. Wiring only. */
import { dirname } from "node:path";
import { loadArtifact } from "../build/load.ts";
import { BuildWatch } from "../engine/build-watch.ts";
import { History } from "../engine/history.ts";
import { Jobs } from "../engine/jobs.ts";
import { ProgramStore } from "../engine/program-table.ts";
import { ReportStore } from "../engine/reports.ts";
import { stateFolder } from "../engine/state-folder.ts";
import { systemClock } from "../engine/system-clock.ts";
import { Boards } from "./boards.ts";
import { connectFrontEnd, Ending } from "./ending.ts";
import { Flashing } from "./flashing.ts";
import { GdbLaunches } from "./gdb-launches.ts";
import { MonitorOutbox } from "./monitor-outbox.ts";
import { portChoices } from "./port-choices.ts";
import { Projects } from "./projects.ts";
import { ThreadedDelta } from "./threaded-delta.ts";
import { TypedConnection } from "./typed-connection.ts";

/** How long a flash may take to its next request before it is cut off where it is. */
const gentleStopMs = 900;

function main(): void {
  const ending = new Ending();
  const connection = connectFrontEnd(ending);
  const typed = new TypedConnection(connection);
  stayAlive((line) => typed.error(line));
  const folder = stateFolder();
  const history = new History(folder);
  const launches = new GdbLaunches({ clock: systemClock, log: (line) => typed.log(line) });
  const boards = new Boards(folder, launches);
  const reports = new ReportStore(folder);
  const outbox = new MonitorOutbox((port, text) => typed.send("deltaflash/monitor/data", { port, text }));
  const log = (line: string) => typed.log(line);
  const jobs = new Jobs({
    clock: systemClock,
    planDelta: new ThreadedDelta(dirname(process.argv[1] ?? ""), log).plan,
    history,
    boardAtPort: (port) => boards.at(port),
    observer: {
      state: (port, state) => void typed.send("deltaflash/state", { port, state }),
      monitorText: (port, text) => outbox.add(port, text),
      monitorState: (port, state, detail) =>
        void typed.send("deltaflash/monitor/state", { port, state, ...(detail === undefined ? {} : { detail }) }),
      log,
    },
  });
  const projects = new Projects();
  const flashing = new Flashing({
    ...{ jobs, history, reports, projects },
    familyAt: (port) => boards.familyAt(port),
    programs: new ProgramStore(folder),
    onReport: (stored) => void typed.send("deltaflash/report", stored),
    log,
  });

  const builds = new BuildWatch({
    clock: systemClock,
    loadArtifact,
    onCompleted: (build) => void typed.send("deltaflash/buildCompleted", build),
    log,
  });

  typed.on("deltaflash/discover", async (where) => ({ projects: await projects.discover(where) }));
  typed.on("deltaflash/watch", async ({ projects }) => (await builds.watch(projects), null));
  typed.on("deltaflash/hint", (hint) => (builds.hint(hint), null));
  typed.on("deltaflash/ports", async ({ gdb }) => ({ ports: await portChoices(history, await launches.choices(gdb)) }));
  typed.on("deltaflash/prepare", (params) => (launches.knowTarget(params), flashing.prepare(params.target), null));
  typed.on("deltaflash/flash", (params) => (launches.knowTarget(params), flashing.flash(params)));
  typed.on("deltaflash/plan", ({ target, artifact, appOnly = false }) => flashing.plan(target, artifact, appOnly));
  typed.on("deltaflash/cancel", ({ port }) => (jobs.cancel(port), null));
  typed.on("deltaflash/reports", async ({ identity, limit }) => ({ reports: await reports.newest(identity, limit) }));
  typed.on("deltaflash/monitor/open", async ({ port, ...options }) => (await jobs.openMonitor(port, options), null));
  typed.on("deltaflash/monitor/write", async ({ port, text }) => (await jobs.writeToMonitor(port, text), null));
  typed.on("deltaflash/monitor/close", async ({ port }) => (await jobs.closeMonitor(port), null));

  connection.onInitialize(() => ({ capabilities: {}, serverInfo: { name: "deltaflash" } }));
  ending.before(async () => {
    builds.close();
    await jobs.close(gentleStopMs);
    await Promise.all([flashing.settled(), launches.close()]);
  });
  connection.onShutdown(() => ending.begin());
  connection.listen();
}

/** A defect in one request must not take the ports and the other requests along; it is said where developers look. */
function stayAlive(error: (line: string) => void): void {
  const report = (kind: string) => (thrown: unknown) => {
    const text = `${kind}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
    process.stderr.write(`${text}\n`);
    error(text);
  };
  process.on("uncaughtException", report("uncaughtException"));
  process.on("unhandledRejection", report("unhandledRejection"));
}

main();
