// SPDX-License-Identifier: MPL-2.0
// Network cards of virtual machines (Virtual I/O Device 1.2, section 5.1): version 1 devices, transitional ones, and the
// legacy interface of older hypervisors. Polled: the card is asked never to interrupt.
#pragma once
#include "drivers/nic.h"

extern const struct nic_driver virtio_net_driver;
