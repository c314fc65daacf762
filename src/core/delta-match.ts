/**
 * Finds the fewest bytes that describe a block by what the flash holds: copies over differing bytes, and bytes of its own.
 * A shortest path: at each byte every state (bytes of the block's own, or a copy from some distance) has a price in bytes on
 * the wire, and either goes on or is entered anew from the cheapest state. Distances are tried where seeds are found.
 */
import type { Address } from "./image.ts";
import { varintBytes, zigzag } from "./delta-ops.ts";
import { knownParts, seedBytes, stretchAt, type KnownFlash, type SeedIndex } from "./delta-source.ts";

/** Bytes `from` … `to` of a block: copied from index `source` of the known flash, or of its own where that is undefined. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly source: number | undefined;
}

/** Copies tried at a time. */
const maxStates = 8;
/** Places looked at for one seed. */
const maxPlaces = 8;
/** How far seeds are compared, bytes. */
const maxCompared = 64;
/** How far the beginning of a copy is searched backwards, bytes. */
const maxBackwards = 1024;
/** Seeds are looked for at so many bytes behind a byte that the cheapest copy does not explain. */
const seedsBehindMiss = 3;
/** An INS and its length. */
const literalEntry = 2;
/** An ADD, its length and its count of runs; the distance comes on top. */
const copyEntry = 4;
/** Equal bytes from which a FILL pays, and what it costs together with the INS that it cuts. */
const fillFrom = 8;
const fillCost = 5;
/** The distance of bytes that come over the wire. */
const own = -0x8000_0000;
const unreachable = 0x3fff_ffff;
/** A copy that is so much dearer than the cheapest state is given up, bytes. */
const maxLag = 32;

export class Matcher {
  private readonly flash: KnownFlash;
  private readonly seeds: SeedIndex;
  private data: Uint8Array = new Uint8Array(0);
  /** Per byte of the block what it costs among the block's own bytes. */
  private ownCost: Uint8Array = new Uint8Array(0);

  // States: the block's own bytes are number 0, copies follow.
  private states = 1;
  private readonly cost = new Int32Array(maxStates + 1);
  /** Index in the known flash less offset in the block. */
  private readonly distance = new Int32Array(maxStates + 1);
  /** Offsets in the block between which the copy has a source. */
  private readonly low = new Int32Array(maxStates + 1);
  private readonly high = new Int32Array(maxStates + 1);
  private readonly lastMiss = new Int32Array(maxStates + 1);
  /** Where the state was entered, and from which node. */
  private readonly start = new Int32Array(maxStates + 1);
  private readonly from = new Int32Array(maxStates + 1);
  /** The state's node, or -1 as long as nobody needed it. */
  private readonly node = new Int32Array(maxStates + 1);
  private readonly fields = [
    this.cost,
    this.distance,
    this.low,
    this.high,
    this.lastMiss,
    this.start,
    this.from,
    this.node,
  ];
  private best = 0;

  // Per offset the lowest cost of all bytes before it, and the node that has it.
  private readonly bestCost: Int32Array;
  private readonly bestNode: Int32Array;

  // Nodes: a state from its entry on.
  private nodeStart: number[] = [];
  private nodeDistance: number[] = [];
  private nodeBefore: number[] = [];
  /** Where the source cursor would stand at offset 0: distance of the last copy, as an address. */
  private nodeCursor: number[] = [];

  /** Where the known parts of the block's own place begin, those still ahead. */
  private inPlace: { readonly offset: number; readonly distance: number }[] = [];

  /** Address less address in the block of copies that were good in the block before. */
  private shifts: readonly number[] = [];

  /** @param blockBytes of the largest block */
  constructor(flash: KnownFlash, seeds: SeedIndex, blockBytes: number) {
    this.flash = flash;
    this.seeds = seeds;
    this.bestCost = new Int32Array(blockBytes + 1);
    this.bestNode = new Int32Array(blockBytes + 1);
  }

  /** Segments in order that tile the block. */
  match(address: Address, data: Uint8Array): readonly Segment[] {
    this.begin(address, data);
    for (let at = 0; at < data.length; at++) {
      if (this.inPlace[0]?.offset === at) this.tryInPlace(at);
      if (this.wantsSeeds(at)) this.seedAt(at);
      this.step(at);
      this.note(at + 1);
    }
    this.shifts = this.shiftsNow(address);
    return this.segments();
  }

  private begin(address: Address, data: Uint8Array): void {
    this.data = data;
    this.ownCost = ownCosts(data);
    this.states = 1;
    this.nodeStart = [0];
    this.nodeDistance = [own];
    this.nodeBefore = [-1];
    this.nodeCursor = [0];
    this.cost[0] = literalEntry;
    this.distance[0] = own;
    this.start[0] = 0;
    this.from[0] = 0;
    this.node[0] = 0;
    this.lastMiss[0] = -1;
    this.best = 0;
    this.bestCost[0] = 0;
    this.bestNode[0] = 0;
    this.inPlace = knownParts(this.flash, address, data.length).map((part) => ({
      offset: part.address - address,
      distance: part.at - (part.address - address),
    }));
    const [first] = this.inPlace;
    if (first?.offset === 0) {
      this.nodeCursor[0] = first.distance;
      this.tryInPlace(0);
    }
    for (const shift of this.shifts) {
      const [part] = knownParts(this.flash, address + shift, data.length);
      if (part?.address === address + shift) this.tryCopy(0, part.at);
    }
  }

  /** Advances all states by one byte, dearer ones anew from the cheapest where they begin to fit. */
  private step(at: number): void {
    const { cost, distance, low, high, lastMiss } = this;
    const { bytes } = this.flash;
    const byte = this.data[at];
    const before = this.bestCost[at] ?? 0;
    if ((cost[0] ?? 0) > before + literalEntry) this.enter(0, at, before + literalEntry);
    let least = (cost[0] ?? 0) + (this.ownCost[at] ?? 1);
    cost[0] = least;
    this.best = 0;
    for (let state = 1; state < this.states; state++) {
      let now = cost[state] ?? 0;
      if (at < (low[state] ?? 0) || at >= (high[state] ?? 0)) now = unreachable;
      else if (bytes[at + (distance[state] ?? 0)] !== byte) {
        const skipped = at - 1 - (lastMiss[state] ?? 0);
        now += skipped === 0 ? 1 : skipped < 31 ? 2 : 3;
        lastMiss[state] = at;
      } else if (now > before + copyEntry) {
        const anew = before + this.entryCost(this.bestNode[at] ?? 0, distance[state] ?? 0);
        if (now > anew) this.enter(state, at, anew);
        now = cost[state] ?? 0;
      }
      cost[state] = now;
      if (now < least || (now === least && this.best === 0)) {
        least = now;
        this.best = state;
      } else if (now > before + maxLag) this.drop(state--);
    }
  }

  /** The last state takes its number. */
  private drop(state: number): void {
    const last = --this.states;
    for (const field of this.fields) field[state] = field[last] ?? 0;
  }

  /** In front of byte `at`, from the cheapest state there. */
  private enter(state: number, at: number, cost: number): void {
    this.cost[state] = cost;
    this.start[state] = at;
    this.from[state] = this.bestNode[at] ?? 0;
    this.node[state] = -1;
    this.lastMiss[state] = at - 2; // the first run has its token, whatever it skips
  }

  private entryCost(from: number, distance: number): number {
    return copyEntry + varintBytes(zigzag(distance - (this.nodeCursor[from] ?? 0)));
  }

  private note(at: number): void {
    this.bestCost[at] = this.cost[this.best] ?? 0;
    this.bestNode[at] = this.nodeOfBest();
  }

  private nodeOfBest(): number {
    const state = this.best;
    const known = this.node[state] ?? -1;
    if (known >= 0) return known;
    const made = this.nodeStart.length;
    const before = this.from[state] ?? 0;
    const distance = this.distance[state] ?? own;
    this.nodeStart.push(this.start[state] ?? 0);
    this.nodeDistance.push(distance);
    this.nodeBefore.push(before);
    this.nodeCursor.push(state === 0 ? (this.nodeCursor[before] ?? 0) : distance);
    this.node[state] = made;
    return made;
  }

  private wantsSeeds(at: number): boolean {
    if (at + seedBytes > this.data.length) return false;
    return this.best === 0 ? this.ownCost[at] !== 0 : at - (this.lastMiss[this.best] ?? 0) <= seedsBehindMiss;
  }

  /** Tries the copy that explains most bytes around `at` exactly, unless it is tried already. */
  private seedAt(at: number): void {
    let place = this.seeds.last(this.data, at);
    let longest = seedBytes - 1;
    let chosen = -1;
    for (let looked = 0; place >= 0 && looked < maxPlaces; looked++) {
      if (!this.isTried(at, place - at)) {
        const length = this.equalBytesAround(at, place);
        if (length > longest) {
          longest = length;
          chosen = place;
        }
      }
      place = this.seeds.previous(place);
    }
    if (chosen >= 0) this.tryCopy(at, chosen - at);
  }

  private tryInPlace(at: number): void {
    const part = this.inPlace.shift();
    if (part !== undefined && !this.isTried(at, part.distance)) this.tryCopy(at, part.distance);
  }

  private isTried(at: number, distance: number): boolean {
    for (let state = 1; state < this.states; state++)
      if (this.distance[state] === distance && (this.low[state] ?? 0) <= at && at < (this.high[state] ?? 0))
        return true;
    return false;
  }

  private equalBytesAround(at: number, place: number): number {
    const { data } = this;
    const { bytes } = this.flash;
    let ahead = 0;
    while (ahead < maxCompared && at + ahead < data.length && data[at + ahead] === bytes[place + ahead]) ahead++;
    if (ahead < seedBytes) return 0;
    let behind = 0;
    while (behind < maxCompared && behind < at && data[at - behind - 1] === bytes[place - behind - 1]) behind++;
    return ahead + behind;
  }

  /** Adds the copy in front of byte `at`, entered where it would have been cheapest; the dearest state leaves for it. */
  private tryCopy(at: number, distance: number): void {
    const stretch = stretchAt(this.flash, at + distance);
    if (stretch === undefined) return;
    let state = this.states;
    if (state > maxStates) {
      state = 1;
      for (let other = 2; other <= maxStates; other++)
        if (other !== this.best && (state === this.best || (this.cost[other] ?? 0) >= (this.cost[state] ?? 0)))
          state = other;
    } else this.states++;
    this.distance[state] = distance;
    this.low[state] = stretch.at - distance;
    this.high[state] = stretch.at + stretch.size - distance;
    this.enterBackwards(state, at);
  }

  private enterBackwards(state: number, at: number): void {
    const { data, bestCost, bestNode } = this;
    const { bytes } = this.flash;
    const distance = this.distance[state] ?? 0;
    const end = Math.max(0, this.low[state] ?? 0, at - maxBackwards);
    const here = bestCost[at] ?? 0;
    let begin = at;
    let least = here + this.entryCost(bestNode[at] ?? 0, distance);
    let lastMiss = at - 2;
    let paid = 0;
    let miss = at + 1;
    for (let place = at - 1; place >= end; place--) {
      if (data[place] !== bytes[place + distance]) {
        paid += miss === place + 1 ? 1 : 2;
        if (miss > at) lastMiss = place;
        miss = place;
        if (paid > here - (bestCost[place] ?? 0) + 16) break;
        continue;
      }
      const cost = (bestCost[place] ?? 0) + paid + copyEntry;
      if (cost >= least) continue;
      const exact = cost - copyEntry + this.entryCost(bestNode[place] ?? 0, distance);
      if (exact >= least) continue;
      least = exact;
      begin = place;
    }
    this.enter(state, begin, least);
    if (begin < at) this.lastMiss[state] = Math.max(begin - 2, lastMiss);
  }

  private shiftsNow(address: Address): readonly number[] {
    const shifts: number[] = [];
    for (let state = 1; state < this.states; state++) {
      const index = (this.distance[state] ?? 0) + this.data.length - 1;
      const stretch = stretchAt(this.flash, index);
      if (stretch === undefined) continue;
      const shift = stretch.address + index - stretch.at - (address + this.data.length - 1);
      if (shift !== 0) shifts.push(shift);
    }
    return shifts;
  }

  private segments(): readonly Segment[] {
    const segments: Segment[] = [];
    let to = this.data.length;
    for (let node = this.bestNode[to] ?? -1; node >= 0 && to > 0; node = this.nodeBefore[node] ?? -1) {
      const from = this.nodeStart[node] ?? 0;
      if (from === to) continue;
      const distance = this.nodeDistance[node] ?? own;
      segments.push({ from, to, source: distance === own ? undefined : from + distance });
      to = from;
    }
    return segments.reverse();
  }
}

/** One each, but for runs of equal bytes, which a FILL makes: the first byte carries its price, the others are free. */
function ownCosts(data: Uint8Array): Uint8Array {
  const costs = new Uint8Array(data.length).fill(1);
  for (let at = 0; at < data.length;) {
    let end = at + 1;
    while (end < data.length && data[end] === data[at]) end++;
    if (end - at >= fillFrom) {
      costs.fill(0, at, end);
      costs[at] = fillCost;
    }
    at = end;
  }
  return costs;
}
