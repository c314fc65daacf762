/**
 * Gets a board into its ROM loader and out of it with the two modem lines. On the usual two-transistor circuit the chip is
 * held in reset while RTS alone is asserted, and the boot pin is low while DTR alone is; the boot pin is sampled when the
 * reset ends. Times: esptool 5.3 `reset.py` for the slow forms; the quick form waits for the answer instead of sleeping.
 */
import { FlashError } from "../../core/errors.ts";
import type { SerialTransport } from "../../transport/transport.ts";
import type { Context } from "../target.ts";
import { linkOf } from "./link.ts";
import type { LoaderClient, Personality } from "./client.ts";

export type ResetWay = "none" | "quick" | "classic" | "slow" | "usb-serial-jtag" | "flow-control";

/** CP2102C and other bridges with hardware flow control: DTR must stay asserted while the loader is used. */
const flowControlBridge = { vendorId: 0x10c4, productId: 0xea64 };

/** How long to wait for one SYNC's answer before the next is sent; a SYNC takes 4 ms at 115200. */
const syncIntervalMs = 25;

interface Recipe {
  /** How long the chip is held in reset. */
  readonly resetMs: number;
  /** How long SYNC is tried after the reset ended. */
  readonly listenMs: number;
}

const recipes: Readonly<Record<ResetWay, Recipe>> = {
  none: { resetMs: 0, listenMs: 400 },
  // Ten times the 1 ms that 10 kOhm and 100 nF take, and enough for the 1 uF of the reference boards.
  quick: { resetMs: 10, listenMs: 250 },
  classic: { resetMs: 100, listenMs: 500 },
  // Boards with a large capacitor on the reset pin come up late.
  slow: { resetMs: 100, listenMs: 1_500 },
  "usb-serial-jtag": { resetMs: 100, listenMs: 600 },
  "flow-control": { resetMs: 100, listenMs: 600 },
};

/** The ways to try on this port, the one that worked last time first. */
export function resetWays(transport: SerialTransport, learned: ResetWay | undefined): readonly ResetWay[] {
  if (!transport.hasModemLines) return ["none", "none", "none"];
  const ways = waysOf(transport);
  return learned !== undefined && ways.includes(learned) ? [learned, ...ways] : [...ways, ...ways.slice(0, 1)];
}

function waysOf(transport: SerialTransport): readonly ResetWay[] {
  const { usb } = transport;
  if (usb?.vendorId === flowControlBridge.vendorId && usb.productId === flowControlBridge.productId) {
    return ["flow-control", "classic", "slow"];
  }
  return linkOf(transport) === "usb-serial-jtag" ? ["usb-serial-jtag", "classic"] : ["quick", "classic", "slow"];
}

export interface Entered {
  readonly way: ResetWay;
  readonly personality: Personality;
}

/**
 * Resets into the loader and waits for its answer; tries every way once.
 * @throws FlashError `timeout` telling what the board said instead
 */
export async function enterLoader(
  client: LoaderClient,
  transport: SerialTransport,
  ways: readonly ResetWay[],
): Promise<Entered> {
  for (const way of ways) {
    client.context.log(`reset: ${way}`);
    client.forgetHeard();
    await resetIntoLoader(client, transport, way);
    const personality = await listen(client, recipes[way].listenMs);
    if (transport.hasModemLines) await transport.setSignals({ dtr: way === "flow-control", rts: false });
    if (personality !== undefined) return { way, personality };
  }
  throw noAnswer(transport, client.heard);
}

async function resetIntoLoader(client: LoaderClient, transport: SerialTransport, way: ResetWay): Promise<void> {
  const { clock, signal } = client.context;
  const { resetMs } = recipes[way];
  switch (way) {
    case "none":
      await client.flush();
      return;
    case "quick":
    case "classic":
    case "slow":
    case "flow-control":
      await transport.setSignals({ dtr: false, rts: true });
      await clock.sleep(resetMs, signal);
      await client.flush();
      // The boot pin goes low before the reset's capacitor lets the chip go.
      await transport.setSignals({ dtr: true, rts: false });
      return;
    case "usb-serial-jtag":
      await transport.setSignals({ dtr: false, rts: false });
      await clock.sleep(resetMs, signal);
      await transport.setSignals({ dtr: true, rts: false });
      await clock.sleep(resetMs, signal);
      await client.flush();
      await transport.setSignals({ dtr: true, rts: true });
      await transport.setSignals({ dtr: false, rts: true });
      await clock.sleep(resetMs, signal);
      await transport.setSignals({ dtr: false, rts: false });
      return;
  }
}

async function listen(client: LoaderClient, listenMs: number): Promise<Personality | undefined> {
  const { clock } = client.context;
  const deadlineMs = clock.nowMs() + listenMs;
  while (clock.nowMs() < deadlineMs) {
    const personality = await client.sync(syncIntervalMs);
    if (personality !== undefined) return personality;
  }
  return undefined;
}

/** Leaves the loader and starts the program in the flash. Without a reset line nothing happens. */
export async function resetIntoProgram(
  transport: SerialTransport,
  context: Pick<Context, "clock">,
  way: ResetWay,
): Promise<void> {
  if (!transport.hasModemLines) return;
  const { clock } = context;
  await transport.setSignals({ dtr: false, rts: true });
  if (way === "flow-control") {
    await clock.sleep(recipes[way].resetMs);
    await transport.setSignals({ dtr: true, rts: true });
  }
  // Not cancellable: a board must not be left in reset.
  await clock.sleep(way === "usb-serial-jtag" ? 200 : recipes[way].resetMs);
  await transport.setSignals({ dtr: false, rts: false });
}

function noAnswer(transport: SerialTransport, heard: string): FlashError {
  const mode = /boot:(0x[0-9a-f]+)[^\r\n]*/i.exec(heard)?.[0];
  if (/waiting for download|wait uart0 download|DOWNLOAD_BOOT|UART_BOOT/i.test(heard)) {
    return new FlashError("timeout", `the loader on ${transport.name} announced itself but answers no SYNC`, {
      remedy: "The line from the computer to the board may be broken: check its TX wire, or try another cable.",
    });
  }
  if (mode !== undefined) {
    return new FlashError(
      "timeout",
      `the board on ${transport.name} started its program instead of the loader (${mode})`,
    );
  }
  const text = heard.replaceAll(/[^\x20-\x7e]+/g, " ").trim();
  const said = text === "" ? "it said nothing at all" : `it said "${text.slice(-60)}"`;
  return new FlashError("timeout", `no ESP loader answers on ${transport.name}; ${said}`);
}
