import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Conversation } from "./stub/conversation.ts";
import { startChip, xtensaChips } from "./stub/esp-machine.ts";
import { chipRow, parts } from "./stub/esp-parts.ts";
import { flashBytes, loadParts, playScript } from "./stub/script.ts";
import { wasmWire } from "./stub/wires.ts";

const riscv = ["esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32c61", "esp32h2", "esp32p4", "esp32p4-rev1"];

describe.each([...riscv, ...xtensaChips])("the machine code for %s", (chip) => {
  const links = parts[chip]?.usb === undefined ? (["UART"] as const) : (["UART", "USB-Serial-JTAG"] as const);

  test.each(links)("does what the wasm core does, over %s", async (link) => {
    const wasm = await playScript(new Conversation(wasmWire().wire));
    const { wire, board, blob, state, romCalls } = startChip(chip, link === "UART" ? 0 : 1);
    const stub = new Conversation(wire);
    const row = chipRow(chip);
    expect(await stub.hello(flashBytes)).toMatchObject({
      chip: chip === "esp8266" ? 0xff : (row.imageChipId ?? 0),
      features: 0,
      build: blob.build,
      flashId: 0x1240ef,
    });
    const digest = Buffer.alloc(4);
    digest.writeUInt32LE(crc32(board.flash.bytes.subarray(0, 0x1000)));
    const looked = await stub.perform(Uint8Array.of(0x11, 0, 1, 0x80, 0x20, 0x20, 0, 1, 0));
    expect(looked).toContain(`reply 0 op 11 status 00 0000000001${digest.toString("hex")}\nreply 1 op 20 status 09`);
    const rateIsThere = chip === "esp8266";
    if (!rateIsThere) expect([...(await stub.control(2, [1, 0, 0, 0])).payload]).toEqual([2, 9]);
    await stub.hello(flashBytes);
    expect(await loadParts(stub, ...blob.write, ...blob.inflate)).toBe(
      `status 00 ops ${blob.write.length + blob.inflate.length}`,
    );
    expect(await stub.hello(flashBytes)).toMatchObject({ features: 3 });
    const played = await playScript(stub);
    expect(played.text).toBe(wasm.text);
    expect(Buffer.from(board.flash.bytes).equals(played.flash)).toBe(true);
    expect(state().interrupts).toBe(false);
    expect(romCalls.length).toBe(chip === "esp8266" ? 2 : 0);
  });
});

/** One chip stands for all RISC-V ones. At 2 Mbaud the FIFO of 128 bytes is full after 0.64 ms: 40 MHz, two cycles each. */
const mostUnwatched = 12_800;

test.each(["esp32c3", ...xtensaChips])("%s looks after its receiver in time", async (chip) => {
  const { wire, board, blob } = startChip(chip, 0);
  const stub = new Conversation(wire);
  await loadParts(stub, ...blob.write, ...blob.inflate);
  await playScript(stub);
  expect(board.longestUnwatched).toBeLessThan(mostUnwatched);
});
