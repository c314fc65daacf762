/** Who is there: chip, security state, MAC and flash chip, asked in as few round trips as possible. */
import { hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";

import { chipNamed, chipOfImageId, chipOfMagic, chips, magicAddress, type Chip, type SecurityBits } from "./chips.ts";
import type { LoaderClient } from "./client.ts";
import { decodeResponse, GET_SECURITY_INFO, securityInfo, securityInfoChip, SYNC } from "./commands.ts";

/** Flag bits of GET_SECURITY_INFO. */
const secureBootFlag = 1 << 0;
const secureDownloadFlag = 1 << 2;

/** @throws FlashError `protocol` for an unknown chip, `refused` in secure download mode */
export async function detectChip(client: LoaderClient): Promise<Chip> {
  const info = await askSecurityInfo(client);
  if (info !== undefined) {
    const chip = info.chipId === undefined ? chipNamed("esp32s2") : chipOfImageId(info.chipId);
    if (chip === undefined) {
      throw new FlashError(
        "protocol",
        `the chip on ${client.transport.name} says it is number ${info.chipId ?? "?"}, which is unknown`,
        {
          remedy: `Deltaflash knows ${chips.map((one) => one.title).join(", ")}.`,
        },
      );
    }
    refuseSecurity(chip, info);
    return chip;
  }
  const magic = await client.readRegister(magicAddress);
  const chip = chipOfMagic(magic);
  if (chip === undefined) {
    throw new FlashError(
      "protocol",
      `unknown chip on ${client.transport.name}: the word at ${hex(magicAddress)} is ${hex(magic, 8)}`,
    );
  }
  return chip;
}

interface SecurityInfo {
  readonly flags: number;
  readonly flashCryptCount: number;
  /** undefined on the ESP32-S2. */
  readonly chipId: number | undefined;
}

/**
 * undefined from a loader that does not know the command. A ROM answers an unknown command under the number of the one
 * before, here SYNC, eight times.
 */
async function askSecurityInfo(client: LoaderClient): Promise<SecurityInfo | undefined> {
  await client.send(GET_SECURITY_INFO, new Uint8Array(0));
  const { clock } = client.context;
  const deadlineMs = clock.nowMs() + GET_SECURITY_INFO.ms;
  for (;;) {
    const frame = await client.nextFrame(deadlineMs - clock.nowMs());
    if (frame === undefined) return undefined;
    const response = decodeResponse(frame);
    if (response === undefined) continue;
    const { body } = response;
    if (client.personality === "rom" && response.op === SYNC.op && body[0] !== 0) return undefined;
    if (response.op !== GET_SECURITY_INFO.op) continue;
    if (body.length >= securityInfoChip.size + 2) return securityInfoChip.read(body);
    if (body.length >= securityInfo.size + 2) return { ...securityInfo.read(body), chipId: undefined };
    return undefined;
  }
}

function refuseSecurity(chip: Chip, info: SecurityInfo): void {
  if ((info.flags & secureDownloadFlag) !== 0) throw secureDownload(chip);
  if (isOdd(info.flashCryptCount)) throw flashEncryption(chip);
  if ((info.flags & secureBootFlag) !== 0) throw secureBoot(chip);
}

/** For chips whose loader does not tell: the fuses themselves. @throws FlashError `refused` */
export async function checkFuses(client: LoaderClient, chip: Chip): Promise<void> {
  if (chip.knowsSecurityInfo && client.personality === "rom") return;
  if (chip.flashCrypt !== undefined && isOdd(await field(client, chip.flashCrypt))) throw flashEncryption(chip);
  if (chip.secureBoot !== undefined && (await field(client, chip.secureBoot)) !== 0) throw secureBoot(chip);
}

async function field(client: LoaderClient, bits: SecurityBits): Promise<number> {
  return ((await client.readRegister(bits.address)) >>> bits.shift) & bits.mask;
}

/** Flash encryption is on while an odd number of the counter's fuses is burnt. */
function isOdd(count: number): boolean {
  let ones = 0;
  for (let rest = count; rest !== 0; rest >>>= 1) ones += rest & 1;
  return ones % 2 === 1;
}

function secureDownload(chip: Chip): FlashError {
  return new FlashError(
    "refused",
    `the ${chip.title} is in secure download mode: it tells nobody what its flash holds`,
    {
      remedy:
        "Use the signed and encrypted update path of this product; Deltaflash does not write what it cannot verify.",
    },
  );
}

function flashEncryption(chip: Chip): FlashError {
  return new FlashError("refused", `the ${chip.title} encrypts its flash: plain data would make it unbootable`, {
    remedy:
      "Use the encrypted flash command of your build system, or a board without flash encryption for development.",
  });
}

function secureBoot(chip: Chip): FlashError {
  return new FlashError("refused", `secure boot is on in this ${chip.title}: it starts signed images only`, {
    remedy: "Flash the signed image with your build system, or use a board without secure boot for development.",
  });
}

/** `60:55:f9:00:00:01`. */
export async function readMac(client: LoaderClient, chip: Chip): Promise<string> {
  const bytes = chip.mac === undefined ? await esp8266Mac(client) : await efuseMac(client, chip.mac);
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

async function efuseMac(client: LoaderClient, words: { low: number; high: number }): Promise<readonly number[]> {
  const low = await client.readRegister(words.low);
  const high = await client.readRegister(words.high);
  return [high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low].map((byte) => byte & 0xff);
}

/** Words of the ESP8266's one-time programmable memory, and the vendors it can name. Source: esptool `esp8266.py`. */
async function esp8266Mac(client: LoaderClient): Promise<readonly number[]> {
  const mac0 = await client.readRegister(0x3ff00050);
  const mac1 = await client.readRegister(0x3ff00054);
  const mac3 = await client.readRegister(0x3ff0005c);
  const vendor = mac3 !== 0 ? mac3 : ((mac1 >>> 16) & 0xff) === 0 ? 0x18fe34 : 0xacd074;
  return [vendor >>> 16, vendor >>> 8, vendor, mac1 >>> 8, mac1, mac0 >>> 24].map((byte) => byte & 0xff);
}

/** ESP32-P4 only: 100 x major + minor. Source: esptool `esp32p4.py`, eFuse block 1 word 2. */
export async function p4Revision(client: LoaderClient): Promise<number> {
  const word = await client.readRegister(0x5012d000 + 0x4c);
  const major = (((word >>> 23) & 1) << 2) | ((word >>> 4) & 3);
  return major * 100 + (word & 0xf);
}

/** What the flash chip answers to RDID: vendor in the low byte, capacity in bits 23:16. */
export async function readFlashId(client: LoaderClient, chip: Chip): Promise<number> {
  const { spi } = chip;
  const receiveBits = 24;
  const commandPhase = 1 << 31;
  const readPhase = 1 << 28;
  const user1 = spi.misoLength === undefined ? (receiveBits - 1) << 8 : 0;
  const writes: (readonly [number, number])[] = [
    ...(spi.misoLength === undefined ? [] : [[spi.base + spi.misoLength, receiveBits - 1] as const]),
    [spi.base + spi.user, commandPhase | readPhase],
    [spi.base + spi.user1, user1],
    [spi.base + spi.user2, (7 << 28) | 0x9f],
    [spi.base + spi.data, 0],
    [spi.base, 1 << 18],
  ];
  const saved = [await client.readRegister(spi.base + spi.user), await client.readRegister(spi.base + spi.user2)];
  await client.writeRegisters(writes);
  for (let tries = 0; (await client.readRegister(spi.base)) & (1 << 18); tries++) {
    if (tries === 10) throw new FlashError("protocol", "the flash controller does not finish a command");
  }
  const id = (await client.readRegister(spi.base + spi.data)) & 0xffffff;
  await client.writeRegisters([
    [spi.base + spi.user, saved[0] ?? 0],
    [spi.base + spi.user2, saved[1] ?? 0],
  ]);
  return id;
}

/** Bytes of the flash chip by its id. @throws FlashError `protocol` when there is no flash, or one of unknown size */
export function flashSizeOf(id: number): number {
  if (id === 0xffffff || id === 0 || id === 0xffff3f) {
    throw new FlashError("protocol", `the flash chip does not answer (id ${hex(id, 6)})`, {
      remedy: "Check the board's power and the flash chip's pins; reset the board and flash again.",
    });
  }
  const bytes = capacities[(id >>> 16) & 0xff];
  const atmel = capacitiesOfVendor1F[(id >>> 8) & 0x1f];
  const size = (id & 0xff) === 0x1f ? atmel : bytes;
  if (size === undefined) {
    throw new FlashError("protocol", `the flash chip's size is unknown (id ${hex(id, 6)})`, {
      remedy: "Give the size by --flash-size, for example --flash-size 4MB.",
    });
  }
  return size;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** Capacity codes as esptool lists them. */
const capacities: Readonly<Record<number, number>> = {
  0x12: 256 * KiB,
  0x13: 512 * KiB,
  0x14: MiB,
  0x15: 2 * MiB,
  0x16: 4 * MiB,
  0x17: 8 * MiB,
  0x18: 16 * MiB,
  0x19: 32 * MiB,
  0x1a: 64 * MiB,
  0x1b: 128 * MiB,
  0x1c: 256 * MiB,
  0x20: 64 * MiB,
  0x21: 128 * MiB,
  0x22: 256 * MiB,
  0x32: 256 * KiB,
  0x33: 512 * KiB,
  0x34: MiB,
  0x35: 2 * MiB,
  0x36: 4 * MiB,
  0x37: 8 * MiB,
  0x38: 16 * MiB,
  0x39: 32 * MiB,
  0x3a: 64 * MiB,
};

/** Adesto parts name their size in the middle byte. */
const capacitiesOfVendor1F: Readonly<Record<number, number>> = {
  4: 512 * KiB,
  5: MiB,
  6: 2 * MiB,
  7: 4 * MiB,
  8: 8 * MiB,
  9: 16 * MiB,
};
