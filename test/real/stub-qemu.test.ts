import { afterAll, beforeAll, expect, test } from "vitest";
import { Conversation } from "./stub/conversation.ts";
import { blobForQemu, buildForQemu, machines, QemuWire, removeFolder } from "./stub/qemu.ts";
import { flashBytes, loadParts, playScript } from "./stub/script.ts";
import { wasmWire } from "./stub/wires.ts";

let folder = "";
beforeAll(() => {
  folder = buildForQemu();
});
afterAll(() => {
  removeFolder(folder);
});

for (const machine of ["riscv", "de212", "lx106"] as const) {
  test(`machine code on ${machines[machine][0]}, ${machine}, answers as the wasm core does`, async () => {
    const wasm = await playScript(new Conversation(wasmWire().wire));
    using wire = new QemuWire(machine, folder);
    const stub = new Conversation(wire);
    expect(await stub.hello(flashBytes)).toMatchObject({ features: 0 });
    const { build, ...blob } = blobForQemu(machine, folder);
    expect(await loadParts(stub, ...blob.write, ...blob.inflate)).toBe("status 00 ops 4");
    const emulated = await playScript(stub);
    expect(emulated.text).toBe(wasm.text);
    expect(emulated.hello).toMatchObject({ build, features: 3, flashId: 0x1440ef });
  });
}
