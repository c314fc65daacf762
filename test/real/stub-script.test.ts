import { expect, test } from "vitest";
import { Conversation } from "./stub/conversation.ts";
import { crcsOf, hashedUnits, playScript } from "./stub/script.ts";
import { wasmWire } from "./stub/wires.ts";

test("the wasm core does what the script expects of every stub", async () => {
  const { wire, board } = wasmWire();
  const { text, flash } = await playScript(new Conversation(wire));
  expect(Buffer.from(board.flash).equals(flash)).toBe(true);
  expect(hashedUnits(text.slice(text.lastIndexOf("all:")))).toEqual(crcsOf(flash));
  const withoutData = text.replace(/reply \d+ op 1[12] status 00.*\n/g, "");
  expect(withoutData).toMatchInlineSnapshot(`
    "blank: status 00 ops 2
    literals: reply 4 op 28 status 00 00040000
    status 00 ops 6
    literals: reply 8 op 28 status 00 00040000
    status 00 ops 10
    again: reply 12 op 28 status 00 04000000
    status 00 ops 14
    clear bits only: reply 16 op 28 status 00 00010000
    status 00 ops 18
    everything: reply 9 op 28 status 00 00000200
    status 00 ops 11
    wrong CRC: reply 13 op 28 status 04 
    status 04 ops 13
    outside: reply 0 op 11 status 03 
    status 03 ops 0
    no such operation: reply 0 op 77 status 01 
    status 01 ops 0
    does not fit: reply 1 op 24 status 02 
    status 02 ops 1
    erase: reply 0 op 30 status 00 02000000
    status 00 ops 2
    read: status 00 ops 4
    a damaged and a lost frame: nak 7
    reply 6 op 28 status 00 00040000
    status 00 ops 8
    packed: reply 11 op 28 status 00 00040000
    status 00 ops 13
    all: status 00 ops 2"
  `);
});
