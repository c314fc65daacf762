/**
 * Deltaflash's own stub on a simulated chip: the very C core that runs on chips, built for WebAssembly, between this chip's wire
 * and its flash. What is simulated is the hardware layer below it and the time that the processor takes.
 */
import { forInput, hang, sleep, type Machine, type Program, type Wait } from "./esp-machine.ts";
import { FifoReceiver } from "./esp-fifo.ts";
import { ownStubStart } from "./fault-spec.ts";
import { PatchStubHardware } from "./esp-patch-stub-hardware.ts";
import { stubCore, type PatchStubUpload } from "./esp-patch-stub-uploads.ts";

/** What `stub_step` returns: see `stubs/core/stub.h`. */
const STEP = { more: 0, input: 1, flash: 2 } as const;
/** A turn of the main loop that finds nothing to do: some 200 instructions at 40 MHz (model). */
const STEP_MS = 0.005;
/** From the jump to the first turn: the stub clears its variables, some ten KiB (model). */
const START_MS = 1;

interface CoreExports {
  readonly memory: WebAssembly.Memory;
  stub_start(): void;
  stub_step(): number;
  stub_deadline(): number;
}

export function* patchStub(machine: Machine, upload: PatchStubUpload): Program {
  machine.adoptsRate = false;
  const fate = machine.commandFate("stub", ownStubStart);
  if (fate !== "normal") yield* hang();
  const receiver = new FifoReceiver(machine.settings.link);
  machine.receiver = receiver;
  machine.running = "loader-stub";
  yield* sleep(machine, START_MS * machine.settings.cpuTimeFactor);
  const hardware = new PatchStubHardware(machine, receiver, upload);
  const core = new WebAssembly.Instance(stubCore(), { hw: hardware.imports() }).exports as unknown as CoreExports;
  hardware.memory = core.memory;
  core.stub_start();
  for (;;) {
    const wait = core.stub_step();
    const ending = hardware.ending();
    if (ending === "crash") yield* hang();
    else if (ending !== undefined) return ending;
    yield* sleep(machine, hardware.takeWorkMs() + STEP_MS * machine.settings.cpuTimeFactor);
    if (wait === STEP.more || receiver.length > 0) continue;
    yield waitFor(machine, wait, hardware.momentOf(core.stub_deadline()));
  }
}

function waitFor(machine: Machine, wait: number, deadlineMs: number): Wait {
  const readyMs = wait === STEP.flash ? machine.flash.readyAtMs() : Infinity;
  return { ...forInput, untilMs: Math.max(Math.min(deadlineMs, readyMs), machine.nowMs()) };
}
