// SPDX-License-Identifier: MPL-2.0
// See e1000_card.h.
#include "drivers/e1000_card.h"

#include "base/bytes.h"
#include "drivers/nic.h"

#define INTEL 0x8086u
#define GONE 0xFFFFFFFFu  // what a card that is not there answers
#define IDLE_US 10000u    // for what is under way on the bus when receiver and transmitter have been stopped
#define MASTER_US 100000u // until a card on PCI Express has ended its access to memory
#define RESET_US 10000u   // a reset reads the EEPROM again, which takes milliseconds, and no register is touched before
#define EEPROM_WORD_US 10000u

// Those with the PHY inside and a copper port, which negotiate the link without us.
static const struct e1000_id {
    uint16_t device;
    bool express;
} ids[] = {
    { 0x1008, false }, // 82544EI
    { 0x100C, false }, // 82544GC
    { 0x100D, false }, // 82544GC, on the mainboard
    { 0x100E, false }, // 82540EM
    { 0x100F, false }, // 82545EM
    { 0x1010, false }, // 82546EB
    { 0x1015, false }, // 82540EM, on the mainboard
    { 0x1026, false }, // 82545GM
    { 0x1079, false }, // 82546GB
    { 0x10D3, true },  // 82574L
};

static const struct e1000_id *id_of(uint16_t vendor, uint16_t device)
{
    for (unsigned i = 0; vendor == INTEL && i < ARRAY_SIZE(ids); i++)
        if (ids[i].device == device)
            return &ids[i];
    return NULL;
}

bool e1000_card_knows(uint16_t vendor, uint16_t device)
{
    return id_of(vendor, device) != NULL;
}

void e1000_pause_us(const struct e1000_card *card, uint32_t us)
{
    for (uint64_t end = e1000_now_us(card) + us; e1000_now_us(card) < end;)
        ;
}

// Waits until the bits `mask` of a register are `value`. False: they did not become that in time.
static bool wait_for(const struct e1000_card *card, uint32_t offset, uint32_t mask, uint32_t value, uint32_t us)
{
    for (uint64_t end = e1000_now_us(card) + us;;) {
        bool late = e1000_now_us(card) >= end;
        if ((e1000_read(card, offset) & mask) == value)
            return true;
        if (late)
            return false;
    }
}

void e1000_card_take(struct e1000_card *card, const struct pci_function *pci)
{
    const struct e1000_id *id = id_of(pci->vendor, pci->device);
    card->pci = pci;
    card->express = id && id->express;
    card->command = pci->ops->config_read(pci->ctx, PCI_COMMAND, 2);
    pci->ops->config_write(pci->ctx, PCI_COMMAND, 2, card->command | PCI_COMMAND_MEMORY);
}

void e1000_card_release(const struct e1000_card *card)
{
    card->pci->ops->config_write(card->pci->ctx, PCI_COMMAND, 2, card->command);
}

void e1000_card_master(const struct e1000_card *card)
{
    card->pci->ops->config_write(card->pci->ctx, PCI_COMMAND, 2, card->command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

int e1000_card_reset(const struct e1000_card *card)
{
    e1000_write(card, E1000_IMC, GONE);
    // Stopped first, since QEMU's cards know no reset, and to a real one it may come while it writes into memory.
    e1000_write(card, E1000_RCTL, 0);
    e1000_write(card, E1000_TCTL, E1000_TCTL_PAD);
    (void)e1000_read(card, E1000_STATUS); // the bus has delivered the writes
    e1000_pause_us(card, IDLE_US);
    uint32_t ctrl = e1000_read(card, E1000_CTRL);
    if (ctrl == GONE)
        return ERR_NET_LINK;
    ctrl &= ~(E1000_CTRL_RESET | E1000_CTRL_PHY_RESET);
    if (card->express) {
        // A card that does not come to an end is reset all the same: nothing else would help it.
        ctrl |= E1000_CTRL_MASTER_DISABLE;
        e1000_write(card, E1000_CTRL, ctrl);
        (void)wait_for(card, E1000_STATUS, E1000_STATUS_MASTER, 0, MASTER_US);
    }
    // Without the PHY, so that a link that is up need not be negotiated again.
    e1000_write(card, E1000_CTRL, ctrl | E1000_CTRL_RESET);
    e1000_pause_us(card, RESET_US);
    if (!wait_for(card, E1000_CTRL, E1000_CTRL_RESET, 0, NIC_WAIT_US))
        return ERR_NET_LINK;
    if (card->express) // QEMU's reset leaves it set
        e1000_write(card, E1000_CTRL, e1000_read(card, E1000_CTRL) & ~E1000_CTRL_MASTER_DISABLE);
    e1000_write(card, E1000_IMC, GONE); // the reset may have set others
    (void)e1000_read(card, E1000_ICR);  // reading takes back what was pending
    return 0;
}

// Word `index` of the EEPROM. 0, or ERR_NET_LINK: the card does not say.
static int eeprom_word(const struct e1000_card *card, unsigned index, uint8_t ret[2])
{
    // One register, but address and "done" lie elsewhere in it on PCI Express (8254x: 317453, 13.4.4).
    unsigned shift = card->express ? 2 : 8;
    uint32_t done = card->express ? 0x02 : 0x10;
    e1000_write(card, E1000_EERD, index << shift | E1000_EERD_START);
    if (!wait_for(card, E1000_EERD, done, done, EEPROM_WORD_US))
        return ERR_NET_LINK;
    store16_le(ret, (uint16_t)(e1000_read(card, E1000_EERD) >> 16));
    return 0;
}

static bool is_unicast(const uint8_t mac[6])
{
    return !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) != 0;
}

int e1000_card_mac(const struct e1000_card *card, uint8_t ret_mac[6])
{
    uint8_t mac[6];
    uint32_t low = e1000_read(card, E1000_RAL0), high = e1000_read(card, E1000_RAH0);
    store32_le(mac, low);
    store16_le(mac + 4, (uint16_t)high);
    if (!(high & E1000_RAH_VALID) || !is_unicast(mac)) {
        for (unsigned i = 0; i < 3; i++)
            if (eeprom_word(card, i, mac + 2 * i) != 0)
                return ERR_NET_LINK;
        // The EEPROM of a card with two ports has the first one's address; the other's differs in the last bit.
        mac[5] ^= (uint8_t)(e1000_read(card, E1000_STATUS) >> E1000_STATUS_FUNCTION_SHIFT & 1);
        if (!is_unicast(mac))
            return ERR_NET_LINK;
    }
    memcpy(ret_mac, mac, 6);
    return 0;
}
