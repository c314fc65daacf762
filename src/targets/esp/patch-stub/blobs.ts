/** The stub's programs as `npm run stubs` makes them, one per chip. */
import type { Chip } from "../chips.ts";
import type { RamProgram } from "../stub.ts";
import type { LaterParts, RamPiece } from "./channel.ts";

/** `stubs/README.md`, table "ABI". */
interface Blob {
  readonly entry: number;
  /** What the ROM loads: as much as it takes to look at the flash. */
  readonly segments: readonly BlobSegment[];
  /** Loaded by RAM: what it takes to write. */
  readonly write: readonly BlobSegment[];
  /** Loaded by RAM when something is to be inflated. */
  readonly inflate: readonly BlobSegment[];
  /** Address of a word inside the segments: 0 = UART0, 1 = USB-Serial-JTAG. Only where there is a choice. */
  readonly linkWord?: number;
  /** Address of a word inside the segments: MHz of the processor, by which some chips count time. */
  readonly clockWord?: number;
  /** CRC-32 that HELLO reports as `build`. */
  readonly build: number;
}

interface BlobSegment {
  readonly address: number;
  /** Base64 */
  readonly data: string;
}

export interface PatchStub {
  readonly program: RamProgram;
  readonly parts: LaterParts;
  readonly build: number;
}

/** What a stub is told by words in its image. */
interface Situation {
  readonly link: "uart" | "usb-serial-jtag";
  /** Of the processor while the loader runs; undefined: as it was built for, or not read. */
  readonly clockMhz: number | undefined;
}

/** @param revision of an ESP32-P4, times 100; its RAM lies elsewhere from 3.0 on @returns undefined where there is none for this chip */
export async function loadPatchStub(
  { name }: Chip,
  revision: number | undefined,
  { link, clockMhz }: Situation,
): Promise<PatchStub | undefined> {
  const load = blobs[name === "esp32p4" && revision !== undefined && revision < 300 ? "esp32p4-rev1" : name];
  if (load === undefined) return undefined;
  const { default: blob } = await load();
  const pieces = blob.segments.map(decode);
  setByte(pieces, blob.linkWord, link === "uart" ? 0 : 1);
  if (clockMhz !== undefined) setByte(pieces, blob.clockWord, clockMhz);
  const parts = { write: blob.write.map(decode), inflate: blob.inflate.map(decode) };
  return { program: { pieces, entry: blob.entry }, parts, build: blob.build };
}

function decode({ address, data }: BlobSegment): RamPiece {
  return { address, data: new Uint8Array(Buffer.from(data, "base64")) };
}

/** The lowest byte of a word; the others are 0 in every build. */
function setByte(pieces: readonly RamPiece[], at: number | undefined, value: number): void {
  for (const { address, data } of pieces) {
    const offset = (at ?? -1) - address;
    if (offset >= 0 && offset < data.length) data[offset] = value;
  }
}

type BlobImport = () => Promise<{ readonly default: Blob }>;

/** Each is its own chunk of the bundle, read only when such a chip is there. */
const blobs: Readonly<Record<string, BlobImport | undefined>> = {
  esp8266: () => import("../../../../stubs/blobs/esp8266.json", { with: { type: "json" } }),
  esp32: () => import("../../../../stubs/blobs/esp32.json", { with: { type: "json" } }),
  esp32s2: () => import("../../../../stubs/blobs/esp32s2.json", { with: { type: "json" } }),
  esp32s3: () => import("../../../../stubs/blobs/esp32s3.json", { with: { type: "json" } }),
  esp32c2: () => import("../../../../stubs/blobs/esp32c2.json", { with: { type: "json" } }),
  esp32c3: () => import("../../../../stubs/blobs/esp32c3.json", { with: { type: "json" } }),
  esp32c5: () => import("../../../../stubs/blobs/esp32c5.json", { with: { type: "json" } }),
  esp32c6: () => import("../../../../stubs/blobs/esp32c6.json", { with: { type: "json" } }),
  esp32c61: () => import("../../../../stubs/blobs/esp32c61.json", { with: { type: "json" } }),
  esp32h2: () => import("../../../../stubs/blobs/esp32h2.json", { with: { type: "json" } }),
  esp32p4: () => import("../../../../stubs/blobs/esp32p4.json", { with: { type: "json" } }),
  "esp32p4-rev1": () => import("../../../../stubs/blobs/esp32p4-rev1.json", { with: { type: "json" } }),
};
