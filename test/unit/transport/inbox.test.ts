import { expect, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import { Inbox } from "../../../src/transport/inbox.ts";

const gone = new FlashError("disconnected", "gone");

test("a read gets all that has arrived", async () => {
  const inbox = new Inbox();
  inbox.push(Uint8Array.of(1, 2));
  inbox.push(Uint8Array.of(3));
  expect(await inbox.read(0)).toEqual(Uint8Array.of(1, 2, 3));
});

test("a waiting read is woken by bytes, by its deadline, or by the end", async () => {
  const inbox = new Inbox();
  const woken = inbox.read(10_000);
  inbox.push(Uint8Array.of(7));
  expect(await woken).toEqual(Uint8Array.of(7));
  expect(await inbox.read(1)).toEqual(new Uint8Array());
  const first = inbox.read(10_000);
  const second = inbox.read(10_000);
  inbox.finish(gone);
  await expect(first).rejects.toBe(gone);
  await expect(second).rejects.toBe(gone);
});

test("what arrived before the end is read before the end is told", async () => {
  const inbox = new Inbox();
  inbox.push(Uint8Array.of(1));
  inbox.finish(gone);
  inbox.finish(new FlashError("timeout", "a later reason does not count"));
  expect(await inbox.read(0)).toEqual(Uint8Array.of(1));
  await expect(inbox.read(0)).rejects.toBe(gone);
});

test("a full queue holds its sender until a reader or the end makes room", async () => {
  const inbox = new Inbox(2);
  inbox.push(Uint8Array.of(1, 2));
  let room = false;
  const waiting = inbox.room().then(() => (room = true));
  await Promise.resolve();
  expect(room).toBe(false);
  await inbox.read(0);
  await waiting;
  inbox.push(Uint8Array.of(1, 2));
  const held = inbox.room();
  inbox.finish(gone);
  await held;
});

test("a round trip is counted when reading follows sending", async () => {
  const inbox = new Inbox();
  inbox.countSent(2);
  inbox.countSent(1);
  inbox.push(Uint8Array.of(1));
  await inbox.read(0);
  await inbox.read(0);
  expect(inbox.counters).toEqual({ sentBytes: 3, receivedBytes: 1, roundTrips: 1 });
});
