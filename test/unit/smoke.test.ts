import { expect, test } from "vitest";
import { hex } from "../../src/core/bytes.ts";
test("hex pads", () => expect(hex(16, 4)).toBe("0x0010"));
