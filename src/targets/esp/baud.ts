/** Changes the bit rate at both ends, and makes sure that both still understand each other. */
import { FlashError } from "../../core/errors.ts";
import type { SerialTransport } from "../../transport/transport.ts";
import { magicAddress, type Chip } from "./chips.ts";
import type { LoaderClient } from "./client.ts";
import { CHANGE_BAUDRATE, changeBaudrate } from "./commands.ts";

/** The rate at which every loader starts. */
export const startBaud = 115_200;

/** Rates to step down through when a higher one does not work on this cable, bridge or board. */
const ladder = [2_000_000, 1_500_000, 921_600, 460_800, 230_400, startBaud];

/** The next lower rate, or undefined at the bottom. */
export function lowerBaud(baud: number): number | undefined {
  return ladder.find((rate) => rate < baud);
}

/**
 * After its answer a stub waits, changes the rate and waits again, 10 ms in all (the legacy one 11): what is sent meanwhile is
 * cut in two and spoils the next frame as well, so nothing can be asked. Source: esp-flasher-stub.
 */
const stubDeafMs = 12;

/** How often and how long the new rate is tried. */
const probeIntervalMs = 20;
const probes = 6;

/**
 * @returns the rate that holds now: the old one where this ROM cannot change it
 * @throws FlashError `timeout` when the board does not answer at the new rate
 */
export async function changeRomBaud(
  client: LoaderClient,
  transport: SerialTransport,
  chip: Chip,
  baud: number,
): Promise<number> {
  if (!chip.romIsComplete || baud === startBaud) return startBaud;
  const told = await baudToTell(client, chip, baud);
  if (told === undefined) return startBaud;
  await client.request(CHANGE_BAUDRATE, changeBaudrate.write({ newBaud: told, oldBaud: 0 }));
  await follow(client, transport, baud);
  return baud;
}

/** The stub wants the old rate beside the new one. */
export async function changeStubBaud(
  client: LoaderClient,
  transport: SerialTransport,
  rates: { readonly from: number; readonly to: number },
): Promise<void> {
  if (rates.from === rates.to) return;
  await client.request(CHANGE_BAUDRATE, changeBaudrate.write({ newBaud: rates.to, oldBaud: rates.from }));
  await client.context.clock.sleep(stubDeafMs, client.context.signal);
  await follow(client, transport, rates.to);
}

async function follow(client: LoaderClient, transport: SerialTransport, baud: number): Promise<void> {
  await transport.setBaudRate(baud);
  await client.flush();
  for (let probe = 0; probe < probes; probe++) {
    if (probe % 2 === 1) await client.realign();
    if (await answers(client)) return;
  }
  throw new FlashError("timeout", `the board on ${transport.name} does not answer at ${baud} baud`, {
    remedy: `Flash with --baud ${lowerBaud(baud) ?? startBaud}.`,
  });
}

/** A stub is asked for a register, because it is deaf until it has sent all eight answers to a SYNC. */
async function answers(client: LoaderClient): Promise<boolean> {
  if (client.personality === "rom") return (await client.sync(probeIntervalMs)) !== undefined;
  try {
    await client.readRegister(magicAddress, probeIntervalMs);
    return true;
  } catch (error) {
    if (error instanceof FlashError && error.code === "timeout") return false;
    throw error;
  }
}

/**
 * Some ROMs believe a wrong crystal, so the number they are told must be scaled. undefined: leave the rate alone.
 * Source: esptool's `change_baud` of each chip.
 */
async function baudToTell(client: LoaderClient, chip: Chip, baud: number): Promise<number | undefined> {
  switch (chip.crystal) {
    case "fixed":
      return baud;
    case "esp32": {
      // The ROM measures its crystal against the 8 MHz clock, whose calibration is a fuse.
      const calibration = (await client.readRegister(0x3ff5a010)) & 0xff;
      if (calibration === 0) return undefined;
      const ticks = ((await client.readRegister(0x3ff5f06c)) >>> 7) & 0x1ffffff;
      const measuredMhz = (ticks * 15_625 * calibration) / 40 / 1e6;
      const nominalMhz = measuredMhz > 33 ? 40 : 26;
      return Math.round((baud * measuredMhz) / nominalMhz);
    }
    case "esp32c2": {
      const crystalMhz = await measuredCrystalMhz(client, chip);
      return crystalMhz > 33 ? baud : Math.round((baud * 40) / 26);
    }
    case "esp32c5": {
      const measured = (await measuredCrystalMhz(client, chip)) > 45 ? 48 : 40;
      const expected = ((await client.readRegister(0x60096110)) >>> 24) & 0x7f;
      return expected === 40 || expected === 48 ? Math.round((baud * expected) / measured) : baud;
    }
  }
}

/** The loader runs at 115200, so its divider tells the crystal. */
async function measuredCrystalMhz(client: LoaderClient, chip: Chip): Promise<number> {
  const divider = (await client.readRegister(chip.uartDivider)) & 0xfffff;
  return (startBaud * divider) / 1e6;
}
