import { expect, test } from "vitest";
import { shortName, statusText, widthOf, type ButtonState } from "../../../src/extension/status-text.ts";

const states: readonly ButtonState[] = [
  { kind: "idle" },
  { kind: "offer" },
  { kind: "building" },
  { kind: "connecting" },
  { kind: "ready" },
  { kind: "working", phase: "survey", percent: undefined },
  { kind: "working", phase: "write", percent: 42.9 },
  { kind: "working", phase: "verify", percent: 100 },
  { kind: "done", result: "flashed", totalMs: 569.2 },
  { kind: "done", result: "flashed", totalMs: 12_340 },
  { kind: "done", result: "unchanged", totalMs: 204 },
  { kind: "failed", code: "timeout", message: "the board does not answer" },
  { kind: "failed", code: "cancelled", message: "cancelled" },
];

const shown = (state: ButtonState) =>
  statusText("esp32c3", state)
    .text.replace(/[\u2006\u2007]+/g, " ")
    .trimEnd();

test("every state of a board has its words", () => {
  expect(states.map(shown)).toMatchInlineSnapshot(`
    [
      "$(zap) esp32c3  Flash",
      "$(zap) esp32c3  New build",
      "$(sync~spin) esp32c3  Building",
      "$(sync~spin) esp32c3  Connecting",
      "$(sync~spin) esp32c3  Connected",
      "$(sync~spin) esp32c3  Survey",
      "$(sync~spin) esp32c3  Write 42%",
      "$(sync~spin) esp32c3  Verify 99%",
      "$(check) esp32c3  569 ms",
      "$(check) esp32c3  12.3 s",
      "$(check) esp32c3  Unchanged",
      "$(error) esp32c3  Failed",
      "$(error) esp32c3  Cancelled",
    ]
  `);
});

test("the words of all states are equally wide, to a third of a digit", () => {
  const widths = states.map((state) => widthOf(statusText("esp32c3", state).text.replace(/^\$\([^)]*\) /, "")));
  expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(0.33);
});

test("the words of boards with long and short names are equally wide, too", () => {
  const widths = ["", "C3", "ttyUSB0", "tty.usbserial-1420"].map((name) =>
    widthOf(statusText(name, { kind: "idle" }).text.replace(/^\$\([^)]*\) /, "")),
  );
  expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(0.33);
});

test("screen readers hear sentences, and only a failure is red", () => {
  expect(states.map((state) => statusText("esp32c3", state)).filter(({ isError }) => isError)).toHaveLength(2);
  expect(statusText("", { kind: "idle" }).spoken).toBe("Deltaflash, no board chosen: press to save, build and flash");
  expect(statusText("esp32c3", states[8] ?? { kind: "idle" }).spoken).toBe(
    "Deltaflash, esp32c3: flashed in 569 ms. Press to flash again",
  );
});

test("a port has a short name", () => {
  const ports = ["sim:esp32c3?speed=max", "/dev/ttyUSB0", "COM3", "rfc2217://lab:4000?x", "tcp://127.0.0.1:5555"];
  expect(ports.map(shortName)).toEqual(["esp32c3", "ttyUSB0", "COM3", "lab:4000", "127.0.0.1:5555"]);
});
