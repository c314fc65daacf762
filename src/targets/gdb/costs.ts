/** What things cost on a Cortex-M board behind a server, for plans and estimates; never for deadlines. */
import type { FlashCosts } from "../../core/plan.ts";
import type { ChipRow } from "./chips/row.ts";
import type { FlashWay } from "./flash-way.ts";

export interface LinkFacts {
  /** Into RAM, as the loader's own upload showed; undefined where it was not measured. */
  readonly bytesPerMs: number | undefined;
  readonly tripMs: number | undefined;
}

/** A CMSIS-DAP probe of the second version, and what a server adds. Source: measured through pyOCD and OpenOCD, shared figures of peers. */
const usualBytesPerMs = 100;
const usualTripMs = 2;
/** The loader's digest on a Cortex-M0+; measured on an emulated one. */
const digestCyclesPerByte = 6.5;
const usualClockHz = 8e6;
/** Flash of which nobody told us anything: that of an nRF52 is as slow as it gets. */
const usualSectorEraseMs = 85;
const usualProgramMsPerByte = 0.015;

/** Of a chip in whose RAM our loader would run; nobody has measured the link. */
export function usualCosts(row: ChipRow | undefined): FlashCosts {
  return flashCosts({
    row,
    link: { bytesPerMs: undefined, tripMs: undefined },
    way: { patchWireRatio: undefined, overlaps: true },
  });
}

/** @param row undefined for a chip that we do not know */
export function flashCosts(parts: {
  readonly row: ChipRow | undefined;
  readonly link: LinkFacts;
  readonly way: Pick<FlashWay, "patchWireRatio" | "overlaps">;
}): FlashCosts {
  const { row, link, way } = parts;
  const erase = row?.times.erase ?? [];
  const program = row?.times.program;
  const [smallest] = erase;
  const largest = erase.at(-1);
  const { patchWireRatio } = way;
  return {
    sectorEraseMs: smallest?.typicalMs ?? usualSectorEraseMs,
    sectorEraseMsBySize: new Map(erase.map(({ bytes, typicalMs }) => [bytes, typicalMs])),
    blockEraseMs: largest === smallest ? 0 : (largest?.typicalMs ?? 0),
    programMsPerByte: program === undefined ? usualProgramMsPerByte : program.typicalUs / 1000 / program.bytes,
    wireMsPerByte: 1 / (link.bytesPerMs ?? usualBytesPerMs),
    wireRatio: 1,
    ...(patchWireRatio === undefined ? {} : { patchWireRatio }),
    roundTripMs: link.tripMs ?? usualTripMs,
    digestMsPerByte: (digestCyclesPerByte * 1000) / (row?.resetClockHz ?? usualClockHz),
    overlaps: way.overlaps,
  };
}
