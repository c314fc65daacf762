/**
 * A board made of software, as a serial port sees it. It owns no timer: it is told what the host does and when, and tells
 * what the host sees and when. Calls come with times that never run backwards. Input is worked on when its time has come
 * (inside `advance`), so a reset or a pulled cable forgets what had not arrived yet, as on the bench.
 */
export interface SimBoard {
  /** The host hands over bytes at `atMs`; they travel at the host's current bit rate, behind what is still travelling. */
  receive(bytes: Uint8Array, atMs: number): void;
  /** true = asserted = the pin is low. */
  setSignals(lines: { readonly dtr: boolean; readonly rts: boolean }, atMs: number): void;
  /**
   * The host's end of the wire, bits per second. 0 = the wire has no rate (raw TCP): the host's rate always matches the
   * board's, whatever that is and however it changes.
   */
  setBaudRate(baud: number, atMs: number): void;
  /**
   * A moment before which the host cannot hear anything new, as late as the board can tell: to advance straight to it misses
   * nothing. undefined when all is quiet.
   */
  nextEventMs(): number | undefined;
  /** Lets time pass and returns all bytes that have reached the host by then. @throws FlashError `disconnected` after the cable was pulled. */
  advance(toMs: number): Uint8Array;
  /** Somebody presses the reset button, with or without holding the boot button: for links without reset lines. */
  pressReset?(atMs: number, buttons: { readonly boot: boolean }): void;
  /** A client opens its connection, where that means something to the other end: a GDB server. */
  hostConnects?(atMs: number): void;
  /** It closes it. */
  hostLeaves?(atMs: number): void;
  /** Counters for reports: see the command line's contract for `sim`. */
  counters(): SimCounters;
}

export interface SimCounters {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Erase operations by size in bytes (4096, 32768, 65536, chip size). */
  readonly erases: Readonly<Record<string, number>>;
  readonly pagesProgrammed: number;
  /** Time that the flash chip was busy, milliseconds, as modelled. */
  readonly flashBusyMs: number;
  /** Commands by name, `rom:SYNC` or `stub:SPI_FLASH_MD5`. */
  readonly commands: Readonly<Record<string, number>>;
  readonly resets: number;
}
