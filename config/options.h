// SPDX-License-Identifier: MPL-2.0
// Every knob of the firmware: 0 or 1, with its default and its reason. C code uses plain `if`.
#pragma once

// BIOS: COM1 (115200 8N1) beside the screen, if a UART is there and the BIOS does not redirect its console to it
// already. Servers and test machines have no screen; a line without a listener costs nothing.
#define CONSOLE_SERIAL 1
