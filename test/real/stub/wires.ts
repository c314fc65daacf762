/** Wires to stubs that run here: the wasm core on its bench. */
import { flashBytes } from "./script.ts";
import { StubBoard } from "../../unit/stubs/stub-board.ts";
import type { Wire } from "./conversation.ts";

/** Quiet for longer than anything that the stub does by itself. */
const quietMs = 2000;

export function wasmWire(): { readonly wire: Wire; readonly board: StubBoard } {
  const board = new StubBoard(flashBytes);
  const wire: Wire = {
    send: (bytes) => void board.toStub.push(...bytes),
    receive: () => {
      const untilUs = board.us + quietMs * 1000;
      while (board.fromStub.length === 0 && board.us < untilUs) board.step(untilUs);
      return Promise.resolve(Uint8Array.from(board.fromStub.splice(0)));
    },
  };
  return { wire, board };
}
