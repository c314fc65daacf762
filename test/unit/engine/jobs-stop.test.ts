import { expect, test } from "vitest";
import { filled } from "../../../src/core/bytes.ts";
import { makeImage } from "../../../src/core/image.ts";
import { noProgress } from "../../../src/engine/flash-job.ts";
import { flashMemory } from "../../../src/engine/flash.ts";
import { MemoryBoard, MemoryRecord, testContext } from "./memory-board.ts";

test("a flash that is asked to stop finishes the run that it has begun and begins no other", async () => {
  const map = [{ name: "nor", start: 0, size: 0x40000, sectorSize: 0x1000, erasedByte: 0xff }];
  const stop = new AbortController();
  const board = new (class extends MemoryBoard {
    override async run(step: Parameters<MemoryBoard["run"]>[0]): Promise<void> {
      stop.abort();
      await super.run(step);
    }
  })(map, filled(0x40000, 0));
  const image = makeImage([
    { address: 0x1000, data: filled(0x1000, 1), name: "first" },
    { address: 0x8000, data: filled(0x1000, 2), name: "second" },
  ]);
  const [progress, record] = [noProgress(), new MemoryRecord()];
  const flash = flashMemory({
    ...{ session: board, image, record, progress, context: { ...testContext(), stop: stop.signal } },
    options: { full: false, dryRun: false, reset: true },
  });
  await expect(flash).rejects.toMatchObject({ code: "cancelled" });
  expect(progress).toMatchObject({ dirty: true, written: { sectors: 1 } });
  expect([board.memory[0x1000], board.memory[0x1fff], board.memory[0x8000], board.resets]).toEqual([1, 1, 0, 0]);
  await flashMemory({
    ...{ session: board, image, record, progress: noProgress(), context: testContext() },
    options: { full: false, dryRun: false, reset: true },
  });
  expect([board.memory[0x1000], board.memory[0x8000], board.resets]).toEqual([1, 2, 1]);
});
