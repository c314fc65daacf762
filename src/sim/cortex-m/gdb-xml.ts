/** The XML that a GDB server gives: which registers there are, and where memory is. */
import type { RegisterName } from "./cpu.ts";
import type { Personality } from "./personalities.ts";
import type { SimChip } from "./chips.ts";

export interface NumberedRegister {
  readonly name: RegisterName;
  readonly number: number;
  readonly bits: 8 | 32;
}

const general: readonly RegisterName[] = [
  ...Array.from({ length: 13 }, (_, at): RegisterName => `r${at}`),
  "sp",
  "lr",
  "pc",
];

export function registersOf(personality: Personality): readonly NumberedRegister[] {
  const core = general.map((name, number) => ({ name, number, bits: 32 }) as const);
  const first = personality.xpsrNumber;
  return [
    ...core,
    { name: "xpsr", number: first, bits: 32 },
    { name: "msp", number: first + 1, bits: 32 },
    { name: "psp", number: first + 2, bits: 32 },
    { name: "primask", number: first + 3, bits: 8 },
    { name: "control", number: first + 6, bits: 8 },
  ];
}

/** `target.xml`. */
export function targetXml(registers: readonly NumberedRegister[]): string {
  const typeOf = (name: RegisterName) => {
    if (name === "sp" || name === "msp" || name === "psp") return ' type="data_ptr"';
    return name === "pc" ? ' type="code_ptr"' : "";
  };
  const line = ({ name, number, bits }: NumberedRegister) =>
    `<reg name="${name}" bitsize="${bits}" regnum="${number}"${typeOf(name)}/>`;
  const isSystem = ({ name }: NumberedRegister) => ["msp", "psp", "primask", "control"].includes(name);
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
    '<target version="1.0">',
    "<architecture>arm</architecture>",
    '<feature name="org.gnu.gdb.arm.m-profile">',
    ...registers.filter((one) => !isSystem(one)).map(line),
    "</feature>",
    '<feature name="org.gnu.gdb.arm.m-system">',
    ...registers.filter(isSystem).map(line),
    "</feature>",
    "</target>",
  ].join("\n");
}

/** The memory map: RAM, and flash in runs of equal erase units. */
export function memoryMapXml(chip: SimChip, personality: Personality): string {
  const hex = (value: number) => `0x${value.toString(16)}`;
  const lines = chip.ram.map(({ start, bytes }) => `<memory type="ram" start="${hex(start)}" length="${hex(bytes)}"/>`);
  let start = chip.flash.start;
  for (const { unitBytes, bytes } of eraseRuns(chip, personality)) {
    const block = `<property name="blocksize">${hex(unitBytes)}</property>`;
    lines.push(`<memory type="flash" start="${hex(start)}" length="${hex(bytes)}">${block}</memory>`);
    start += bytes;
  }
  const doctype =
    '<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">';
  return ['<?xml version="1.0"?>', doctype, "<memory-map>", ...lines, "</memory-map>"].join("\n");
}

/** Erase units as this server sees them, in runs from the start of flash. */
export function eraseRuns(
  chip: SimChip,
  personality: Personality,
): readonly { readonly unitBytes: number; readonly bytes: number }[] {
  if (chip.flash.kind === "serial") return [{ unitBytes: personality.serialUnitBytes, bytes: chip.flash.bytes }];
  return chip.flash.runs.map(({ bytes, count }) => ({ unitBytes: bytes, bytes: bytes * count }));
}
