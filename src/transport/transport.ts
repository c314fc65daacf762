/** Moves bytes between us and a board, and knows nothing of what they mean. */
export interface Transport extends AsyncDisposable {
  /** The port as the user named it, for messages. */
  readonly name: string;
  /** Counts since the transport was opened; kept by every implementation for the report. */
  readonly counters: TransportCounters;
  /** Hands bytes over for sending; resolves when they are accepted, not when they have arrived. @throws FlashError `disconnected` */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Whatever has arrived, at least one byte; waits at most `timeoutMs` for it. An empty array means that the time is over.
   * @throws FlashError `disconnected` when the other end is gone
   */
  read(timeoutMs: number): Promise<Uint8Array>;
  /** Drops what has arrived and was not read yet, where the transport can. */
  flushInput(): Promise<void>;
}

export interface TransportCounters {
  sentBytes: number;
  receivedBytes: number;
  /** Times that the direction turned from sending to receiving. */
  roundTrips: number;
}

/** A transport with modem lines and a bit rate. Ports that have neither say so by `hasModemLines` false and ignore both. */
export interface SerialTransport extends Transport {
  readonly hasModemLines: boolean;
  /** USB vendor and product id, where the system knows them. */
  readonly usb?: { readonly vendorId: number; readonly productId: number };
  /** true = asserted = the pin is low. Both lines are always given, since some drivers fill in defaults. */
  setSignals(signals: ModemLines): Promise<void>;
  /** Bits per second, for both directions, effective for the next byte. */
  setBaudRate(baud: number): Promise<void>;
}

export interface ModemLines {
  readonly dtr: boolean;
  readonly rts: boolean;
}
