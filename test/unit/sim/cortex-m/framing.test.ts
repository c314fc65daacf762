/** Packets of GDB's remote protocol at the simulated server's end. */
import { expect, test } from "vitest";
import { encodePacket, PacketReader, type Incoming } from "../../../../src/sim/cortex-m/gdb-framing.ts";

const stream = Buffer.from("+$X100,3:a}\x03}]#3d\x03-$m0,4#fd$m0,4#00", "latin1");
const expected: Incoming[] = [
  { kind: "ack" },
  { kind: "packet", body: "X100,3:a#}" },
  { kind: "interrupt" },
  { kind: "nak" },
  { kind: "packet", body: "m0,4" },
  { kind: "broken packet" },
];

test("packets are the same whole, byte by byte and cut anywhere", () => {
  expect(new PacketReader().take(stream)).toEqual(expected);
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new PacketReader();
    expect([...reader.take(stream.subarray(0, cut)), ...reader.take(stream.subarray(cut))]).toEqual(expected);
  }
  const reader = new PacketReader();
  expect([...stream].flatMap((byte) => reader.take(Uint8Array.of(byte)))).toEqual(expected);
});

test("what is escaped is read back as it was", () => {
  const body = Array.from({ length: 256 }, (_, at) => String.fromCharCode(at)).join("");
  expect(new PacketReader().take(encodePacket(body, false))).toEqual([{ kind: "packet", body }]);
});

test("repeated characters are run-length coded when asked", () => {
  const text = (body: string) => Buffer.from(encodePacket(body, true)).toString("latin1");
  expect(text("0000")).toBe("$0* #7a");
  expect(text("000000")).toMatch(/^\$0\*"#/);
  // Seven and eight would need # and $ as counts.
  expect(text("0000000")).toBe(text("0000000"));
  expect(text("0".repeat(7))).not.toContain("*##");
  expect(text("0".repeat(8))).not.toContain("*$#");
  expect(text("ab")).toBe("$ab#c3");
});
