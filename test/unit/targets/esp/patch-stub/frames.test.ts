import fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "../../../../../src/core/bytes.ts";
import { encodeFrame, FrameDecoder, type Frame } from "../../../../../src/targets/esp/patch-stub/frames.ts";

const frames: fc.Arbitrary<Frame> = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  seq: fc.integer({ min: 0, max: 255 }),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 1024 }),
    fc.integer({ min: 0, max: 1024 }).map((length) => new Uint8Array(length).fill(0x5a)),
    fc.integer({ min: 0, max: 1024 }).map((length) => new Uint8Array(length)),
  ),
});

test("every frame comes out as it went in, wherever the wire cuts it", () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 4 }), fc.integer({ min: 1, max: 700 }), (sent, step) => {
      const wire = concat(sent.map(encodeFrame));
      const decoder = new FrameDecoder();
      const got: Frame[] = [];
      for (let at = 0; at < wire.length; at += step) got.push(...decoder.push(wire.subarray(at, at + step)));
      expect(got.map(({ type, seq, payload }) => [type, seq, [...payload]])).toEqual(
        sent.map(({ type, seq, payload }) => [type, seq, [...payload]]),
      );
      expect(decoder.damaged).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("a zero stands only behind a frame, and a frame of 1024 bytes grows by seven", () => {
  const coded = encodeFrame({ type: 1, seq: 0, payload: new Uint8Array(1024).fill(0x11) });
  expect(coded.indexOf(0)).toBe(coded.length - 1);
  expect(coded.length).toBeLessThanOrEqual(1024 + 2 + 4 + 7);
});

test("a damaged frame is left out and the next one is heard, wherever a bit flips, a byte is lost or doubled", () => {
  const first = encodeFrame({ type: 2, seq: 7, payload: Uint8Array.from({ length: 40 }, (_, index) => index % 5) });
  const second = encodeFrame({ type: 2, seq: 8, payload: Uint8Array.of(1, 2, 3) });
  const third = encodeFrame({ type: 2, seq: 9, payload: Uint8Array.of(4) });
  for (let at = 0; at < first.length - 1; at++) {
    const flipped = first.slice();
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    const lost = concat([first.subarray(0, at), first.subarray(at + 1)]);
    const doubled = concat([first.subarray(0, at + 1), first.subarray(at)]);
    for (const spoilt of [flipped, lost, doubled]) {
      const got = new FrameDecoder().push(concat([spoilt, second, third]));
      expect(got.map((frame) => frame.seq).filter((seq) => seq !== 7)).toEqual([8, 9]);
      expect(got.filter((frame) => frame.seq === 7)).toEqual([]);
    }
  }
});
