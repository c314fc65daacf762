/**
 * Reading over two data lines, which the simulated boards' flash controller does not know: 3Bh with an address and 8 dummy clocks, the data phase
 * bent by FASTRD_MODE and FREAD_DUAL (esp-idf, spi_flash_ll_set_read_mode). Anything else than exactly that is an Error, plain commands
 * under a bent data phase too.
 */
import type { EspChip } from "../../../src/sim/esp-chip-parts.ts";

const readDual = 0x3b;
const commandUser = 1 << 18;
const phases = { command: 1 << 31, address: 1 << 30, dummy: 1 << 29, input: 1 << 28, output: 1 << 27 } as const;
const allPhases = phases.command | phases.address | phases.dummy | phases.input | phases.output;
const dualMode = (1 << 13) | (1 << 14);
const readModes = dualMode | (1 << 20) | (1 << 23) | (1 << 24);

export interface Registers {
  read(address: number): number | undefined;
  write(address: number, value: number): boolean;
}

/** @returns whether this write began a read over two lines, which is done then */
export function readOverTwoLines(
  chip: EspChip,
  registers: Registers,
  write: { readonly address: number; readonly value: number },
  flash: Uint8Array,
): boolean {
  const { spi, spiBase } = chip;
  const at = (offset: number): number => registers.read(spiBase + offset) ?? 0;
  if (write.address !== spiBase || (write.value & commandUser) === 0) return false;
  const opcode = at(spi.user2) & 0xff;
  const mode = at(0x08) & readModes;
  if (opcode !== readDual) {
    if (mode !== 0) throw new Error(`command ${opcode.toString(16)} in read mode ${mode.toString(16)}`);
    return false;
  }
  const wanted = phases.command | phases.address | phases.dummy | phases.input;
  const bits = spi.inLength === undefined ? (at(spi.user1) >>> 8) & 0x1ff : at(spi.inLength) & 0x3ff;
  if (mode !== dualMode || (at(spi.user) & allPhases) !== wanted)
    throw new Error("a read over two lines in another mode");
  if (at(spi.user1) >>> 26 !== 23 || (at(spi.user1) & 0x3f) !== 7 || bits !== 511)
    throw new Error("a read over two lines of another length");
  const raw = at(0x04);
  const address = spi.addressIsLeftAligned ? raw >>> 8 : raw & 0xffffff;
  const view = new DataView(flash.buffer, flash.byteOffset + address, 64);
  for (let word = 0; word < 64; word += 4) registers.write(spiBase + spi.words + word, view.getUint32(word, true));
  return true;
}
