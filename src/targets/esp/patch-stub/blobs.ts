/** The stub's programs as `npm run stubs` makes them, one per chip. */
import type { Chip } from "../chips.ts";
import type { RamProgram } from "../stub.ts";
import type { RamPiece } from "./write-blocks.ts";

/** `stubs/README.md`, table "ABI". */
interface Blob {
  readonly entry: number;
  readonly segments: readonly BlobSegment[];
  /** Loaded by RAM when something is to be inflated. */
  readonly inflate: readonly BlobSegment[];
  /** Address of a word inside the segments: 0 = UART0, 1 = USB-Serial-JTAG. */
  readonly linkWord: number;
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
  readonly inflate: readonly RamPiece[];
  readonly build: number;
}

/** @returns undefined where there is none for this chip */
export async function loadPatchStub(chip: Chip, link: "uart" | "usb-serial-jtag"): Promise<PatchStub | undefined> {
  const load = blobs[chip.name];
  if (load === undefined) return undefined;
  const { default: blob } = await load();
  const pieces = blob.segments.map((segment) => withLinkWord(decode(segment), blob.linkWord, link));
  return { program: { pieces, entry: blob.entry }, inflate: blob.inflate.map(decode), build: blob.build };
}

function decode({ address, data }: BlobSegment): RamPiece {
  return { address, data: new Uint8Array(Buffer.from(data, "base64")) };
}

function withLinkWord(piece: RamPiece, at: number, link: "uart" | "usb-serial-jtag"): RamPiece {
  const offset = at - piece.address;
  if (offset >= 0 && offset < piece.data.length) piece.data[offset] = link === "uart" ? 0 : 1;
  return piece;
}

type BlobImport = () => Promise<{ readonly default: Blob }>;

/** Each is its own chunk of the bundle, read only when such a chip is there. */
const blobs: Readonly<Record<string, BlobImport | undefined>> = {
  esp32c3: () => import("../../../../stubs/blobs/esp32c3.json", { with: { type: "json" } }),
};
