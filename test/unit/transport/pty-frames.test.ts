import { expect, test } from "vitest";
import { PtyFrames } from "../../../src/sim/pty-frames.ts";

const stream = Buffer.from("5000042f702f35" + "4f0000" + "42000400012c00" + "440003ff0044" + "430000", "hex");
const meaning = [
  { kind: "path", path: "/p/5" },
  { kind: "opened" },
  { kind: "rate", baud: 76_800 },
  { kind: "data", bytes: Uint8Array.of(0xff, 0x00, 0x44) },
  { kind: "closed" },
];

test("the helper's frames are understood at once, byte by byte, and cut at every place", () => {
  const bytes = new Uint8Array(stream);
  expect(new PtyFrames().feed(bytes)).toEqual(meaning);
  const slow = new PtyFrames();
  expect(Array.from(bytes).flatMap((byte) => slow.feed(Uint8Array.of(byte)))).toEqual(meaning);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames = new PtyFrames();
    expect([...frames.feed(bytes.slice(0, cut)), ...frames.feed(bytes.slice(cut))]).toEqual(meaning);
  }
});
