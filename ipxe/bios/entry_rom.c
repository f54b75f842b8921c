// SPDX-License-Identifier: MPL-2.0
// Signet from the option ROM of a card that it drives itself (rom/rom.S). That card comes first, and is the one that a start is about.
#include "bios/entry.h"

#include "bios/console.h"
#include "bios/handed.h"
#include "bios/network.h"
#include "drivers/pci_bus.h"
#include "image/romfile.h"

static struct rom_handoff handoff;

static void find_network(void)
{
    network_find_all(handoff.place);
}

static void say_card(void)
{
    bios_say("rom: Signet from the option ROM of the card at " PCI_PLACE_FORMAT "\n", PCI_PLACE(handoff.place));
}

const struct bios_entry *entry_rom(void)
{
    static const struct bios_entry entry = { .find_network = find_network, .said = say_card };
    return handed_over(ROM_HANDOFF_MAGIC, &handoff, sizeof handoff) ? &entry : NULL;
}
