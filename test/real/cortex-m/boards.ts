/** The boards that the firmware of test/fixtures/cortex-m runs on: which UART it is built for, and where RAM and flash lie. */

export interface CortexBoard {
  /** As QEMU calls it; "rp2040" is no machine of QEMU's. */
  readonly machine: string;
  /** -DBOARD_… of firmware.c */
  readonly define: string;
  /** All of the RAM that firmware may use; an image for RAM is linked to its start. */
  readonly ram: { readonly start: number; readonly bytes: number };
  /** Where a program for flash is linked to, where the board has flash that can be written. */
  readonly flashBase?: number;
}

const kib = 1024;
const board = (machine: string, define: string, start: number, bytes: number): CortexBoard => ({
  machine,
  define,
  ram: { start, bytes },
});

/** RAM as QEMU 7.2 has it; of mps2 boards a part. */
export const qemuBoards: readonly CortexBoard[] = [
  { ...board("microbit", "MICROBIT", 0x20000000, 16 * kib), flashBase: 0 },
  board("lm3s6965evb", "STELLARIS", 0x20000000, 64 * kib),
  board("lm3s811evb", "STELLARIS", 0x20000000, 8 * kib),
  board("netduino2", "STM32F2", 0x20000000, 128 * kib),
  board("netduinoplus2", "STM32F2", 0x20000000, 128 * kib),
  board("stm32vldiscovery", "STM32F1", 0x20000000, 8 * kib),
  board("mps2-an385", "MPS2", 0x20000000, 64 * kib),
  board("mps2-an386", "MPS2", 0x20000000, 64 * kib),
  board("mps2-an500", "MPS2", 0x20000000, 64 * kib),
  board("mps2-an505", "MPS2_AN505", 0x38000000, 64 * kib),
  board("ast1030-evb", "AST1030", 0x10000, 704 * kib),
];

/** Boots from 0x10000100: there the test ROM looks for a vector table. */
export const rp2040: CortexBoard = {
  ...board("rp2040", "RP2040", 0x20000000, 256 * kib),
  flashBase: 0x10000100,
};

/** Boards that are simulated by us: what runs on them is compiled and loaded by others. */
export const simulatedBoards: readonly CortexBoard[] = [
  { ...board("nrf51", "MICROBIT", 0x20000000, 16 * kib), flashBase: 0 },
  { ...board("stm32f4", "STM32F2", 0x20000000, 128 * kib), flashBase: 0x08000000 },
  { ...board("stm32f767", "STM32F7", 0x20000000, 128 * kib), flashBase: 0x08000000 },
  rp2040,
];

export function qemuBoard(machine: string): CortexBoard {
  const found = qemuBoards.find((one) => one.machine === machine);
  if (found === undefined) throw new Error(`no board ${machine}`);
  return found;
}

/** What the firmware prints, without the end of its line. */
export const firstLine = (version: number): string => `data=cafef00d bss=00000000 v${version}`;
