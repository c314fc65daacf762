/** Which uploads are Deltaflash's own stub: compared byte by byte with what `npm run stubs` made for this chip. */
import core from "../../stubs/blobs/core.json" with { type: "json" };
import esp8266 from "../../stubs/blobs/esp8266.json" with { type: "json" };
import esp32 from "../../stubs/blobs/esp32.json" with { type: "json" };
import esp32s2 from "../../stubs/blobs/esp32s2.json" with { type: "json" };
import esp32s3 from "../../stubs/blobs/esp32s3.json" with { type: "json" };
import esp32c2 from "../../stubs/blobs/esp32c2.json" with { type: "json" };
import esp32c3 from "../../stubs/blobs/esp32c3.json" with { type: "json" };
import esp32c5 from "../../stubs/blobs/esp32c5.json" with { type: "json" };
import esp32c6 from "../../stubs/blobs/esp32c6.json" with { type: "json" };
import esp32c61 from "../../stubs/blobs/esp32c61.json" with { type: "json" };
import esp32h2 from "../../stubs/blobs/esp32h2.json" with { type: "json" };
import esp32p4 from "../../stubs/blobs/esp32p4.json" with { type: "json" };
import esp32p4Rev1 from "../../stubs/blobs/esp32p4-rev1.json" with { type: "json" };
import type { Machine } from "./esp-machine.ts";

interface Piece {
  readonly address: number;
  readonly data: Uint8Array;
}

export interface PatchStubUpload {
  readonly entry: number;
  readonly segments: readonly Piece[];
  readonly write: readonly Piece[];
  readonly inflate: readonly Piece[];
}

interface BlobFile {
  readonly chip: string;
  readonly entry: number;
  readonly linkWord?: number;
  readonly clockWord?: number;
  readonly segments: readonly { readonly address: number; readonly data: string }[];
  readonly write: readonly { readonly address: number; readonly data: string }[];
  readonly inflate: readonly { readonly address: number; readonly data: string }[];
}

const blobs: readonly BlobFile[] = [
  esp8266,
  esp32,
  esp32s2,
  esp32s3,
  esp32c2,
  esp32c3,
  esp32c5,
  esp32c6,
  esp32c61,
  esp32h2,
  esp32p4,
  esp32p4Rev1,
];

let compiled: WebAssembly.Module | undefined;

/** The core, built for WebAssembly. */
export function stubCore(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(core.wasm, "base64"));
  return compiled;
}

/** Our stub for this chip, if it is what stands in RAM with this entry. */
export function patchStubAt({ chip, memory }: Machine, entry: number): PatchStubUpload | undefined {
  const blob = blobs.find((one) => one.chip.replace("-rev1", "") === chip.id && one.entry === entry);
  if (blob === undefined) return undefined;
  const segments = blob.segments.map(decode);
  const isThere = segments.every(({ address, data }) => {
    const found = memory.view(address, data.length)?.slice();
    for (const word of [blob.linkWord, blob.clockWord]) {
      const at = (word ?? -1) - address;
      if (found !== undefined && at >= 0 && at < data.length) found.set(data.subarray(at, at + 4), at);
    }
    return found !== undefined && Buffer.compare(found, data) === 0;
  });
  return isThere ? { entry, segments, write: blob.write.map(decode), inflate: blob.inflate.map(decode) } : undefined;
}

function decode({ address, data }: { readonly address: number; readonly data: string }): Piece {
  return { address, data: new Uint8Array(Buffer.from(data, "base64")) };
}
