// SPDX-License-Identifier: MPL-2.0
// Driver of VMware's vmxnet3, which QEMU emulates as well: revision 1, one queue each way, no interrupts, frames whole in one buffer.
#pragma once
#include "drivers/nic.h"

// Frames that wait for us while we are elsewhere, as of e1000.h.
#define VMXNET3_RX_COUNT 1024u
#define VMXNET3_TX_COUNT 64u

extern const struct nic_driver vmxnet3_driver;
