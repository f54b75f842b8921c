// SPDX-License-Identifier: MPL-2.0
// Mbed TLS includes <assert.h>; an assertion of its own that fails stops the machine with a readable exception.
#define assert(x) ((x) ? (void)0 : __builtin_trap())
