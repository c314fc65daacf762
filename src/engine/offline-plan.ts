/** The plan for a pair of artifacts without a board: as if a board held exactly the old one. */
import type { Artifact } from "../build/artifact.ts";
import { loadSegments } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import type { FlashMap } from "../core/flash-map.ts";
import { imageBytes, makeImage, type Address, type Image } from "../core/image.ts";
import { estimateMs, planWrites, type FlashCosts, type Plan } from "../core/plan.ts";
import { sectorsOf, type Sector } from "../core/sectors.ts";
import { compareWithRecord } from "../core/survey.ts";
import { chipNamed, type Chip } from "../targets/esp/chips.ts";
import { elfToEsp8266Files } from "../targets/esp/elf-to-image-8266.ts";
import { elfToAppImage } from "../targets/esp/elf-to-image.ts";
import { chipsThatHold } from "../targets/esp/elf-chips.ts";
import { espCosts, espFlashMap } from "../targets/esp/session.ts";
import { usualCosts } from "../targets/gdb/costs.ts";
import { chipOfArtifact } from "./esp-image.ts";

export interface OfflinePlan {
  readonly version: 1;
  readonly chip: string;
  /** Bit rate of the estimate. */
  readonly baud: number;
  readonly image: { readonly bytes: number; readonly sectors: number };
  readonly written: { readonly bytes: number; readonly sectors: number; readonly erasedBytes: number };
  /** Erase, write and verify; without connect and survey. Milliseconds. */
  readonly estimateMs: number;
  /** The same for writing all of the new image. */
  readonly fullEstimateMs: number;
  readonly runs: readonly { readonly address: Address; readonly bytes: number; readonly erase: string }[];
}

/** Larger than any ESP flash that maps directly: the plan does not depend on the size. */
const flashBytes = 16 * 1024 * 1024;
const appOffset = 0x10000;

/** @throws FlashError `wrong-chip` when the chip is not known, and whatever making the images may throw */
export function offlinePlan(
  old: Artifact,
  next: Artifact,
  options: { readonly chip: string | undefined; readonly baud: number | undefined },
): OfflinePlan {
  const baud = options.baud ?? 921_600;
  const { chip, map, costs, imageOf } = isForCortexM(next) ? cortexM() : esp(chipFor(next, options.chip), baud);
  const before = new Map(sectorsOf(imageOf(old), map).map((sector) => [sector.address, sector]));
  const image = imageOf(next);
  const sectors = sectorsOf(image, map);
  const opinion = compareWithRecord(sectors, ({ address }) => before.get(address)?.data);
  const plan = planWrites(sectors, byAddress([...opinion.different, ...opinion.unknown]), map, costs);
  const full = planWrites(sectors, byAddress(sectors), map, costs);
  return {
    version: 1,
    chip,
    baud,
    image: { bytes: imageBytes(image), sectors: sectors.length },
    written: { bytes: plan.bytesToWrite, sectors: plan.sectorsToWrite, erasedBytes: plan.erasedBytes },
    estimateMs: estimateMs(plan, costs),
    fullEstimateMs: estimateMs(full, costs),
    runs: runsOf(plan),
  };
}

interface Basis {
  readonly chip: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  readonly imageOf: (artifact: Artifact) => Image;
}

function esp(chip: Chip, baud: number): Basis {
  return {
    chip: chip.name,
    map: espFlashMap(flashBytes),
    costs: espCosts(baud),
    imageOf: (artifact) => plainImage(artifact, chip),
  };
}

function isForCortexM(artifact: Artifact): boolean {
  return artifact.kind === "elf" && artifact.elf.machine === "arm";
}

/** Which chip it is stands in no ELF: sectors as most have them, at any address, and usual times. */
function cortexM(): Basis {
  const everywhere = { name: "flash", start: 0, size: 2 ** 32, sectorSize: 0x1000, erasedByte: 0xff };
  return {
    chip: "cortex-m, 4 KiB sectors",
    map: [everywhere],
    costs: usualCosts(undefined),
    imageOf: (artifact) => (artifact.kind === "image" ? artifact.image : makeImage(loadSegments(artifact.elf))),
  };
}

function byAddress(sectors: readonly Sector[]): ReadonlyMap<Address, Sector> {
  return new Map(sectors.map((sector) => [sector.address, sector]));
}

/** What is written in one go, and how it is erased. */
export function runsOf(plan: Plan): OfflinePlan["runs"] {
  return plan.steps.flatMap((step) => {
    if (step.kind !== "write") return [];
    const blocks = step.erases.filter((erase) => erase.unit === "block").length;
    const sectors = step.erases.length - blocks;
    const erase = [
      ...(blocks > 0 ? [`${blocks} x 64 KiB block`] : []),
      ...(sectors > 0 ? [`${sectors} x 4 KiB sector`] : []),
    ];
    return [{ address: step.address, bytes: step.data.length, erase: erase.join(", ") }];
  });
}

function plainImage(artifact: Artifact, chip: Chip): Image {
  if (artifact.kind === "image") return artifact.image;
  if (chip.name === "esp8266") return makeImage(elfToEsp8266Files(artifact.elf));
  return makeImage([{ address: appOffset, data: elfToAppImage(artifact.elf, chip.name), name: artifact.elf.name }]);
}

function chipFor(artifact: Artifact, asked: string | undefined): Chip {
  const said = asked ?? chipOfArtifact(artifact);
  if (said !== undefined) {
    const chip = chipNamed(said);
    if (chip === undefined) throw new FlashError("wrong-chip", `'${said}' is not a chip that Deltaflash knows`);
    return chip;
  }
  const fitting = artifact.kind === "elf" ? chipsThatHold(artifact.elf) : [];
  const [only] = fitting;
  const chip = only === undefined || fitting.length > 1 ? undefined : chipNamed(only);
  if (chip !== undefined) return chip;
  const which = fitting.length === 0 ? "" : `; it could be ${fitting.join(", ")}`;
  throw new FlashError("wrong-chip", `the artifact does not say which chip it is for${which}`, {
    remedy: "Name it, for example --chip esp32c3.",
  });
}
