import { describe, expect, test } from "vitest";
import { encodeFrame, textOf, u32, v, type Frame } from "./frames.ts";
import { blk, commit, copy, erase, fill, hash, ins, noise, read } from "./operations.ts";
import { StubBoard } from "./stub-board.ts";

function boardWith(contents: Uint8Array): StubBoard {
  const board = new StubBoard();
  board.flash.set(contents);
  board.hello();
  return board;
}

const texts = (frames: readonly Frame[]): string => frames.map(textOf).join("\n");
const ping: Frame = { type: 2, seq: 9, payload: Uint8Array.of(3) };
const frame = (seq: number, ...payload: number[]): Frame => ({ type: 1, seq, payload: Uint8Array.from(payload) });

describe("HELLO", () => {
  test("the stub says it by itself, with no nonce", () => {
    const [answer] = new StubBoard().settle();
    expect([...(answer?.payload.subarray(0, 8) ?? [])]).toEqual([1, 0, 0, 0, 0, 0, 1, 5]);
  });

  test("is answered with its nonce, and with what the stub has room for", () => {
    const board = new StubBoard();
    board.settle();
    const { payload } = board.hello();
    const view = new DataView(payload.buffer);
    expect([2, 10, 14, 18, 22, 26].map((at) => view.getUint32(at, true))).toEqual([
      0xc0ffee, 0x8000, 0x10000, 0x8000, 0x1640ef, 3,
    ]);
    expect(payload).toHaveLength(38);
  });

  test("without it no flash is there, and not more than it says", () => {
    const board = new StubBoard();
    board.settle();
    expect(board.perform(read(0, 1))).toContain("op 12 status 03");
    board.hello(0x3fff);
    expect(board.perform(read(0x2fff, 1))).toContain("op 12 status 00");
    expect(board.perform(read(0x2fff, 2))).toContain("op 12 status 03");
  });

  test("in the middle of an erase it waits for its end, says that the operation is dropped, and begins anew", () => {
    const board = boardWith(noise(0x4000));
    board.stream(erase(0, 4));
    board.runFor(20);
    board.frames();
    board.control(1, [...u32(1), ...u32(0x40000)], 1);
    const before = board.us;
    const frames = board.settle();
    expect(texts(frames)).toMatchInlineSnapshot(`
      "reply 0 op 30 status 08 (0 bytes)
      answer 1 op 01 status 00"
    `);
    expect(board.us - before).toBeGreaterThan(20_000);
    expect(board.log).toEqual(["erase sector 0"]);
    expect(board.hello().payload[1]).toBe(0);
    expect(board.perform(read(0x1000, 4))).toContain("reply 0 op 12 status 00");
  });

  test("does not lose a control that comes while the one before is carried out", () => {
    const board = new StubBoard(); // which says its own HELLO first
    board.control(1, [...u32(5), ...u32(0x40000)], 3);
    const coded = board.toStub.splice(4);
    board.step();
    board.toStub.push(...coded);
    expect(texts(board.settle())).toBe("answer 0 op 01 status 00\nanswer 3 op 01 status 00");
  });

  test("forgets a half received operation and a half received frame", () => {
    const board = boardWith(noise(0x1000));
    board.stream([...blk(0, noise(0x1000)), ...ins(noise(100)).slice(0, 50)]);
    board.settle();
    board.toStub.push(...encodeFrame(frame(1, 1, 2, 3)).slice(0, 6), 0);
    board.hello();
    expect(board.perform(hash(0, 1, 4096))).toBe(
      "reply 0 op 11 status 00 (9 bytes)\nack next 1 status 00 ops 1 received 5 drained 5",
    );
  });
});

describe("a frame that is missing", () => {
  test("is asked for once, however many come behind it; those before stay", () => {
    const board = boardWith(noise(0x1000));
    board.send(frame(0, ...read(0, 1)), frame(2, 1), frame(3, 1), frame(4, 1));
    expect(texts(board.settle().filter(({ type }) => type === 0x82))).toBe(
      "nak next 1 status 00 ops 0 received 3 drained 3",
    );
    board.send(frame(1, ...read(0, 1)), frame(2, ...read(0, 1)));
    expect(texts(board.settle().slice(-1))).toBe("ack next 3 status 00 ops 3 received 9 drained 9");
  });

  test("is asked for again when frames keep coming for 20 ms", () => {
    const board = boardWith(noise(0x1000));
    for (let at = 0; at < 45; at++) {
      board.send(frame(9, 1, 2, 3));
      board.runFor(1);
    }
    expect(board.frames().map(({ type }) => type)).toEqual([0x82, 0x82, 0x82]);
  });

  test.each([
    ["flipped", (bytes: number[]) => (bytes[4] ?? 0, bytes.with(4, (bytes[4] ?? 0) ^ 0x10))],
    ["lost", (bytes: number[]) => bytes.toSpliced(4, 1)],
    ["doubled", (bytes: number[]) => bytes.toSpliced(4, 0, bytes[4] ?? 0)],
    ["its end lost", (bytes: number[]) => bytes.slice(0, -1)],
  ])("damaged: a byte %s", (_what, damage) => {
    const board = boardWith(noise(0x1000));
    board.toStub.push(...damage(encodeFrame(frame(0, ...read(5, 10)))));
    board.send(frame(1, 1));
    const naks = board.settle().filter(({ type }) => type === 0x82);
    expect(naks.map(({ payload }) => payload[0])).toEqual([0]);
    board.send(frame(0, ...read(5, 10)));
    expect(texts(board.settle())).toContain("reply 0 op 12 status 00 (14 bytes)");
  });

  test("frames that come a second time are acknowledged, not asked for", () => {
    const board = boardWith(noise(0x1000));
    board.send(frame(0, ...read(0, 1)), frame(1, ...read(0, 1)));
    board.settle();
    board.send(frame(0, ...read(0, 1)), frame(1, ...read(0, 1)));
    expect(texts(board.settle())).toBe("ack next 2 status 00 ops 2 received 6 drained 6");
  });

  test("a frame longer than the protocol allows, and rubbish of any length, do no harm", () => {
    const board = boardWith(noise(0x1000));
    board.send({ type: 1, seq: 0, payload: noise(1025) });
    board.toStub.push(...noise(5000).map((byte) => byte || 1), 0, 0, 0);
    expect(board.settle().map(({ type }) => type)).toEqual([0x82]);
    expect(board.perform(read(0, 1))).toContain("reply 0 op 12 status 00");
  });
});

describe("flow", () => {
  test("a frame beyond the ring is dropped and asked for; nothing of what waits is overwritten", () => {
    const board = boardWith(noise(0x10000));
    const fresh = noise(0x8000, 9);
    board.stream(erase(0, 2));
    board.runFor(1);
    const bytes = [...blk(4, fresh), ...ins(fresh), ...commit()];
    for (let at = 0, seq = 1; at < bytes.length; at += 1024, seq++)
      board.send(frame(seq, ...bytes.slice(at, at + 1024)));
    const naks = board.settle().filter(({ type }) => type === 0x82);
    const next = naks[0]?.payload[0] ?? 0;
    expect(next).toBe(33);
    board.send(frame(33, ...bytes.slice(32 * 1024)));
    expect(texts(board.settle())).toContain("reply 3 op 28 status 00");
    expect(Buffer.compare(board.flash.subarray(0x4000, 0xc000), fresh)).toBe(0);
  });

  test("a long stream gets an ACK for every 4 KiB, not for every frame", () => {
    const board = boardWith(noise(0x1000));
    const fresh = noise(0x8000, 9);
    board.stream([...blk(4, fresh), ...ins(fresh.slice(0, 20000))]);
    const acks = board.settle().filter(({ type }) => type === 0x81);
    expect(acks.length).toBeGreaterThanOrEqual(4);
    expect(acks.length).toBeLessThanOrEqual(6);
  });

  test("the number of a frame wraps", () => {
    const board = boardWith(noise(0x1000));
    for (let seq = 0; seq < 300; seq++) board.send(frame(seq & 0xff, ...read(seq, 1)));
    expect(texts(board.settle().slice(-1))).toBe("ack next 44 status 00 ops 300 received 1072 drained 1072");
  });

  test("PING is answered at once, also in the middle of an erase", () => {
    const board = boardWith(noise(0x4000));
    board.stream(erase(0, 4));
    board.runFor(10);
    board.frames();
    board.send(ping);
    board.runFor(1);
    expect(texts(board.frames())).toBe("answer 9 op 03 status 00\nack next 1 status 00 ops 0 received 3 drained 3");
  });

  test("everything is thrown away after an error, until HELLO", () => {
    const board = boardWith(noise(0x1000));
    expect(board.perform(read(0, 1), [0x77], read(0, 1))).toMatchInlineSnapshot(`
      "reply 0 op 12 status 00 (5 bytes)
      reply 1 op 77 status 01 (0 bytes)
      ack next 1 status 01 ops 1 received 7 drained 7"
    `);
    expect(board.perform([...noise(3000)], read(0, 1))).toBe("ack next 4 status 01 ops 1 received 3010 drained 3010");
    board.hello();
    expect(board.perform(read(0, 1))).toContain("reply 0 op 12 status 00");
  });

  test("the whole stream can be sent again after a HELLO: what the flash holds already is not written", () => {
    const board = boardWith(noise(0x8000));
    const fresh = noise(0x2000, 3);
    const stream = [...blk(1, fresh), ...fill(16, fresh[0] ?? 0).slice(0, 0), ...ins(fresh), ...commit()];
    board.perform(stream);
    const written = board.log.length;
    board.hello();
    expect(board.perform(stream)).toContain("reply 2 op 28 status 00");
    expect(board.log).toHaveLength(written);
    expect(board.perform(blk(3, fresh), copy(0x2000, -0x2000), commit())).toContain("reply 5 op 28 status 00");
  });
});

describe("the rate", () => {
  const toDivider = (board: StubBoard, divider: number): void => board.control(2, u32(divider), 3);

  test("is answered at the old one, and stays when a frame comes at the new one", () => {
    const board = boardWith(noise(0x1000));
    toDivider(board, 20);
    board.runFor(2);
    expect(texts(board.frames())).toBe("answer 3 op 02 status 00");
    board.hostDivider = 20;
    board.send(ping);
    board.runFor(1_000);
    expect(texts(board.frames())).toContain("answer 9 op 03 status 00");
    expect(board.log).toEqual(["divider 20"]);
  });

  test("goes back when none comes within 200 ms", () => {
    const board = boardWith(noise(0x1000));
    toDivider(board, 20);
    board.runFor(150);
    board.frames();
    board.send(ping);
    board.runFor(30);
    expect(board.divider).toBe(20);
    board.runFor(25);
    expect(board.divider).toBe(100);
    board.fromStub.length = 0;
    board.send(ping);
    board.runFor(5);
    expect(texts(board.frames())).toContain("answer 9 op 03 status 00");
  });
});

describe("what has no business on this wire", () => {
  test("unknown controls and wrong arguments are answered so", () => {
    const board = boardWith(noise(0x10));
    board.control(9, [], 1);
    board.control(2, [1, 2], 2);
    board.control(1, [1], 3);
    board.send({ type: 0x55, seq: 1, payload: Uint8Array.of(1) });
    expect(texts(board.settle())).toBe("answer 1 op 09 status 01\nanswer 2 op 02 status 02\nanswer 3 op 01 status 02");
  });

  test("before the write part is there, what is not the boot part's is not loaded, be there such a thing or not", () => {
    const board = boardWith(noise(0x10));
    board.loaded = 0;
    board.control(2, u32(20), 1);
    board.control(9, [], 2);
    expect(texts(board.settle())).toBe("answer 1 op 02 status 09\nanswer 2 op 09 status 09");
    expect(board.divider).toBe(100);
    expect(board.perform(hash(0, 1, 16), read(0, 1))).toContain("reply 1 op 12 status 09");
  });

  test("an operation whose code is another's and more", () => {
    const board = boardWith(noise(0x10));
    expect(board.perform([...v(0x111), 0, 1, 1])).toContain("op 11 status 01");
  });

  test("numbers of more than 32 bits", () => {
    const board = boardWith(noise(0x10));
    expect(board.perform([0x12, 0xff, 0xff, 0xff, 0xff, 0x1f, 1])).toContain("op 12 status 02");
    board.hello();
    expect(board.perform([0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1])).toContain("op 12 status 02");
    board.hello();
    expect(board.perform([0x12, ...v(0xffffffff), 1])).toContain("op 12 status 03");
  });
});
