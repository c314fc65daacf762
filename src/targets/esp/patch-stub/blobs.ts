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

/** @param revision of an ESP32-P4, times 100; its RAM lies elsewhere from 3.0 on @returns undefined where there is none for this chip */
export async function loadPatchStub(
  { name }: Chip,
  revision: number | undefined,
  link: "uart" | "usb-serial-jtag",
): Promise<PatchStub | undefined> {
  const load = blobs[name === "esp32p4" && revision !== undefined && revision < 300 ? "esp32p4-rev1" : name];
  if (load === undefined) return undefined;
  const { default: blob } = await load();
  const pieces = blob.segments.map((segment) => withLinkWord(decode(segment), blob.linkWord, link));
  const parts = { write: blob.write.map(decode), inflate: blob.inflate.map(decode) };
  return { program: { pieces, entry: blob.entry }, parts, build: blob.build };
}

function decode({ address, data }: BlobSegment): RamPiece {
  return { address, data: new Uint8Array(Buffer.from(data, "base64")) };
}

function withLinkWord(piece: RamPiece, at: number | undefined, link: "uart" | "usb-serial-jtag"): RamPiece {
  const offset = (at ?? -1) - piece.address;
  if (offset >= 0 && offset < piece.data.length) piece.data[offset] = link === "uart" ? 0 : 1;
  return piece;
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
