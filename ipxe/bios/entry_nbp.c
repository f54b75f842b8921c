// SPDX-License-Identifier: MPL-2.0
// Signet as a network bootstrap program (nbp.S): a PXE ROM has loaded it.
#include "bios/entry.h"

#include "bios/network.h"

const struct bios_entry *entry_nbp(void)
{
    static const struct bios_entry entry = { .find_network = network_find };
    return &entry;
}
