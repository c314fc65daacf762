/** Files that builds leave behind, for tests of discovery. */
import { join } from "node:path";
import { loadArtifact } from "../../../src/build/load.ts";
import type { BuildFolder } from "../../fixtures/build-folder.ts";
import { noise, writeElf } from "../../fixtures/elf-writer.ts";
import { outcome } from "./describe-artifact.ts";
import { discover } from "./sample-workspace.ts";

export const arm = (address = 0x0800_0000, size = 64) =>
  writeElf({ machine: 40, entry: address + 1, sections: [{ name: ".text", address, data: noise(size, 3) }] });
export const hostProgram = writeElf({ machine: 62, entry: 0x1000, sections: [] });
/** The head of an ESP image with the chip's number, and nothing of use behind it. */
export const espImage = (chipId: number, size = 400) => {
  const bytes = noise(size, chipId);
  bytes.set([0xe9, 1, 2, 0x20]);
  bytes.set([chipId, 0], 12);
  return bytes;
};

/** What flashing the best candidate would write. */
export async function loaded(folder: BuildFolder, index = 0): Promise<string> {
  const project = (await discover(folder))[index];
  return outcome(folder, loadArtifact(project?.artifact ?? []));
}

export function buildIdf(folder: BuildFolder, build: string, ageSeconds: number): void {
  const names = ["bootloader/bootloader.bin", "partition_table/partition-table.bin", "ota_data_initial.bin"];
  for (const name of names) folder.put(join("meter", build, name), noise(100, 1), ageSeconds);
  folder.put(join("meter", build, "meter.elf"), arm(), ageSeconds + 1);
  folder.put(join("meter", build, "meter.bin"), noise(500, 2), ageSeconds);
}
