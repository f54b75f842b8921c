// SPDX-License-Identifier: MPL-2.0
// See e1000_card.h.
#include "drivers/e1000_card.h"

#include "base/bytes.h"
#include "drivers/nic.h"

#define INTEL 0x8086u
#define IDLE_US 10000u    // for what is under way on the bus when receiver and transmitter have been stopped
#define MASTER_US 100000u // until a card on PCI Express has ended its access to memory
#define RESET_US 10000u   // a reset reads the EEPROM again, which takes milliseconds, and no register is touched before
#define EEPROM_WORD_US 10000u
#define PHY_US 10000u

// Those with the PHY inside and a copper port.
static const struct e1000_id {
    uint16_t device;
    enum { PCI, EXPRESS, QUEUES } kind; // each has what the one before it has
} ids[] = {
    { 0x1008, PCI },     // 82544EI
    { 0x100C, PCI },     // 82544GC
    { 0x100D, PCI },     // 82544GC, on the mainboard
    { 0x100E, PCI },     // 82540EM
    { 0x100F, PCI },     // 82545EM
    { 0x1010, PCI },     // 82546EB
    { 0x1015, PCI },     // 82540EM, on the mainboard
    { 0x1026, PCI },     // 82545GM
    { 0x1079, PCI },     // 82546GB
    { 0x10D3, EXPRESS }, // 82574L
    { 0x10C9, QUEUES },  // 82576
    { 0x10E8, QUEUES },  // 82576, four ports
    { 0x1526, QUEUES },  // 82576, four ports (ET2)
    { 0x150E, QUEUES },  // 82580
    { 0x1521, QUEUES },  // I350
    { 0x1533, QUEUES },  // I210
    { 0x1539, QUEUES },  // I211
};

static const struct e1000_id *id_of(uint16_t vendor, uint16_t device)
{
    for (unsigned i = 0; vendor == INTEL && i < ARRAY_SIZE(ids); i++)
        if (ids[i].device == device)
            return &ids[i];
    return NULL;
}

bool e1000_card_knows(uint16_t vendor, uint16_t device, bool queues)
{
    const struct e1000_id *id = id_of(vendor, device);
    return id && (id->kind == QUEUES) == queues;
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
    card->express = id && id->kind >= EXPRESS;
    card->queues = id && id->kind == QUEUES;
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
    e1000_write(card, E1000_IMC, E1000_GONE);
    // Stopped first, since QEMU's cards know no reset, and to a real one it may come while it writes into memory.
    e1000_write(card, E1000_RCTL, 0);
    e1000_write(card, E1000_TCTL, E1000_TCTL_PAD);
    (void)e1000_read(card, E1000_STATUS); // the bus has delivered the writes
    e1000_pause_us(card, IDLE_US);
    uint32_t ctrl = e1000_read(card, E1000_CTRL);
    if (ctrl == E1000_GONE)
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
    e1000_write(card, E1000_IMC, E1000_GONE); // the reset may have set others
    (void)e1000_read(card, E1000_ICR);  // reading takes back what was pending
    return 0;
}

int e1000_card_start_queue(const struct e1000_card *card, uint32_t control)
{
    // Each descriptor is written back at once.
    e1000_write(card, control, E1000_XDCTL_ENABLE | 1u << E1000_XDCTL_WRITEBACK_SHIFT);
    return wait_for(card, control, E1000_XDCTL_ENABLE, E1000_XDCTL_ENABLE, NIC_WAIT_US) ? 0 : ERR_NET_LINK;
}

// QEMU's negotiates for nobody who does not ask, and the system that had the card before may have put the PHY to sleep. Where a link
// is agreed upon it stays: another one takes seconds.
void e1000_card_negotiate(const struct e1000_card *card)
{
    e1000_write(card, E1000_MDIC, E1000_MDIC_READ | E1000_PHY_STATUS << E1000_MDIC_REGISTER_SHIFT);
    if (!wait_for(card, E1000_MDIC, E1000_MDIC_READY, E1000_MDIC_READY, PHY_US))
        return; // the link says more than this
    if (!(e1000_read(card, E1000_MDIC) & E1000_PHY_NEGOTIATED))
        e1000_write(card, E1000_MDIC, E1000_MDIC_WRITE | E1000_PHY_CONTROL << E1000_MDIC_REGISTER_SHIFT | E1000_PHY_NEGOTIATE);
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
        // A card with queues always loads it, and where a further port's lies in the EEPROM differs.
        for (unsigned i = 0; i < 3; i++)
            if (card->queues || eeprom_word(card, i, mac + 2 * i) != 0)
                return ERR_NET_LINK;
        // The EEPROM of a card with two ports has the first one's address; the other's differs in the last bit.
        mac[5] ^= (uint8_t)(e1000_read(card, E1000_STATUS) >> E1000_STATUS_FUNCTION_SHIFT & 1);
        if (!is_unicast(mac))
            return ERR_NET_LINK;
    }
    memcpy(ret_mac, mac, 6);
    return 0;
}
