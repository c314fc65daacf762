/** What the project uses of Node's WebAssembly; the types that come with Node leave it out. */
declare namespace WebAssembly {
  type ModuleImports = Record<string, unknown>;
  class Module {
    private readonly compiled: true;
    constructor(bytes: Uint8Array);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  }
}
