// SPDX-License-Identifier: MPL-2.0
#include "bios/network.h"

#include "bios/clock.h"
#include "bios/console.h"
#include "bios/handed.h"
#include "bios/native.h"
#include "bios/pci.h"
#include "bios/pxe.h"
#include "bios/undi.h"
#include "bios/undi_rom.h"
#include "image/embed.h"
#include "options.h"

#define CLASS_ETHERNET (PCI_CLASS_NETWORK << 8) // and the subclass
#define QUIET_US 2000000 // without an interrupt to wake us: no halt before it has been quiet for so long

static struct card *cards[CARDS_MAX];
static unsigned count, paused; // paused: bits of those to be opened again
static bool by_rom; // one of them at least
static bool booted; // by the first one's PXE ROM
static uint64_t last_frame_us; // of native cards, as network_idle() knows it

// A driver waits by the clock with interrupts off, so it must be one that goes on then.
static bool native_wanted(void)
{
    return NATIVE_DRIVERS && clock_tsc_khz() && !(embed_flags & EMBED_FLAG_FIRMWARE_DRIVERS);
}

// What booted Signet knows the network: the lease stays with the card. NULL: UNDI has it again.
static struct card *take_over(struct card *undi, struct card *native)
{
    undi_lend(undi);
    if (native_start(native) != 0)
        goto give_back;
    if (memcmp(native->info.mac, undi->info.mac, 6) != 0) {
        bios_say("net: %s has another address than the PXE ROM uses\n", native->info.chip);
        native_drop(native);
        goto give_back;
    }
    memcpy(&native->info.dhcp_ack, &undi->info.dhcp_ack, sizeof native->info - offsetof(struct card_info, dhcp_ack));
    return native;

give_back:
    bios_say("net: the PXE ROM's UNDI goes on\n");
    undi_take_back(undi);
    return NULL;
}

static void find_booted(void)
{
    struct card *undi, *native;
    uint16_t at;
    if (undi_add(true, &undi) != 0) {
        bios_say("undi: the PXE ROM does not say which card it has\n");
        return;
    }
    native = native_wanted() && undi_place(undi, &at) ? native_find(at) : NULL;
    if (native)
        native = take_over(undi, native);
    by_rom = !native;
    cards[count++] = native ? native : undi;
}

static bool is_card(const struct pci_bus_function *found)
{
    return found->class >> 8 == CLASS_ETHERNET;
}

static void add(const struct pci_bus_function *found, bool natively)
{
    struct card *card = natively ? native_find(found->at) : NULL;
    if (!card || native_start(card) != 0) {
        card = undi_rom_start(found);
        by_rom |= card != NULL;
    }
    if (card)
        cards[count++] = card;
}

void network_find_all(uint16_t first)
{
    struct pci_bus_walk walk;
    struct pci_bus_function found;
    bool any = false;
    pci_walk(&walk);
    while (pci_bus_next(&walk, &found))
        if (is_card(&found) && found.at == first)
            add(&found, true);
    pci_walk(&walk);
    while (count < CARDS_MAX && pci_bus_next(&walk, &found)) {
        if (!is_card(&found))
            continue;
        any = true;
        if (found.at != first)
            add(&found, native_wanted());
    }
    if (!any)
        bios_say("net: no Ethernet card on the PCI bus\n");
}

void network_find(void)
{
    booted = pxe_find() == 0;
    if (booted)
        find_booted();
    else
        network_find_all(PCI_NOWHERE);
}

bool network_calls_roms(void)
{
    return by_rom;
}

unsigned network_cards(void *ctx, struct card *ret[CARDS_MAX])
{
    memcpy(ret, cards, sizeof cards);
    return count;
}

void network_idle(void)
{
    uint64_t now = clock_us();
    if (native_frame_passed())
        last_frame_us = now;
    if (!last_frame_us || now - last_frame_us >= QUIET_US)
        undi_idle();
}

void network_pause(void)
{
    for (unsigned i = 0; i < count; i++) {
        if (!(native_has(cards[i]) ? native_is_open(cards[i]) : undi_is_open(cards[i])))
            continue;
        card_close(cards[i]);
        paused |= 1u << i;
    }
}

void network_resume(const struct card *one)
{
    for (unsigned i = 0; i < count; i++) {
        if (!(paused >> i & 1) || (one && cards[i] != one))
            continue;
        paused &= ~(1u << i);
        (void)card_open(cards[i]); // without it nothing arrives, as without a link
    }
}

bool network_has_pxe(const struct card *card)
{
    return booted && card == cards[0] && !native_has(card);
}

void network_silence(void)
{
    native_drop_all();
    undi_shutdown();
    count = 0;
}

void network_release(void)
{
    native_drop_all();
    undi_close_all();
    undi_rom_stop();
    count = 0;
}
