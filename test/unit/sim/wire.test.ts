/** When bytes arrive, and what a wrong rate makes of them. */
import { expect, test } from "vitest";
import { Wire } from "../../../src/sim/wire.ts";

const wire = (more = {}) => new Wire({ latencyMs: 1, link: "uart", seed: 1, ...more });

test("a byte takes ten bits, behind what travels already, after the bridge's delay", () => {
  const line = wire();
  line.hostBaud = line.deviceBaud = 100_000;
  line.sendFromHost(Uint8Array.of(1, 2), 0);
  line.sendFromHost(Uint8Array.of(3), 0.05);
  expect(line.nextToDeviceMs()).toBeCloseTo(1.1);
  expect(line.peekToDevice(1.15)?.bytes).toEqual(Uint8Array.of(1));
  expect(line.peekToDevice(9)?.bytes).toEqual(Uint8Array.of(1, 2));
  expect(line.consume(2)).toBeCloseTo(1.2);
  expect(line.nextToDeviceMs()).toBeCloseTo(1.3);
});

test("the bridge hands on together what comes within its delay", () => {
  const line = wire();
  line.hostBaud = line.deviceBaud = 100_000;
  line.sendFromDevice(new Uint8Array(25), 0);
  const arrivals: [string, number][] = [];
  for (let next = line.nextToHostMs(); next !== undefined; next = line.nextToHostMs()) {
    line.settle(next);
    const count = line.takeForHost().reduce((sum, bytes) => sum + bytes.length, 0);
    arrivals.push([next.toFixed(1), count]);
  }
  expect(arrivals).toEqual([
    ["1.1", 11],
    ["2.2", 11],
    ["3.3", 3],
  ]);
});

test.each([
  [115_200, 115_200, true],
  [115_200, 119_000, true],
  [115_200, 121_000, false],
  [115_200, 460_800, false],
])("sent at %i and received at %i, bytes arrive whole: %s", (sent, received, whole) => {
  const line = wire();
  line.deviceBaud = sent;
  line.hostBaud = received;
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
  line.sendFromDevice(bytes, 0);
  line.settle(100);
  const arrived = Buffer.concat(line.takeForHost());
  expect(arrived.length).toBe(64);
  expect(arrived.equals(bytes)).toBe(whole);
  line.sendFromHost(bytes, 0);
  const heard = line.peekToDevice(100);
  expect(heard?.sameRate).toBe(whole);
});

test("a host without a rate is understood at any, while the chip changes its own", () => {
  const line = wire();
  line.hostBaud = 0;
  line.deviceBaud = 921_600;
  line.sendFromHost(Uint8Array.of(1, 2, 3), 0);
  line.deviceBaud = 115_200;
  expect(line.peekToDevice(10)?.bytes).toEqual(Uint8Array.of(1, 2, 3));
});

test("a pulled cable loses what is under way, not what has arrived", () => {
  const line = wire();
  line.hostBaud = line.deviceBaud = 100_000;
  line.sendFromDevice(
    Uint8Array.from({ length: 30 }, (_, i) => i),
    0,
  );
  line.cut(2.05);
  expect(Buffer.concat(line.takeForHost()).length).toBe(20);
  expect(line.nextToHostMs()).toBeUndefined();
});
