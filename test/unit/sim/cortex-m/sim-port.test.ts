/** Simulated boards behind a GDB server as ports of this process: `sim:rp2040`. */
import { expect, test } from "vitest";
import { simPort } from "../../../../src/sim/sim-port.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

test("sim:stm32f4 opens as a transport without modem lines, and keeps its flash memory", async () => {
  const port = simPort("sim:stm32f4?speed=max", "stm32f4?speed=max", undefined);
  expect(port.flash.length).toBe(1024 * 1024);
  await using transport = port.open();
  expect(transport.hasModemLines).toBe(false);
  await transport.write(Buffer.from("$?#3f"));
  let heard = "";
  while (!heard.includes("#")) heard += text(await transport.read(1000));
  expect(heard).toBe("+$T05#b9");
});

test("what stands behind the name says which server, and how slow its probe is", async () => {
  const clock = async (words: string) => {
    const port = simPort(`sim:${words}`, words, undefined);
    await using transport = port.open();
    await transport.write(Buffer.from("$m8000000,400#85"));
    let heard = "";
    while (!/#..$/.test(heard)) heard += text(await transport.read(1000));
    return port.clock.nowMs().toFixed(1);
  };
  const slow = await clock("stm32f4?speed=max&server=pyocd&clock=1000000&latency=2");
  const quick = await clock("stm32f4?speed=max&server=pyocd&clock=20000000&latency=0.1");
  expect(`${slow} ms, ${quick} ms`).toMatchInlineSnapshot(`"25.1 ms, 1.7 ms"`);
});

test("a board that is not there, and a server that is not, are named", () => {
  expect(() => simPort("sim:avr", "avr", undefined)).toThrow('there is no simulated board "avr"');
  expect(() => simPort("sim:rp2040", "rp2040?server=x", undefined)).toThrow('there is no simulated GDB server "x"');
});
