import { expect, test } from "vitest";
import { MonitorText, timeOfDay } from "../../../src/extension/monitor-text.ts";

const make = () => {
  let seconds = 0;
  return new MonitorText(() => `t${++seconds}`);
};
const stamp = (n: number) => `\x1b[2mt${n}\x1b[22m  `;

test("line ends become what a terminal wants", () => {
  expect(make().format("a\nb\r\nc", false)).toBe("a\r\nb\r\nc");
});

test("a line end that was cut in two stays one", () => {
  const text = make();
  expect(text.format("a\r", false) + text.format("\nb", false)).toBe("a\r\nb");
});

test("each line has one time, however its bytes come in", () => {
  const whole = make().format("ab\ncd\n\nef", true);
  const text = make();
  const byteWise = Array.from("ab\ncd\n\nef", (char) => text.format(char, true)).join("");
  expect(whole).toBe(`${stamp(1)}ab\r\n${stamp(2)}cd\r\n\r\n${stamp(3)}ef`);
  expect(byteWise).toBe(whole);
});

test("a remark begins on a line of its own", () => {
  const text = make();
  text.format("half", false);
  expect(text.remark("paused")).toBe("\r\n\x1b[2m--- paused ---\x1b[22m\r\n");
  expect(text.remark("connected")).toBe("\x1b[2m--- connected ---\x1b[22m\r\n");
});

test("times are local and have milliseconds", () => {
  expect(timeOfDay(new Date(2026, 0, 2, 3, 4, 5, 6))).toBe("03:04:05.006");
});
