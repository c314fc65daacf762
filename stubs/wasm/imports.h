/* Included before everything else in the wasm build: the hardware layer is whoever instantiates the module, as its import "hw". */
#ifndef IMPORTS_H
#define IMPORTS_H

#pragma clang attribute push(__attribute__((import_module("hw"))), apply_to = function)
#include "../core/hw.h"
#pragma clang attribute pop

#endif
