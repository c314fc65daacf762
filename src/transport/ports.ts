/** Which serial ports there are on this machine, and what stands behind them. Opens none of them. */
import { FlashError } from "../core/errors.ts";
import { listSysfsPorts, usbIdsOfDevice } from "./ports-sysfs.ts";
import { bridgeOf, type UsbBridge, type UsbIds } from "./usb-bridges.ts";

export { holderOf } from "./port-holder.ts";

export interface PortDescription {
  /** What `openPort` takes: `/dev/ttyUSB0`, `COM3`. */
  readonly path: string;
  readonly usb?: UsbIds;
  readonly bridge?: UsbBridge;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serialNumber?: string;
  /** A name that stays when ports are plugged in another order (Linux). */
  readonly stablePath?: string;
}

/** On Linux from /sys, which needs no udevadm; elsewhere, or where /sys is missing, from the serialport package. */
export async function listPorts(): Promise<readonly PortDescription[]> {
  const ports = (process.platform === "linux" ? await listSysfsPorts().catch(() => undefined) : undefined) ?? [];
  const all = process.platform === "linux" && ports.length > 0 ? ports : [...ports, ...(await listByPackage())];
  return all.map((port) => {
    const bridge = port.usb === undefined ? undefined : bridgeOf(port.usb);
    return bridge === undefined ? port : { ...port, bridge };
  });
}

/** The one port that a board may stand behind. @throws FlashError `board-not-found` when there is none, or more than one. */
export async function onlyBoardPort(): Promise<string> {
  return chooseBoardPort(await listPorts());
}

/** Debug probes and ports that are not on USB count only where there is nothing better. */
export function chooseBoardPort(ports: readonly PortDescription[]): string {
  const onUsb = ports.filter((port) => port.usb !== undefined);
  const boards = onUsb.filter((port) => port.bridge !== undefined && port.bridge.kind !== "debug-probe");
  const candidates = [boards, onUsb, ports].find((list) => list.length > 0) ?? [];
  const [first, ...others] = candidates;
  if (first === undefined) {
    throw new FlashError("board-not-found", "there is no serial port on this machine", {
      remedy: "Plug the board in with a cable that carries data, or name a port with --port.",
    });
  }
  if (others.length > 0) {
    const names = candidates.map((port) =>
      port.bridge === undefined ? port.path : `${port.path} (${port.bridge.name})`,
    );
    throw new FlashError("board-not-found", `there are several ports: ${names.join(", ")}`, {
      remedy: `Choose one, for example --port ${first.path}.`,
    });
  }
  return first.path;
}

/** Undefined for ports that are not on USB, and where the system does not say. */
export async function usbIdsOf(path: string): Promise<UsbIds | undefined> {
  if (process.platform === "linux") return usbIdsOfDevice(path);
  return (await listByPackage()).find((port) => port.path === path)?.usb;
}

/** Empty where the package cannot list: on Linux it needs udevadm. */
async function listByPackage(): Promise<readonly PortDescription[]> {
  const { SerialPort } = await import("serialport");
  const ports = await SerialPort.list().catch(() => []);
  return ports.map((port) => {
    const vendorId = parseInt(port.vendorId ?? "", 16);
    const productId = parseInt(port.productId ?? "", 16);
    return {
      path: port.path,
      ...(Number.isNaN(vendorId) || Number.isNaN(productId) ? {} : { usb: { vendorId, productId } }),
      ...(port.manufacturer === undefined ? {} : { manufacturer: port.manufacturer }),
      ...(port.serialNumber === undefined ? {} : { serialNumber: port.serialNumber }),
    };
  });
}
