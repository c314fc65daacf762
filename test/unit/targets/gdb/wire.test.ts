import { beforeEach, describe, expect, test } from "vitest";
import { ask, askText, monitor, type ServerRefusal, type UnknownRequest } from "../../../../src/targets/gdb/ask.ts";
import { GdbWire } from "../../../../src/targets/gdb/wire.ts";
import { FakeServer, hexOf, packet } from "./fake-server.ts";

let server: FakeServer;
let wire: GdbWire;
const commandOf = (body: string) => Buffer.from(body.slice("qRcmd,".length), "hex").toString();

beforeEach(() => {
  server = new FakeServer((body) => {
    if (body.startsWith("qRcmd,")) {
      switch (commandOf(body)) {
        case "in pieces":
          return ["O", `O${hexOf("Hello, ")}`, "O", "T05", `O${hexOf("world\n")}`, "OK"];
        case "as the answer":
          return hexOf("pyOCD says so\n");
        case "nothing to say":
          return hexOf("OK\n");
        case "wrong":
          return [`O${hexOf("no such thing\n")}`, "E01"];
        default:
          return "";
      }
    }
    return { a: "1", b: "2", bad: "E01", why: "E.no flash", silence: undefined, "?": "S05" }[body];
  });
  wire = new GdbWire(server, server.context);
});

describe("a request", () => {
  test("goes out in one write, and its answer is acknowledged", async () => {
    expect(await askText(wire, ask("a"))).toBe("1");
    expect(server.writes).toEqual([packet("a"), "+"]);
  });

  test("goes without acknowledgements once both sides agreed", async () => {
    wire.sendsAcks = false;
    expect(await askText(wire, ask("a"))).toBe("1");
    expect(server.writes).toEqual([packet("a")]);
  });

  test("takes its own answer, whatever stands around it and however it is cut", async () => {
    server.piece = 1;
    server.say("O");
    server.say(`O${hexOf("target state: halted")}`);
    server.say("S05");
    server.say("raw %Stop:T05#99");
    expect(await askText(wire, ask("a"))).toBe("1");
    expect(await askText(wire, ask("b"))).toBe("2");
    expect(await askText(wire, ask("?", { answeredByStop: true }))).toBe("S05");
    expect(server.log).toEqual(["GDB server: target state: halted"]);
  });

  test("is sent again when the server refused it, and is given up after the fifth time", async () => {
    server.refusals = 3;
    expect(await askText(wire, ask("a"))).toBe("1");
    expect(wire.counters).toEqual({ requests: 1, roundTrips: 1, resent: 3 });
    server.refusals = 100;
    await expect(askText(wire, ask("b"))).rejects.toMatchObject({
      code: "protocol",
      message: "the GDB server on tcp://fake:1 refused b 5 times: checksum wrong",
    });
  });

  test("that the server refuses or does not know is told from one that it carried out", async () => {
    await expect(askText(wire, ask("bad"))).rejects.toMatchObject({
      code: "refused",
      reply: "E01",
      message: "bad: the GDB server on tcp://fake:1 answered E01",
    } satisfies Partial<ServerRefusal>);
    await expect(askText(wire, ask("why"))).rejects.toMatchObject({ reply: "E.no flash" });
    await expect(monitor(wire, "dance")).rejects.toMatchObject({
      name: "FlashError",
      message: "the GDB server on tcp://fake:1 does not know monitor dance",
    } satisfies Partial<UnknownRequest>);
  });

  test("ends at its deadline, which names the packet; then the connection is of no use", async () => {
    await expect(askText(wire, ask("silence", { timeoutMs: 700 }))).rejects.toMatchObject({
      code: "timeout",
      message: "the GDB server on tcp://fake:1 did not answer silence within 700 ms",
    });
    expect(server.clock.nowMs()).toBe(700);
    await expect(askText(wire, ask("a"))).rejects.toMatchObject({ code: "timeout" });
    expect(server.heard).toEqual(["silence"]);
  });

  test("of which a part of the answer was damaged gets it again while there are acknowledgements, and fails without", async () => {
    server.also((body) => (body === "c" ? "raw $1#00" : body === "-" ? "1" : undefined));
    expect(await askText(wire, ask("c"))).toBe("1");
    expect(server.naksHeard).toBe(1);
    wire.sendsAcks = false;
    await expect(askText(wire, ask("c"))).rejects.toMatchObject({
      code: "protocol",
      message: 'the GDB server on tcp://fake:1 sent a damaged packet (checksum "00" instead of 31)',
    });
  });

  test("to a server that died says so", async () => {
    const waiting = askText(wire, ask("silence"));
    server.dead = true;
    await expect(waiting).rejects.toMatchObject({ code: "disconnected" });
    await expect(askText(wire, ask("a"))).rejects.toMatchObject({ code: "disconnected" });
  });
});

describe("the text of a command to the server", () => {
  test("comes in console packets, with empty ones to keep the connection alive, or as the answer itself", async () => {
    expect(await monitor(wire, "in pieces")).toBe("Hello, world\n");
    expect(await monitor(wire, "as the answer")).toBe("pyOCD says so\n");
    expect(await monitor(wire, "nothing to say")).toBe("");
  });

  test("is the reason when the command failed", async () => {
    await expect(monitor(wire, "wrong")).rejects.toThrow(
      "monitor wrong: the GDB server on tcp://fake:1 answered E01 (no such thing)",
    );
  });
});

describe("a pipeline", () => {
  const many = (count: number, options = {}) => Array.from({ length: count }, () => ask("a", options));

  test("has no more packets and no more bytes under way than its window says, and costs few round trips", async () => {
    wire.sendsAcks = false;
    server.acks = false;
    wire.window = { packets: 16, bytes: 1000 };
    let answers = 0;
    await wire.pipeline(many(40), () => answers++);
    expect([answers, server.mostUnanswered]).toEqual([40, 16]);
    server.mostUnanswered = 0;
    await wire.pipeline(many(40, { answerBytes: 300 }), () => answers++);
    expect([answers, server.mostUnanswered]).toEqual([80, 3]);
    await wire.pipeline(many(2, { answerBytes: 5000 }), () => answers++);
    expect(answers).toBe(82);
  });

  test("ends with the first refusal, and what still comes is not taken for later answers", async () => {
    wire.window = { packets: 16, bytes: 1000 };
    const asks = [ask("a"), ask("bad"), ask("b"), ask("b")];
    const heard: string[] = [];
    const work = wire.pipeline(asks, ({ body }) => {
      heard.push(Buffer.from(body).toString());
      if (heard.length === 2) throw new Error("enough");
    });
    await expect(work).rejects.toThrow("enough");
    expect(await askText(wire, ask("a"))).toBe("1");
    expect(heard).toEqual(["1", "E01"]);
  });
});

describe("a cancel", () => {
  test("ends a wait at once, though the server is silent", async () => {
    server.stuck = "reads";
    const waiting = askText(wire, ask("a"));
    await new Promise((resolve) => setImmediate(resolve));
    server.cancel.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    await expect(askText(wire, ask("b"))).rejects.toMatchObject({ code: "cancelled" });
  });

  test("ends a write at once that nobody takes", async () => {
    server.stuck = "writes";
    const waiting = askText(wire, ask("a"));
    server.cancel.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });

  test("leaves the connection in step: the late answer is dropped, and what was read is not lost", async () => {
    const waiting = askText(wire, ask("a"));
    server.cancel.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    const answer = await wire.evenIfCancelled(() => askText(wire, ask("b")));
    expect(answer).toBe("2");
    await expect(askText(wire, ask("a"))).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("a target that runs", () => {
  test("tells its stop, once; one that comes late is not taken for the stop of the next run", async () => {
    server.also((body) => (body === "c" ? ["O", `O${hexOf("x")}`, "T05thread:1;", "S02"] : undefined));
    await wire.run("c");
    expect(wire.isRunning).toBe(true);
    expect(await wire.waitStop(1000)).toBe("T05thread:1;");
    expect(wire.isRunning).toBe(false);
    expect(await askText(wire, ask("a"))).toBe("1");
  });

  test("that does not stop is interrupted, by a byte of its own", async () => {
    server.also((body) => (body === "vCont;c" ? [] : body === "^C" ? "S02" : undefined));
    await wire.run("vCont;c");
    expect(await wire.waitStop(50)).toBeUndefined();
    await wire.interrupt();
    expect(await wire.waitStop(50)).toBe("S02");
    expect(server.heard).toEqual(["vCont;c", "^C"]);
  });

  test("may be asked about its memory where the server allows that: the stop comes when it comes", async () => {
    wire.listensWhileRunning = true;
    server.also((body) => (body === "c" ? [] : body === "m" ? ["T05", "abcd"] : undefined));
    await wire.run("c");
    expect(await askText(wire, ask("a"))).toBe("1");
    expect(await askText(wire, ask("m"))).toBe("abcd");
    expect(await wire.waitStop(0)).toBe("T05");
  });

  test("is not asked anything where the server would stop it, or not hear", async () => {
    server.also((body) => (body === "c" ? [] : undefined));
    await wire.run("c");
    await expect(askText(wire, ask("a"))).rejects.toThrow("hears no a while the core runs");
    expect(server.heard).toEqual(["c"]);
  });

  test("may ask for files of this machine, which it does not get, and runs on", async () => {
    server.also((body) => (body === "c" ? ["Fwrite,1,20000000,5"] : undefined));
    await wire.run("c");
    expect(await wire.waitStop(100)).toBeUndefined();
    expect(wire.isRunning).toBe(true);
  });

  test("is not believed to run when the server refused, nor to be stopped when it says OK", async () => {
    server.also((body) => (body === "c" ? "E0b" : body === "vCont;c" ? "" : body === "C" ? "OK" : undefined));
    await wire.run("c");
    await expect(wire.waitStop(100)).rejects.toThrow("the GDB server on tcp://fake:1 does not let the core run (E0b)");
    await wire.run("vCont;c");
    await expect(wire.waitStop(100)).rejects.toThrow("(unknown request)");
    await wire.run("C");
    expect(await wire.waitStop(100)).toBeUndefined();
    expect(wire.isRunning).toBe(true);
  });
});

describe("the goodbye", () => {
  test("takes as long as its answer", async () => {
    server.also((body) => (body === "D" ? "OK" : undefined));
    await wire.farewell("D", 100);
    expect(server.clock.nowMs()).toBe(1);
  });

  test.each(["silent", "stuck", "cancelled"])("never takes more than 100 ms, with a server that is %s", async (how) => {
    if (how === "stuck") server.stuck = "writes";
    if (how === "cancelled") server.cancel.abort();
    await wire.farewell("D", 100);
    expect(server.clock.nowMs()).toBe(100);
  });

  test("is not said to a server that is gone", async () => {
    server.dead = true;
    await expect(askText(wire, ask("a"))).rejects.toMatchObject({ code: "disconnected" });
    await wire.farewell("D", 100);
    expect(server.writes).toEqual([]);
  });
});
