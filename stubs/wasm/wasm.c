/* The core as a WebAssembly module: hw_* are imports of the module "hw", its entries are exports. Pointers are offsets into `memory`. */
#include "../core/stub.h"

/* In a module of its own name; see hw.h. Build: see ../README.md. */
__attribute__((export_name("stub_start"))) void wasm_start(void) {
  stub_start();
}

__attribute__((export_name("stub_step"))) int wasm_step(void) {
  return stub_step();
}

__attribute__((export_name("stub_deadline"))) uint32_t wasm_deadline(void) {
  return stub_deadline();
}
