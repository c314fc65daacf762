/** The answer to GET_SECURITY_INFO, from ROM and stub alike. */
import type { Machine } from "./esp-machine.ts";

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
