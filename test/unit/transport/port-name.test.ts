import { expect, test } from "vitest";
import { parsePortName } from "../../../src/transport/port-name.ts";

test("the words for ports are understood", () => {
  const names = [
    "/dev/ttyUSB0",
    "COM3",
    "\\\\.\\COM12",
    "tcp://127.0.0.1:4000",
    "tcp://[::1]:4000/",
    "rfc2217://bench-3.lan:2217?ign_set_control&timeout=5",
    "gdb://localhost:3333",
    "gdb:launch/Debug (OpenOCD)",
    "gdb:settings",
    "gdb:/dev/ttyBmpGdb",
    "gdb:COM4",
    "sim:esp32c3",
  ];
  expect(names.map((name) => JSON.stringify(parsePortName(name)))).toMatchInlineSnapshot(`
    [
      "{"kind":"serial","path":"/dev/ttyUSB0"}",
      "{"kind":"serial","path":"COM3"}",
      "{"kind":"serial","path":"\\\\\\\\.\\\\COM12"}",
      "{"kind":"tcp","host":"127.0.0.1","port":4000}",
      "{"kind":"tcp","host":"::1","port":4000}",
      "{"kind":"rfc2217","host":"bench-3.lan","port":2217,"options":["ign_set_control","timeout=5"]}",
      "{"kind":"gdb","host":"localhost","port":3333}",
      "{"kind":"gdb-launch","name":"Debug (OpenOCD)"}",
      "{"kind":"gdb-settings"}",
      "{"kind":"gdb-serial","path":"/dev/ttyBmpGdb"}",
      "{"kind":"gdb-serial","path":"COM4"}",
      "{"kind":"sim","board":"esp32c3"}",
    ]
  `);
});

test("other words are refused with the words that there are", () => {
  for (const name of [
    "",
    "http://host:80",
    "tcp://host",
    "tcp://host:70000",
    "tcp:host:4000",
    "rfc2217://:2217",
    "gdb:launch/",
    "gdb:x",
  ]) {
    expect(() => parsePortName(name)).toThrow(expect.objectContaining({ code: "board-not-found" }));
  }
});
