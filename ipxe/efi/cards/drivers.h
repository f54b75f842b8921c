// SPDX-License-Identifier: MPL-2.0
// Connecting the firmware's drivers: firmware that boots from one device leaves all others without theirs.
#pragma once
#include "efi/uefi.h"

// Connects drivers to the PCI devices whose class code (class, subclass, interface in the lowest 24 bits) `wanted`
// answers true for. Where no handle has `protocol` after that, what there is lies on no PCI bus, and everything is
// connected; unless `protocol` is NULL.
void drivers_connect(bool (*wanted)(efi_handle device, uint32_t class), const struct efi_guid *protocol);

// The PCI device that the handle's device path leads through, NULL: not on PCI; and its ids (vendor in the lower
// half), 0 likewise.
efi_handle drivers_pci(efi_handle handle);
uint32_t drivers_pci_id(efi_handle handle);

// The class code of a PCI device, 0: it is none.
uint32_t drivers_pci_class(efi_handle device);
