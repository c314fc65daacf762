/** Connects to an ESP board: reset, sync, who is it, bit rate, stub, flash chip. What it learns about a board is given back to be remembered. */
import { FlashError } from "../../core/errors.ts";
import type { SerialTransport } from "../../transport/transport.ts";
import type { Context, MemorySession } from "../target.ts";
import { changeRomBaud, changeStubBaud, lowerBaud, startBaud } from "./baud.ts";
import type { Chip } from "./chips.ts";
import { LoaderClient } from "./client.ts";
import { SPI_ATTACH, SPI_SET_PARAMS, spiSetParams } from "./commands.ts";
import { checkFuses, detectChip, flashSizeOf, p4Revision, readFlashId, readMac } from "./identify.ts";
import { linkOf, longestOtgBlockBytes, usbEquivalentBaud } from "./link.ts";
import { enterLoader, resetWays, type Entered, type ResetWay } from "./reset.ts";
import { PatchStubFailed, startPatchStub } from "./patch-stub/bring-up.ts";
import { PatchStubSession } from "./patch-stub/session.ts";
import { EspSession } from "./session.ts";
import { awaitGreeting, loadOfficialStub, startInRam } from "./stub.ts";
import { stopWatchdogs } from "./watchdogs.ts";

export interface EspOptions {
  /** The rate to work at; 115200 leaves the ROM's rate alone. */
  readonly baud: number;
  /** false: ROM commands only. */
  readonly useStub: boolean;
  /** Espressif's stub even where Deltaflash's own can run. Default false. */
  readonly officialStub?: boolean;
  /** Which chip the image is for; another one is refused before anything is changed. */
  readonly expectedChip: string | undefined;
  /** How the reset into the loader worked last time on this port. */
  readonly resetWay: ResetWay | undefined;
  /** The build of Deltaflash's stub that did not run on this board, if there is one. */
  readonly failedStub?: number | undefined;
  /** Bytes of the flash chip, where the user says so. */
  readonly flashBytes: number | undefined;
  /** What the flash chip of this board answered last time. */
  recallFlashId(identity: string): number | undefined;
}

/** What is worth remembering for the next flash on this port or board. */
export interface EspFindings {
  readonly chip: Chip;
  readonly identity: string;
  readonly baud: number;
  readonly resetWay: ResetWay;
  readonly flashId: number | undefined;
  /** The build of Deltaflash's stub that did not run on this board, if there is one. */
  readonly failedStub: number | undefined;
  /** Deltaflash's stub was to run, but could not be brought to. */
  readonly usesOtherStub: boolean;
}

export interface Connected {
  readonly session: MemorySession;
  readonly findings: EspFindings;
}

/** Noise on the wire may be why our stub did not get into the RAM, or did not run there; so often until Espressif's is used. */
const mostFailures = { upload: 3, start: 2, "flash chip": 1 };
/** How long a stub may take to say hello; it needs 10 ms. */
const greetingMs = 300;

/**
 * @throws FlashError `timeout` when no loader answers, `wrong-chip`, `refused` for boards that are locked, `disconnected`
 */
export async function connectEsp(
  transport: SerialTransport,
  context: Context,
  options: EspOptions,
): Promise<Connected> {
  let baud = options.baud;
  let { failedStub, officialStub = false } = options;
  let usesOtherStub = false;
  const failures = { upload: 0, start: 0, "flash chip": 0 };
  for (;;) {
    try {
      const { session, findings } = await connectAt(transport, context, { ...options, baud, failedStub, officialStub });
      return { session, findings: { ...findings, usesOtherStub: usesOtherStub || findings.usesOtherStub } };
    } catch (error) {
      if (error instanceof PatchStubFailed) {
        const { stage } = error;
        const givesUp = ++failures[stage] >= mostFailures[stage];
        context.log(`${error.message}; ${givesUp ? "Espressif's stub is used instead" : "the stub is loaded again"}`);
        if (!givesUp) continue;
        officialStub = true;
        usesOtherStub = stage !== "flash chip";
        // Only a stub that was loaded and still does not run is not worth another try next time.
        if (stage === "start") failedStub = error.build;
        continue;
      }
      const lower = lowerBaud(baud);
      if (!(error instanceof BaudFailed) || lower === undefined) throw error;
      context.log(`${baud} baud does not work here; trying ${lower}`);
      baud = lower;
    }
  }
}

/** The loader answers at its own rate, but not at the one that was asked for. */
class BaudFailed extends FlashError {}

async function connectAt(transport: SerialTransport, context: Context, options: EspOptions): Promise<Connected> {
  const { trace } = context;
  const client = new LoaderClient(transport, context);
  const { entered, chip, rate } = await greet(client, transport, options);
  const rom = entered.personality === "rom";
  const link = linkOf(transport);
  const wanted = link === "uart" ? options.baud : startBaud;
  trace.enter("connect", "bit rate");
  let baud = rate;
  if (rom && rate === startBaud) baud = await atRate(() => changeRomBaud(client, transport, chip, wanted));

  trace.enter("connect", "identity");
  await checkFuses(client, chip);
  const identity = await readMac(client, chip);
  const revision = chip.name === "esp32p4" ? await p4Revision(client) : undefined;
  if (revision === 301 || revision === 302) {
    throw new FlashError(
      "refused",
      `ESP32-P4 revision ${revision / 100} needs a flash power-up sequence that Deltaflash does not know yet`,
      {
        remedy: "Flash this board with esptool.",
      },
    );
  }

  const known = options.recallFlashId(identity);
  const way = entered.way;
  let usesOtherStub = false;
  if (options.useStub && rom && options.officialStub !== true) {
    trace.enter("connect", "flash pins");
    await attachByRom(client, chip);
    const { flashBytes } = options;
    const board = { chip, revision, knownFlashId: known, flashBytes, failedBuild: options.failedStub };
    const own = await startPatchStub({ client, transport, link, baud, wanted, ...board });
    usesOtherStub = own.kind === "failed before";
    if (own.kind === "running") {
      const speed = link === "uart" ? own.baud : usbEquivalentBaud;
      const session = new PatchStubSession({ ...own, transport, chip: chip.name, identity, baud: speed, way });
      const found = { flashId: own.flashId, failedStub: undefined, usesOtherStub };
      return { session, findings: { chip, identity, baud: speed, resetWay: way, ...found } };
    }
  }

  if (options.useStub && rom) baud = await bringUpStub({ client, transport, chip, wanted, baud, revision });
  else if (client.personality === "rom") await attachByRom(client, chip);

  const flashId = options.flashBytes === undefined ? (known ?? (await askFlashId(client, chip))) : known;
  const flashBytes = options.flashBytes ?? flashSizeOf(flashId ?? 0);
  await setFlashSize(client, chip, flashBytes);

  const speed = link === "uart" ? baud : usbEquivalentBaud;
  const session = new EspSession({ client, transport, chip, identity, flashBytes, baud: speed, way });
  const found = { flashId, failedStub: options.failedStub, usesOtherStub };
  return { session, findings: { chip, identity, baud: speed, resetWay: way, ...found } };
}

/** Reset, sync, and which chip it is. Over the chip's own USB watchdogs may still run, and blocks may be limited. */
async function greet(
  client: LoaderClient,
  transport: SerialTransport,
  options: Pick<EspOptions, "resetWay" | "expectedChip"> & { readonly baud: number | undefined },
): Promise<{ entered: Entered; chip: Chip; rate: number }> {
  const { trace } = client.context;
  trace.enter("connect", "reset + sync");
  const { entered, rate } = await enterAtAnyRate(client, transport, options);
  client.personality = entered.personality;
  trace.enter("connect", "chip");
  const chip = await detectChip(client);
  checkExpected(chip, options.expectedChip, transport);
  const link = linkOf(transport);
  if (link === "usb-otg") client.longestBlockBytes = longestOtgBlockBytes;
  if (link === "usb-serial-jtag") await stopWatchdogs(client, chip.name);
  return { entered, chip, rate };
}

/** Where nothing can reset the board, the loader may still run at the rate of a job that was cut short. */
async function enterAtAnyRate(
  client: LoaderClient,
  transport: SerialTransport,
  options: Pick<EspOptions, "resetWay"> & { readonly baud: number | undefined },
): Promise<{ entered: Entered; rate: number }> {
  await transport.setBaudRate(startBaud);
  try {
    return { entered: await enterLoader(client, transport, resetWays(transport, options.resetWay)), rate: startBaud };
  } catch (error) {
    const rate = options.baud ?? startBaud;
    const silent = error instanceof FlashError && error.code === "timeout";
    if (transport.hasModemLines || rate === startBaud || !silent) throw error;
    await transport.setBaudRate(rate);
    const [way = "none"] = resetWays(transport, undefined);
    return { entered: await enterLoader(client, transport, [way]).catch(() => Promise.reject(error)), rate };
  }
}

/**
 * ROM only: the state from which a RAM program is loaded. The rate stays the loader's own unless another one is asked for,
 * because the program finds the UART as the loader leaves it.
 */
export async function enterRom(
  transport: SerialTransport,
  context: Context,
  options: Pick<EspOptions, "resetWay" | "expectedChip"> & { readonly baud: number | undefined },
): Promise<{ client: LoaderClient; chip: Chip; identity: string; entered: Entered }> {
  const client = new LoaderClient(transport, context);
  const { entered, chip } = await greet(client, transport, options);
  await checkFuses(client, chip);
  const identity = await readMac(client, chip);
  if (options.baud !== undefined) await changeRomBaud(client, transport, chip, options.baud);
  return { client, chip, identity, entered };
}

function checkExpected(chip: Chip, expected: string | undefined, transport: SerialTransport): void {
  if (expected === undefined || expected === chip.name) return;
  throw new FlashError(
    "wrong-chip",
    `the image is for ${expected}, the board on ${transport.name} is an ${chip.title}`,
  );
}

async function atRate<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof FlashError && error.code === "timeout") {
      throw new BaudFailed("timeout", error.message, { cause: error, remedy: error.remedy });
    }
    throw error;
  }
}

interface StubBringUp {
  readonly client: LoaderClient;
  readonly transport: SerialTransport;
  readonly chip: Chip;
  /** The rate to work at. */
  readonly wanted: number;
  /** The ROM's rate now. */
  readonly baud: number;
  readonly revision: number | undefined;
}

/** @returns the rate that holds when the stub runs */
async function bringUpStub({ client, transport, chip, wanted, baud, revision }: StubBringUp): Promise<number> {
  const { trace } = client.context;
  trace.enter("connect", "stub upload");
  const stub = await loadOfficialStub(chip, revision);
  await startInRam(client, stub);
  trace.enter("connect", "stub start");
  // On some chips the stub puts the UART back to the rate that the ROM began with.
  const rates = chip.stubResetsBaud ? [startBaud, baud] : [baud, startBaud];
  let found: number | undefined;
  for (const rate of rates) {
    await transport.setBaudRate(rate);
    if ((await awaitGreeting(client, greetingMs)) || (await answersAsStub(client))) {
      found = rate;
      break;
    }
  }
  if (found === undefined) {
    throw new FlashError("timeout", `the stub on ${transport.name} was loaded but does not answer`, {
      remedy: "Flash again with a lower --baud; if it stays, with --no-stub.",
    });
  }
  client.personality = "stub";
  if (found === wanted) return found;
  trace.enter("connect", "bit rate");
  await atRate(() => changeStubBaud(client, transport, { from: found, to: wanted }));
  return wanted;
}

/** The greeting may have been lost; a stub that runs answers SYNC as a stub. */
async function answersAsStub(client: LoaderClient): Promise<boolean> {
  if ((await client.sync(50)) === "stub") return true;
  await client.realign(); // at a wrong rate the question has left half a frame behind
  return (await client.sync(50)) === "stub";
}

/** A ROM must be told to use the flash pins; the stub has done it already. ESP32: the pins of the fuses, 0 where they say nothing. */
async function attachByRom(client: LoaderClient, chip: Chip): Promise<void> {
  if (!chip.romIsComplete) return; // the ESP8266's FLASH_BEGIN attaches
  const pins = chip.name === "esp32" ? await esp32FlashPins(client) : 0;
  const data = new Uint8Array(8);
  new DataView(data.buffer).setUint32(0, pins, true);
  await client.request(SPI_ATTACH, data);
}

async function esp32FlashPins(client: LoaderClient): Promise<number> {
  const word3 = await client.readRegister(0x3ff5a00c);
  const word5 = await client.readRegister(0x3ff5a014);
  const pin = (shift: number) => (word5 >>> shift) & 0x1f;
  const hold = (word3 >>> 4) & 0x1f;
  return ((hold << 24) | (pin(15) << 18) | (pin(10) << 12) | (pin(5) << 6) | pin(0)) >>> 0;
}

async function askFlashId(client: LoaderClient, chip: Chip): Promise<number> {
  client.context.trace.enter("connect", "flash chip");
  return readFlashId(client, chip);
}

async function setFlashSize(client: LoaderClient, chip: Chip, flashBytes: number): Promise<void> {
  if (client.personality === "rom" && !chip.romIsComplete) return;
  await client.request(
    SPI_SET_PARAMS,
    spiSetParams.write({
      id: 0,
      totalSize: flashBytes,
      blockSize: 0x10000,
      sectorSize: 0x1000,
      pageSize: 0x100,
      statusMask: 0xffff,
    }),
  );
}
