/** Which uploads are Deltaflash's own stub: compared byte by byte with what `npm run stubs` made for this chip. */
import core from "../../stubs/blobs/core.json" with { type: "json" };
import esp32c3 from "../../stubs/blobs/esp32c3.json" with { type: "json" };
import type { Machine } from "./esp-machine.ts";

interface Piece {
  readonly address: number;
  readonly data: Uint8Array;
}

export interface PatchStubUpload {
  readonly entry: number;
  readonly segments: readonly Piece[];
  readonly inflate: readonly Piece[];
}

interface BlobFile {
  readonly chip: string;
  readonly entry: number;
  readonly linkWord: number;
  readonly segments: readonly { readonly address: number; readonly data: string }[];
  readonly inflate: readonly { readonly address: number; readonly data: string }[];
}

const blobs: readonly BlobFile[] = [esp32c3];

let compiled: WebAssembly.Module | undefined;

/** The core, built for WebAssembly. */
export function stubCore(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(core.wasm, "base64"));
  return compiled;
}

/** Our stub for this chip, if it is what stands in RAM with this entry. */
export function patchStubAt({ chip, memory }: Machine, entry: number): PatchStubUpload | undefined {
  const blob = blobs.find((one) => one.chip === chip.id && one.entry === entry);
  if (blob === undefined) return undefined;
  const segments = blob.segments.map(decode);
  const isThere = segments.every(({ address, data }) => {
    const found = memory.view(address, data.length)?.slice();
    const linkAt = blob.linkWord - address;
    if (found !== undefined && linkAt >= 0 && linkAt < data.length) found.set(data.subarray(linkAt, linkAt + 4), linkAt);
    return found !== undefined && Buffer.compare(found, data) === 0;
  });
  return isThere ? { entry, segments, inflate: blob.inflate.map(decode) } : undefined;
}

function decode({ address, data }: { readonly address: number; readonly data: string }): Piece {
  return { address, data: new Uint8Array(Buffer.from(data, "base64")) };
}
