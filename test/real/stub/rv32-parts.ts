/** Pieces of RISC-V instructions: offsets of compressed ones, and the M extension. */

export function smallOffset(word: number): number {
  return ((word >>> 7) & 0x38) | ((word >>> 4) & 4) | ((word << 1) & 0x40);
}

export function jumpOffset(word: number): number {
  return (
    (((word << 19) >> 31) << 11) |
    ((word >>> 7) & 0x10) |
    ((word >>> 1) & 0x300) |
    ((word << 2) & 0x400) |
    ((word >>> 1) & 0x40) |
    ((word << 1) & 0x80) |
    ((word >>> 2) & 0xe) |
    ((word << 3) & 0x20)
  );
}

export function branchOffset(word: number): number {
  return (
    (((word << 19) >> 31) << 8) |
    ((word >>> 7) & 0x18) |
    ((word << 1) & 0xc0) |
    ((word >>> 2) & 6) |
    ((word << 3) & 0x20)
  );
}

export function multiply(funct: number, a: number, b: number): number {
  switch (funct) {
    case 0:
      return Math.imul(a, b);
    case 1:
      return Number((BigInt(a) * BigInt(b)) >> 32n) | 0;
    case 2:
      return Number((BigInt(a) * BigInt(b >>> 0)) >> 32n) | 0;
    case 3:
      return Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0;
    case 4:
      return b === 0 ? -1 : (a / b) | 0;
    case 5:
      return b === 0 ? -1 : Math.floor((a >>> 0) / (b >>> 0)) | 0;
    case 6:
      return b === 0 ? a : a % b;
    default:
      return b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0;
  }
}
