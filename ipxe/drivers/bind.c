// SPDX-License-Identifier: MPL-2.0
// See bind.h.
#include "drivers/bind.h"

#include "base/fmt.h"

const struct nic_driver *bind_driver(uint16_t vendor, uint16_t device, uint32_t class)
{
    for (size_t i = 0; class >> 16 == PCI_CLASS_NETWORK && i < nic_driver_count; i++)
        if (nic_drivers[i]->knows(vendor, device))
            return nic_drivers[i];
    return NULL;
}

struct card *bind_card(const struct nic_driver *driver, const struct pci_function *pci, void *memory)
{
    struct nic *nic = memset(memory, 0, driver->size);
    struct card_info *info = &nic->card.info;
    nic->pci = pci;
    nic->card.ops = &driver->ops;
    fmt_snprintf(info->driver, sizeof info->driver, "%s", driver->name);
    fmt_snprintf(info->chip, sizeof info->chip, "PCI %04x:%04x", pci->vendor, pci->device);
    return &nic->card;
}
