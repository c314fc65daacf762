/** How long a NOR flash chip takes, as named profiles. Milliseconds throughout. */

export interface NorProfile {
  readonly erase4kMs: number;
  readonly erase32kMs: number;
  readonly erase64kMs: number;
  readonly eraseChipMs: number;
  /** A page of 256 bytes sent in commands of at least 64 bytes. */
  readonly pageMs: number;
  /** A page of 256 bytes sent in commands of 32 bytes, as ROM and official stub do. */
  readonly pageIn32sMs: number;
}

export type NorProfileName = "typical" | "measured" | "worst" | "instant";

/**
 * `typical`: W25Q32JV data sheet figures. `measured`: reports on XM25QH32C and an S3 module (espressif/esp-flasher-stub #85, #95;
 * fl4p/esp-ota-ble). `worst`: data sheet maxima. Whole-chip figures are for 4 MiB.
 */
export const norProfiles: Readonly<Record<NorProfileName, NorProfile>> = {
  typical: { erase4kMs: 45, erase32kMs: 120, erase64kMs: 150, eraseChipMs: 20_000, pageMs: 0.5, pageIn32sMs: 0.55 },
  measured: { erase4kMs: 55, erase32kMs: 150, erase64kMs: 215, eraseChipMs: 30_000, pageMs: 0.87, pageIn32sMs: 0.93 },
  worst: { erase4kMs: 400, erase32kMs: 1600, erase64kMs: 2000, eraseChipMs: 100_000, pageMs: 3, pageIn32sMs: 4 },
  instant: { erase4kMs: 0, erase32kMs: 0, erase64kMs: 0, eraseChipMs: 0, pageMs: 0, pageIn32sMs: 0 },
};
