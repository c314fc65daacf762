/**
 * Over USB-Serial-JTAG the chip is not reset as a whole, so watchdogs that the program started may still run while the loader
 * works: they are stopped. Registers: esptool `targets/*.py`.
 */
import type { ChipName } from "./chips.ts";
import type { LoaderClient } from "./client.ts";

interface Watchdogs {
  readonly base: number;
  readonly config0: number;
  readonly protect: number;
  /** The super watchdog's, where there is one. */
  readonly swd?: {
    readonly conf: number;
    readonly protect: number;
    readonly key: number;
    readonly autoFeedBit: number;
  };
}

const key = 0x50d83aa1;
const lowPower = (base: number, protect: number, conf: number): Watchdogs => ({
  base,
  config0: 0,
  protect,
  swd: { conf, protect: conf + 4, key, autoFeedBit: 18 },
});

const watchdogs: Readonly<Partial<Record<ChipName, Watchdogs>>> = {
  esp32s3: {
    base: 0x60008000,
    config0: 0x98,
    protect: 0xb0,
    swd: { conf: 0xb4, protect: 0xb8, key: 0x8f1d312a, autoFeedBit: 31 },
  },
  esp32c3: {
    base: 0x60008000,
    config0: 0x90,
    protect: 0xa8,
    swd: { conf: 0xac, protect: 0xb0, key: 0x8f1d312a, autoFeedBit: 31 },
  },
  esp32c5: lowPower(0x600b1c00, 0x18, 0x1c),
  esp32c6: lowPower(0x600b1c00, 0x18, 0x1c),
  esp32c61: lowPower(0x600b1c00, 0x18, 0x1c),
  esp32h2: lowPower(0x600b1c00, 0x1c, 0x20),
  esp32p4: lowPower(0x50116000, 0x18, 0x1c),
};

/** Does nothing on chips without USB-Serial-JTAG. */
export async function stopWatchdogs(client: LoaderClient, chip: ChipName): Promise<void> {
  const dogs = watchdogs[chip];
  if (dogs === undefined) return;
  const { base, config0, protect, swd } = dogs;
  await client.writeRegisters([
    [base + protect, key],
    [base + config0, 0],
    [base + protect, 0],
  ]);
  if (swd === undefined) return;
  const conf = await client.readRegister(base + swd.conf);
  await client.writeRegisters([
    [base + swd.protect, swd.key],
    [base + swd.conf, conf | (1 << swd.autoFeedBit)],
    [base + swd.protect, 0],
  ]);
}
