/** Serial ports as Linux's /sys and /dev/serial list them. Needs no udevadm, which small systems lack. */
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { UsbIds } from "./usb-bridges.ts";

export interface SysfsPort {
  readonly path: string;
  readonly usb?: UsbIds;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serialNumber?: string;
  /** A name that stays when ports are plugged in another order. */
  readonly stablePath?: string;
}

export interface SystemRoots {
  readonly sys: string;
  readonly dev: string;
}

const systemRoots: SystemRoots = { sys: "/sys", dev: "/dev" };
/** From a tty up to its USB device it is two to four folders: port, interface, device. */
const LEVELS_TO_USB_DEVICE = 5;
/** ttyS: built-in UARTs, ttyAMA and ttymxc: those of ARM boards, ttyTHS: Tegra's. */
const SERIAL_NAMES = /^(ttyUSB|ttyACM|ttyS|ttyAMA|ttymxc|ttyTHS|ttyXRUSB|ttyWCH|ttyCH343USB|rfcomm)\d+$/;

/** Sorted by path. UARTs that the system only has a name for are left out. */
export async function listSysfsPorts(roots: SystemRoots = systemRoots): Promise<readonly SysfsPort[]> {
  const names = (await readdir(join(roots.sys, "class/tty"))).filter((name) => SERIAL_NAMES.test(name));
  const stable = await stablePaths(roots);
  const ports: SysfsPort[] = [];
  for (const name of names) {
    const folder = join(roots.sys, "class/tty", name);
    if (await isEmptySocket(folder, name)) continue;
    const path = join(roots.dev, name);
    const stablePath = stable.get(name);
    ports.push({ path, ...(await usbFacts(folder)), ...(stablePath === undefined ? {} : { stablePath }) });
  }
  return ports.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
}

/** The USB ids of one port; undefined for ports that are not on USB. `path` may be a link to the device. */
export async function usbIdsOfDevice(path: string, roots: SystemRoots = systemRoots): Promise<UsbIds | undefined> {
  const device = await realpath(path).catch(() => path);
  return (await usbFacts(join(roots.sys, "class/tty", basename(device)))).usb;
}

/** The 8250 driver makes ttyS0 to ttyS31 whether there is hardware or not; `type` 0 is PORT_UNKNOWN (linux/serial.h). */
async function isEmptySocket(folder: string, name: string): Promise<boolean> {
  if (!name.startsWith("ttyS")) return false;
  return ((await text(join(folder, "type"))) ?? "0") === "0";
}

async function usbFacts(folder: string): Promise<Omit<SysfsPort, "path">> {
  let at = await realpath(join(folder, "device")).catch(() => undefined);
  for (let level = 0; level < LEVELS_TO_USB_DEVICE && at !== undefined; level++) {
    const vendor = await text(join(at, "idVendor"));
    if (vendor !== undefined) return await factsOfUsbDevice(at, vendor);
    at = dirname(at);
  }
  return {};
}

async function factsOfUsbDevice(folder: string, vendor: string): Promise<Omit<SysfsPort, "path">> {
  const [productId, manufacturer, product, serialNumber] = await Promise.all(
    ["idProduct", "manufacturer", "product", "serial"].map((name) => text(join(folder, name))),
  );
  return {
    usb: { vendorId: parseInt(vendor, 16), productId: parseInt(productId ?? "0", 16) },
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(product === undefined ? {} : { product }),
    ...(serialNumber === undefined ? {} : { serialNumber }),
  };
}

async function stablePaths(roots: SystemRoots): Promise<ReadonlyMap<string, string>> {
  const folder = join(roots.dev, "serial/by-id");
  const links = await readdir(folder).catch(() => []);
  const byName = new Map<string, string>();
  for (const link of links) {
    const target = await readlink(join(folder, link)).catch(() => undefined);
    if (target !== undefined) byName.set(basename(target), join(folder, link));
  }
  return byName;
}

async function text(path: string): Promise<string | undefined> {
  const contents = await readFile(path, "utf8").catch(() => undefined);
  return contents?.trim();
}
