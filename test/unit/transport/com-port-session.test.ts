import { expect, test } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { FlashError } from "../../../src/core/errors.ts";
import { ComPortServer } from "../../../src/sim/serve-rfc2217.ts";
import { comPort, encodeBaudRate, encodeComPort } from "../../../src/transport/com-port.ts";
import { ComPortSession } from "../../../src/transport/com-port-session.ts";
import { encodeTelnetOption } from "../../../src/transport/telnet.ts";

/** A session and all that it sends; answers are put in by hand, cut as wanted. */
function session() {
  const sent: Uint8Array[] = [];
  const data: Uint8Array[] = [];
  const under = new ComPortSession("rfc2217://test:1", {
    send: (bytes) => {
      sent.push(bytes);
      return Promise.resolve();
    },
    onData: (bytes) => data.push(bytes),
  });
  return { under, sent, data };
}

async function failure(work: Promise<void>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => (error instanceof FlashError ? `${error.code}: ${error.message}` : String(error)),
  );
}

test("an acknowledgement is understood cut at every place", async () => {
  const answer = encodeComPort(101, encodeBaudRate(0x00ff_ff00));
  for (let cut = 0; cut <= answer.length; cut++) {
    const { under, data } = session();
    const asked = under.request("SET_BAUDRATE", comPort.setBaudRate, encodeBaudRate(0x00ff_ff00));
    under.receive(concat([Uint8Array.of(0x61), answer.slice(0, cut)]));
    under.receive(concat([answer.slice(cut), Uint8Array.of(0x62)]));
    await asked;
    expect(Buffer.from(concat(data)).toString()).toBe("ab");
  }
});

test("a rate that the server rounded is taken, another one is refused", async () => {
  const rounded = session();
  const near = rounded.under.request("SET_BAUDRATE", comPort.setBaudRate, encodeBaudRate(115_200));
  rounded.under.receive(encodeComPort(101, encodeBaudRate(114_943)));
  expect(await failure(near)).toBe("no error");
  const other = session();
  const far = other.under.request("SET_BAUDRATE", comPort.setBaudRate, encodeBaudRate(921_600));
  other.under.receive(encodeComPort(101, encodeBaudRate(9_600)));
  expect(await failure(far)).toBe("refused: rfc2217://test:1: asked for SET_BAUDRATE 921600, got 9600");
});

test("line changes are matched to their own acknowledgements, whatever else the server reports", async () => {
  const { under } = session();
  const dtr = under.request("SET_CONTROL", comPort.setControl, 8);
  const rts = under.request("SET_CONTROL", comPort.setControl, 11);
  under.receive(
    concat([encodeComPort(107, 0x30), encodeComPort(105, 14), encodeComPort(105, 11), encodeComPort(105, 8)]),
  );
  expect(await failure(dtr)).toBe("no error");
  expect(await failure(rts)).toBe("no error");
});

test("an end that refuses RFC 2217 both ways is told at once", async () => {
  const { under } = session();
  const agreed = failure(under.agree());
  await Promise.resolve();
  under.receive(concat([encodeTelnetOption("dont", 44), encodeTelnetOption("wont", 44)]));
  expect(await agreed).toBe("protocol: rfc2217://test:1: asked for RFC 2217, the other end refused it");
});

test("client and server agree when every byte arrives alone", async () => {
  const { under, sent, data } = session();
  const heard: string[] = [];
  const toClient: Uint8Array[] = [];
  const server = new ComPortServer(
    {
      receive: (bytes) => heard.push(Buffer.from(bytes).toString("hex")),
      setSignals: (lines) => heard.push(`dtr${Number(lines.dtr)} rts${Number(lines.rts)}`),
      setBaudRate: (baud) => heard.push(`baud ${baud}`),
      purge: () => heard.push("purge"),
    },
    (bytes) => toClient.push(bytes),
  );
  const exchange = () => {
    for (let turn = 0; turn < 20; turn++) {
      for (const bytes of sent.splice(0)) for (const byte of bytes) server.receive(Uint8Array.of(byte));
      for (const bytes of toClient.splice(0)) for (const byte of bytes) under.receive(Uint8Array.of(byte));
    }
  };
  const agreed = under.agree();
  exchange();
  await agreed;
  const requests = Promise.all([
    under.request("SET_BAUDRATE", comPort.setBaudRate, encodeBaudRate(0xffff)),
    under.request("SET_CONTROL", comPort.setControl, 8),
    under.request("PURGE_DATA", comPort.purgeData, 1),
  ]);
  exchange();
  await requests;
  expect(heard).toEqual(["baud 65535", "dtr1 rts0", "purge"]);
  expect(data).toEqual([]);
});

test("a client that took the server's offer for its own request, and so never answers it, hears of the modem state all the same", () => {
  const answers: string[] = [];
  const ignore = () => undefined;
  const board = { receive: ignore, setSignals: ignore, setBaudRate: ignore, purge: ignore };
  const server = new ComPortServer(board, (bytes) => answers.push(Buffer.from(bytes).toString("hex")));
  server.receive(encodeComPort(comPort.setDataSize, 8));
  expect(answers.slice(1)).toEqual(["fffa2c6b30fff0", "fffa2c6608fff0"]);
});
