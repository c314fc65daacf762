/**
 * The little that reading a build folder must know of ESP image files: which one is an application, for which chip, and where it goes.
 * Does not check them; the target does that. Sources: `esp_app_format.h`, `esp_app_desc.h`, "Partition Tables" of ESP-IDF (Apache-2.0).
 */
import { open } from "node:fs/promises";
import { viewOf } from "../core/struct.ts";

const IMAGE_MAGIC = 0xe9;
const CHIP_ID_AT = 12;
const DESCRIPTION_AT = 0x20;
const DESCRIPTION_MAGIC = 0xabcd5432;
const ROW_MAGIC = 0x50aa;
const ROW_SIZE = 32;

const chips: ReadonlyMap<number, { readonly chip: string; readonly bootloaderOffset: number }> = new Map([
  [0, { chip: "esp32", bootloaderOffset: 0x1000 }],
  [2, { chip: "esp32s2", bootloaderOffset: 0x1000 }],
  [5, { chip: "esp32c3", bootloaderOffset: 0 }],
  [9, { chip: "esp32s3", bootloaderOffset: 0 }],
  [12, { chip: "esp32c2", bootloaderOffset: 0 }],
  [13, { chip: "esp32c6", bootloaderOffset: 0 }],
  [16, { chip: "esp32h2", bootloaderOffset: 0 }],
  [18, { chip: "esp32p4", bootloaderOffset: 0x2000 }],
  [20, { chip: "esp32c61", bootloaderOffset: 0 }],
  [23, { chip: "esp32c5", bootloaderOffset: 0x2000 }],
]);

/** True for an image that begins with an application description; false for boot loaders and for the ESP8266. */
export function isAppImage(bytes: Uint8Array): boolean {
  return (
    bytes[0] === IMAGE_MAGIC &&
    bytes.length > DESCRIPTION_AT + 4 &&
    viewOf(bytes).getUint32(DESCRIPTION_AT, true) === DESCRIPTION_MAGIC
  );
}

/** The chip that an image's header names, and where its boot loader goes. Not for ESP8266 images, which name none. */
export function chipOfImage(
  bytes: Uint8Array,
): { readonly chip: string; readonly bootloaderOffset: number } | undefined {
  if (bytes[0] !== IMAGE_MAGIC || bytes.length < DESCRIPTION_AT) return undefined;
  return chips.get(viewOf(bytes).getUint16(CHIP_ID_AT, true));
}

/** The same of a file, of which only the head is read; undefined also when there is no such file. */
export async function chipOfImageFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const head = new Uint8Array(DESCRIPTION_AT);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return chipOfImage(head.subarray(0, bytesRead))?.chip;
  } catch {
    return undefined; // loading says what is wrong with it
  }
}

/** Flash offset of the application that a fresh board starts: the factory one, else the first slot for updates; undefined without any. */
export function firstAppOffset(table: Uint8Array): number | undefined {
  const view = viewOf(table);
  let best: { readonly subtype: number; readonly offset: number } | undefined;
  for (let at = 0; at + ROW_SIZE <= table.length && view.getUint16(at, true) === ROW_MAGIC; at += ROW_SIZE) {
    const subtype = view.getUint8(at + 3);
    const isApp = view.getUint8(at + 2) === 0;
    if (isApp && (best === undefined || subtype < best.subtype))
      best = { subtype, offset: view.getUint32(at + 4, true) };
  }
  return best?.offset;
}
