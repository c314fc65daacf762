/** The answer to GET_SECURITY_INFO, from ROM and stub alike. */
import type { EspChip } from "./esp-chip-parts.ts";
import type { Machine, MachineSettings } from "./esp-machine.ts";

/** Flags, crypt count as a row of ones, seven key purposes; later chips add their id and revision. */
export function securityInfoBytes(machine: Machine): Uint8Array {
  const { chip, settings } = machine;
  const info = new Uint8Array(chip.securityInfoBytes ?? 20);
  const view = new DataView(info.buffer);
  if (info.length < 12) return info;
  view.setUint32(0, settings.security.flags, true);
  view.setUint8(4, (1 << settings.security.cryptCount) - 1);
  if (info.length < 20) return info;
  view.setUint32(12, chip.imageChipId ?? 0, true);
  view.setUint32(16, chip.eco ?? 0, true);
  return info;
}

/**
 * The fuses that say the same, for those who read them by register. Sources: esp_efuse_table.csv of ESP-IDF for each chip.
 * ESP32: FLASH_CRYPT_CNT is block 0 word 0 bits 26:20, ABS_DONE_0 is word 6 bit 4.
 */
export function securityFuses(chip: EspChip, security: MachineSettings["security"]): Readonly<Record<number, number>> {
  const burnt = (1 << security.cryptCount) - 1;
  const secureBoot = security.flags & 1;
  const base = chip.efuseBase;
  switch (chip.id) {
    case "esp8266":
      return {};
    case "esp32":
      return { [base]: burnt << 20, [base + 0x18]: secureBoot << 4 };
    case "esp32c2":
      return { [base + 0x30]: (burnt << 7) | (secureBoot << 21) };
    case "esp32c5":
      return { [base + 0x34]: burnt << 16, [base + 0x38]: secureBoot << 25 };
    case "esp32c61":
      return { [base + 0x30]: burnt << 23, [base + 0x34]: secureBoot << 26 };
    default:
      return { [base + 0x34]: burnt << 18, [base + 0x38]: secureBoot << 20 };
  }
}
