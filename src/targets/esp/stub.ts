/** Espressif's RAM stub: its data (npm esptool-js, Apache-2.0) and the way it is brought up. */
import { FlashError } from "../../core/errors.ts";
import type { Chip } from "./chips.ts";
import { LoaderRefusal, type LoaderClient } from "./client.ts";
import { MEM_BEGIN, MEM_DATA, MEM_END, memBegin, memEnd } from "./commands.ts";

export interface RamPiece {
  readonly address: number;
  readonly data: Uint8Array;
}

export interface RamProgram {
  readonly pieces: readonly RamPiece[];
  readonly entry: number;
}

/** How often a piece is sent that arrives damaged. */
const pieceAttempts = 3;
/** Largest block that a ROM takes; measured on ESP32, C3 and S3. */
const romBlockBytes = 0x1800;

/** @throws FlashError `refused` for a revision that no stub is made for */
export async function loadOfficialStub(chip: Chip, revision: number | undefined): Promise<RamProgram> {
  const file = chip.name === "esp32p4" && revision !== undefined && revision < 300 ? "esp32p4-rev1" : chip.stub;
  const load = stubFiles[file];
  if (load === undefined)
    throw new FlashError("refused", `there is no stub for ${chip.title}`, { remedy: "Flash with --no-stub." });
  const { default: stub } = await load();
  const decode = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
  const pieces = [{ address: stub.text_start, data: decode(stub.text) }];
  if (stub.data !== undefined && stub.data_start !== undefined) {
    pieces.push({ address: stub.data_start, data: decode(stub.data) });
  }
  return { pieces, entry: stub.entry };
}

interface StubFile {
  readonly entry: number;
  readonly text: string;
  readonly text_start: number;
  readonly data?: string;
  readonly data_start?: number;
}

type StubImport = () => Promise<{ readonly default: StubFile }>;

/** Each is its own chunk of the bundle, read only when such a chip is there. */
const stubFiles: Readonly<Record<string, StubImport | undefined>> = {
  esp8266: () => import("esptool-js/lib/targets/stub_flasher/esp8266.json", { with: { type: "json" } }),
  esp32: () => import("esptool-js/lib/targets/stub_flasher/esp32.json", { with: { type: "json" } }),
  esp32s2: () => import("esptool-js/lib/targets/stub_flasher/esp32s2.json", { with: { type: "json" } }),
  esp32s3: () => import("esptool-js/lib/targets/stub_flasher/esp32s3.json", { with: { type: "json" } }),
  esp32c2: () => import("esptool-js/lib/targets/stub_flasher/esp32c2.json", { with: { type: "json" } }),
  esp32c3: () => import("esptool-js/lib/targets/stub_flasher/esp32c3.json", { with: { type: "json" } }),
  esp32c5: () => import("esptool-js/lib/targets/stub_flasher/esp32c5.json", { with: { type: "json" } }),
  esp32c6: () => import("esptool-js/lib/targets/stub_flasher/esp32c6.json", { with: { type: "json" } }),
  esp32c61: () => import("esptool-js/lib/targets/stub_flasher/esp32c61.json", { with: { type: "json" } }),
  esp32h2: () => import("esptool-js/lib/targets/stub_flasher/esp32h2.json", { with: { type: "json" } }),
  esp32p4: () => import("esptool-js/lib/targets/stub_flasher/esp32p4.json", { with: { type: "json" } }),
  "esp32p4-rev1": () => import("esptool-js/lib/targets/stub_flasher/esp32p4-rev1.json", { with: { type: "json" } }),
};

/** Loads a program into RAM through the loader that runs now, and starts it; the loader answers before it goes. */
export async function startInRam(client: LoaderClient, program: RamProgram): Promise<void> {
  const blockBytes = Math.min(romBlockBytes, client.longestBlockBytes);
  for (const piece of program.pieces) {
    await loadPiece(client, piece, blockBytes);
  }
  try {
    await client.request(MEM_END, memEnd.write({ stay: 0, entry: program.entry }));
  } catch (error) {
    // The answer may be lost when the program takes the UART over; whether it runs shows by itself.
    if (!(error instanceof FlashError && error.code === "timeout")) throw error;
  }
}

/** @throws LoaderRefusal, FlashError `timeout` */
async function loadPiece(client: LoaderClient, piece: RamPiece, blockBytes: number): Promise<void> {
  const data = padToWords(piece.data);
  const blocks = Math.ceil(data.length / blockBytes);
  for (let attempt = 1; ; attempt++) {
    await client.request(
      MEM_BEGIN,
      memBegin.write({ totalSize: data.length, blocks, blockSize: blockBytes, address: piece.address }),
    );
    try {
      for (let sequence = 0; sequence < blocks; sequence++) {
        await client.block(MEM_DATA, data.subarray(sequence * blockBytes, (sequence + 1) * blockBytes), sequence);
        client.context.trace.addBytes(Math.min(blockBytes, data.length - sequence * blockBytes));
      }
      return;
    } catch (error) {
      // A byte was changed on the wire; a new MEM_BEGIN starts the piece over.
      if (!(error instanceof LoaderRefusal) || attempt >= pieceAttempts) throw error;
      client.context.log(`${error.message}; loading ${data.length} bytes of RAM once more`);
    }
  }
}

function padToWords(data: Uint8Array): Uint8Array {
  if (data.length % 4 === 0) return data;
  const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
  padded.set(data);
  return padded;
}

/** The frame that a stub sends when it runs. */
const greeting = "OHAI";

/** Waits for the stub's greeting; false when it did not come in time. */
export async function awaitGreeting(client: LoaderClient, timeoutMs: number): Promise<boolean> {
  const { clock } = client.context;
  const deadlineMs = clock.nowMs() + timeoutMs;
  for (;;) {
    const frame = await client.nextFrame(deadlineMs - clock.nowMs());
    if (frame === undefined) return false;
    if (Buffer.from(frame).toString("latin1") === greeting) return true;
  }
}
