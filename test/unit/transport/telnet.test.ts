import fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import {
  encodeSubnegotiation,
  encodeTelnetData,
  encodeTelnetOption,
  TelnetDecoder,
  type TelnetEvent,
} from "../../../src/transport/telnet.ts";

/** Events as text, data pieces joined: how data is cut is no promise. */
function describeEvents(events: readonly TelnetEvent[]): string {
  const words = events.map((event) => {
    if (event.kind === "data") return Buffer.from(event.bytes).toString("hex");
    if (event.kind === "option") return ` ${event.verb} ${event.option} `;
    return ` sub ${event.option} [${Buffer.from(event.payload).toString("hex")}] `;
  });
  return words.join("").replaceAll("  ", " ").trim();
}

function decode(pieces: readonly Uint8Array[]): string {
  const decoder = new TelnetDecoder();
  return describeEvents(pieces.flatMap((piece) => decoder.feed(piece)));
}

const conversation = concat([
  Uint8Array.of(0x01, 0x02),
  encodeTelnetOption("will", 44),
  encodeTelnetOption("dont", 255),
  encodeTelnetData(Uint8Array.of(0xff, 0x03, 0xff, 0xff)),
  encodeSubnegotiation(44, Uint8Array.of(101, 0xff, 0x00, 0xff, 0xf0)),
  Uint8Array.of(0xff, 0xf1), // NOP
  encodeTelnetData(Uint8Array.of(0x04)),
]);
const meaning = "0102 will 44 dont 255 ff03ffff sub 44 [65ff00fff0] 04";

test("data, options and subnegotiations are told apart when they come at once", () => {
  expect(decode([conversation])).toBe(meaning);
});

test("the same comes out byte by byte and cut at every place", () => {
  expect(decode(Array.from(conversation, (byte) => Uint8Array.of(byte)))).toBe(meaning);
  for (let cut = 0; cut <= conversation.length; cut++) {
    expect(decode([conversation.slice(0, cut), conversation.slice(cut)])).toBe(meaning);
  }
});

test("any data survives encoding and decoding in any pieces", () => {
  const byte = fc.oneof(fc.constant(0xff), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(fc.array(byte, { maxLength: 20 })), (pieces) => {
      const decoder = new TelnetDecoder();
      const wire = pieces.map((piece) => encodeTelnetData(Uint8Array.from(piece)));
      const parts = wire
        .flatMap((piece) => decoder.feed(piece))
        .map((event) => (event.kind === "data" ? event.bytes : []));
      expect(parts.flatMap((part) => Array.from(part))).toEqual(pieces.flat());
    }),
  );
});

test("a subnegotiation without end does not grow without end, and does not harm what follows", () => {
  const decoder = new TelnetDecoder();
  decoder.feed(Uint8Array.of(0xff, 0xfa, 44));
  for (let kilobytes = 0; kilobytes < 100; kilobytes++) decoder.feed(new Uint8Array(1024));
  expect(describeEvents(decoder.feed(Uint8Array.of(0xff, 0xf0, 0x61)))).toBe("61");
});

test("data is copied, so that a reused read buffer does not change it", () => {
  const buffer = Buffer.from([1, 2, 3]);
  const [event] = new TelnetDecoder().feed(buffer);
  buffer.fill(9);
  expect(describeEvents(event === undefined ? [] : [event])).toBe("010203");
});
