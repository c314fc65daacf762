import { createHash } from "node:crypto";
import { ESPLoader, Transport } from "esptool-js";
import { beforeAll, expect, test, vi, type TestContext } from "vitest";
import type { ElfArtifact } from "../../src/build/artifact.ts";
import { loadArtifact } from "../../src/build/load.ts";
import { makeSimBoard, simBoards } from "../../src/sim/boards.ts";
import { elfToAppImage } from "../../src/targets/esp/elf-to-image.ts";
import { pseudoFirmware } from "../sim/rig.ts";
import { WebSerialPort } from "./web-serial-helper.ts";

/** Espressif's own flasher for browsers, npm's esptool-js 0.7.0, unmodified and at its own pace, against our boards. */
const thorough = ["esp32", "esp32s3", "esp32c3", "esp8266"];
/** W25Q32. It cannot read the ESP8266's: it writes the lengths of the transfer into another register, and gets one bit. */
const flashIdLine = (id: string) => `Flash ID: ${id === "esp8266" ? "1" : "1640ef"}`;

beforeAll(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined); // its traces
});

function bench({ onTestFinished }: TestContext, id: string, baudrate: number) {
  const board = makeSimBoard({ board: id, profile: "instant", factory: true });
  const port = new WebSerialPort(board, "real");
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const transport = new Transport(port);
  const loader = new ESPLoader({
    transport,
    baudrate,
    terminal: { clean: () => undefined, writeLine: say, write: say },
  });
  onTestFinished(async () => {
    await transport.disconnect();
    port.stop();
  });
  return { board, port, loader, said };
}

/** As its users write: nothing about the flash is changed, and the board's digest is asked for. */
const writing = {
  flashMode: "keep",
  flashFreq: "keep",
  flashSize: "keep",
  eraseAll: false,
  calculateMD5Hash: (image: Uint8Array) => createHash("md5").update(image).digest("hex"),
} as const;

for (const { id, mac, title } of simBoards) {
  const name = title.replace(/ board.*/, "");
  test.concurrent(
    `esptool-js resets the ${name} into its loader, identifies it and moves its stub to 460800 bit/s`,
    async (context) => {
      const { port, loader, said } = bench(context, id, 460_800);
      await loader.main();
      expect(loader.chip.CHIP_NAME).toBe(name);
      expect(loader.IS_STUB).toBe(true);
      expect(said).toContain(`MAC: ${mac}`);
      expect(said).toContain("Stub running...");
      expect(said).toContain(flashIdLine(id));
      expect(port.rates).toEqual([115_200, 460_800]);
    },
  );
}

for (const id of thorough) {
  test.concurrent(
    `esptool-js writes to the ${id} packed and plain, reads back what it wrote, and erases`,
    async (context) => {
      const { board, loader, said } = bench(context, id, 921_600);
      await loader.main();
      const packed = pseudoFirmware(50_000, 7);
      const plain = pseudoFirmware(20_000, 8);
      const wanted = board.flash.slice();
      wanted.set(packed, 0x20000);
      wanted.set(plain, 0x40000);

      await loader.writeFlash({ ...writing, fileArray: [{ address: 0x20000, data: packed }], compress: true });
      await loader.writeFlash({ ...writing, fileArray: [{ address: 0x40000, data: plain }], compress: false });
      expect(said.filter((line) => line === "Hash of data verified.")).toHaveLength(2);
      expect(Buffer.compare(board.flash, wanted)).toBe(0);
      expect(Buffer.compare(await loader.readFlash(0x20000, 0x3000), packed.subarray(0, 0x3000))).toBe(0);

      await loader.eraseFlash();
      expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
    },
  );
}

test.concurrent("what esptool-js wrote starts when it lets go of the reset line", async (context) => {
  const { board, loader } = bench(context, "esp32c3", 921_600);
  await loader.main();
  const { elf, elfSha256 } = await meter();
  const app = elfToAppImage(elf, "esp32c3", { elfSha256: Buffer.from(elfSha256, "hex") });
  await loader.writeFlash({ ...writing, fileArray: [{ address: 0x10000, data: app }], compress: true });
  // Its "hard_reset" only lets go of RTS; and it believes DTR to be on since the reset, so that is put right first.
  await loader.after("custom_reset", undefined, "D0|R1|W100|R0");
  await vi.waitFor(() => expect(board.bootLog).toContain('running "meter" 2.3.1'), 2_000);
});

async function meter(): Promise<ElfArtifact> {
  const artifact = await loadArtifact(["test/fixtures/firmware/meter-esp32c3-base.elf.gz"]);
  if (artifact.kind !== "elf") throw new Error("the fixture is an ELF file");
  return artifact;
}
