/** Our own stub running on a simulated board, behind a wire on which a test may lose whole frames. */
import { TraceRecorder } from "../../src/core/trace.ts";
import { makeSimBoard, type SimBoardOptions } from "../../src/sim/boards.ts";
import { SimTransport } from "../../src/sim/sim-transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { FrameDecoder, type Frame } from "../../src/targets/esp/patch-stub/frames.ts";
import { startPatchStub } from "../../src/targets/esp/patch-stub/bring-up.ts";
import type { StubChannel } from "../../src/targets/esp/patch-stub/channel.ts";
import { SPI_ATTACH } from "../../src/targets/esp/commands.ts";
import { enterRom } from "../../src/targets/esp/target.ts";
import type { Context } from "../../src/targets/target.ts";

export type Loses = (frame: Frame, number: number) => boolean;

/** Loses frames from the stub, once told which. */
class LosingTransport extends SimTransport {
  loses: Loses | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  #number = 0;

  override async read(timeoutMs: number): Promise<Uint8Array> {
    const bytes = await super.read(timeoutMs);
    if (this.loses === undefined) return bytes;
    const all = Buffer.concat([this.#rest, bytes]);
    const end = all.lastIndexOf(0) + 1;
    this.#rest = all.subarray(end);
    const kept: Uint8Array[] = [];
    for (let from = 0; from < end;) {
      const to = all.indexOf(0, from) + 1;
      const coded = all.subarray(from, to);
      const [frame] = new FrameDecoder().push(coded);
      if (frame === undefined || !this.loses(frame, this.#number++)) kept.push(coded);
      from = to;
    }
    return Buffer.concat(kept);
  }
}

export interface StubBench {
  readonly board: ReturnType<typeof makeSimBoard>;
  readonly clock: VirtualClock;
  readonly transport: LosingTransport;
  readonly channel: StubChannel;
  readonly context: Context;
  readonly log: readonly string[];
  readonly end: AbortController;
  readonly stop: AbortController;
}

/** At 115200 baud. */
export async function stubBench(options: Partial<SimBoardOptions> = {}): Promise<StubBench> {
  const clock = new VirtualClock();
  const board = makeSimBoard({ board: "esp32c3", flash: new Uint8Array(0x100000).fill(0xff), ...options });
  const transport = new LosingTransport(board, clock);
  const [end, stop, log] = [new AbortController(), new AbortController(), [] as string[]];
  const context: Context = {
    ...{ clock, signal: end.signal, stop: stop.signal },
    trace: new TraceRecorder(clock, { phase: "connect", label: "" }),
    onProgress: () => undefined,
    log: (line) => void log.push(line),
  };
  const { client, chip } = await enterRom(transport, context, {
    ...{ resetWay: undefined, expectedChip: undefined, baud: undefined },
  });
  await client.request(SPI_ATTACH, new Uint8Array(8));
  const started = await startPatchStub({
    ...{ client, transport, chip, link: "uart", baud: 115_200, wanted: 115_200 },
    ...{ revision: undefined, knownFlashId: undefined, flashBytes: undefined, failedBuild: undefined },
  });
  if (started.kind !== "running") throw new Error(`the stub does not run: ${started.kind}`);
  return { board, clock, transport, channel: started.channel, context, log, end, stop };
}
