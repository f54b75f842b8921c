// SPDX-License-Identifier: MPL-2.0
// Which driver works which PCI function, and the card that they make together: the one place for every platform that reaches PCI
// functions. Such a platform finds functions, lends them (drivers/pci.h), and has the cards in its list.
#pragma once
#include "drivers/nic.h"

// The native drivers. A platform that does not ask for them has none of them linked.
extern const struct nic_driver *const nic_drivers[];
extern const size_t nic_driver_count;

// The driver that knows a function with these ids and this class code (class, subclass and interface in the lowest 24 bits). NULL: it
// is no network card, or none that a driver knows.
const struct nic_driver *bind_driver(uint16_t vendor, uint16_t device, uint32_t class);

// The card made of both, closed, in `memory`: driver->size bytes, aligned to 16. The function and the memory must outlive it.
struct card *bind_card(const struct nic_driver *driver, const struct pci_function *pci, void *memory);
