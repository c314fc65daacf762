/** Flash requests of front ends: read the artifact, run the job, keep the report and tell everyone. */
import type { Artifact } from "../build/artifact.ts";
import { loadArtifact } from "../build/load.ts";
import { stalenessOf } from "../build/stale.ts";
import { asFlashError, FlashError } from "../core/errors.ts";
import type { Family } from "../engine/family.ts";
import type { JobOptions } from "../engine/job-options.ts";
import type { Jobs } from "../engine/jobs.ts";
import type { History } from "../engine/history.ts";
import { elfOf, planView } from "../engine/plan-view.ts";
import { programTable, type ProgramStore } from "../engine/program-table.ts";
import { failedBefore, type Report } from "../engine/report.ts";
import type { ReportStore } from "../engine/reports.ts";
import type { Projects } from "./projects.ts";
import type { FlashMode, FlashParams, PlanView, StoredReport, TargetSelection } from "./protocol.ts";

export interface FlashingParts {
  readonly jobs: Jobs;
  readonly history: History;
  readonly reports: ReportStore;
  readonly programs: ProgramStore;
  readonly projects: Pick<Projects, "foreignChipOf">;
  /** @throws FlashError `board-not-found` for a name that is no port */
  familyAt(port: string): Family;
  onReport(report: StoredReport): void;
  log(line: string): void;
}

const modes: readonly FlashMode[] = ["changed", "full", "ram", "plan"];

export class Flashing {
  readonly #parts: FlashingParts;
  /** Until the last of them is kept. */
  readonly #pending = new Set<Promise<Report>>();

  constructor(parts: FlashingParts) {
    this.#parts = parts;
  }

  /** Never rejects: what goes wrong is in the report. */
  flash(params: FlashParams): Promise<Report> {
    const flashing = this.#flash(params).finally(() => this.#pending.delete(flashing));
    this.#pending.add(flashing);
    return flashing;
  }

  /** Resolves when every flash that was asked for has its report, and the report is kept. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  async #flash(params: FlashParams): Promise<Report> {
    const report = await this.#run(params);
    const stored = { at: Date.now(), trigger: params.trigger, artifact: params.artifact, report };
    this.#parts.onReport(stored);
    // What never reached a port is no part of a board's history.
    if (report.spans.length > 0 && report.result !== "planned") {
      await this.#parts.reports.add(stored).catch((error: unknown) => {
        this.#parts.log(`the report could not be kept: ${String(error)}`);
      });
    }
    return report;
  }

  prepare(target: TargetSelection): void {
    this.#check(target);
    this.#parts.jobs.prepare(target.port, {
      baud: target.baud,
      useStub: target.useStub ?? true,
      officialStub: target.officialStub ?? false,
    });
  }

  /** @throws FlashError for an artifact that cannot be read, and where nobody knows the chip */
  async plan(target: TargetSelection, paths: readonly string[], appOnly: boolean): Promise<PlanView> {
    this.#check(target);
    const artifact = await this.#artifact(target, paths, appOnly);
    const { port, chip, baud } = target;
    return planView({ family: this.#parts.familyAt(port), port, chip, baud, artifact }, this.#parts);
  }

  #check(target: TargetSelection): void {
    checkTarget(target);
    if (target.chip !== undefined) this.#parts.familyAt(target.port).requireChip(target.chip);
  }

  /** @throws FlashError `wrong-chip` for a program of a chip that cannot be flashed yet, and whatever reading it may throw */
  async #artifact(target: TargetSelection, paths: readonly string[], appOnly: boolean): Promise<Artifact> {
    const artifact = await loadArtifact(paths, { appOnly });
    const chip = target.chip ?? this.#parts.projects.foreignChipOf(paths);
    this.#parts.familyAt(target.port).requireSupported(artifact, chip);
    return artifact;
  }

  /** For the comparison with the next build. */
  async #rememberProgram(identity: string, artifact: Artifact): Promise<void> {
    try {
      const elf = await elfOf(artifact);
      if (elf !== undefined) await this.#parts.programs.keep(identity, programTable(elf));
    } catch (error) {
      this.#parts.log(`the symbols could not be kept: ${String(error)}`);
    }
  }

  async #run(params: FlashParams): Promise<Report> {
    try {
      checkParams(params);
      this.#check(params.target);
      const { target, artifact, mode, appOnly = false } = params;
      let flashed: Artifact | undefined;
      const report = await this.#parts.jobs.flash(target.port, {
        artifact: async () => (flashed = await this.#artifact(target, artifact, appOnly)),
        options: optionsFor(target, mode),
      });
      if (flashed === undefined) return report;
      if (holdsProgram(report)) await this.#rememberProgram(report.identity, flashed);
      return { ...report, notes: [...report.notes, ...(await stalenessOf(flashed))] };
    } catch (thrown) {
      const { port } = fieldsOf<"port">(fieldsOf<"target">(params).target);
      return failedBefore(typeof port === "string" ? port : "", asFlashError(thrown));
    }
  }
}

/** The flash of the board is now what the artifact says. */
function holdsProgram({ result }: Report): boolean {
  return result === "flashed" || result === "unchanged";
}

function optionsFor(target: TargetSelection, mode: FlashMode): JobOptions {
  return {
    baud: target.baud,
    chip: target.chip,
    identity: target.board,
    full: mode === "full",
    ram: mode === "ram",
    dryRun: mode === "plan",
    reset: true,
    useStub: target.useStub ?? true,
    officialStub: target.officialStub ?? false,
    appOffset: undefined,
    flashBytes: undefined,
  };
}

/** Settings are typed by hand: what is no text or number is said, not guessed. @throws FlashError `refused` */
function checkTarget(target: TargetSelection): void {
  const { port, chip, board, baud, useStub, officialStub } = fieldsOf<keyof TargetSelection>(target);
  if (typeof port !== "string" || port === "") throw wrong("port", "text such as /dev/ttyUSB0");
  if (!isTextOrNothing(chip)) throw wrong("chip", "text such as esp32c3");
  if (!isTextOrNothing(board)) throw wrong("board", "text");
  const isBaud = typeof baud === "number" && Number.isInteger(baud) && baud >= 300 && baud <= 10_000_000;
  if (baud !== undefined && !isBaud) throw wrong("baud", "a whole number of bits per second, 300 to 10000000");
  if (useStub !== undefined && typeof useStub !== "boolean") throw wrong("useStub", "true or false");
  if (officialStub !== undefined && typeof officialStub !== "boolean") throw wrong("officialStub", "true or false");
}

/** Of something that came over a wire; no fields for what is no object. */
function fieldsOf<Name extends string>(value: unknown): Readonly<Partial<Record<Name, unknown>>> {
  return (typeof value === "object" && value !== null ? value : {}) as Partial<Record<Name, unknown>>;
}

function checkParams(params: FlashParams): void {
  const { artifact, mode } = fieldsOf<"artifact" | "mode">(params);
  const isList = Array.isArray(artifact) && artifact.length > 0 && artifact.every((one) => typeof one === "string");
  if (!isList) throw wrong("artifact", "a list of paths");
  if (!modes.some((one) => one === mode)) throw wrong("mode", `one of ${modes.join(", ")}`);
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function wrong(name: string, wanted: string): FlashError {
  return new FlashError("refused", `the setting '${name}' has a value of the wrong kind`, {
    remedy: `It must be ${wanted}; correct it in the settings.`,
  });
}
