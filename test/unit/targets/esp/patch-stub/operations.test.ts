import { describe, expect, test } from "vitest";
import { FlashError } from "../../../../../src/core/errors.ts";
import {
  commitReply,
  hash,
  helloAnswer,
  helloRequest,
  OperationFailed,
  parseHash,
  parseRead,
  ram,
  read,
  status,
} from "../../../../../src/targets/esp/patch-stub/operations.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

function thrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof FlashError ? `${error.code}: ${error.message}` : error;
  }
}

describe("what the stub is asked", () => {
  test("every number is as short as it can be: seven bits a byte, the lowest first", () => {
    expect(hex(hash(0, 1, 4096).ops)).toBe("11" + "00" + "01" + "8020");
    expect(hex(hash(0x10000, 127, 128).ops)).toBe("11" + "808004" + "7f" + "8001");
    expect(hex(read(0xffffff, 256).ops)).toBe("12" + "ffffff07" + "8002");
    expect(hex(hash(0xffffffff, 0, 0).ops)).toBe("11" + "ffffffff0f" + "00" + "00");
  });

  test("RAM takes an address above 2 GiB, and its bytes as they are", () => {
    expect(hex(ram(0x80000004, bytes("00 ff 80 01")).ops)).toBe("40" + "8480808008" + "04" + "00ff8001");
    expect(hex(ram(0x40380000, new Uint8Array(0)).ops)).toBe("40" + "8080e08104" + "00");
  });

  test("each is one operation of the stream", () => {
    expect([hash(0, 1, 1), read(0, 1), ram(0, bytes("01"))].map(({ operations }) => operations)).toEqual([1, 1, 1]);
  });

  test("HELLO says a nonce and how much flash there is", () => {
    expect(hex(helloRequest.write({ nonce: 0x01020304, flashBytes: 0x400000 }))).toBe("04030201" + "00004000");
  });
});

describe("what the stub answers", () => {
  test("HELLO's answer is read field by field", () => {
    const answer = bytes(
      "04030201 01 05 0000 00800000 00000100 00c00000 ef401600 06000000 efbeadde 40e20100".replaceAll(" ", ""),
    );
    expect(helloAnswer.read(answer)).toEqual({
      ...{ nonce: 0x01020304, protocol: 1, chip: 5, nothing: 0 },
      ...{ ringBytes: 0x8000, blockBytes: 0x10000, saveBytes: 0xc000 },
      ...{ flashId: 0x1640ef, features: 6, build: 0xdeadbeef, clockUs: 123_456 },
    });
    expect(helloAnswer.size).toBe(answer.length);
  });

  test("a HASH reply holds as many digests as it says", () => {
    expect(parseHash(bytes("20000000 02 efbeadde 78563412"))).toEqual({ first: 32, crcs: [0xdeadbeef, 0x12345678] });
    expect(parseHash(bytes("00000000 00"))).toEqual({ first: 0, crcs: [] });
  });

  test("a READ reply says where its bytes belong", () => {
    expect(parseRead(bytes("00010000 aabbcc"))).toEqual({ offset: 0x100, bytes: bytes("aabbcc") });
  });

  test("replies that are cut anywhere are refused, not read beyond their end", () => {
    const [digests, data] = [bytes("20000000 02 efbeadde 78563412"), bytes("00010000")];
    for (let cut = 0; cut < digests.length; cut++) {
      const text = `protocol: a HASH reply of ${cut} bytes is cut short`;
      expect(thrown(() => parseHash(digests.subarray(0, cut)))).toBe(text);
    }
    for (let cut = 0; cut < data.length; cut++)
      expect(thrown(() => parseRead(data.subarray(0, cut)))).toBe(
        `protocol: a READ reply of ${cut} bytes is cut short`,
      );
    for (const reply of [helloAnswer, commitReply])
      expect(thrown(() => reply.read(new Uint8Array(reply.size - 1)))).toContain("protocol: ");
  });

  test("COMMIT counts sectors by what became of them, and microseconds by what they went for", () => {
    const reply = bytes("01 02 03 04 01000000 02000000 03000000 04000000 05000000 06000000");
    expect(commitReply.read(reply)).toEqual({
      ...{ skipped: 1, programmed: 2, erased: 3, blockErased: 4 },
      ...{ composeUs: 1, compareUs: 2, eraseUs: 3, programUs: 4, verifyUs: 5, starvedUs: 6 },
    });
  });
});

describe("an operation that failed", () => {
  test.each(Object.entries(status).filter(([, code]) => code !== status.ok))("%s has words of its own", (_, code) => {
    const { message } = new OperationFailed(3, code);
    expect(message).toMatch(/^the stub says 0x0[1-9a]: [a-z]/);
    expect(message).not.toContain("unknown");
  });

  test("has the code of what the user can do: flash again, or look at the flash chip", () => {
    const codes = [status.verifyFailed, status.wrongContents, status.flashBusy, 0x33].map((code) => {
      const { code: recovery, remedy, index } = new OperationFailed(7, code);
      return [recovery, remedy.includes("suspect the flash chip"), index];
    });
    expect(codes).toEqual([
      ["verify-failed", true, 7],
      ["protocol", false, 7],
      ["protocol", true, 7],
      ["protocol", false, 7],
    ]);
  });
});
