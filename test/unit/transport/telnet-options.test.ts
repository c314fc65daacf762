import { expect, test } from "vitest";
import { TelnetDecoder } from "../../../src/transport/telnet.ts";
import { TelnetOptions, telnetOption } from "../../../src/transport/telnet-options.ts";

const { binary, comPort } = telnetOption;

function words(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "nothing";
  const events = new TelnetDecoder().feed(bytes);
  return events.map((event) => (event.kind === "option" ? `${event.verb} ${event.option}` : event.kind)).join();
}

function bothWays(): TelnetOptions {
  return new TelnetOptions({ ours: [comPort, binary], theirs: [comPort, binary] });
}

test("what was asked for and agreed to is on, and the agreement is not answered", () => {
  const options = bothWays();
  expect([...options.askForAll()].map(words)).toEqual(["will 44", "will 0", "do 44", "do 0"]);
  expect(options.isOn(comPort)).toBe(false);
  expect(words(options.receive("do", comPort))).toBe("nothing");
  expect(options.isOn(comPort)).toBe(true);
  expect(words(options.receive("do", comPort))).toBe("nothing");
});

test("what the other end asks for first is granted once", () => {
  const options = bothWays();
  expect(words(options.receive("will", comPort))).toBe("do 44");
  expect(words(options.receive("will", comPort))).toBe("nothing");
});

test("what the other end has offered already is not asked for again", () => {
  const options = bothWays();
  options.receive("do", comPort);
  expect([...options.askForAll()].map(words)).toEqual(["will 0", "do 44", "do 0"]);
  expect(options.isOn(comPort)).toBe(true);
});

test("what we do not have is refused, and a refusal is never answered", () => {
  const options = bothWays();
  expect(words(options.receive("do", 1))).toBe("wont 1");
  expect(words(options.receive("will", 1))).toBe("dont 1");
  expect(words(options.receive("wont", 1))).toBe("nothing");
  expect(words(options.receive("dont", 1))).toBe("nothing");
});

test("it is refused only when both directions were", () => {
  const options = bothWays();
  expect([...options.askForAll()]).toHaveLength(4);
  expect(words(options.receive("dont", comPort))).toBe("nothing");
  expect(options.isRefused(comPort)).toBe(false);
  expect(words(options.receive("wont", comPort))).toBe("nothing");
  expect(options.isRefused(comPort)).toBe(true);
});

test("what is on and taken back is confirmed", () => {
  const options = bothWays();
  options.receive("do", binary);
  expect(words(options.receive("dont", binary))).toBe("wont 0");
  expect(options.isOn(binary)).toBe(false);
});
