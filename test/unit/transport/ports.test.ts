import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holderOf } from "../../../src/transport/port-holder.ts";
import { listSysfsPorts, usbIdsOfDevice } from "../../../src/transport/ports-sysfs.ts";
import { bridgeOf } from "../../../src/transport/usb-bridges.ts";

let root = "";

async function file(path: string, contents: string): Promise<void> {
  const full = join(root, path);
  await mkdir(join(full, ".."), { recursive: true });
  await writeFile(full, contents);
}

async function link(target: string, path: string): Promise<void> {
  const full = join(root, path);
  await mkdir(join(full, ".."), { recursive: true });
  await symlink(target, full);
}

/** A machine with a CP2102 at ttyUSB0, an ESP32-C3 at ttyACM10, one real UART and one that is but a name. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "deltaflash-ports-"));
  const usb = "sys/devices/pci0000:00/usb1/1-2";
  await file(`${usb}/idVendor`, "10c4\n");
  await file(`${usb}/idProduct`, "ea60\n");
  await file(`${usb}/manufacturer`, "Silicon Labs\n");
  await file(`${usb}/product`, "CP2102 USB to UART Bridge Controller\n");
  await file(`${usb}/serial`, "0001\n");
  await file(`${usb}/1-2:1.0/ttyUSB0/port_number`, "0\n");
  await link(join(root, usb, "1-2:1.0/ttyUSB0"), "sys/class/tty/ttyUSB0/device");
  await file("sys/devices/usb2/2-1/idVendor", "303a\n");
  await file("sys/devices/usb2/2-1/idProduct", "1001\n");
  await file("sys/devices/usb2/2-1/2-1:1.0/bInterfaceNumber", "00\n");
  await link(join(root, "sys/devices/usb2/2-1/2-1:1.0"), "sys/class/tty/ttyACM10/device");
  await file("sys/class/tty/ttyS0/type", "4\n");
  await file("sys/class/tty/ttyS1/type", "0\n");
  await file("sys/class/tty/tty0/dev", "4:0\n");
  await file("dev/ttyUSB0", "");
  await link("../../ttyUSB0", "dev/serial/by-id/usb-Silicon_Labs_CP2102_0001-if00-port0");
  await file("proc/77/comm", "picocom\n");
  await file("proc/77/cmdline", "picocom\0-b\n115200\0");
  await link(join(root, "dev/ttyUSB0"), "proc/77/fd/3");
  await file("proc/78/comm", "bash\n");
});
afterAll(() => rm(root, { recursive: true }));

test("ports are listed from /sys alone, with what USB says about them", async () => {
  const ports = await listSysfsPorts({ sys: join(root, "sys"), dev: join(root, "dev") });
  expect(JSON.stringify(ports, null, 1).replaceAll(root, "")).toMatchInlineSnapshot(`
    "[
     {
      "path": "/dev/ttyACM10",
      "usb": {
       "vendorId": 12346,
       "productId": 4097
      }
     },
     {
      "path": "/dev/ttyS0"
     },
     {
      "path": "/dev/ttyUSB0",
      "usb": {
       "vendorId": 4292,
       "productId": 60000
      },
      "manufacturer": "Silicon Labs",
      "product": "CP2102 USB to UART Bridge Controller",
      "serialNumber": "0001",
      "stablePath": "/dev/serial/by-id/usb-Silicon_Labs_CP2102_0001-if00-port0"
     }
    ]"
  `);
});

test("the USB ids are found through a link to the device too", async () => {
  const roots = { sys: join(root, "sys"), dev: join(root, "dev") };
  const stable = join(root, "dev/serial/by-id/usb-Silicon_Labs_CP2102_0001-if00-port0");
  expect(await usbIdsOfDevice(stable, roots)).toEqual({ vendorId: 0x10c4, productId: 0xea60 });
  expect(await usbIdsOfDevice("/dev/pts/3", roots)).toBeUndefined();
});

test("the program that has a port open is named", async () => {
  const proc = join(root, "proc");
  expect(await holderOf(join(root, "dev/ttyUSB0"), proc)).toEqual({ pid: 77, command: "picocom -b 115200" });
  expect(await holderOf(join(root, "dev/ttyS0"), proc)).toBeUndefined();
});

test("a USB id tells the kind of bridge, and an unknown one nothing", () => {
  expect(bridgeOf({ vendorId: 0x303a, productId: 0x1001 })).toEqual({
    kind: "usb-serial-jtag",
    name: "ESP USB-Serial-JTAG",
  });
  expect(bridgeOf({ vendorId: 0x303a, productId: 0x8001 })?.kind).toBe("usb-otg");
  expect(bridgeOf({ vendorId: 0x1a86, productId: 0x7523 })?.maxBaud).toBe(2_000_000);
  expect(bridgeOf({ vendorId: 0x1234, productId: 0x5678 })).toBeUndefined();
});
