/**
 * What a build left behind, read and checked: a linked program, or bytes with their places.
 * Data only; how each build system is read stands in a file of its own.
 */
import type { Digest } from "../core/digest.ts";
import type { Elf } from "../core/elf.ts";
import type { Address, Image } from "../core/image.ts";

export type Artifact = ElfArtifact | ImageArtifact;

export interface ElfArtifact {
  readonly kind: "elf";
  /** Full path. */
  readonly path: string;
  readonly elf: Elf;
  /** Of the file's bytes, after unpacking when it was compressed. */
  readonly elfSha256: Digest;
  /** Which kind of build it came from. */
  readonly system: BuildSystem;
}

export interface ImageArtifact {
  readonly kind: "image";
  readonly system: BuildSystem;
  /** What the addresses of `image` count from: the flash chip's first byte, or the target's own memory map (Intel HEX). */
  readonly addresses: "flash-offset" | "memory";
  readonly image: Image;
  /** Sorted by offset: one per segment of `image`, but one in all for an Intel HEX or ELF file that has several segments. */
  readonly files: readonly ArtifactFile[];
  /** As the build names it, `esp32c3`; absent when it does not say. */
  readonly chip?: string;
  /** What the boot loader's header is to say; absent when the build leaves it as it is. */
  readonly flashSettings?: BuildFlashSettings;
  /** The application among `files`, when the build names it or its contents show it. */
  readonly app?: ArtifactFile;
  readonly bootloader?: ArtifactFile;
  readonly partitionTable?: ArtifactFile;
  /** How the build wants the chip reset, in today's spelling: `default-reset`, `hard-reset`, `no-reset` … */
  readonly before?: string;
  readonly after?: string;
  /** False when the build says that the ROM alone is to be used. */
  readonly stub?: boolean;
  /** The linked program that belongs to it, full path; not read, may be missing. */
  readonly elfPath?: string;
  /** Rate of the program's own output, when the build says so. */
  readonly monitorBaud?: number;
  /** Where the program starts, of an Intel HEX file that says so. */
  readonly start?: Address;
}

export type BuildSystem = "files" | "esp-idf" | "platformio" | "zephyr" | "arduino" | "plain";

export interface ArtifactFile {
  /** Full path. */
  readonly path: string;
  /** Of its first byte; counts from what `addresses` says. */
  readonly offset: Address;
  /** Bytes. */
  readonly size: number;
  /** What the build calls it (`app`, `bootloader`), else the file's name. */
  readonly name: string;
  /** True when the build asks that the chip encrypts it while writing. */
  readonly encrypted: boolean;
}

/** As build systems write them: `dio`, `80m`, `4MB`; `keep` and `detect` are passed on. */
export interface BuildFlashSettings {
  readonly mode?: string;
  readonly frequency?: string;
  readonly size?: string;
}

export interface LoadOptions {
  /** Leave out everything but the application. */
  readonly appOnly?: boolean;
}
