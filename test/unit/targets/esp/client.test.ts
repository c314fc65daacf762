import { beforeEach, describe, expect, test } from "vitest";
import { concat } from "../../../../src/core/bytes.ts";
import { TraceRecorder } from "../../../../src/core/trace.ts";
import { VirtualClock } from "../../../../src/sim/virtual-clock.ts";
import { LoaderClient, LoaderRefusal } from "../../../../src/targets/esp/client.ts";
import { MEM_BEGIN, READ_REG, SPI_FLASH_MD5, SYNC } from "../../../../src/targets/esp/commands.ts";
import { encodeSlip } from "../../../../src/targets/esp/slip.ts";
import type { Transport } from "../../../../src/transport/transport.ts";

/** Answers to come, in order: bytes at once, or silence for a while. */
class ScriptedTransport implements Transport {
  readonly name = "script";
  readonly counters = { sentBytes: 0, receivedBytes: 0, roundTrips: 0 };
  readonly sent: string[] = [];
  readonly answers: Uint8Array[] = [];
  readonly #clock: VirtualClock;
  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }
  write(bytes: Uint8Array): Promise<void> {
    this.sent.push(Buffer.from(bytes).toString("hex"));
    return Promise.resolve();
  }
  read(timeoutMs: number): Promise<Uint8Array> {
    const next = this.answers.shift();
    if (next === undefined) this.#clock.advanceTo(this.#clock.nowMs() + timeoutMs);
    return Promise.resolve(next ?? new Uint8Array(0));
  }
  flushInput(): Promise<void> {
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

let clock: VirtualClock;
let transport: ScriptedTransport;
let cancel: AbortController;
let client: LoaderClient;

beforeEach(() => {
  clock = new VirtualClock();
  transport = new ScriptedTransport(clock);
  cancel = new AbortController();
  client = new LoaderClient(transport, {
    clock,
    signal: cancel.signal,
    trace: new TraceRecorder(clock, { phase: "connect", label: "test" }),
    onProgress: () => undefined,
    log: () => undefined,
  });
});

/** 01 op len value body */
const answer = (op: number, body: number[], value = 0) => {
  const header = Buffer.alloc(8);
  header.writeUInt8(1, 0);
  header.writeUInt8(op, 1);
  header.writeUInt16LE(body.length, 2);
  header.writeUInt32LE(value, 4);
  return encodeSlip(concat([header, Uint8Array.from(body)]));
};

describe("a request", () => {
  test("is one frame with length, checksum and data", async () => {
    transport.answers.push(answer(MEM_BEGIN.op, [0, 0, 0, 0]));
    await client.request(MEM_BEGIN, Uint8Array.of(1, 2, 3, 4), { checksum: 0xab });
    expect(transport.sent).toEqual(["c000050400ab00000001020304c0"]);
  });

  test("takes the answer to its own number and skips late answers to others", async () => {
    transport.answers.push(
      answer(SYNC.op, [0, 0, 0, 0]),
      answer(SYNC.op, [0, 0, 0, 0]),
      answer(READ_REG.op, [0, 0, 0, 0], 0x1b31506f),
    );
    expect(await client.readRegister(0x40001000)).toBe(0x1b31506f);
  });

  test("succeeds when the first status byte is 0, whatever an earlier error left in the second", async () => {
    transport.answers.push(answer(READ_REG.op, [0, 5, 0x11, 0x12], 7));
    expect(await client.readRegister(0)).toBe(7);
  });

  test("understands answers with four, two and no status bytes too many", async () => {
    const digest = Array.from({ length: 32 }, (_, index) => 0x30 + (index % 10));
    transport.answers.push(answer(SPI_FLASH_MD5.op, [...digest, 0, 0, 0, 0]));
    expect((await client.request(SPI_FLASH_MD5, new Uint8Array(16), { dataBytes: 32 })).body).toHaveLength(32);
    transport.answers.push(answer(SPI_FLASH_MD5.op, [...digest.slice(0, 16), 0, 0]));
    expect((await client.request(SPI_FLASH_MD5, new Uint8Array(16), { dataBytes: 16 })).body).toHaveLength(16);
  });

  test.each([
    [[1, 5, 0, 0], "MEM_BEGIN: message is invalid (status 0x01 0x05)"],
    [[1, 7, 0, 0], "MEM_BEGIN: checksum wrong (status 0x01 0x07)"],
    [[0xc1, 0], "MEM_BEGIN: checksum wrong (status 0xc1 0x00)"],
    [[0xc7, 0], "MEM_BEGIN: inflate failed (status 0xc7 0x00)"],
  ])("reports the loader's error %j in words", async (status, message) => {
    transport.answers.push(answer(MEM_BEGIN.op, status));
    await expect(client.request(MEM_BEGIN, new Uint8Array(0))).rejects.toThrow(message);
  });

  test("of a digest that fails shows the error behind the residue", async () => {
    transport.answers.push(answer(SPI_FLASH_MD5.op, [...new Array<number>(32).fill(9), 1, 9, 0, 0]));
    await expect(client.request(SPI_FLASH_MD5, new Uint8Array(16), { dataBytes: 32 })).rejects.toBeInstanceOf(
      LoaderRefusal,
    );
  });

  test("ends at its deadline, which grows with the flash that it works on", async () => {
    const startMs = clock.nowMs();
    await expect(client.request(SPI_FLASH_MD5, new Uint8Array(16), { flashBytes: 0x200000 })).rejects.toMatchObject({
      code: "timeout",
      message: "no answer to SPI_FLASH_MD5 from the ROM loader on script within 19000 ms",
    });
    expect(clock.nowMs() - startMs).toBeCloseTo(19_000);
  });

  test("ends soon after it was cancelled", async () => {
    const waiting = client.request(SPI_FLASH_MD5, new Uint8Array(16));
    cancel.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });

  test("is not disturbed by text around its answer, which is kept for messages", async () => {
    transport.answers.push(Buffer.from("Guru Meditation\r\n"), answer(READ_REG.op, [0, 0, 0, 0], 3));
    expect(await client.readRegister(0)).toBe(3);
    expect(client.heard).toContain("Guru Meditation");
  });
});

describe("SYNC", () => {
  test("tells a ROM, which repeats the payload's first word, from a stub, which sends 0", async () => {
    transport.answers.push(answer(SYNC.op, [0, 0, 0, 0], 0x20120707));
    expect(await client.sync(100)).toBe("rom");
    transport.answers.push(...Array.from({ length: 8 }, () => answer(SYNC.op, [0, 0])));
    expect(await client.sync(100)).toBe("stub");
    expect(transport.answers).toEqual([]);
  });

  test("is nobody when nothing comes", async () => {
    expect(await client.sync(25)).toBeUndefined();
    expect(clock.nowMs()).toBe(25);
  });
});
