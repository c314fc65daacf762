import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuildFusion, type Snapshot } from "../../../src/engine/build-watch-fusion.ts";
import type { BuildCompleted } from "../../../src/engine/views.ts";

const files = (mtimeMs: number, size = 100): Snapshot => [{ size, mtimeMs }];
const missing: Snapshot = [{ size: -1, mtimeMs: 0 }];

/** Files and artifact as they are at a moment, and what the fusion tells of them. */
class Play {
  readonly fusion = new BuildFusion("p");
  readonly told: (BuildCompleted & { readonly atMs: number })[] = [];
  nowMs = 0;
  /** What stands on the disk from a moment on. */
  readonly changes: { readonly atMs: number; readonly snapshot: Snapshot; readonly id: string | undefined }[] = [];

  constructor() {
    this.fusion.begin(files(1), "old");
    this.changes.push({ atMs: 0, snapshot: files(1), id: "old" });
  }

  /** From `atMs` on the files look like this; without an id they are not complete. */
  disk(atMs: number, mtimeMs: number, id: string | undefined): this {
    this.changes.push({ atMs, snapshot: files(mtimeMs), id });
    return this;
  }

  /** Hints in order of their time; then all is carried out until it rests. */
  run(hints: readonly (readonly [atMs: number, source: string, exitCode?: number | undefined])[]): readonly string[] {
    const queue = [...hints];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      this.nowMs = Math.max(this.nowMs, next[0]);
      this.fusion.hint(next[1], next[2], this.nowMs);
      let step = this.fusion.start();
      while (step.kind !== "rest") {
        if (step.kind === "look") {
          const atMs = this.nowMs + step.inMs;
          for (; queue[0] !== undefined && queue[0][0] <= atMs; queue.shift()) {
            this.fusion.hint(queue[0][1], queue[0][2], queue[0][0]);
          }
          this.nowMs = atMs;
          step = this.fusion.seen(this.#now().snapshot, atMs);
        } else if (step.kind === "digest") {
          step = this.fusion.digested(this.#now().id, this.#now().snapshot, this.nowMs);
        } else {
          this.told.push({ ...step.build, atMs: this.nowMs });
          step = this.fusion.start();
        }
      }
    }
    return this.told.map(
      ({ id, sources, exitCode, changed, atMs }) =>
        `${atMs}: ${id}${changed ? "" : " again"} from ${sources.join("+")}${exitCode === undefined ? "" : ` exit ${exitCode}`}`,
    );
  }

  #now() {
    const found = this.changes.filter((change) => change.atMs <= this.nowMs).at(-1);
    if (found === undefined) throw new Error("nothing stands there");
    return found;
  }
}

describe("a build that ends", () => {
  test("is told 100 ms after its task, with everyone who noticed", () => {
    const play = new Play().disk(0, 2, "new");
    expect(
      play.run([
        [0, "watcher"],
        [40, "task", 0],
        [50, "terminal"],
      ]),
    ).toEqual(["100: new from watcher+task+terminal exit 0"]);
  });

  test("is told from its files alone when they have been still for half a second", () => {
    const play = new Play().disk(0, 2, "half").disk(300, 3, "new");
    expect(
      play.run([
        [0, "watcher"],
        [310, "watcher"],
      ]),
    ).toEqual(["800: new from watcher"]);
  });

  test("is told without a change when it has linked nothing new", () => {
    expect(new Play().run([[0, "task", 0]])).toEqual(["100: old again from task exit 0"]);
  });

  test("is not told by files that are as they were", () => {
    expect(new Play().run([[0, "watcher"]])).toEqual([]);
  });

  test("is told once: repeats within 5 s are dropped, later ones are not", () => {
    const play = new Play().disk(0, 2, "new");
    const hints = [
      [0, "task", 0],
      [1_000, "terminal", 0],
      [2_000, "watcher"],
      [6_000, "task", 0],
    ] as const;
    expect(play.run(hints)).toEqual(["100: new from task exit 0", "6100: new again from task exit 0"]);
  });

  test("is told once more when the exit code comes after the files have been told", () => {
    const play = new Play().disk(0, 2, "new");
    expect(
      play.run([
        [0, "watcher"],
        [1_500, "task", 0],
      ]),
    ).toEqual(["500: new from watcher", "1600: new from task exit 0"]);
  });

  test("waits for a program that is half written", () => {
    const play = new Play().disk(0, 2, undefined).disk(450, 3, "new");
    expect(play.run([[0, "task", 0]])).toEqual(["600: new from task exit 0"]);
  });

  test("is given up when its program stays half written, or when there is none", () => {
    expect(new Play().disk(0, 2, undefined).run([[0, "task", 0]])).toEqual([]);
    const play = new Play();
    play.changes.push({ atMs: 0, snapshot: missing, id: undefined });
    expect(play.run([[0, "task", 0]])).toEqual([]);
  });
});

describe("a build that fails", () => {
  test("is never told, though its files have changed", () => {
    const play = new Play().disk(0, 2, "new");
    expect(
      play.run([
        [0, "watcher"],
        [60, "task", 2],
        [80, "watcher"],
        [200, "watcher"],
      ]),
    ).toEqual([]);
  });

  test("does not keep the next one from being told", () => {
    const play = new Play().disk(0, 2, "new").disk(5_000, 3, "newer");
    expect(
      play.run([
        [0, "watcher"],
        [60, "task", 2],
        [5_000, "watcher"],
      ]),
    ).toEqual(["5500: newer from watcher"]);
    expect(
      new Play().disk(0, 2, "new").run([
        [0, "task", 1],
        [100, "task", 0],
      ]),
    ).toEqual(["400: new from task exit 0"]);
  });
});

test("whatever comes in whatever order, no build is told twice within 5 s but to add its exit code", () => {
  const hint = fc.tuple(
    fc.integer({ min: 0, max: 20_000 }),
    fc.constantFrom("watcher", "task", "terminal"),
    fc.constantFrom(undefined, 0, 1),
  );
  const change = fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.constantFrom("a", "b", undefined));
  fc.assert(
    fc.property(fc.array(hint, { maxLength: 12 }), fc.array(change, { maxLength: 6 }), (hints, changes) => {
      const play = new Play();
      changes.sort((a, b) => a[0] - b[0]).forEach(([atMs, id], index) => play.disk(atMs, index + 2, id));
      play.run(
        hints
          .sort((a, b) => a[0] - b[0])
          .map(([atMs, source, code]) => [atMs, source, source === "watcher" ? undefined : code]),
      );
      for (const [index, build] of play.told.entries()) {
        expect(build.exitCode === undefined || build.exitCode === 0).toBe(true);
        const before = play.told
          .slice(0, index)
          .filter((one) => one.id === build.id && build.atMs - one.atMs < 5_000)
          .at(-1);
        const between = before === undefined ? [] : play.told.slice(play.told.indexOf(before) + 1, index);
        if (before !== undefined && between.length === 0)
          expect([before.exitCode, build.exitCode]).toEqual([undefined, 0]);
      }
    }),
    { numRuns: 300 },
  );
});
