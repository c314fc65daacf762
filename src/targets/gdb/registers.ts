/** Core registers by name: their numbers differ from server to server (xPSR is 16 or 25). Source: GDB manual, appendix G. */
import { FlashError } from "../../core/errors.ts";
import { ask, askText, checkOk, hexBytesOf, readObject } from "./ask.ts";
import type { Ask, GdbWire } from "./wire.ts";
import { parseXml, type XmlElement } from "./xml.ts";

export interface Register {
  readonly number: number;
  readonly bits: number;
}

export const coreRegisters = [
  "r0",
  "r1",
  "r2",
  "r3",
  "r4",
  "r5",
  "r6",
  "r7",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "sp",
  "lr",
  "pc",
  "xpsr",
] as const;
/** The seventeen that every Cortex-M has. */
export type RegisterName = (typeof coreRegisters)[number];

/** Every register that the server named, in lower case, and always the seventeen. */
export type RegisterSet = ReadonlyMap<string, Register>;

/** Other words for the status register. */
const statusNames = ["xpsr", "cpsr", "psr"];
const statusNumber = 25;
const mostFiles = 16;

/** Reads `target.xml` and what it includes. @param sliceBytes of one answer */
export async function readRegisterSet(wire: GdbWire, sliceBytes: number): Promise<RegisterSet> {
  const seen = new Set<string>();
  const files: string[] = ["target.xml"];
  const found = new Map<string, Register>();
  let next = 0;
  const take = async (file: string): Promise<void> => {
    if (seen.has(file) || seen.size >= mostFiles) return;
    seen.add(file);
    const xml = await readObject(wire, `features:read:${file}`, sliceBytes);
    for (const element of registersAndIncludes(parseXml(xml))) {
      if (element.name === "reg") next = addRegister(found, element, next);
      else await take(element.attributes["href"] ?? "");
    }
  };
  for (const file of files) await take(file);
  return withStatus(found);
}

/** In document order, since a register without a number follows the one before. */
function registersAndIncludes(elements: readonly XmlElement[]): readonly XmlElement[] {
  return elements.flatMap((one) =>
    one.name === "reg" || one.name === "xi:include" ? [one] : registersAndIncludes(one.children),
  );
}

/** @returns the number of the next register, if it has none of its own */
function addRegister(found: Map<string, Register>, { attributes }: XmlElement, next: number): number {
  const number = attributes["regnum"] === undefined ? next : Number(attributes["regnum"]);
  const bits = Number(attributes["bitsize"] ?? 32);
  const name = attributes["name"]?.toLowerCase();
  if (name !== undefined && Number.isInteger(number) && number >= 0 && bits > 0 && !found.has(name)) {
    found.set(name, { number, bits });
  }
  return number + 1;
}

function withStatus(found: Map<string, Register>): RegisterSet {
  const status = statusNames.map((name) => found.get(name)).find((one) => one !== undefined);
  return new Map([...usualRegisters, ...found, ...(status === undefined ? [] : ([["xpsr", status]] as const))]);
}

/** Of servers without a description: the ARM layout that GDB falls back to, with the old floating point registers at 16 to 24. */
export const usualRegisters: RegisterSet = new Map(
  coreRegisters.map((name, index) => [name, { number: name === "xpsr" ? statusNumber : index, bits: 32 }]),
);

function registerNamed(set: RegisterSet, name: RegisterName): Register {
  const register = set.get(name);
  if (register === undefined) throw new FlashError("protocol", `the GDB server names no register ${name}`);
  return register;
}

/** One `P`. @param value 32 bits */
export function writeRegisterAsk(set: RegisterSet, name: RegisterName, value: number): Ask {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  const { number } = registerNamed(set, name);
  return ask(`P${number.toString(16)}=${bytes.toString("hex")}`, { name: `P ${name} (register ${number})` });
}

export async function writeRegisters(wire: GdbWire, asks: readonly Ask[]): Promise<void> {
  await wire.pipeline(asks, (reply, asked) => checkOk(wire, asked, reply));
}

/** By `p`, one at a time. @throws UnknownRequest, ServerRefusal */
export async function readRegisterByNumber(wire: GdbWire, set: RegisterSet, name: RegisterName): Promise<number> {
  const { number } = registerNamed(set, name);
  const asked = ask(`p${number.toString(16)}`, { name: `p ${name} (register ${number})` });
  return littleEndian(hexBytesOf(wire, asked, await wire.request(asked)));
}

/** By `g`: all that the server sends, in the order of their numbers. Registers without a value (`xxxxxxxx`) are left out. */
export async function readAllRegisters(wire: GdbWire, set: RegisterSet): Promise<ReadonlyMap<string, number>> {
  const digits = await askText(wire, ask("g", { name: "g (all registers)" }));
  const values = new Map<string, number>();
  const named = [...set].sort(([, a], [, b]) => a.number - b.number);
  let at = 0;
  let expected = 0;
  for (const [name, { number, bits }] of named) {
    if (number < expected) continue; // another name of the one before
    expected = number + 1;
    const length = 2 * Math.ceil(bits / 8);
    const one = digits.slice(at, at + length);
    at += length;
    if (one.length === length && length <= 8 && /^[0-9a-f]+$/i.test(one)) {
      values.set(name, littleEndian(new Uint8Array(Buffer.from(one, "hex"))));
    }
  }
  return values;
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
