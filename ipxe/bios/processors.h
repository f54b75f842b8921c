// SPDX-License-Identifier: MPL-2.0
// The machine's other processors, for digests: woken for a download by their local APICs (Intel SDM, volume 3, 8.4: INIT, SIPI) and put back after it
// to where an operating system expects them, waiting for a SIPI. They call nothing of the BIOS.
#pragma once
#include "crypto/hashboard.h"

// platform.helpers_start and helpers_stop. None where there is no MADT, where the processors have more than an xAPIC's numbers, or while a
// ROM's code is called for frames: that may shut address line A20, on all processors.
unsigned processors_start(void *ctx, struct hashboard *board);
// Not one instruction of ours runs on another processor after this.
void processors_stop(void *ctx);
