/** Jobs on one simulated board whose time is virtual, beside real time that passes when the test says so. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import type { BoardAtPort } from "../../../src/engine/board-port.ts";
import type { JobOptions } from "../../../src/engine/job-options.ts";
import { espFamily } from "../../../src/engine/esp-family.ts";
import { History } from "../../../src/engine/history.ts";
import { Jobs, type FlashRequest } from "../../../src/engine/jobs.ts";
import type { BoardState } from "../../../src/engine/views.ts";
import { simPort, type SimPort } from "../../../src/sim/sim-port.ts";
import type { SerialTransport } from "../../../src/transport/transport.ts";
import { firmware, usualJob } from "../../sim/rig.ts";
import { ManualClock, settle } from "./manual-clock.ts";

export const port = "sim:esp32c3?speed=max";
export const wishes = { baud: undefined, useStub: true };

/** Jobs on one simulated board; says what happens to its port. */
export class JobBench {
  readonly folder = mkdtempSync(join(tmpdir(), "deltaflash-jobs-"));
  readonly clock = new ManualClock();
  readonly history = new History(this.folder);
  readonly said: string[] = [];
  readonly sim: SimPort;
  text = "";
  isOpen = false;
  opened = 0;
  openError: FlashError | undefined;
  onState: (state: BoardState) => void = () => undefined;
  readonly jobs: Jobs;

  constructor(words = "esp32c3?speed=max") {
    this.sim = simPort(port, words, undefined);
    this.jobs = new Jobs({
      clock: this.clock,
      history: this.history,
      boardAtPort: () => Promise.resolve(this.#board()),
      observer: {
        state: (_, state) => {
          this.#say(state.kind === "failed" ? `failed ${state.code}` : state.kind);
          this.onState(state);
        },
        monitorText: (_, text) => (this.text += text),
        monitorState: (_, state) => this.#say(`monitor ${state}`),
        log: () => undefined,
      },
    });
  }

  request(kind: "base" | "const", options: Partial<JobOptions> = {}): FlashRequest {
    return {
      artifact: () => firmware(kind),
      options: { ...usualJob, ...options },
    };
  }

  #say(word: string): void {
    if (this.said.at(-1) !== word) this.said.push(word);
  }

  #board(): BoardAtPort {
    const { sim } = this;
    return {
      ...{ port, board: sim.board, clock: sim.clock, family: espFamily },
      wake: () => sim.wake(),
      finish: () => Promise.resolve(undefined),
      open: () => (this.openError === undefined ? Promise.resolve(this.#open()) : Promise.reject(this.openError)),
    };
  }

  #open(): SerialTransport {
    if (this.isOpen) throw new FlashError("port-busy", "the port was opened twice");
    this.isOpen = true;
    this.opened++;
    const transport = this.sim.open();
    const close = transport[Symbol.asyncDispose].bind(transport);
    transport[Symbol.asyncDispose] = async () => {
      this.isOpen = false;
      await close();
    };
    return transport;
  }
}

/** A bench that is cleared away after the test, which fails on an unhandled rejection. */
export function jobBench(words?: string): JobBench {
  const made = new JobBench(words);
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(async () => {
    await settle();
    process.off("unhandledRejection", note);
    rmSync(made.folder, { recursive: true, force: true });
    expect(rejections).toEqual([]);
  });
  return made;
}

export function exposed(one: JobBench) {
  const { jobs, said, clock, sim } = one;
  const request = (kind: "base" | "const", options?: Partial<JobOptions>) => one.request(kind, options);
  return { jobs, said, clock, sim, request, bench: one };
}
