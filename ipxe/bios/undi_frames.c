// SPDX-License-Identifier: MPL-2.0
// Frames through UNDI. They come in bursts: receive.S collects what a ROM has, in real mode, and undi_receive hands them
// out one by one. The ring belongs to one card at a time, until its burst is over.
#include "bios/undi_card.h"

#include "bios/clock.h"
#include "bios/layout.h"

#define SEND_TRIES 8
// With interrupts: look by polling too when none came for this long, sooner while there is traffic (a frame that
// comes between the ROM's last look and its switching the interrupt on again raises none); so many times frames
// found like that, and the interrupts count as broken.
#define IRQ_DOUBT_US 10000
#define IRQ_DOUBT_BUSY_US 1500
#define IRQ_MISSED_MAX 16
// By polling: after so many START calls that say "not ours", ask PROCESS all the same now and then.
#define NOT_OURS_MAX 64
#define QUIET_US 250000
#define QUIET_POLLING_US 2000000

static struct {
    const struct undi_card *owner; // whose frames are in the ring
    uint16_t next;                 // slot that is handed out next
    bool drained;
    bool in_hand;                  // the slot before `next` is still being read
    unsigned tx_slot;
    uint64_t last_frame, last_activity; // when frames came (or were looked for); when anything came or went
    struct undi_stats stats;
} frames;

static void enter_receive(void)
{
    frames.stats.real_calls++;
    real_call((uint32_t)real_receive);
}

// False while the ring holds another card's frames, one of them is in hand, or that card's ROM has more of the same burst.
static bool take_ring(const struct undi_card *card)
{
    if (frames.owner == card)
        return true;
    if (frames.owner && (frames.next < rx_count || frames.in_hand || rx_chain))
        return false;
    frames.owner = card;
    frames.next = rx_count = 0;
    frames.drained = false;
    return true;
}

void undi_frames_reset(struct undi_card *card)
{
    card->always = false;
    frames.last_frame = clock_us();
    if (frames.owner == card) {
        frames.owner = NULL;
        frames.in_hand = false;
        frames.next = rx_count = 0;
        rx_chain = 0;
    }
}

int undi_send(struct card *to, const void *frame, size_t len)
{
    const struct undi_card *card = undi_select(to);
    if (len > FRAME_MAX)
        return ERR_NET_LINK;
    // The ROM may send from this buffer after the call is over: use them in turn.
    uint32_t buffer = TX_RING + frames.tx_slot * TX_SLOT_SIZE;
    frames.tx_slot = (frames.tx_slot + 1) % TX_SLOTS;
    memcpy(low_memory(buffer), frame, len);
    frames.last_activity = clock_us();
    struct pxe_tbd_head *tbd = low_memory(BOUNCE);
    memset(tbd, 0, sizeof *tbd);
    tbd->length = (uint16_t)len;
    tbd->data = segoff_of(buffer);
    for (unsigned i = 0; i < SEND_TRIES; i++) {
        // Protocol 0: the frame has its Ethernet header already.
        struct pxe_undi_transmit transmit = { .tbd = segoff_of(BOUNCE) };
        frames.stats.real_calls++;
        if (pxe_call(PXENV_UNDI_TRANSMIT, &transmit, sizeof transmit) == 0) {
            frames.stats.frames_out++;
            return 0;
        }
        // Busy, as a rule: the ROM ends a transmission in its ISR calls.
        frames.stats.send_retries++;
        if (!take_ring(card))
            break;
        uint8_t mode = rx_mode;
        rx_mode = (uint8_t)((rx_mode & ~RX_USE_IRQ) | RX_ALWAYS);
        enter_receive();
        rx_mode = mode;
    }
    return ERR_NET_LINK;
}

// Looks for frames although no interrupt came. Those of which none told count against the interrupts.
static void collect_in_doubt(uint64_t now)
{
    uint32_t before = irq_ours;
    rx_mode &= (uint8_t)~RX_USE_IRQ;
    enter_receive();
    rx_mode |= RX_USE_IRQ;
    frames.last_frame = now;
    if (rx_count == 0)
        return;
    frames.last_activity = now;
    if (irq_ours == before && ++frames.stats.irqs_missed >= IRQ_MISSED_MAX)
        undi_irq_unhook();
}

static void collect_by_polling(struct undi_card *card)
{
    bool ask = card->always || card->not_ours >= NOT_OURS_MAX;
    rx_mode = ask ? RX_ALWAYS : 0;
    rx_ours = 1;
    enter_receive();
    if (rx_count == 0) {
        card->not_ours = ask ? 0 : card->not_ours + 1;
        return;
    }
    // Quirk: START that never says "ours" although there are frames.
    if (ask && !rx_ours)
        card->always = true;
    card->not_ours = 0;
}

// Fills the empty ring.
static void collect(struct undi_card *card)
{
    uint64_t now = clock_us();
    frames.next = rx_count = 0;
    if (rx_mode & RX_USE_IRQ) {
        uint64_t patience = now - frames.last_activity < QUIET_US ? IRQ_DOUBT_BUSY_US : IRQ_DOUBT_US;
        if (now - frames.last_frame > patience && !irq_seen && !rx_chain) {
            collect_in_doubt(now);
            return;
        }
        enter_receive();
    } else {
        collect_by_polling(card);
    }
    if (rx_count > 0)
        frames.last_frame = frames.last_activity = now;
}

int undi_receive(struct card *from, uint8_t **ret_frame)
{
    struct undi_card *card = undi_select(from);
    frames.in_hand = false;
    if (!take_ring(card))
        return 0;
    if (frames.next >= rx_count) {
        // After a burst the ROM has said that there is no more; asking again at once would be a wasted call.
        if (frames.drained) {
            frames.drained = false;
            return 0;
        }
        collect(card);
        if (rx_count == 0)
            return 0;
    }
    uint8_t *slot = low_memory(RX_RING + ((uint32_t)frames.next << RX_SLOT_SHIFT));
    frames.next++;
    frames.drained = frames.next >= rx_count && !rx_chain;
    frames.in_hand = true;
    frames.stats.frames_in++;
    *ret_frame = slot + RX_FRAME_OFFSET;
    return MIN(load16_le(slot), FRAME_RECEIVE_MAX);
}

void undi_idle(void)
{
    // Only when the wire is quiet: the BIOS's tick comes every 55 ms, and a transfer has timers that are shorter.
    // Without interrupts to wake us, only when it has been quiet for long.
    uint64_t quiet = rx_mode & RX_USE_IRQ ? QUIET_US : QUIET_POLLING_US;
    if (undi_any_open() && (frames.next < rx_count || rx_chain || irq_seen || clock_us() - frames.last_activity < quiet))
        return;
    halt();
}

void undi_stats(struct undi_stats *ret)
{
    *ret = frames.stats;
    ret->starts = rx_starts;
    ret->calls = rx_calls;
    ret->irqs = irq_count;
    ret->irqs_ours = irq_ours;
    ret->irq_mode = (rx_mode & RX_USE_IRQ) != 0;
    ret->always = frames.owner && frames.owner->always;
}
