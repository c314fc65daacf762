import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../../../../src/core/bytes.ts";
import { encodePacket, escapedPrefix, PacketDecoder, type WireEvent } from "../../../../src/targets/gdb/packets.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => Uint8Array.from(Buffer.from(value, "latin1"));

/** `packet "OK"`, `ack`, …: one line per event. */
function shown(events: readonly WireEvent[]): string[] {
  return events.map((event) => {
    switch (event.kind) {
      case "packet":
      case "notification":
        return `${event.kind} ${JSON.stringify(Buffer.from(event.body).toString("latin1"))}`;
      case "damaged":
        return `damaged: ${event.why}`;
      case "ack":
      case "nak":
        return event.kind;
    }
  });
}

const decoded = (value: string) => shown(new PacketDecoder().push(text(value)));

/** As a server would send it: without escapes of its own. */
function raw(body: string): string {
  const sum = [...text(body)].reduce((total, byte) => (total + byte) & 0xff, 0);
  return `$${body}#${sum.toString(16).padStart(2, "0")}`;
}

describe("a packet that is sent", () => {
  test("has a checksum of two digits", () => {
    expect(Buffer.from(encodePacket("g")).toString()).toBe("$g#67");
    expect(Buffer.from(encodePacket("")).toString()).toBe("$#00");
    expect(Buffer.from(encodePacket("qSupported:xmlRegisters=arm")).toString()).toBe("$qSupported:xmlRegisters=arm#f7");
  });

  test("has $ # } and * escaped", () => {
    expect([...encodePacket(text("$#}*"))]).toEqual([...text("$}\x04}\x03}]}\x0a#62")]);
  });

  test("carries as many bytes as fit once they are escaped", () => {
    expect(escapedPrefix(text("ab#c"), 0, 4)).toBe(3);
    expect(escapedPrefix(text("ab#c"), 0, 3)).toBe(2);
    expect(escapedPrefix(text("ab#c"), 2, 3)).toBe(2);
    expect(escapedPrefix(text("ab"), 0, 100)).toBe(2);
  });
});

describe("packets that arrive", () => {
  test("are told from acknowledgements and notifications", () => {
    expect(decoded(`+${raw("OK")}-%Stop:T05#99++${raw("")}`)).toEqual([
      "ack",
      'packet "OK"',
      "nak",
      'notification "Stop:T05"',
      "ack",
      "ack",
      'packet ""',
    ]);
  });

  test("have their runs undone: the character behind * says how often, less 29", () => {
    expect(decoded(raw("0* "))).toEqual(['packet "0000"']);
    expect(decoded(raw("ab*~c"))).toEqual([`packet "a${"b".repeat(98)}c"`]);
  });

  test("have escapes and runs undone in one pass", () => {
    expect(decoded(raw("}\x0a* "))).toEqual(['packet "****"']);
    expect(decoded(raw("a}]}\x0a"))).toEqual(['packet "a}*"']);
    expect(decoded(raw("}]* "))).toEqual(['packet "}}}}"']);
  });

  test("that are malformed are damaged, and the next one is understood", () => {
    for (const body of ["*!", "a*", "a*\x1f", "a}", "a*\x7f"]) {
      expect(decoded(raw(body) + raw("OK"))).toEqual(["damaged: a wrong escape or run length", 'packet "OK"']);
    }
    expect(decoded(`$OK#9b${raw("OK")}`)).toEqual(['damaged: checksum "9b" instead of 9a', 'packet "OK"']);
    expect(decoded(`$OK#zz${raw("OK")}`)).toEqual(['damaged: checksum "zz" instead of 9a', 'packet "OK"']);
  });

  test("begin anew at a $ when the end of the one before was lost", () => {
    expect(decoded(`$0000${raw("OK")}`)).toEqual(['packet "OK"']);
  });

  test("that never end, or whose runs explode, are given up", () => {
    const decoder = new PacketDecoder();
    decoder.push(text("$"));
    for (let count = 0; count < 100; count++) decoder.push(new Uint8Array(0x1000).fill(0x61));
    expect(shown(decoder.push(text(`#00${raw("OK")}`)))).toEqual([
      "damaged: a packet longer than 262144 bytes",
      'packet "OK"',
    ]);
    expect(decoded(raw(`a${"*~".repeat(3000)}`))).toEqual(["damaged: a wrong escape or run length"]);
  });

  test("come out the same byte by byte, and cut at every place", () => {
    const wire = text(
      `+${raw("O48690a")}${raw("O")}+${raw("0*\x22f}\x03")}-%Stop:T05#99${raw("T05thread:1;")}+$OK#00${raw("OK")}`,
    );
    const wanted = shown(new PacketDecoder().push(wire));
    expect(wanted).toHaveLength(11);
    const slowly = new PacketDecoder();
    expect(shown([...wire].flatMap((byte) => slowly.push(bytes(byte))))).toEqual(wanted);
    for (let cut = 0; cut <= wire.length; cut++) {
      const decoder = new PacketDecoder();
      expect(shown([...decoder.push(wire.subarray(0, cut)), ...decoder.push(wire.subarray(cut))])).toEqual(wanted);
    }
  });

  test("are what was sent, whatever it was and however it is cut", () => {
    const body = fc.array(fc.oneof(fc.constantFrom(0x23, 0x24, 0x7d, 0x2a, 0x25), fc.integer({ min: 0, max: 255 })));
    fc.assert(
      fc.property(fc.array(body, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 9 })), (bodies, cuts) => {
        const wire = concat(bodies.flatMap((one) => [text("+"), encodePacket(Uint8Array.from(one))]));
        const decoder = new PacketDecoder();
        const found: number[][] = [];
        let at = 0;
        for (const cut of [...cuts, wire.length]) {
          for (const event of decoder.push(wire.subarray(at, at + cut))) {
            if (event.kind === "packet") found.push([...event.body]);
          }
          at += cut;
        }
        expect(found).toEqual(bodies);
      }),
    );
  });
});

test("what stands outside of packets is kept for messages", () => {
  const decoder = new PacketDecoder();
  expect(decoder.push(text(`HTTP/1.1 400 Bad Request\r\n${raw("OK")}`))).toHaveLength(1);
  expect(decoder.noise).toBe("HTTP/1.1 400 Bad Request\r\n");
});
