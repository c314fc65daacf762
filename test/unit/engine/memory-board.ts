/** A board that is nothing but NOR flash with AND semantics: what the planner's property tests flash. */
import { md5 } from "../../../src/core/digest.ts";
import { FlashError } from "../../../src/core/errors.ts";
import type { FlashMap } from "../../../src/core/flash-map.ts";
import type { Range } from "../../../src/core/image.ts";
import type { FlashCosts, MemoryStep } from "../../../src/core/plan.ts";
import { TraceRecorder } from "../../../src/core/trace.ts";
import { VirtualClock } from "../../../src/sim/virtual-clock.ts";
import type { KnownSector } from "../../../src/engine/history.ts";
import type { SectorRecord } from "../../../src/engine/flash-job.ts";
import type { Context, MemorySession } from "../../../src/targets/target.ts";

/** The smallest sector of the tests' maps. */
const granule = 0x400;

export class MemoryBoard implements MemorySession {
  readonly kind = "memory";
  readonly digestOf = md5;
  readonly digestsBySector = false;
  readonly chip = "test";
  readonly identity = "test";
  readonly map: FlashMap;
  readonly costs: FlashCosts = {
    sectorEraseMs: 45,
    blockEraseMs: 150,
    programMsPerByte: 0.002,
    wireMsPerByte: 0.01,
    wireRatio: 0.5,
    roundTripMs: 2,
    digestMsPerByte: 0.001,
    overlaps: true,
  };
  readonly memory: Uint8Array;
  /** How often each KiB was erased. */
  readonly erased: Uint8Array;
  questions = 0;
  resets = 0;
  /** The step at which the cable is pulled, counted from 1; half of that step is done. */
  pullAtStep = Infinity;
  #steps = 0;

  constructor(map: FlashMap, memory: Uint8Array) {
    this.map = map;
    this.memory = memory;
    this.erased = new Uint8Array(memory.length / granule);
  }

  digests(ranges: readonly Range[]): Promise<string[]> {
    this.questions += ranges.length;
    return Promise.resolve(ranges.map(({ address, size }) => md5(this.memory.subarray(address, address + size))));
  }

  read({ address, size }: Range): Promise<Uint8Array> {
    return Promise.resolve(this.memory.slice(address, address + size));
  }

  async run(step: MemoryStep): Promise<void> {
    const pulled = ++this.#steps === this.pullAtStep;
    switch (step.kind) {
      case "write": {
        for (const { address, size } of step.erases) {
          this.memory.fill(0xff, address, address + size);
          for (let unit = address / granule; unit < (address + size) / granule; unit++)
            this.erased[unit] = (this.erased[unit] ?? 0) + 1;
        }
        const length = pulled ? step.data.length >> 1 : step.data.length;
        for (let index = 0; index < length; index++) {
          const at = step.address + index;
          this.memory[at] = (this.memory[at] ?? 0) & (step.data[index] ?? 0);
        }
        break;
      }
      case "verify": {
        const [found] = await this.digests([step.range]);
        if (found !== md5(step.data)) throw new FlashError("verify-failed", "differs");
        break;
      }
    }
    if (pulled) throw new FlashError("disconnected", "the cable was pulled");
  }

  reset(): Promise<void> {
    this.resets++;
    return Promise.resolve();
  }
}

export class MemoryRecord implements SectorRecord {
  readonly #sectors = new Map<number, Uint8Array>();
  interrupted: Range[] = [];

  readonly known = ({ address, size }: Range): Uint8Array | undefined => {
    const data = this.#sectors.get(address);
    return data?.length === size ? data : undefined;
  };

  contents(): readonly KnownSector[] {
    return [...this.#sectors].map(([address, data]) => ({ address, data }));
  }

  strikeOut(sectors: readonly Range[]): Promise<void> {
    for (const { address } of sectors) this.#sectors.delete(address);
    this.interrupted = [...sectors];
    return Promise.resolve();
  }

  enter(sectors: readonly KnownSector[]): Promise<void> {
    for (const { address, data } of sectors) this.#sectors.set(address, data);
    this.interrupted = [];
    return Promise.resolve();
  }
}

export function testContext(): Context {
  const clock = new VirtualClock();
  return {
    clock,
    signal: new AbortController().signal,
    trace: new TraceRecorder(clock, { phase: "connect", label: "test" }),
    onProgress: () => undefined,
    log: () => undefined,
  };
}
