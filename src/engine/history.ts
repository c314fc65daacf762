/**
 * What each board held when we last saw it, by the board's identity and never by the port's name. The record is also the
 * journal: before the first erase the sectors to be written are struck out, and put in again after the last verification,
 * so a flash that was cut short leaves them unknown. Nothing here is believed before the board has confirmed it.
 */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { concat } from "../core/bytes.ts";
import type { Address, Range } from "../core/image.ts";
import type { KnownContents } from "../core/survey.ts";
import { replaceFile } from "./state-folder.ts";

/** A sector and what it holds, all of it. */
export interface KnownSector {
  readonly address: Address;
  readonly data: Uint8Array;
}

/** What helps the next connection through this port; all of it may be wrong by then. */
export interface PortHints {
  readonly identity?: string;
  readonly baud?: number;
  readonly resetWay?: string;
  /** The chip behind a GDB server. */
  readonly chip?: string;
  /** What tells the size of its flash, as the chip's row reads it. */
  readonly chipWords?: readonly number[];
  /** The build of Deltaflash's stub that did not run on the board. */
  readonly failedStub?: number;
}

/** Stands for the address of a sector whose bytes are still in the contents file, but of which nothing is known any more. */
const struckOut = -1;

interface BoardFile {
  readonly version: 1;
  readonly identity: string;
  readonly chip: string;
  readonly flashId?: number | undefined;
  readonly port: string;
  /** Milliseconds since 1970 of the last change. */
  readonly changedAt: number;
  /** Sectors that a flash had begun to write and never finished. */
  readonly interrupted: readonly Range[];
  readonly contentsFile: string;
  /** In the order of the contents file. */
  readonly sectors: readonly Range[];
}

export interface BoardSummary {
  readonly identity: string;
  readonly chip: string;
  readonly flashId: number | undefined;
  readonly port: string;
  readonly changedAt: number;
  readonly knownBytes: number;
  readonly interruptedSectors: number;
}

export class History {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async portHints(port: string): Promise<PortHints> {
    return (await this.#ports())[port] ?? {};
  }

  async rememberPort(port: string, hints: PortHints): Promise<void> {
    await replaceFile(this.#portsFile(), JSON.stringify({ ...(await this.#ports()), [port]: hints }, null, 1));
  }

  /** A board that was never seen has an empty record. A record that cannot be read counts as empty: the board is surveyed. */
  async board(identity: string, chip: string): Promise<BoardRecord> {
    return BoardRecord.load(this.#boardFolder(identity), { identity, chip });
  }

  async boards(): Promise<readonly BoardSummary[]> {
    const names = await readdir(join(this.#folder, "boards")).catch(() => []);
    const files = await Promise.all(names.map((name) => readBoardFile(join(this.#folder, "boards", name))));
    return files
      .filter((file) => file !== undefined)
      .map((file) => ({
        identity: file.identity,
        chip: file.chip,
        flashId: file.flashId,
        port: file.port,
        changedAt: file.changedAt,
        knownBytes: file.sectors.reduce((sum, { address, size }) => sum + (address === struckOut ? 0 : size), 0),
        interruptedSectors: file.interrupted.length,
      }))
      .sort((a, b) => b.changedAt - a.changedAt);
  }

  #boardFolder(identity: string): string {
    return join(this.#folder, "boards", identity.replaceAll(/[^0-9A-Za-z]+/g, "-"));
  }

  #portsFile(): string {
    return join(this.#folder, "ports.json");
  }

  async #ports(): Promise<Record<string, PortHints>> {
    try {
      return JSON.parse(await readFile(this.#portsFile(), "utf8")) as Record<string, PortHints>;
    } catch {
      return {}; // hints only: without them the connection takes a little longer
    }
  }
}

async function readBoardFile(folder: string): Promise<BoardFile | undefined> {
  try {
    const file = JSON.parse(await readFile(join(folder, "board.json"), "utf8")) as BoardFile;
    return (file as { version: number }).version === 1 ? file : undefined;
  } catch {
    return undefined; // missing or spoilt: an unknown board is surveyed
  }
}

export class BoardRecord {
  readonly #folder: string;
  readonly #sectors: Map<Address, Uint8Array>;
  #file: BoardFile;

  private constructor(folder: string, file: BoardFile, sectors: Map<Address, Uint8Array>) {
    this.#folder = folder;
    this.#file = file;
    this.#sectors = sectors;
  }

  static async load(folder: string, board: { identity: string; chip: string }): Promise<BoardRecord> {
    const empty: BoardFile = {
      version: 1,
      ...board,
      port: "",
      changedAt: 0,
      interrupted: [],
      contentsFile: "contents-0.bin",
      sectors: [],
    };
    const file = await readBoardFile(folder);
    if (file?.identity !== board.identity) return new BoardRecord(folder, empty, new Map());
    const contents = await readFile(join(folder, file.contentsFile)).catch(() => Buffer.alloc(0));
    const sectors = new Map<Address, Uint8Array>();
    let at = 0;
    for (const { address, size } of file.sectors) {
      const data = contents.subarray(at, at + size);
      if (data.length === size) sectors.set(address, data);
      at += size;
    }
    return new BoardRecord(folder, file, sectors);
  }

  get flashId(): number | undefined {
    return this.#file.flashId;
  }

  /** Sectors of a flash that never finished. */
  get interrupted(): readonly Range[] {
    return this.#file.interrupted;
  }

  readonly known: KnownContents = (range) => {
    const data = this.#sectors.get(range.address);
    return data?.length === range.size ? data : undefined;
  };

  /** All known sectors, sorted by address. */
  contents(): readonly KnownSector[] {
    return [...this.#sectors]
      .filter(([address]) => address !== struckOut)
      .map(([address, data]) => ({ address, data }))
      .sort((a, b) => a.address - b.address);
  }

  /** To be called before the first erase: from here on nobody believes anything about these sectors. */
  async strikeOut(sectors: readonly Range[], port: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const struck = new Set(sectors.map((sector) => sector.address));
    for (const address of struck) this.#sectors.delete(address);
    const stillInterrupted = this.#file.interrupted.filter((sector) => !struck.has(sector.address));
    // The contents file keeps the struck sectors' bytes as holes that no entry names.
    const named = new Set(this.#sectors.keys());
    const kept = this.#file.sectors.map((sector) =>
      named.has(sector.address) ? sector : { ...sector, address: struckOut },
    );
    await this.#write({ ...this.#file, sectors: kept, interrupted: [...stillInterrupted, ...sectors], port });
  }

  /** To be called after the last verification. `gone`: sectors that turned out to hold something else than was thought. */
  async enter(sectors: readonly KnownSector[], facts: { port: string; flashId?: number | undefined }): Promise<void> {
    for (const { address, data } of sectors) this.#sectors.set(address, data);
    const entered = new Set(sectors.map((sector) => sector.address));
    const all = [...this.#sectors].filter(([address]) => address !== struckOut).sort(([a], [b]) => a - b);
    const contentsFile = `contents-${Date.now().toString(36)}.bin`;
    const old = this.#file.contentsFile;
    await replaceFile(join(this.#folder, contentsFile), concat(all.map(([, data]) => data)));
    await this.#write({
      ...this.#file,
      ...facts,
      contentsFile,
      sectors: all.map(([address, data]) => ({ address, size: data.length })),
      interrupted: this.#file.interrupted.filter((sector) => !entered.has(sector.address)),
    });
    if (old !== contentsFile) await rm(join(this.#folder, old), { force: true });
  }

  async #write(file: BoardFile): Promise<void> {
    this.#file = { ...file, changedAt: Date.now() };
    await replaceFile(join(this.#folder, "board.json"), JSON.stringify(this.#file));
  }
}
