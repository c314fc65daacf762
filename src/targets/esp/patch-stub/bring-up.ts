/** Loads Deltaflash's own stub through the ROM loader and makes sure that it runs and sees the flash chip. */
import { hex } from "../../../core/bytes.ts";
import { FlashError } from "../../../core/errors.ts";
import type { SerialTransport } from "../../../transport/transport.ts";
import type { Chip } from "../chips.ts";
import type { LoaderClient } from "../client.ts";
import { flashSizeOf } from "../identify.ts";
import { usbEquivalentBaud, type Link } from "../link.ts";
import { startInRam } from "../stub.ts";
import { loadPatchStub } from "./blobs.ts";
import { StubChannel } from "./channel.ts";
import { processorClocks, processorMhz, scaledDivider } from "./divider.ts";
import { StubLink, type Hello } from "./link.ts";
import { status } from "./operations.ts";

/** The stub addresses the flash with three bytes. */
const largestFlashBytes = 0x1000000;
/** The ESP8266 has no number in image headers. */
const chipOf8266 = 0xff;

export interface BringUp {
  readonly client: LoaderClient;
  readonly transport: SerialTransport;
  readonly chip: Chip;
  /** Of an ESP32-P4, times 100. */
  readonly revision: number | undefined;
  readonly link: Link;
  /** The ROM's rate now. */
  readonly baud: number;
  /** The rate to work at. */
  readonly wanted: number;
  /** What the flash chip of this board answered last time. */
  readonly knownFlashId: number | undefined;
  /** Where the user says so. */
  readonly flashBytes: number | undefined;
  /** A build that did not run on this board. */
  readonly failedBuild: number | undefined;
}

export interface Running {
  readonly kind: "running";
  readonly channel: StubChannel;
  readonly flashId: number;
  readonly baud: number;
}

/** Nothing was done: our stub cannot serve this board, or is known not to run on it. */
export type NotStarted = { readonly kind: "unfit" } | { readonly kind: "failed before" };

/** Where it failed: it never got into the RAM as it is, so that nothing is known about it; it does not run; it runs, but not with this flash chip. */
type Stage = "upload" | "start" | "flash chip";

/** The stub could not be loaded, or does not run as it should. Espressif's may. */
export class PatchStubFailed extends FlashError {
  /** Which build it was. */
  readonly build: number;
  readonly stage: Stage;

  constructor(build: number, stage: Stage, cause: FlashError) {
    super(cause.code, cause.message, { cause });
    this.build = build;
    this.stage = stage;
  }
}

/** @throws PatchStubFailed when it does not run as it should: the board must be reset */
export async function startPatchStub(parts: BringUp): Promise<Running | NotStarted> {
  const { client, transport, chip, link, wanted } = parts;
  const { trace } = client.context;
  if (link === "usb-otg" || !transport.hasModemLines || isLarge(parts)) return { kind: "unfit" };
  const mustChangeBaud = link === "uart" && parts.baud !== wanted;
  let stage: Stage = "upload";
  const mustReadDivider = mustChangeBaud || processorClocks[chip.name] !== undefined;
  const divider = mustReadDivider ? await client.readRegister(chip.uartDivider) : 0;
  const clockMhz = processorMhz(chip, divider, parts.baud);
  const stub = await loadPatchStub(chip, parts.revision, { link, clockMhz });
  if (stub === undefined) return { kind: "unfit" };
  if (stub.build === parts.failedBuild) return { kind: "failed before" };
  try {
    trace.enter("connect", "stub upload");
    await startInRam(client, stub.program);
    stage = "start";
    trace.enter("connect", "stub start");
    const speaking = new StubLink(transport, client.context, link === "uart" ? parts.baud : usbEquivalentBaud);
    const greeting = await greet(speaking, parts, stub.build);
    const channel = new StubChannel(speaking, stub.parts, greeting);
    if (mustChangeBaud) await changeBaud(channel, parts, divider);
    return { kind: "running", channel, flashId: greeting.hello.flashId, baud: wanted };
  } catch (error) {
    if (!(error instanceof FlashError) || error.code === "cancelled" || error.code === "disconnected") throw error;
    throw new PatchStubFailed(stub.build, error instanceof TooLarge ? "flash chip" : stage, error);
  }
}

/** Whether the flash chip is too large, as far as that is known before anything was asked. */
function isLarge({ flashBytes, knownFlashId }: BringUp): boolean {
  const bytes = flashBytes ?? (knownFlashId === undefined ? 0 : flashSizeOf(knownFlashId));
  return bytes > largestFlashBytes;
}

class TooLarge extends FlashError {}

/** Asks for as much flash as the board is thought to have, and again if it has another chip. */
async function greet(
  link: StubLink,
  { chip, flashBytes, knownFlashId }: BringUp,
  build: number,
): Promise<{ hello: Hello; flashBytes: number }> {
  const thought = flashBytes ?? (knownFlashId === undefined ? 0 : flashSizeOf(knownFlashId));
  const first = await link.hello(thought);
  if (first.build !== build || first.chip !== (chip.imageId ?? chipOf8266)) {
    throw new FlashError("protocol", `the stub says chip ${first.chip}, build ${hex(first.build, 8)}`);
  }
  const size = flashBytes ?? flashSizeOf(first.flashId);
  if (size > largestFlashBytes) throw new TooLarge("refused", "the flash chip is larger than 16 MiB");
  return { hello: size === thought ? first : await link.hello(size), flashBytes: size };
}

/** By the divider as the ROM has it: the stub knows no crystal. */
async function changeBaud(
  channel: StubChannel,
  { transport, chip, baud, wanted }: BringUp,
  divider: number,
): Promise<void> {
  const { link } = channel;
  link.context.trace.enter("connect", "bit rate");
  const wantedDivider = scaledDivider(divider, baud / wanted, chip.romIsComplete);
  let answer = await link.changeDivider(wantedDivider);
  if (answer === status.notLoaded) {
    await channel.loaded("write");
    answer = await link.changeDivider(wantedDivider);
  }
  if (answer !== status.ok) throw new FlashError("protocol", `the stub refuses another rate: ${hex(answer, 2)}`);
  await transport.setBaudRate(wanted);
  link.baud = wanted;
  await channel.restart();
}
