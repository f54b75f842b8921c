// SPDX-License-Identifier: MPL-2.0
// UNDI as a network card (PXE specification 2.1, section 4). Frames come in bursts: receive.S collects what the ROM
// has, in real mode, and undi_receive hands them out one by one.
//
// The ROM's base-code stack stays loaded, so that `exit` can go back to it.
#include "bios/undi.h"

#include "base/fmt.h"
#include "bios/clock.h"
#include "bios/pxe.h"

#define PACKET_MAX 2048
// Quirk of iPXE's ROMs (QEMU's, e1000): every call of PROCESS and GET_NEXT makes the ROM take in all that its card
// has, so a burst piles up in the ROM's heap; at some 306 frames the heap is full, the card's ring is not filled
// again, and since the driver looks at the ring only when the card reports something, nothing is received until
// the next transmission. Seen as downloads that stand still for a whole retransmission timer, over and over, with
// RDH == RDT in the card's registers. So less than that may be under way.
#define RX_LIMIT 192
#define SEND_TRIES 8
// With interrupts: look by polling too when none came for this long, sooner while there is traffic (a frame that
// comes between the ROM's last look and its switching the interrupt on again raises none); so many times frames
// found like that, and the interrupts count as broken.
#define IRQ_DOUBT_US 10000
#define IRQ_DOUBT_BUSY_US 1500
#define IRQ_MISSED_MAX 16
// By polling: after so many START calls that say "not ours", ask PROCESS all the same now and then.
#define NOT_OURS_MAX 64
#define RX_USE_IRQ 1
#define RX_ALWAYS 2
#define QUIET_US 250000
#define QUIET_POLLING_US 2000000

extern uint8_t rx_mode, rx_chain, rx_ours, irq_seen, irq_line;
extern uint16_t rx_count;
extern uint32_t rx_starts, rx_calls, irq_count, irq_ours;
extern struct segoff irq_old;

static struct {
    struct platform_nic nic;
    uint8_t ack[PACKET_MAX], reply[PACKET_MAX];
    bool present, open, irq_offered, irq_hooked, polling_wanted, drained, always;
    uint8_t irq, saved_mask;
    uint16_t next;      // slot of the ring that is handed out next
    unsigned tx_slot, not_ours;
    uint64_t last_frame, last_activity; // when frames came (or were looked for); when anything came or went
    struct pxe_mcast mcast;
    bool promiscuous;
    uint8_t filter_set;
    struct undi_stats stats;
} undi;

static void enter_receive(void)
{
    undi.stats.real_calls++;
    real_call((uint32_t)real_receive);
}

// Full frames that a card's receive ring holds under the ROMs that were measured (doc/bios.md): more in flight than
// this is lost on a fast wire. 0 for cards not measured.
static const struct ring_size {
    uint16_t vendor, device; // device 0: all of that vendor
    uint16_t frames;
} ring_sizes[] = {
    { 0x10ec, 0x8139, 4 },  // 8 KiB of ring in the chip's smallest setting, which ROMs use
    { 0x10ec, 0x8029, 8 },
    { 0x8086, 0, 8 },       // eight descriptors filled
    { 0x15ad, 0x07b0, 8 },
    { 0x1022, 0x2000, 16 },
};

static uint16_t ring_size(uint16_t vendor, uint16_t device)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ring_sizes); i++)
        if (ring_sizes[i].vendor == vendor && (ring_sizes[i].device == device || ring_sizes[i].device == 0))
            return ring_sizes[i].frames;
    return 0;
}

int undi_probe(void)
{
    struct pxe_undi_information info = { 0 };
    if (pxe_call(PXENV_UNDI_GET_INFORMATION, &info, sizeof info) != 0)
        return ERR_UNDI_CALL;
    struct platform_nic *nic = &undi.nic;
    memset(nic, 0, sizeof *nic);
    fmt_snprintf(nic->driver, sizeof nic->driver, "undi");
    memcpy(nic->mac, info.current_address, 6);
    // Quirk: RxBufCt is what the ROM says; QEMU's say 1 for cards that hold 5 (rtl8139), 8 (e1000) or more (virtio)
    // full frames, so small numbers mean "not known".
    nic->rx_buffers = info.rx_buffers >= 4 && info.rx_buffers <= 1024 ? info.rx_buffers : 0;
    nic->rx_limit = RX_LIMIT;
    nic->mtu = 1500;
    undi.irq = info.irq < 16 ? (uint8_t)info.irq : 0;

    struct pxe_undi_nic_type type = { 0 };
    struct pxe_undi_iface iface = { 0 };
    if (pxe_call(PXENV_UNDI_GET_IFACE_INFO, &iface, sizeof iface) == 0)
        undi.irq_offered = (iface.service_flags & SERVICE_IRQ) && undi.irq != 0;
    if (pxe_call(PXENV_UNDI_GET_NIC_TYPE, &type, sizeof type) == 0 && (type.type == 2 || type.type == 4)) {
        fmt_snprintf(nic->chip, sizeof nic->chip, "PCI %04x:%04x by %s, irq %u", type.vendor, type.device, pxe_kind(),
                     undi.irq);
        if (nic->rx_buffers == 0)
            nic->rx_buffers = ring_size(type.vendor, type.device);
    } else {
        fmt_snprintf(nic->chip, sizeof nic->chip, "card by %s, irq %u", pxe_kind(), undi.irq);
    }

    nic->dhcp_ack_len = pxe_cached_packet(PXE_PACKET_ACK, undi.ack, sizeof undi.ack);
    nic->dhcp_ack = nic->dhcp_ack_len ? undi.ack : NULL;
    nic->boot_reply_len = pxe_cached_packet(PXE_PACKET_REPLY, undi.reply, sizeof undi.reply);
    nic->boot_reply = nic->boot_reply_len ? undi.reply : NULL;
    undi.present = true;
    return 0;
}

const struct platform_nic *undi_nic(void)
{
    return undi.present ? &undi.nic : NULL;
}

// ---- interrupts ----

static uint8_t irq_vector(uint8_t irq)
{
    return (uint8_t)(irq < 8 ? 0x08 + irq : 0x70 + irq - 8);
}

static uint16_t pic_port(uint8_t irq)
{
    return irq < 8 ? 0x21 : 0xa1;
}

static void irq_hook(void)
{
    struct segoff ours = segoff_of((uint32_t)irq_entry);
    void *vector = low_memory(irq_vector(undi.irq) * 4u);
    uint8_t bit = (uint8_t)(1u << (undi.irq & 7));
    memcpy(&irq_old, vector, sizeof irq_old);
    memcpy(vector, &ours, sizeof ours);
    irq_line = undi.irq;
    undi.saved_mask = in8(pic_port(undi.irq));
    out8(pic_port(undi.irq), undi.saved_mask & (uint8_t)~bit);
    if (undi.irq >= 8)
        out8(0x21, in8(0x21) & (uint8_t)~(1u << 2)); // the cascade
    undi.irq_hooked = true;
}

static void irq_unhook(void)
{
    if (!undi.irq_hooked)
        return;
    uint8_t bit = (uint8_t)(1u << (undi.irq & 7));
    out8(pic_port(undi.irq), (uint8_t)((in8(pic_port(undi.irq)) & ~bit) | (undi.saved_mask & bit)));
    memcpy(low_memory(irq_vector(undi.irq) * 4u), &irq_old, sizeof irq_old);
    undi.irq_hooked = false;
    rx_mode &= (uint8_t)~RX_USE_IRQ;
}

// ---- opening and closing ----

static uint8_t filter(void)
{
    return FILTER_DIRECTED | FILTER_BROADCAST | (undi.promiscuous ? FILTER_PROMISCUOUS : 0);
}

static uint16_t undi_open_call(void)
{
    struct pxe_undi_open open = { .filter = filter(), .mcast = undi.mcast };
    undi.filter_set = filter();
    return pxe_call(PXENV_UNDI_OPEN, &open, sizeof open);
}

static void undi_close_call(void)
{
    struct pxe_status close = { 0 };
    (void)pxe_call(PXENV_UNDI_CLOSE, &close, sizeof close);
}

int undi_open(void)
{
    if (!undi.present)
        return ERR_NET_NO_CARD;
    if (undi.open)
        return 0;
    // The ROM's own UDP and TFTP may still hold the card; failure means that they do not.
    struct pxe_status status = { 0 };
    (void)pxe_call(PXENV_UDP_CLOSE, &status, sizeof status);

    undi.always = false;
    undi.next = rx_count = 0;
    rx_chain = irq_seen = rx_mode = 0;
    if (undi.irq_offered && !undi.polling_wanted) {
        irq_hook();
        rx_mode = RX_USE_IRQ;
    }
    // ROMs hand the card over open, closed or half started, and refuse the step that is done already: try the
    // shortest way first.
    uint16_t result = undi_open_call();
    if (result != 0) {
        undi_close_call();
        result = undi_open_call();
    }
    if (result != 0) {
        struct pxe_undi_initialize initialize = { 0 };
        memset(&status, 0, sizeof status);
        (void)pxe_call(PXENV_UNDI_STARTUP, &status, sizeof status);
        (void)pxe_call(PXENV_UNDI_INITIALIZE, &initialize, sizeof initialize);
        result = undi_open_call();
    }
    if (result != 0) {
        irq_unhook();
        return ERR_UNDI_CALL;
    }
    undi.open = true;
    undi.last_frame = clock_us();
    return 0;
}

void undi_close(void)
{
    if (!undi.open)
        return;
    undi_close_call();
    irq_unhook();
    undi.open = false;
    undi.next = rx_count = 0;
}

void undi_shutdown(void)
{
    struct pxe_status status = { 0 };
    if (!undi.present)
        return;
    undi_close();
    (void)pxe_call(PXENV_UNDI_SHUTDOWN, &status, sizeof status);
    undi.present = false;
}

int undi_multicast(const uint8_t (*macs)[6], unsigned count)
{
    // UNDI takes eight; more are had by taking everything.
    undi.promiscuous = count > PXE_MCAST_MAX;
    memset(&undi.mcast, 0, sizeof undi.mcast);
    undi.mcast.count = (uint16_t)MIN(count, (unsigned)PXE_MCAST_MAX);
    for (unsigned i = 0; i < undi.mcast.count; i++)
        memcpy(undi.mcast.address[i], macs[i], 6);
    if (!undi.open)
        return 0;
    struct pxe_undi_set_mcast set_mcast = { .mcast = undi.mcast };
    struct pxe_undi_set_filter set_filter = { .filter = filter() };
    bool was_promiscuous = undi.filter_set & FILTER_PROMISCUOUS;
    if ((undi.promiscuous == was_promiscuous || pxe_call(PXENV_UNDI_SET_PACKET_FILTER, &set_filter, sizeof set_filter) == 0) &&
        (undi.promiscuous || pxe_call(PXENV_UNDI_SET_MCAST_ADDRESS, &set_mcast, sizeof set_mcast) == 0)) {
        undi.filter_set = filter();
        return 0;
    }
    // A filter that cannot be changed in place is set by opening anew. That may cost seconds of link.
    undi_close_call();
    if (undi_open_call() == 0)
        return 0;
    undi.promiscuous = true;
    undi_close_call();
    return undi_open_call() == 0 ? 0 : ERR_UNDI_CALL;
}

// ---- frames ----

int undi_send(const void *frame, size_t len)
{
    if (!undi.open || len > FRAME_MAX)
        return ERR_NET_LINK;
    // The ROM may send from this buffer after the call is over: use them in turn.
    uint32_t buffer = TX_RING + undi.tx_slot * TX_SLOT_SIZE;
    undi.tx_slot = (undi.tx_slot + 1) % TX_SLOTS;
    memcpy(low_memory(buffer), frame, len);
    undi.last_activity = clock_us();
    struct pxe_tbd *tbd = low_memory(BOUNCE);
    memset(tbd, 0, sizeof *tbd);
    tbd->length = (uint16_t)len;
    tbd->data = segoff_of(buffer);
    for (unsigned i = 0; i < SEND_TRIES; i++) {
        // Protocol 0: the frame has its Ethernet header already.
        struct pxe_undi_transmit transmit = { .tbd = segoff_of(BOUNCE) };
        undi.stats.real_calls++;
        if (pxe_call(PXENV_UNDI_TRANSMIT, &transmit, sizeof transmit) == 0) {
            undi.stats.frames_out++;
            return 0;
        }
        // Busy, as a rule: the ROM ends a transmission in its ISR calls.
        undi.stats.send_retries++;
        uint8_t mode = rx_mode;
        rx_mode = (uint8_t)((rx_mode & ~RX_USE_IRQ) | RX_ALWAYS);
        enter_receive();
        rx_mode = mode;
    }
    return ERR_NET_LINK;
}

// Fills the empty ring.
static void collect(void)
{
    uint64_t now = clock_us();
    bool doubt = false;
    undi.next = rx_count = 0;
    if (rx_mode & RX_USE_IRQ) {
        uint64_t patience = now - undi.last_activity < QUIET_US ? IRQ_DOUBT_BUSY_US : IRQ_DOUBT_US;
        doubt = now - undi.last_frame > patience && !irq_seen && !rx_chain;
        if (doubt) {
            uint32_t before = irq_ours;
            rx_mode &= (uint8_t)~RX_USE_IRQ;
            enter_receive();
            undi.last_frame = now;
            if (rx_count > 0)
                undi.last_activity = now;
            if (rx_count > 0 && irq_ours == before) {
                // Frames that no interrupt told of.
                if (++undi.stats.irqs_missed >= IRQ_MISSED_MAX)
                    irq_unhook();
                else
                    rx_mode |= RX_USE_IRQ;
            } else {
                rx_mode |= RX_USE_IRQ;
            }
            return;
        }
        enter_receive();
    } else {
        bool ask = undi.always || undi.not_ours >= NOT_OURS_MAX;
        rx_mode = ask ? RX_ALWAYS : 0;
        rx_ours = 1;
        enter_receive();
        if (rx_count > 0) {
            // Quirk: START that never says "ours" although there are frames.
            if (ask && !rx_ours)
                undi.always = true;
            undi.not_ours = 0;
        } else {
            undi.not_ours = ask ? 0 : undi.not_ours + 1;
        }
    }
    if (rx_count > 0)
        undi.last_frame = undi.last_activity = now;
}

int undi_receive(void *buf, size_t cap)
{
    if (!undi.open)
        return ERR_NET_LINK;
    if (undi.next >= rx_count) {
        // After a burst the ROM has said that there is no more; asking again at once would be a wasted call.
        if (undi.drained) {
            undi.drained = false;
            return 0;
        }
        collect();
        if (rx_count == 0)
            return 0;
    }
    const uint8_t *slot = low_memory(RX_RING + ((uint32_t)undi.next << RX_SLOT_SHIFT));
    size_t len = load16_le(slot);
    undi.next++;
    undi.drained = undi.next >= rx_count && !rx_chain;
    if (len > cap)
        len = cap;
    memcpy(buf, slot + RX_FRAME_OFFSET, len);
    undi.stats.frames_in++;
    return (int)len;
}

void undi_idle(void)
{
    // Only when the wire is quiet: the BIOS's tick comes every 55 ms, and a transfer has timers that are shorter.
    // Without interrupts to wake us, only when it has been quiet for long.
    uint64_t quiet = rx_mode & RX_USE_IRQ ? QUIET_US : QUIET_POLLING_US;
    if (undi.open && (undi.next < rx_count || rx_chain || irq_seen || clock_us() - undi.last_activity < quiet))
        return;
    real_call((uint32_t)real_halt);
}

void undi_stats(struct undi_stats *ret)
{
    *ret = undi.stats;
    ret->starts = rx_starts;
    ret->calls = rx_calls;
    ret->irqs = irq_count;
    ret->irqs_ours = irq_ours;
    ret->irq_mode = (rx_mode & RX_USE_IRQ) != 0;
    ret->always = undi.always;
}

void undi_prefer_polling(bool polling)
{
    undi.polling_wanted = polling;
}
