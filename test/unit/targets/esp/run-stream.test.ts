import { inflateSync } from "node:zlib";
import { deflate } from "pako";
import { expect, test } from "vitest";
import { chipNamed } from "../../../../src/targets/esp/chips.ts";
import { LoaderClient } from "../../../../src/targets/esp/client.ts";
import { pack, Packer } from "../../../../src/targets/esp/run-stream.ts";
import { makeSimBoard } from "../../../../src/sim/boards.ts";
import { SimTransport } from "../../../../src/sim/sim-transport.ts";
import { VirtualClock } from "../../../../src/sim/virtual-clock.ts";
import { pseudoFirmware } from "../../../sim/rig.ts";
import { testContext } from "../../engine/memory-board.ts";

function packer(): Packer {
  const chip = chipNamed("esp32c3");
  if (chip === undefined) throw new Error("the chip is in the table");
  const transport = new SimTransport(makeSimBoard({ board: "esp32c3" }), new VirtualClock());
  const client = new LoaderClient(transport, testContext());
  client.personality = "stub";
  return new Packer(client, chip);
}

const run = (data: Uint8Array, address = 0x10000) => ({
  address,
  data,
  erases: [{ address, size: data.length, unit: "sector" as const }],
});

test("what goes over the wire inflates to the run, and is no bigger than pako would make it", async () => {
  for (const size of [0x1000, 0x10000, 0x40000]) {
    const data = pseudoFirmware(size, size);
    const packed = await pack(data);
    expect(Buffer.from(inflateSync(packed)).equals(data)).toBe(true);
    expect(packed.length).toBeLessThanOrEqual(deflate(data, { level: 9 }).length);
  }
});

test("a run that was got ready is not deflated again, and every run gets its own bytes", async () => {
  const one = packer();
  const [first, second] = [run(pseudoFirmware(0x4000, 1)), run(pseudoFirmware(0x4000, 2), 0x20000)];
  one.getReady(second);
  const streams = [await one.streamOf(first), await one.streamOf(second), await one.streamOf(first)];
  expect(streams.map(({ bytes }) => Buffer.from(inflateSync(bytes)).equals(first.data))).toEqual([true, false, true]);
  expect(Buffer.from(inflateSync(streams[1]?.bytes ?? Buffer.alloc(0))).equals(second.data)).toBe(true);
});

test("what does not get smaller goes over the wire as it is", async () => {
  const data = await pack(pseudoFirmware(0x4000, 3));
  const { bytes, begin } = await packer().streamOf(run(data.subarray(0, 0x1000)));
  expect([bytes.length, begin.name]).toEqual([0x1000, "FLASH_BEGIN"]);
});

test("deflating 4 MiB leaves the thread free for everything else", async () => {
  const data = pseudoFirmware(0x400000, 4);
  const before = performance.eventLoopUtilization();
  await pack(data);
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});
