/** What the parts of a simulated chip may ask of its clock and its bus. */
export interface ChipTime {
  /** The chip's present, milliseconds; exact to the cycle while the core runs. */
  nowMs(): number;
  /** The core waits for the bus until then; a past moment changes nothing. */
  stallUntil(ms: number): void;
  /** The core has read a status that says busy, until then: see `Cpu.readsBusyFor`. */
  readsBusyUntil(ms: number): void;
  /** The access under way fails. */
  busFault(): void;
}
