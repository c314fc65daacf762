import { expect, test } from "vitest";
import { frameType } from "../../../../../src/targets/esp/patch-stub/frames.ts";
import type { Reply } from "../../../../../src/targets/esp/patch-stub/stream.ts";
import { Random } from "../../../../../src/sim/random.ts";
import { baud, operationOf, streamBench, type FakeOptions, type StreamBench } from "./fake-stub.ts";

/** Sends operations of these sizes and waits for the last one. */
async function run(bench: StreamBench, sizes: readonly number[]): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  bench.stream.onReply = (reply) => void replies.push(reply);
  for (const size of sizes) bench.stream.append(operationOf(size));
  await bench.stream.reach(sizes.length);
  return replies;
}

async function finished(options: FakeOptions, sizes: readonly number[]): Promise<StreamBench> {
  const bench = streamBench(options);
  await run(bench, sizes);
  expect(bench.stub.done).toEqual(sizes);
  expect(bench.stub.overflows).toBe(0);
  return bench;
}

const many = Array.from({ length: 400 }, (_, index) => 20 + ((index * 997) % 3000));
const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
const losing = (type: number, ...numbers: readonly number[]) =>
  (() => {
    let seen = 0;
    return (_: unknown, frame: { readonly type: number }) => frame.type === type && numbers.includes(seen++);
  })();

test("operations of any size are carried out once each, in order, also where frame numbers wrap around", async () => {
  const bench = streamBench();
  const replies = await run(bench, many);
  expect(bench.stub.done).toEqual(many);
  expect(replies.map(({ index }) => index)).toEqual(many.map((_, index) => index));
  expect(bench.stream).toMatchObject({ done: many.length, repeated: 0 });
});

test("the wire never idles while there is something to send", async () => {
  const bench = await finished({}, many);
  const leastMs = (sum(many) * 10_000) / baud;
  expect(bench.stub.clock.nowMs() / leastMs).toBeLessThan(1.03);
});

test("no more is sent than the stub has room for, however slow it is", async () => {
  const bench = await finished(
    { ringBytes: 2048, operationMs: 30 },
    many.slice(0, 60).map((size) => (size % 900) + 20),
  );
  expect(bench.stream.repeated).toBe(0);
});

test("a frame that is lost is sent again, with those behind it", async () => {
  const bench = await finished({ loses: losing(frameType.stream, 7) }, many);
  expect(bench.stream.repeated).toBeGreaterThan(0);
  expect(bench.stream.repeated).toBeLessThan(10);
});

test("a NAK that comes many times makes the stream go back once", async () => {
  const once = await finished({ loses: losing(frameType.stream, 7) }, many);
  const storm = await finished({ loses: losing(frameType.stream, 7), naks: 12 }, many);
  expect(storm.stream.repeated).toBe(once.stream.repeated);
});

test("a NAK that is lost comes again", async () => {
  const loses = (() => {
    const [frame, nak] = [losing(frameType.stream, 7), losing(frameType.nak, 0)];
    return (...words: Parameters<typeof frame>) => frame(...words) || nak(...words);
  })();
  const bench = await finished({ loses }, many);
  expect(bench.stream.repeated).toBeLessThan(40);
});

test("where the last frame is lost nobody says NAK: the stub is asked after a silence", async () => {
  const bench = await finished({ loses: losing(frameType.stream, 2) }, [1000, 1000, 1000]);
  expect(bench.stream.repeated).toBe(1);
  expect(bench.stub.clock.nowMs()).toBeLessThan(400);
});

test("lost acknowledgements cost nothing as long as one comes through", async () => {
  const loses = (direction: string, _: unknown, number: number) => direction === "out" && number % 5 !== 0;
  const bench = await finished({ loses }, many);
  const leastMs = (sum(many) * 10_000) / baud;
  expect(bench.stub.clock.nowMs() / leastMs).toBeLessThan(1.6);
});

test("where everything that the stub said was lost it is asked, and nothing is sent again that has arrived", async () => {
  let now = 0;
  const loses = (direction: string) => direction === "out" && now++ < 6;
  const bench = await finished({ loses }, [500, 500, 500]);
  expect(bench.stream.repeated).toBe(0);
  expect(bench.stub.clock.nowMs()).toBeLessThan(500);
});

test("an operation that takes seconds is waited for, and asked after meanwhile", async () => {
  const bench = await finished({ operationMs: 2_500 }, [600, 600, 600]);
  expect(bench.stream.repeated).toBe(0);
  expect(bench.stub.clock.nowMs()).toBeLessThan(7_700);
});

test("a stub that says nothing any more is given up within two seconds", async () => {
  const bench = streamBench();
  bench.stub.isDead = true;
  await expect(run(bench, [500, 500])).rejects.toMatchObject({
    code: "timeout",
    message: "Deltaflash's stub on fake has gone silent",
  });
  expect(bench.stub.clock.nowMs()).toBeLessThan(2_000);
});

test("a stub that answers but gets nowhere is given up as well", async () => {
  const bench = streamBench({ operationMs: Infinity });
  await expect(run(bench, [500, 500])).rejects.toMatchObject({
    code: "timeout",
    message: "Deltaflash's stub on fake answers, but gets nowhere",
  });
  expect(bench.stub.clock.nowMs()).toBeLessThan(17_000);
});

test("an operation that fails ends the stream, and says which one it was", async () => {
  const bench = streamBench({ fails: { index: 3, status: 4 } });
  const failure = { code: "protocol", index: 3, status: 4 };
  await expect(run(bench, [100, 100, 100, 100, 100])).rejects.toMatchObject(failure);
  expect(bench.stream.done).toBe(3);
  await expect(bench.stream.reach(4)).rejects.toMatchObject(failure);
});

test("a failure is known also where its own reply was lost", async () => {
  const bench = streamBench({
    fails: { index: 1, status: 5 },
    loses: (direction, frame) => direction === "out" && frame.type === frameType.reply,
  });
  await expect(run(bench, [100, 100, 100])).rejects.toMatchObject({ code: "verify-failed", index: 1, status: 5 });
});

test("a cancelled stream ends at once", async () => {
  const bench = streamBench({ operationMs: 400 });
  bench.stream.onReply = () => bench.end.abort();
  for (let count = 0; count < 9; count++) bench.stream.append(operationOf(200));
  await expect(bench.stream.reach(9)).rejects.toMatchObject({ code: "cancelled" });
  expect(bench.stub.clock.nowMs()).toBeLessThan(600);
});

test("frames lost at random in both directions: everything is carried out once, in a bounded time", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const share = 0.01 + 0.07 * random.unit();
    const sizes = Array.from({ length: 40 }, () => 2 + (random.u32() % 4000));
    const options = { operationMs: random.unit() * 20, ringBytes: 0x2000, loses: () => random.unit() < share };
    const bench = streamBench(options);
    await run(bench, sizes);
    expect(bench.stub.done, `seed ${seed}`).toEqual(sizes);
    expect(bench.stub.clock.nowMs(), `seed ${seed}`).toBeLessThan(30_000);
  }
});
