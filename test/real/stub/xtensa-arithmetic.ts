/** What Xtensa instructions of the groups RST0 and RST1 compute from two registers. */

interface Operands {
  readonly s: number;
  readonly t: number;
}

function refuse(word: number): never {
  throw new Error(`instruction ${(word >>> 0).toString(16)}`);
}

export function arithmetic(word: number, s: number, t: number): number {
  const kind = word >>> 20;
  switch (kind) {
    case 1:
      return s & t;
    case 2:
      return s | t;
    case 3:
      return s ^ t;
    case 6:
      if ((word & 0xf00) !== 0) return (word & 0xf00) === 0x100 ? Math.abs(t) : refuse(word);
      return -t;
    default:
      if (kind < 8) refuse(word);
      return (s << (kind & 3)) + (kind < 12 ? t : -t);
  }
}

export function shift(word: number, sar: number, { s, t }: Operands): number {
  const kind = word >>> 20;
  switch (kind) {
    case 0:
    case 1: {
      const by = 32 - (((word >>> 4) & 15) | (kind << 4));
      return by >= 32 ? 0 : s << by;
    }
    case 2:
    case 3:
      return t >> (((word >>> 8) & 15) | ((kind & 1) << 4));
    case 4:
      return t >>> ((word >>> 8) & 15);
    case 8:
      return sar >= 32 ? s : sar === 0 ? t : (s << (32 - sar)) | (t >>> sar);
    case 9:
      return sar >= 32 ? 0 : t >>> sar;
    case 10:
      return sar === 0 ? 0 : s << (32 - sar);
    case 11:
      return t >> Math.min(sar, 31);
    case 12:
      return Math.imul(s & 0xffff, t & 0xffff);
    case 13:
      return Math.imul((s << 16) >> 16, (t << 16) >> 16);
    default:
      return refuse(word);
  }
}
