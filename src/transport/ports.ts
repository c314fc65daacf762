/** Which serial ports there are on this machine, and what stands behind them. Opens none of them. */
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
