/** The words of RFC 2217, "Telnet Com Port Control Option", for both ends. Knows neither sockets nor boards. */
import { encodeSubnegotiation } from "./telnet.ts";
import { telnetOption } from "./telnet-options.ts";

/** Client to server; the server answers with the code + 100 and the value that is now in force. */
export const comPort = {
  signature: 0,
  setBaudRate: 1,
  setDataSize: 2,
  setParity: 3,
  setStopSize: 4,
  setControl: 5,
  notifyLineState: 6,
  notifyModemState: 7,
  setLineStateMask: 10,
  setModemStateMask: 11,
  purgeData: 12,
} as const;

export const SERVER_ANSWER_OFFSET = 100;

/** Values of SET_CONTROL. 0, 4, 7, 10 and 13 ask for the state. */
export const control = {
  askFlowControl: 0,
  noFlowControl: 1,
  askBreak: 4,
  breakOn: 5,
  breakOff: 6,
  askDtr: 7,
  dtrOn: 8,
  dtrOff: 9,
  askRts: 10,
  rtsOn: 11,
  rtsOff: 12,
  askInboundFlowControl: 13,
  noInboundFlowControl: 14,
} as const;

/** Value of PURGE_DATA: what came from the board and is still in the server. */
export const PURGE_RECEIVED = 1;
/** Values of SET_DATASIZE, SET_PARITY and SET_STOPSIZE for 8 bits, no parity, one stop bit. */
export const FRAME_8N1 = { dataSize: 8, parity: 1, stopSize: 1 } as const;

export function encodeComPort(code: number, value: Uint8Array | number): Uint8Array {
  const bytes = typeof value === "number" ? [value] : value;
  return encodeSubnegotiation(telnetOption.comPort, Uint8Array.of(code, ...bytes));
}

/** Bits per second as SET_BAUDRATE carries them: 32 bits, high byte first. */
export function encodeBaudRate(baud: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, baud);
  return bytes;
}

/** 0 where the bytes are no rate. */
export function decodeBaudRate(value: Uint8Array): number {
  return value.length < 4 ? 0 : new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}
