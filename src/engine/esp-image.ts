/** From an artifact to the bytes that belong into one ESP board's flash: application image, place of the application, header settings. */
import type { Artifact, ElfArtifact, ImageArtifact } from "../build/artifact.ts";
import { formatBytes, hex } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import { makeImage, type Address, type Image, type Segment } from "../core/image.ts";
import type { KnownContents } from "../core/survey.ts";
import type { Chip } from "../targets/esp/chips.ts";
import { elfToEsp8266Files } from "../targets/esp/elf-to-image-8266.ts";
import { elfToAppImage } from "../targets/esp/elf-to-image.ts";
import { patchFlashSettings } from "../targets/esp/image-patch.ts";
import { looksLikeEspImage, parseEspImage, requireChip, requireIntact } from "../targets/esp/image.ts";
import {
  bootPartition,
  otaDataPartition,
  parsePartitionTable,
  PARTITION_TABLE_OFFSET,
  PARTITION_TABLE_SIZE,
  type Partition,
  type PartitionTable,
} from "../targets/esp/partition-table.ts";
import type { MemorySession } from "../targets/target.ts";
import type { KnownSector } from "./history.ts";

export interface EspImageJob {
  readonly artifact: Artifact;
  readonly chip: Chip;
  readonly session: MemorySession;
  readonly known: KnownContents;
  /** Keeps what was read back, so that next time a digest is enough. */
  remember(sectors: readonly KnownSector[]): Promise<void>;
  /** Where an application made from an ELF goes; undefined: as the board's partition table says. */
  readonly appOffset: Address | undefined;
  /** Sentences for the user are added here. */
  readonly notes: string[];
}

/** Where applications stand unless a partition table says otherwise. Source: ESP-IDF's default tables. */
const defaultAppOffset = 0x10000;
const sectorBytes = 0x1000;

/** @throws FlashError `wrong-chip`, `bad-image`, `refused` for files that the chip would have to encrypt, `does-not-fit` */
export async function imageForEsp(job: EspImageJob): Promise<Image> {
  const { artifact } = job;
  return artifact.kind === "elf" ? imageOfElf(job, artifact) : imageOfFiles(job, artifact);
}

/** The chip that the artifact says it is for; undefined where it does not say. */
export function chipOfArtifact(artifact: Artifact): string | undefined {
  if (artifact.kind === "image" && artifact.chip !== undefined) return artifact.chip.toLowerCase().replaceAll("-", "");
  return undefined;
}

async function imageOfElf(job: EspImageJob, artifact: ElfArtifact): Promise<Image> {
  const { chip, appOffset } = job;
  if (chip.name === "esp8266") return makeImage(elfToEsp8266Files(artifact.elf));
  const elfSha256 = Buffer.from(artifact.elfSha256, "hex");
  const data = elfToAppImage(artifact.elf, chip.name, { elfSha256 });
  const name = artifact.elf.name;
  if (appOffset !== undefined) return makeImage([{ address: appOffset, data, name }]);
  const place = await placeOfApplication(job);
  if (place === undefined) {
    job.notes.push(
      `There is no partition table at ${hex(PARTITION_TABLE_OFFSET)}, so this board will not start the application; flash the whole build (flasher_args.json) once.`,
    );
    return makeImage([{ address: defaultAppOffset, data, name }]);
  }
  if (data.length > place.size) {
    throw new FlashError(
      "does-not-fit",
      `${name} makes an application of ${formatBytes(data.length)}; the partition ${place.label} at ${hex(place.offset)} holds ${formatBytes(place.size)}`,
    );
  }
  return makeImage([{ address: place.offset, data, name }]);
}

/** The partition that the boot loader starts; undefined without a table. */
async function placeOfApplication(job: EspImageJob): Promise<Partition | undefined> {
  const rows = await contentsOf(job, PARTITION_TABLE_OFFSET, usedRows);
  let table: PartitionTable;
  try {
    table = parsePartitionTable(rows, "the board's partition table");
  } catch {
    return undefined; // blank or damaged: said to the user by the caller
  }
  const otaData = otaDataPartition(table);
  if (otaData === undefined) return bootPartition(table, undefined);
  const otaSectors = Buffer.alloc(2 * sectorBytes, 0xff);
  for (const at of [0, sectorBytes]) otaSectors.set(await contentsOf(job, otaData.offset + at, firstEntry), at);
  return bootPartition(table, otaSectors);
}

/** Of a recorded partition table: how many bytes there are up to its end mark. Nothing behind them is read by anyone. */
function usedRows(sector: Uint8Array): number {
  const rowBytes = 32;
  for (let at = 0; at < PARTITION_TABLE_SIZE; at += rowBytes) if (sector[at] !== 0xaa) return at + rowBytes;
  return PARTITION_TABLE_SIZE;
}

/** Of a sector of otadata: its one entry. */
function firstEntry(): number {
  return 32;
}

/**
 * The part of a sector that counts: what the record says if the board confirms it, else read back and remembered.
 * @param bytesThatCount of the sector's contents, how many from its start
 */
async function contentsOf(
  job: EspImageJob,
  address: Address,
  bytesThatCount: (sector: Uint8Array) => number,
): Promise<Uint8Array> {
  const range = { address, size: sectorBytes };
  const recorded = job.known(range);
  if (recorded !== undefined) {
    const used = recorded.subarray(0, bytesThatCount(recorded));
    const [found] = await job.session.digests([{ address, size: used.length }]);
    if (found === job.session.digestOf(used)) return used;
  }
  const data = await job.session.read(range);
  await job.remember([{ address, data }]);
  return data.subarray(0, bytesThatCount(data));
}

function imageOfFiles(job: EspImageJob, artifact: ImageArtifact): Image {
  const { chip } = job;
  const encrypted = artifact.files.find((file) => file.encrypted);
  if (encrypted !== undefined) {
    throw new FlashError("refused", `${encrypted.path} is to be encrypted by the chip, which Deltaflash does not do`, {
      remedy: "Flash with the build system's own command, or build without flash encryption for development.",
    });
  }
  return makeImage(artifact.image.segments.map((segment) => checkedSegment(job, artifact, chip, segment)));
}

/** Boot loader and application are checked before anything is erased; a boot loader gets the build's flash settings. */
function checkedSegment(job: EspImageJob, artifact: ImageArtifact, chip: Chip, segment: Segment): Segment {
  const isBootloader = segment.address === chip.bootloaderAt;
  const isApp = segment.address === artifact.app?.offset;
  if (!(isBootloader || isApp) || !looksLikeEspImage(segment.data)) return segment;
  const image = parseEspImage(segment.data, segment.name);
  requireIntact(image);
  requireChip(image, chip.name);
  if (!isBootloader || artifact.flashSettings === undefined) return segment;
  const detectedSize = sizeName(job.session);
  const settings = { ...artifact.flashSettings, ...(detectedSize === undefined ? {} : { detectedSize }) };
  return { ...segment, data: patchFlashSettings(segment.data, settings, chip.name) };
}

/** `4MB`, as build systems write it. */
function sizeName(session: MemorySession): string | undefined {
  const bytes = session.map[0]?.size;
  if (bytes === undefined) return undefined;
  return bytes >= 0x100000 ? `${bytes / 0x100000}MB` : `${bytes / 0x400}KB`;
}
