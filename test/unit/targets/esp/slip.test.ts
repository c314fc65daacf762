import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../../../../src/core/bytes.ts";
import { encodeSlip, SlipDecoder } from "../../../../src/targets/esp/slip.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const payloads = fc.array(
  fc.array(fc.oneof(fc.constantFrom(0xc0, 0xdb, 0xdc, 0xdd), fc.integer({ min: 0, max: 255 })), { minLength: 1 }),
  { maxLength: 6 },
);

describe("frames", () => {
  test("have their own first and last 0xc0, and escape it inside", () => {
    expect(encodeSlip(bytes(1, 0xc0, 2, 0xdb, 3))).toEqual(bytes(0xc0, 1, 0xdb, 0xdc, 2, 0xdb, 0xdd, 3, 0xc0));
  });

  test("come out whole, however the bytes are cut", () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 7 })), (frames, cuts) => {
        const wire = concat(frames.map((frame) => encodeSlip(Uint8Array.from(frame))));
        const decoder = new SlipDecoder();
        const found: Uint8Array[] = [];
        let at = 0;
        for (const cut of [...cuts, wire.length]) {
          found.push(...decoder.push(wire.subarray(at, at + cut)));
          at += cut;
        }
        expect(found.map((frame) => [...frame])).toEqual(frames);
      }),
    );
  });

  test("come out whole byte by byte, and cut at every place", () => {
    const wire = concat([encodeSlip(bytes(0xc0, 0xdb)), encodeSlip(bytes(7))]);
    const wanted = [bytes(0xc0, 0xdb), bytes(7)];
    const slowly = new SlipDecoder();
    expect([...wire].flatMap((byte) => slowly.push(bytes(byte)))).toEqual(wanted);
    for (let cut = 0; cut <= wire.length; cut++) {
      const decoder = new SlipDecoder();
      expect([...decoder.push(wire.subarray(0, cut)), ...decoder.push(wire.subarray(cut))]).toEqual(wanted);
    }
  });

  test("that are empty are no frames", () => {
    expect(new SlipDecoder().push(bytes(0xc0, 0xc0, 0xc0, 0xc0, 5, 0xc0))).toEqual([bytes(5)]);
  });

  test("with a wrong escape are dropped, and the next one is understood", () => {
    expect(new SlipDecoder().push(bytes(0xc0, 1, 0xdb, 0x42, 0xc0, 0xc0, 9, 0xc0))).toEqual([bytes(9)]);
  });

  test("that never end are given up after 64 KiB", () => {
    const decoder = new SlipDecoder();
    decoder.push(bytes(0xc0));
    expect(decoder.push(new Uint8Array(0x10001))).toEqual([]);
    expect(decoder.push(encodeSlip(bytes(3)))).toEqual([bytes(3)]);
  });
});

test("what stands outside of frames is kept as text", () => {
  const decoder = new SlipDecoder();
  decoder.push(Buffer.from("boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"));
  decoder.push(encodeSlip(bytes(1)));
  decoder.push(Buffer.from("waiting"));
  expect(decoder.takeText()).toBe("boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nwaiting");
  expect(decoder.takeText()).toBe("");
});
