/** The server's side of RFC 2217 for one client of a simulated board. Knows neither sockets nor what boards do. */
import { concat } from "../core/bytes.ts";
import {
  comPort,
  control,
  decodeBaudRate,
  encodeBaudRate,
  encodeComPort,
  FRAME_8N1,
  SERVER_ANSWER_OFFSET,
} from "../transport/com-port.ts";
import { TelnetDecoder } from "../transport/telnet.ts";
import { TelnetOptions, telnetOption } from "../transport/telnet-options.ts";

/** What the client may move. */
export interface ComPortBoard {
  receive(bytes: Uint8Array): void;
  setSignals(lines: { readonly dtr: boolean; readonly rts: boolean }): void;
  setBaudRate(baud: number): void;
  purge(): void;
}

const SIGNATURE = "Deltaflash simulated board";
/** Stands for a request without a code. */
const UNKNOWN = -1;
/** pySerial looks for an acknowledgement every 50 ms before it sends the next line; twice that and some more. */
const SECOND_LINE_MS = 150;
const FIRST_BAUD = 115_200;
/** CTS and DSR: the board is there and ready. RFC 2217, NOTIFY-MODEMSTATE. */
const MODEM_STATE = 0x30;

export class ComPortServer {
  readonly #board: ComPortBoard;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #decoder = new TelnetDecoder();
  readonly #options = new TelnetOptions({
    ours: [telnetOption.comPort, telnetOption.binary, telnetOption.suppressGoAhead],
    theirs: [telnetOption.comPort, telnetOption.binary, telnetOption.suppressGoAhead],
  });
  #agreed = false;
  #baud = FIRST_BAUD;
  #lines = { dtr: false, rts: false };
  #held: NodeJS.Timeout | undefined;

  constructor(board: ComPortBoard, send: (bytes: Uint8Array) => void) {
    this.#board = board;
    this.#send = send;
    send(concat([...this.#options.askForAll()]));
  }

  /** Bytes from the client, cut anywhere. */
  receive(bytes: Uint8Array): void {
    for (const event of this.#decoder.feed(bytes)) {
      switch (event.kind) {
        case "data":
          this.#board.receive(event.bytes);
          break;
        case "option": {
          const answer = this.#options.receive(event.verb, event.option);
          if (answer !== undefined) this.#send(answer);
          if (this.#options.isOn(telnetOption.comPort)) this.#greet();
          break;
        }
        case "subnegotiation":
          if (event.option !== telnetOption.comPort) break;
          this.#greet(); // a client that took our offer for its own request never said more: this is its agreement
          this.#handle(event.payload[0] ?? UNKNOWN, event.payload.slice(1));
          break;
      }
    }
  }

  /** The client left: its port is closed, which lets go of the lines. */
  leave(): void {
    clearTimeout(this.#held);
    if (this.#lines.dtr || this.#lines.rts) this.#setLines({ dtr: false, rts: false });
  }

  #greet(): void {
    if (this.#agreed) return;
    this.#agreed = true;
    this.#answer(comPort.notifyModemState, MODEM_STATE);
  }

  #handle(code: number, value: Uint8Array): void {
    switch (code) {
      case comPort.signature:
        if (value.length === 0) this.#answer(code, new TextEncoder().encode(SIGNATURE));
        break;
      case comPort.setBaudRate:
        this.#rate(decodeBaudRate(value));
        break;
      case comPort.setDataSize:
        this.#answer(code, FRAME_8N1.dataSize);
        break;
      case comPort.setParity:
        this.#answer(code, FRAME_8N1.parity);
        break;
      case comPort.setStopSize:
        this.#answer(code, FRAME_8N1.stopSize);
        break;
      case comPort.setControl:
        this.#answer(code, this.#control(value[0] ?? 0));
        break;
      case comPort.notifyLineState:
        this.#answer(code, 0);
        break;
      case comPort.notifyModemState:
        this.#answer(code, MODEM_STATE);
        break;
      case comPort.setLineStateMask:
      case comPort.setModemStateMask:
        this.#answer(code, value);
        break;
      case comPort.purgeData:
        this.#board.purge();
        this.#answer(code, value);
        break;
      default: // FLOWCONTROL-SUSPEND and -RESUME need no answer, and TCP holds back a client that does not read
        break;
    }
  }

  /** 0 asks for the rate in force. */
  #rate(baud: number): void {
    if (baud !== 0) {
      this.#baud = baud;
      this.#board.setBaudRate(baud);
    }
    this.#answer(comPort.setBaudRate, encodeBaudRate(this.#baud));
  }

  /** Does what SET_CONTROL says and gives the value that is in force then. */
  #control(value: number): number {
    const { dtr, rts } = this.#lines;
    switch (value) {
      case control.dtrOn:
      case control.dtrOff:
        this.#setLines({ dtr: value === control.dtrOn, rts });
        return value;
      case control.rtsOn:
      case control.rtsOff:
        this.#setLines({ dtr, rts: value === control.rtsOn });
        return value;
      case control.askDtr:
        return dtr ? control.dtrOn : control.dtrOff;
      case control.askRts:
        return rts ? control.rtsOn : control.rtsOff;
      case control.breakOn:
      case control.breakOff:
        return value; // taken and without effect: no loader listens for it
      case control.askBreak:
        return control.breakOff;
      case control.askInboundFlowControl:
      case control.noInboundFlowControl:
        return control.noInboundFlowControl;
      default: // all else asks for or about flow control, which such a board has none of
        return control.noFlowControl;
    }
  }

  /**
   * Out of reset into "boot strap low" is two messages here, DTR on and RTS off, and pySerial leaves 50 ms between them: a board
   * would be out of reset, with its strap high, long before the second. Espressif's server for such boards replays the whole
   * reset by itself; this one holds the first message back until the second has come, or was not sent.
   */
  #setLines(lines: { readonly dtr: boolean; readonly rts: boolean }): void {
    const before = this.#lines;
    this.#lines = { ...lines };
    clearTimeout(this.#held);
    const mayBeHalf = before.rts && !before.dtr && lines.rts && lines.dtr;
    if (mayBeHalf) this.#held = setTimeout(() => this.#board.setSignals(lines), SECOND_LINE_MS);
    else this.#board.setSignals(lines);
  }

  #answer(code: number, value: Uint8Array | number): void {
    this.#send(encodeComPort(code + SERVER_ANSWER_OFFSET, value));
  }
}
