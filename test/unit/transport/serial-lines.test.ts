import { expect, test } from "vitest";
import { openFailure } from "../../../src/transport/serial-errors.ts";
import { SerialLines, type LinePort } from "../../../src/transport/serial-lines.ts";

/** A port whose calls fail with these texts of the serialport package. */
function port(failures: { get?: string; set?: string }): LinePort & { calls: unknown[] } {
  const calls: unknown[] = [];
  const answer = (failure: string | undefined) =>
    failure === undefined ? Promise.resolve() : Promise.reject(new Error(failure));
  return {
    calls,
    get: () => answer(failures.get),
    set: (options) => {
      calls.push(options);
      return answer(failures.set);
    },
  };
}

test("both lines are given on every call", async () => {
  const real = port({});
  const lines = await SerialLines.of(real, undefined);
  await lines.set({ dtr: true, rts: false });
  expect(lines.present).toBe(true);
  expect(real.calls).toEqual([{ brk: false, cts: false, dsr: false, dtr: true, rts: false, lowLatency: true }]);
});

test("a port that answers line questions with ENOTTY has no lines, and setting them does nothing", async () => {
  const pty = port({ get: "Error: Inappropriate ioctl for device, cannot get" });
  const lines = await SerialLines.of(pty, undefined);
  await lines.set({ dtr: true, rts: true });
  expect(lines.present).toBe(false);
  expect(pty.calls).toEqual([]);
});

test("a port that notices only when it is set has no lines from then on", async () => {
  const odd = port({ set: "Error: Invalid argument, cannot set" });
  const lines = await SerialLines.of(odd, undefined);
  await lines.set({ dtr: true, rts: true });
  await lines.set({ dtr: false, rts: true });
  expect(lines.present).toBe(false);
  expect(odd.calls).toHaveLength(1);
});

test("a port that is gone says so", async () => {
  const gone = port({ set: "Error: Input/output error, cannot set" });
  const lines = await SerialLines.of(gone, undefined);
  await expect(lines.set({ dtr: true, rts: true })).rejects.toThrow("Input/output error");
});

test("the package's texts become errors that say what to do", async () => {
  const texts = [
    "Error: No such file or directory, cannot open /dev/ttyNONE",
    "Opening COM9: File not found",
    "Error: Permission denied, cannot open /dev/ttyNONE",
    "Error Resource temporarily unavailable Cannot lock port",
    "Opening COM3: Access denied",
    "Error: Inappropriate ioctl for device setting custom baud rate of 115200",
    "Error: Exec format error, cannot open /dev/ttyNONE",
  ];
  const errors = await Promise.all(texts.map((text) => openFailure("/dev/ttyNONE", new Error(text))));
  expect(errors.map((error) => `${error.code}: ${error.message}`)).toMatchInlineSnapshot(`
    [
      "board-not-found: there is no port /dev/ttyNONE",
      "board-not-found: there is no port /dev/ttyNONE",
      "refused: this user may not open /dev/ttyNONE",
      "port-busy: /dev/ttyNONE is open in another program",
      "port-busy: /dev/ttyNONE is open in another program",
      "board-not-found: /dev/ttyNONE is no serial port (Inappropriate ioctl for device setting custom baud rate of 115200)",
      "board-not-found: cannot open /dev/ttyNONE (Exec format error, cannot open /dev/ttyNONE)",
    ]
  `);
  expect(errors[2]?.remedy).toBe(
    "Run `sudo usermod -a -G dialout $USER` to join the group dialout that owns the port, then log in again.",
  );
});
