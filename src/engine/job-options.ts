/** What a user may ask of a job. */
import type { Address } from "../core/image.ts";

export interface JobOptions {
  /** undefined: 921600, or what worked on this port last time; 115200 where the port cannot follow a change. Serial ports only. */
  readonly baud: number | undefined;
  readonly chip: string | undefined;
  /** Refuse any board but the one with this identity, or with this name in the catalogue. */
  readonly identity: string | undefined;
  readonly full: boolean;
  readonly ram: boolean;
  readonly dryRun: boolean;
  readonly reset: boolean;
  /** False: what the ROM or the GDB server can do by itself. */
  readonly useStub: boolean;
  /** Espressif's stub even where Deltaflash's own can run. Default false. */
  readonly officialStub?: boolean;
  readonly appOffset: Address | undefined;
  readonly flashBytes: number | undefined;
}
