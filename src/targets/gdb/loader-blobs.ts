/** The loaders' programs as `npm run stubs` makes them, one per flash driver. */

/** `stubs/cortex-m/README.md`, "Binary and RAM". */
interface Blob {
  /** Base64 */
  readonly code: string;
  readonly coreBytes: number;
  readonly stateBytes: number;
  readonly programUnit: number;
}

export interface LoaderProgram {
  /** Runs wherever it is put, at a multiple of 8. */
  readonly code: Uint8Array;
  /** What of it is enough as long as nothing is patched. */
  readonly coreBytes: number;
  /** RAM that the patch machine wants behind the code. */
  readonly stateBytes: number;
  /** Bytes. */
  readonly programUnit: number;
}

/** The loader that knows no flash, only digests. */
export const digestDriver = "digest";

/** @param driver as in a chip's row @returns undefined where there is no such loader */
export async function loadLoader(driver: string): Promise<LoaderProgram | undefined> {
  const load = blobs[driver];
  if (load === undefined) return undefined;
  const { code, coreBytes, stateBytes, programUnit } = (await load()).default;
  return { code: new Uint8Array(Buffer.from(code, "base64")), coreBytes, stateBytes, programUnit };
}

type BlobImport = () => Promise<{ readonly default: Blob }>;

/** Each is its own chunk of the bundle, read only when such a chip is there. */
const blobs: Readonly<Record<string, BlobImport | undefined>> = {
  "aspeed-fmc": () => import("../../../stubs/blobs/cortex-m-aspeed-fmc.json", { with: { type: "json" } }),
  digest: () => import("../../../stubs/blobs/cortex-m-digest.json", { with: { type: "json" } }),
  nrf: () => import("../../../stubs/blobs/cortex-m-nrf.json", { with: { type: "json" } }),
  "rp2040-rom": () => import("../../../stubs/blobs/cortex-m-rp2040-rom.json", { with: { type: "json" } }),
  "rp2040-ssi": () => import("../../../stubs/blobs/cortex-m-rp2040-ssi.json", { with: { type: "json" } }),
  samd21: () => import("../../../stubs/blobs/cortex-m-samd21.json", { with: { type: "json" } }),
  stm32f1: () => import("../../../stubs/blobs/cortex-m-stm32f1.json", { with: { type: "json" } }),
  stm32f4: () => import("../../../stubs/blobs/cortex-m-stm32f4.json", { with: { type: "json" } }),
  stm32f7: () => import("../../../stubs/blobs/cortex-m-stm32f7.json", { with: { type: "json" } }),
  stm32g0: () => import("../../../stubs/blobs/cortex-m-stm32g0.json", { with: { type: "json" } }),
  stm32g4: () => import("../../../stubs/blobs/cortex-m-stm32g4.json", { with: { type: "json" } }),
  stm32h7: () => import("../../../stubs/blobs/cortex-m-stm32h7.json", { with: { type: "json" } }),
  stm32l4: () => import("../../../stubs/blobs/cortex-m-stm32l4.json", { with: { type: "json" } }),
};
