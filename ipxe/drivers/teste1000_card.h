// SPDX-License-Identifier: MPL-2.0
// A gigabit card of Intel's as a program, behind pci_ops: registers, EEPROM, rings, filters, reset and link as the manual has
// them, on a clock of its own. What the manual forbids, and every access to memory that is not the card's, is kept in `fault`.
#pragma once
#include "drivers/bind.h"
#include "drivers/e1000.h"

#include "base/bytes.h"
#include "base/test.h"
#include "drivers/e1000_regs.h"

#define BUS 0x7F000000u    // where the card sees the first piece of shared memory; another address than the processor's
#define RESET_TAKES_US 900 // a register read or written before is a fault
#define EERD_TAKES_US 40
#define MDIC_TAKES_US 64
#define QUEUE_TAKES_US 30
#define NEGOTIATION_TAKES_US 500000
#define SEND_TAKES_US 3000
#define SENT_MAX 256
#define ALL_ONES 0xFFFFFFFFu
enum { PCI, EXPRESS, QUEUES, KINDS }; // 82540EM, 82574, 82576: each has what the one before it has

static const uint8_t card_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static struct model {
    // What a test chooses before it opens the card.
    bool express, queues; // of its kind
    bool port_b;          // the second one of two
    bool no_reset;        // as QEMU's: CTRL.RST does nothing
    bool reset_sticks;    // it never ends
    bool master_sticks;   // access to memory never ends
    bool deaf;            // as QEMU's: no frame comes in for a second after a write to RCTL
    bool eeprom_silent;   // EERD is never done
    bool queue_sticks;    // a queue never comes into use
    bool phy_asleep;      // as QEMU's 82576: no link before it is told to negotiate
    bool phy_silent;      // MDIC is never ready
    bool no_autoload;     // RAL0 and RAH0 are not loaded from the EEPROM
    bool holds_frames;    // nothing is sent before card_transmit
    bool sends_late;      // frames are sent SEND_TAKES_US after they were told of
    bool floods;          // bad frames fill every receive buffer as soon as it is the card's
    bool gone;            // all reads give ones
    uint16_t eeprom[4];
    uint64_t link_us;     // when the link comes up
    unsigned alloc_fails; // this dma_alloc, counted from 1; 0: none

    // What it sees of them.
    const char *fault;
    uint16_t command;
    unsigned reads, writes, clock_reads, allocs, pieces;
    unsigned dropped; // frames for which there was no buffer
    unsigned negotiations;
    struct {
        size_t len;
        uint8_t bytes[2048];
    } sent[SENT_MAX]; // the last ones, each at its number modulo SENT_MAX
    unsigned sent_count;

    uint32_t reg[0x6000 / 4];
    uint64_t now, reset_until, deaf_until, eerd_at, mdic_at, queue_at, send_at;
    uint8_t *memory;
    size_t memory_len;
} card;

#define REG(offset) card.reg[(offset) / 4]

static void fault(const char *what)
{
    if (!card.fault)
        card.fault = what;
}

// The shared memory at this bus address, or NULL: not the card's.
static uint8_t *dma(uint64_t bus, size_t len)
{
    if (!(card.command & PCI_COMMAND_MASTER))
        fault("access to memory without being bus master");
    else if (card.express && REG(E1000_CTRL) & E1000_CTRL_MASTER_DISABLE)
        fault("access to memory after the master was disabled");
    else if (!card.memory || bus < BUS || bus - BUS > card.memory_len || len > card.memory_len - (bus - BUS))
        fault("access to memory that is not the card's");
    else
        return card.memory + (bus - BUS);
    return NULL;
}

// --- frames ---

// The descriptor at a ring's head, by its registers.
static void *head(uint32_t base, uint32_t index)
{
    return dma(((uint64_t)REG(base + 4) << 32 | REG(base)) + REG(index) * 16, 16);
}

// Is the queue with this RXDCTL or TXDCTL in use? Without queues it always is.
static bool queue_runs(uint32_t control)
{
    return !card.queues || (REG(control) & E1000_XDCTL_ENABLE && !card.queue_sticks && card.now >= card.queue_at);
}

// What the card writes into a descriptor, from the legacy form of its status word.
static void write_back(struct e1000_rx_descriptor *d, uint16_t length, uint32_t status)
{
    if (card.queues) {
        if (d->word[0] || d->word[1])
            fault("an address for headers");
        d->address = 0xEEEEEEEEEEEEEEEE; // sum and type of the packet
        d->word[0] = (status & 0xFF) | (status & E1000_RX_ERRORS ? E1000_RX_ERRORS_ADVANCED : 0) | 0x0001F000; // and bits that say nothing
        d->word[1] = length | (status & 0xFFFF0000);
    } else {
        if (d->word[1] & E1000_RX_DONE)
            fault("a descriptor given back with its old status");
        d->word[0] = length | 0xABCD0000; // a sum
        d->word[1] = status;
    }
}

// Fills the next descriptor as the test says, and its buffer with `len` bytes of the frame. False: no descriptor is the card's.
static bool card_put(const void *frame, size_t len, uint16_t length, uint32_t status)
{
    if (card.queues && REG(E1000_SRRCTL) != (E1000_SRRCTL_ADVANCED | 2 * E1000_SRRCTL_KIB))
        fault("descriptors of another kind, or buffers of another size");
    if (REG(E1000_RDH) == REG(E1000_RDT)) {
        card.dropped++;
        return false;
    }
    struct e1000_rx_descriptor *d = head(E1000_RDBAL, E1000_RDH);
    uint8_t *buffer = d ? dma(d->address, 2048) : NULL;
    if (!buffer)
        return false;
    if (len)
        memcpy(buffer, frame, len);
    write_back(d, length, status);
    REG(E1000_RDH) = (REG(E1000_RDH) + 1) % (REG(E1000_RDLEN) / 16);
    return true;
}

static bool passes_filter(const uint8_t *frame)
{
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
    uint8_t own[6];
    store32_le(own, REG(E1000_RAL0));
    store16_le(own + 4, (uint16_t)REG(E1000_RAH0));
    if (memcmp(frame, broadcast, 6) == 0)
        return REG(E1000_RCTL) & E1000_RCTL_BROADCAST;
    if (!(frame[0] & 1))
        return REG(E1000_RCTL) & E1000_RCTL_ALL_UNICAST || (REG(E1000_RAH0) & E1000_RAH_VALID && memcmp(frame, own, 6) == 0);
    if (REG(E1000_RCTL) & E1000_RCTL_ALL_MULTICAST)
        return true;
    // Bits 47:36 of the address as a number whose lowest byte is the first on the wire.
    uint32_t hash = (uint32_t)((load32_le(frame) | (uint64_t)load16_le(frame + 4) << 32) >> 36);
    return REG(E1000_MTA + 4 * (hash >> 5)) >> (hash & 31) & 1;
}

static bool card_has_link(void)
{
    return card.now >= card.link_us && !card.phy_asleep && REG(E1000_CTRL) & E1000_CTRL_LINK_UP;
}

// A frame comes in from the wire. True when it lies in the ring.
static bool wire_in(const uint8_t *frame, size_t len)
{
    bool hears = card_has_link() && queue_runs(E1000_RXDCTL) && REG(E1000_RCTL) & E1000_RCTL_ENABLE && card.now >= card.deaf_until;
    if (!hears || len > 1518 || !passes_filter(frame))
        return false;
    uint8_t bytes[1522];
    size_t stored = MAX(len, (size_t)60);
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, frame, len);
    if (!(REG(E1000_RCTL) & E1000_RCTL_STRIP_CRC))
        stored += 4;
    return card_put(bytes, stored, (uint16_t)stored, E1000_RX_DONE | E1000_RX_END);
}

// Sends what lies in the ring.
static void card_transmit(void)
{
    while (queue_runs(E1000_TXDCTL) && REG(E1000_TCTL) & E1000_TCTL_ENABLE && REG(E1000_TDH) != REG(E1000_TDT)) {
        struct e1000_tx_descriptor *d = head(E1000_TDBAL, E1000_TDH);
        size_t len = d ? d->command & 0xffff : 0;
        uint8_t *buffer = d ? dma(d->address, len) : NULL;
        if (!buffer || len > sizeof card.sent[0].bytes)
            return fault("a transmit descriptor that cannot be");
        if (~d->command & (E1000_TX_END | E1000_TX_INSERT_CRC | E1000_TX_REPORT) || d->status != 0)
            fault("a transmit descriptor without end, CRC, report or with a status");
        card.sent[card.sent_count % SENT_MAX].len = len;
        memcpy(card.sent[card.sent_count++ % SENT_MAX].bytes, buffer, len);
        d->status = E1000_TX_DONE;
        REG(E1000_TDH) = (REG(E1000_TDH) + 1) % (REG(E1000_TDLEN) / 16);
    }
}

// --- registers ---

static void autoload(void)
{
    if (card.no_autoload)
        return;
    REG(E1000_RAL0) = card.eeprom[0] | (uint32_t)card.eeprom[1] << 16;
    REG(E1000_RAH0) = (card.eeprom[2] ^ (card.port_b ? 0x100u : 0)) | E1000_RAH_VALID;
}

static void forget(void)
{
    REG(E1000_RCTL) = REG(E1000_TCTL) = REG(E1000_RDH) = REG(E1000_RDT) = REG(E1000_TDH) = REG(E1000_TDT) = 0;
    REG(E1000_CTRL) &= ~(E1000_CTRL_MASTER_DISABLE | E1000_CTRL_LINK_UP);
    REG(E1000_RXDCTL) = 0x00010000;
    REG(E1000_TXDCTL) = 0;
    REG(E1000_SRRCTL) = 0;
    REG(E1000_RXCSUM) = 0x00000300;
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
        REG(E1000_MTA + 4 * i) = 0;
    autoload();
}

static void reset(void)
{
    card.reset_until = card.reset_sticks ? UINT64_MAX : card.now + RESET_TAKES_US;
    if (card.no_reset) {
        card.reset_until = 0;
        return;
    }
    forget();
}

// CTRL alone may be read while a reset goes on, and not at once.
static bool in_reset(uint32_t offset, bool write)
{
    bool going_on = card.now < card.reset_until;
    if (going_on && (write || offset != E1000_CTRL || !card.reset_sticks))
        fault("a register touched during a reset");
    return going_on;
}

static uint32_t bar_read(void *ctx, unsigned bar, uint32_t offset, unsigned width)
{
    card.reads++;
    card.now++;
    if (bar != 0 || width != 4 || offset % 4 || offset >= sizeof card.reg || !(card.command & PCI_COMMAND_MEMORY))
        fault("a register that is not there is read");
    if (card.gone || offset >= sizeof card.reg)
        return ALL_ONES;
    uint32_t value = REG(offset);
    bool resetting = in_reset(offset, false);
    switch (offset) {
    case E1000_CTRL:
        return resetting ? value | E1000_CTRL_RESET : value;
    case E1000_STATUS:
        value = (card_has_link() ? E1000_STATUS_LINK : 0) | (card.port_b ? 1u << E1000_STATUS_FUNCTION_SHIFT : 0);
        if (card.express && (card.master_sticks || !(REG(E1000_CTRL) & E1000_CTRL_MASTER_DISABLE)))
            value |= E1000_STATUS_MASTER;
        return value;
    case E1000_EERD:
        if (!card.eeprom_silent && value & E1000_EERD_START && card.now >= card.eerd_at) {
            uint32_t word = card.express ? value >> 2 & 0x3fff : value >> 8 & 0xff;
            value = (uint32_t)(word < ARRAY_SIZE(card.eeprom) ? card.eeprom[word] : 0xffff) << 16;
            value |= card.express ? 0x02 : 0x10;
        }
        return value;
    case E1000_MDIC:
        return card.phy_silent || card.now < card.mdic_at ? value : value | E1000_MDIC_READY;
    case E1000_RXDCTL:
    case E1000_TXDCTL:
        return queue_runs(offset) ? value : value & ~E1000_XDCTL_ENABLE;
    }
    return value;
}

// The PHY, which is number 1, of the card that has queues.
static void phy_write(uint32_t value)
{
    bool status = (value & ~0xFFFFu) == (E1000_MDIC_READ | 1u << 16);
    if (!card.queues || card.now < card.mdic_at || (!status && value != (E1000_MDIC_WRITE | 0x1340)))
        fault("a register of the PHY that is not its");
    card.mdic_at = card.now + MDIC_TAKES_US;
    if (status) {
        REG(E1000_MDIC) = (value & ~0xFFFFu) | (card.phy_asleep ? 0x7949 : 0x796D);
    } else {
        card.negotiations++;
        card.phy_asleep = false;
        card.link_us = card.now + NEGOTIATION_TAKES_US;
    }
}

static void ring_write(uint32_t offset, uint32_t value)
{
    bool rx = offset < E1000_TDBAL;
    bool enabled = rx ? REG(E1000_RCTL) & E1000_RCTL_ENABLE : REG(E1000_TCTL) & E1000_TCTL_ENABLE;
    uint32_t count = REG(rx ? E1000_RDLEN : E1000_TDLEN) / 16;
    bool tail = offset == E1000_RDT || offset == E1000_TDT;
    bool base = offset == E1000_RDBAL || offset == E1000_TDBAL, length = offset == E1000_RDLEN || offset == E1000_TDLEN;
    if (enabled && !tail)
        fault("a ring changed while it is in use");
    if (tail && !queue_runs(rx ? E1000_RXDCTL : E1000_TXDCTL) && value && !card.queue_sticks)
        fault("a tail moved before the queue is in use");
    if (value % (base ? 16 : length ? 128 : 1) || (tail && value && value >= count))
        fault("a ring that cannot be");
}

static void bar_write(void *ctx, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    card.writes++;
    card.now++;
    if (bar != 0 || width != 4 || offset % 4 || offset >= sizeof card.reg || !(card.command & PCI_COMMAND_MEMORY))
        return fault("a register that is not there is written");
    if (card.gone || in_reset(offset, true))
        return;
    if ((offset >= E1000_RDBAL && offset <= E1000_RDT) || (offset >= E1000_TDBAL && offset <= E1000_TDT))
        ring_write(offset, value);
    REG(offset) = value;
    switch (offset) {
    case E1000_CTRL:
        REG(E1000_CTRL) &= ~E1000_CTRL_RESET;
        if (value & E1000_CTRL_PHY_RESET)
            fault("the PHY is reset"); // the link would go down for seconds
        if (card.express && value & E1000_CTRL_RESET && !(value & E1000_CTRL_MASTER_DISABLE))
            fault("a card reset that may be in the middle of an access to memory");
        if (value & E1000_CTRL_RESET)
            reset();
        break;
    case E1000_RCTL:
        if (value & E1000_RCTL_ENABLE && !(REG(E1000_RDLEN) && REG(E1000_RDT) != REG(E1000_RDH)))
            fault("receiver without a ring");
        card.deaf_until = card.deaf ? card.now + 1000000 : 0;
        break;
    case E1000_MDIC:
        return phy_write(value);
    case E1000_RXDCTL:
    case E1000_TXDCTL:
        if (card.queues && value != (E1000_XDCTL_ENABLE | 1u << E1000_XDCTL_WRITEBACK_SHIFT))
            fault("a queue that writes back late, or not at all");
        card.queue_at = card.now + QUEUE_TAKES_US;
        break;
    case E1000_SRRCTL:
    case E1000_RDTR:
    case E1000_RADV:
        if (card.queues != (offset == E1000_SRRCTL))
            fault("a register of another kind of card");
        break;
    case E1000_EERD:
        if (card.queues)
            fault("the EEPROM, where a further port's address lies elsewhere");
        card.eerd_at = card.now + EERD_TAKES_US;
        break;
    case E1000_RDT:
        while (card.floods && REG(E1000_RDH) != value)
            card_put("", 1, 60, E1000_RX_DONE);
        break;
    case E1000_TDT:
        card.send_at = card.sends_late ? card.now + SEND_TAKES_US : 0;
        if (!card.holds_frames && !card.sends_late)
            card_transmit();
        break;
    }
}

// --- the rest of pci_ops ---

static uint32_t config_read(void *ctx, uint32_t offset, unsigned width)
{
    if (offset == PCI_COMMAND && width == 2)
        return card.command;
    if (offset == 0x2C && width == 2)
        return card.deaf ? 0x1AF4 : 0x8086;
    return ALL_ONES;
}
static void config_write(void *ctx, uint32_t offset, unsigned width, uint32_t value)
{
    if (offset != PCI_COMMAND || width != 2)
        return fault("configuration space written elsewhere than in the command register");
    card.command = (uint16_t)value;
}
static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    if (++card.allocs == card.alloc_fails)
        return NULL;
    if (card.pieces++)
        abort(); // this card knows one piece
    card.memory_len = len;
    card.memory = calloc(1, len);
    *ret_bus = BUS;
    return card.memory;
}
static void dma_free(void *ctx, void *memory, size_t len)
{
    if (memory != card.memory || len != card.memory_len || !card.pieces--)
        return fault("memory freed that was not allocated");
    if (REG(E1000_RCTL) & E1000_RCTL_ENABLE && card.command & PCI_COMMAND_MASTER)
        fault("memory freed that the card may write to");
    free(memory);
    card.memory = NULL;
}
static uint64_t now_us(void *ctx)
{
    card.clock_reads++;
    card.now++;
    if (card.send_at && card.now >= card.send_at)
        card_transmit();
    return card.now;
}

static const struct pci_ops card_ops = { config_read, config_write, bar_read, bar_write, dma_alloc, dma_free, now_us };
static struct pci_function card_pci = { .ops = &card_ops, .vendor = 0x8086 };

// A card as the machine's reset left it, with an address in its EEPROM and the link up.
static void card_new(int kind)
{
    free(card.memory);
    card = (struct model){ .express = kind >= EXPRESS, .queues = kind == QUEUES, .command = PCI_COMMAND_IO };
    card_pci.device = kind == QUEUES ? 0x10C9 : kind == EXPRESS ? 0x10D3 : 0x100E;
    for (unsigned i = 0; i < 3; i++)
        card.eeprom[i] = load16_le(card_mac + 2 * i);
    autoload();
    REG(E1000_CTRL) = 0x140240; // as the EEPROM sets it
}
