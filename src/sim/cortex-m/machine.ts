/** One simulated Cortex-M chip: core, memories, flash controller, serial port, on one clock. Knows no debugger beyond what it can reach. */
import { NorFlash } from "../nor-flash.ts";
import type { FaultPlan } from "../faults.ts";
import { Random } from "../random.ts";
import { Background, identityRegisters, readyRules, Rp2040Resets, withAtomicAliases } from "./background.ts";
import { Bus, type Peripheral, type Window } from "./bus.ts";
import type { SimChip } from "./chips.ts";
import type { ChipTime } from "./chip-time.ts";
import { CORE_REGISTERS, CoreRegisters } from "./core-registers.ts";
import { Cpu } from "./cpu.ts";
import { internalDevice, serialDevice, type FlashDevice } from "./flash-device.ts";
import { InternalFlash } from "./internal-flash.ts";
import { Nrf51Nvmc } from "./nrf51-nvmc.ts";
import { Rp2040Flash } from "./rp2040-flash.ts";
import { Rp2040Rom, ROM_BYTES, romImage } from "./rp2040-rom.ts";
import { SerialNor } from "./serial-nor.ts";
import { Stm32Flash } from "./stm32-flash.ts";
import { Uart } from "./uarts.ts";

/**
 * What the core catches up with at most when nobody has looked for long: a board that was left alone for a minute has done
 * nothing that anybody saw.
 */
const LONGEST_CATCH_UP_MS = 2_000;
/** Boards have been under power for this long when time begins. */
const WARM_UP_MS = 100;
const CONSOLE_CHARACTERS = 64 * 1024;
const BACKGROUND = { start: 0x4000_0000, size: 0x2000_0000 };
/** UICR, read protection of all: nRF51 Series Reference Manual 8.2. */
const NRF51_RBPCONF_PALL = [0x1000_1004, 0xffff_00ff] as const;
const STM32_OPTCR = 0x4002_3c14;
const RP2040_SIO = { start: 0xd000_0000, size: 0x1000 };
const BLOCK_MASK = ~0x3ff;

export interface MachineOptions {
  readonly chip: SimChip;
  /** Contents of the flash memory, used in place. */
  readonly flash: Uint8Array;
  readonly faults: FaultPlan;
  readonly seed: number;
  /** Read protection is on. */
  readonly isLocked: boolean;
  /** A stop that the core is about to make may be refused. */
  mayStop(): boolean;
}

export class Machine {
  readonly chip: SimChip;
  readonly cpu: Cpu;
  readonly flash: FlashDevice;
  /** Resets after the first power-on. */
  resets = 0;
  /** What the firmware printed, the last 64 Ki characters. */
  console = "";
  readonly #options: MachineOptions;
  readonly #bus: Bus;
  readonly #ram: readonly Uint8Array[];
  readonly #coreRegisters: CoreRegisters;
  readonly #resetters: (() => void)[] = [];
  readonly #time: ChipTime;
  readonly #random: Random;
  readonly #cyclesPerMs: number;
  #rom: Rp2040Rom | undefined;
  #rp2040Flash: Rp2040Flash | undefined;
  #byDebugger = false;
  #resetWanted = false;

  constructor(options: MachineOptions) {
    const { chip } = options;
    this.chip = chip;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#cyclesPerMs = chip.clockHz / 1000;
    this.#ram = chip.ram.map(({ bytes }) => new Uint8Array(bytes));
    const [main, ...others] = chip.ram.map(({ start }, index) => ({
      start,
      bytes: this.#ram[index] ?? new Uint8Array(0),
    }));
    this.#bus = new Bus(main ?? { start: 0, bytes: new Uint8Array(0) });
    for (const memory of others) this.#bus.addMemory(memory);
    const isRp2040 = chip.flash.kind === "serial";
    this.cpu = new Cpu(
      this.#bus,
      {
        romCall: (number) => this.#rom?.call(number, this.cpu),
        mayStopAt: () => options.mayStop(),
      },
      isRp2040 ? ROM_BYTES : 0,
    );
    this.#time = this.#chipTime();
    this.#coreRegisters = new CoreRegisters(this.cpu, {
      cpuid: chip.cpuid,
      hasVtor: chip.hasVtor,
      requestReset: () => {
        this.#resetWanted = true;
        this.cpu.pause();
      },
    });
    this.#addPeripherals();
    this.flash = this.#addFlash();
    this.#scrambleRam();
    this.#start();
    this.runUntil(0);
  }

  /** Time began while the chip was under power already, so it is negative at first. */
  get nowMs(): number {
    return this.cpu.cycles / this.#cyclesPerMs - WARM_UP_MS;
  }

  /** Lets time pass; the core runs if it is not halted. */
  runUntil(ms: number): void {
    const target = Math.floor((ms + WARM_UP_MS) * this.#cyclesPerMs);
    const limit = Math.min(target, this.cpu.cycles + LONGEST_CATCH_UP_MS * this.#cyclesPerMs);
    while (this.cpu.isRunning && this.cpu.cycles < limit) {
      this.cpu.run(limit);
      this.#resetIfWanted();
    }
    this.cpu.cycles = Math.max(this.cpu.cycles, target);
  }

  /** Everything but memories and debug registers goes back to its beginning. The core runs, or is held at its first instruction. */
  reset(then: "run" | "halt"): void {
    this.resets++;
    this.#start();
    if (then === "halt" || this.#coreRegisters.catchesReset) this.cpu.halt();
  }

  /** Power goes and comes back. */
  cutPower(): void {
    this.flash.cutPower(this.nowMs);
    this.#scrambleRam();
    this.#start();
  }

  /** As a debugger reads: any width. undefined where nothing answers. */
  readMemory(address: number, length: number): Uint8Array | undefined {
    return this.#asDebugger(() => {
      const data = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const width = widthAt(address + at, length - at);
        const value = this.#read(address + at, width);
        for (let byte = 0; byte < width; byte++) data[at + byte] = value >>> (8 * byte);
        at += width;
      }
      return data;
    });
  }

  /** @returns false where nothing answers */
  writeMemory(address: number, data: Uint8Array): boolean {
    const done = this.#asDebugger(() => {
      for (let at = 0; at < data.length;) {
        const width = widthAt(address + at, data.length - at);
        let value = 0;
        for (let byte = width - 1; byte >= 0; byte--) value = (value << 8) | (data[at + byte] ?? 0);
        this.#write(address + at, width, value >>> 0);
        at += width;
      }
      return true;
    });
    this.#resetIfWanted();
    return done === true;
  }

  /** What a probe's own flash driver leaves behind in RAM: its code, its buffers. */
  scribble(start: number, length: number): void {
    const [ram] = this.#ram;
    const from = start - (this.chip.ram[0]?.start ?? 0);
    for (let at = from; ram !== undefined && at < Math.min(from + length, ram.length); at++)
      ram[at] = this.#random.byte();
  }

  /** Flash can be read by address again, as a flash driver leaves it. */
  showFlash(): void {
    this.#rp2040Flash?.openWindow();
  }

  #asDebugger<T>(access: () => T): T | undefined {
    this.#byDebugger = true;
    this.#bus.takeFault();
    const result = access();
    const failed = this.#bus.takeFault();
    this.#byDebugger = false;
    return failed ? undefined : result;
  }

  #read(address: number, width: number): number {
    if (width === 4) return this.#bus.readUint32(address);
    return width === 2 ? this.#bus.readUint16(address) : this.#bus.readUint8(address);
  }

  #write(address: number, width: number, value: number): void {
    if (width === 4) this.#bus.writeUint32(address, value);
    else if (width === 2) this.#bus.writeUint16(address, value);
    else this.#bus.writeUint8(address, value);
  }

  #resetIfWanted(): void {
    if (!this.#resetWanted) return;
    this.#resetWanted = false;
    this.reset("run");
  }

  #start(): void {
    for (const reset of this.#resetters) reset();
    this.#coreRegisters.reset();
    const { halts } = this.cpu;
    this.cpu.reset(this.chip.flash.vectors);
    this.cpu.halts = halts;
  }

  #scrambleRam(): void {
    for (const ram of this.#ram) {
      const words = new Uint32Array(ram.buffer);
      for (let at = 0; at < words.length; at++) words[at] = this.#random.u32();
    }
  }

  #chipTime(): ChipTime {
    return {
      nowMs: () => this.nowMs,
      stallUntil: (ms) => {
        if (ms !== Infinity) this.cpu.stall((ms - this.nowMs) * this.#cyclesPerMs);
        else this.#bus.fail();
      },
      readsBusyUntil: (ms) => {
        if (!this.#byDebugger) this.cpu.readsBusyFor((ms - this.nowMs) * this.#cyclesPerMs);
      },
      busFault: () => this.#bus.fail(),
    };
  }

  #addPeripherals(): void {
    const { chip } = this;
    const aliased = (peripheral: Peripheral) => (chip.clocks === "rp2040" ? withAtomicAliases(peripheral) : peripheral);
    const size = chip.clocks === "rp2040" ? 0x4000 : 0x400;
    for (const { base, kind } of chip.uarts) {
      const uart = new Uart(kind, (byte) => this.#print(byte));
      this.#bus.addPeripheral(base, kind === "nrf51" ? 0x1000 : size, aliased(uart));
    }
    const background = new Background(BACKGROUND.start, readyRules[chip.clocks], chip.resetValues);
    this.#resetters.push(() => background.reset());
    this.#bus.addBackground(BACKGROUND.start, BACKGROUND.size, aliased(background));
    this.#bus.addBackground(CORE_REGISTERS.start, CORE_REGISTERS.size, this.#coreRegisters);
    const locked = chip.flash.kind === "nvmc" && this.#options.isLocked;
    const identity = new Map([...chip.identity, ...(locked ? [NRF51_RBPCONF_PALL] : [])]);
    for (const block of new Set([...identity.keys()].map((address) => (address & BLOCK_MASK) >>> 0))) {
      this.#bus.addPeripheral(block, 0x400, identityRegisters(identity, block));
    }
  }

  #addFlash(): FlashDevice {
    switch (this.chip.flash.kind) {
      case "nvmc": {
        const flash = this.#internal();
        const { chipEraseMs } = this.chip.flash;
        const nvmc = new Nrf51Nvmc(flash, this.#time, { chipEraseMs, isLocked: this.#options.isLocked });
        this.#resetters.push(() => nvmc.reset());
        this.#addWindow(nvmc);
        this.#bus.addPeripheral(0x4001_e000, 0x1000, nvmc);
        return internalDevice(flash, this.chip.flash.chipEraseMs);
      }
      case "stm32": {
        const flash = this.#internal();
        const { chipEraseMs: massEraseMs } = this.chip.flash;
        const { isLocked } = this.#options;
        const optionBytes = this.chip.resetValues.get(STM32_OPTCR) ?? 0;
        const controller = new Stm32Flash(flash, this.#time, {
          ...{ massEraseMs, isLocked, optionBytes, protectedSectors: [] },
        });
        this.#resetters.push(() => controller.reset());
        this.#addWindow(controller);
        this.#bus.addPeripheral(0x4002_3c00, 0x400, controller);
        return internalDevice(flash, this.chip.flash.chipEraseMs);
      }
      case "serial":
        return this.#addSerialFlash();
    }
  }

  #internal(): InternalFlash {
    const { faults, seed, flash } = this.#options;
    return new InternalFlash(flash, { ...this.chip.flash, faults, seed });
  }

  #addSerialFlash(): FlashDevice {
    const { flash, seed, faults } = this.#options;
    const chip = new NorFlash(flash, { seed, faults });
    const uniqueId = Uint8Array.of(0xe6, 0x61, 0x41, 0x04, 0x03, seed >>> 16, seed >>> 8, seed);
    const nor = new SerialNor(chip, uniqueId);
    const path = new Rp2040Flash(nor, this.#time, (cycles) => cycles / this.#cyclesPerMs);
    this.#rp2040Flash = path;
    const resets = new Rp2040Resets();
    this.#rom = new Rp2040Rom({
      bus: this.#bus,
      flash: path,
      nor,
      nowMs: () => this.nowMs,
      cyclesUntil: (ms) => (ms - this.nowMs) * this.#cyclesPerMs,
    });
    const rom = this.#rom;
    this.#resetters.push(() => {
      path.reset();
      resets.reset();
      rom.reset();
    });
    this.#bus.addMemory({ start: 0, bytes: romImage() });
    this.#addWindow(path);
    this.#bus.addPeripheral(0x1800_0000, 0x400, path.ssi);
    this.#bus.addPeripheral(0x4001_8000, 0x4000, withAtomicAliases(path.ioQspi));
    this.#bus.addPeripheral(0x4000_c000, 0x4000, withAtomicAliases(resets));
    this.#bus.addBackground(RP2040_SIO.start, RP2040_SIO.size, new Background(RP2040_SIO.start, [], new Map()));
    this.#bus.addBackground(0x1400_0000, 0x400, new Background(0x1400_0000, [], new Map()));
    return serialDevice(chip, nor.violations);
  }

  #addWindow(window: Window): void {
    for (const start of [this.chip.flash.start, ...this.chip.flash.aliases]) this.#bus.addWindow(start, window);
  }

  #print(byte: number): void {
    this.console += String.fromCharCode(byte);
    if (this.console.length > 2 * CONSOLE_CHARACTERS) this.console = this.console.slice(-CONSOLE_CHARACTERS);
  }
}

/** The widest access that is aligned and does not go past the end. */
function widthAt(address: number, left: number): 1 | 2 | 4 {
  if (address % 4 === 0 && left >= 4) return 4;
  return address % 2 === 0 && left >= 2 ? 2 : 1;
}
