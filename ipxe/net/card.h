// SPDX-License-Identifier: MPL-2.0
// What a network card is, whoever works it: a native driver (drivers/nic.h), a PXE ROM's UNDI (bios/undi.h), the firmware's
// Simple Network Protocol (efi/cards/snp.h), a tap device or a simulated wire (host/host.h). The platform hands over a list of them
// (core/platform.h); who receives it sees this header and nothing of what is behind.
//
// Who may call what when: one caller at a time, and none from an interrupt or another processor. A card that is closed can be
// opened; one that is open can be closed, and takes all other calls. None of them calls back. `info` can be read at any time.
//
// Who owns what: the card belongs to whoever implements it and stays where it is as long as Signet runs. What is sent is
// copied. A received frame is lent: it lies in memory of the card's, the caller may write to it, and has it until the next
// receive() or close() of any card.
#pragma once
#include "base/base.h"
#include "base/err.h"
#include "base/frame.h"

#define CARDS_MAX 8        // of a machine
#define CARD_GROUPS_MAX 16 // multicast addresses of a card

struct card_info {
    char driver[16];      // "undi", "snp", "e1000", ...
    char chip[48];        // what the card calls itself, for people
    uint8_t mac[6];
    uint16_t rx_buffers;  // frames that the card and its driver can hold before they drop; 0 = not known
    uint16_t rx_limit;    // frames under way beyond which the driver is known to stall, at least 1; 0 = none known
    uint16_t mtu;         // IP MTU, normally 1500
    // Its PCI function, as configuration space has it; vendor 0: not known, or not on such a bus.
    struct {
        uint16_t vendor, device, at;  // at: bus, device, function, as PCI BIOS's BX
        uint32_t class_revision;      // the word at 08h
        uint32_t subsystem;           // the word at 2Ch: its vendor, and above that its device
    } pci;
    // What is known of its network already: the lease.
    const uint8_t *dhcp_ack; // the DHCPACK that the ROM got (BOOTP packet from op on), or NULL
    size_t dhcp_ack_len;
    const uint8_t *dhcp6_reply; // the DHCPv6 REPLY that the firmware got instead, from its message type on, or NULL
    size_t dhcp6_reply_len;
    const uint8_t *boot_reply; // the boot server's / proxyDHCP's reply, or NULL
    size_t boot_reply_len;
};

struct card {
    const struct card_ops *ops;
    struct card_info info; // open() may correct it
};

struct card_ops {
    // Starts the card, in whatever state it is, without waiting for a link. ERR_NET_LINK and others: it is closed as before.
    int (*open)(struct card *card);
    // Nothing is received from here on, and nothing that was lent may be touched.
    void (*close)(struct card *card);
    // Has it a link? NULL: it cannot tell.
    bool (*link)(struct card *card);
    // Multicast addresses that must be received: the whole list each time, at most CARD_GROUPS_MAX. More may come through.
    int (*multicast)(struct card *card, const uint8_t (*macs)[6], unsigned count);
    // Sends one Ethernet frame of at most FRAME_MAX bytes. 0 or ERR_NET_LINK; it may be dropped silently, as a wire does. While the
    // caller has a frame that was received, answers to it may wait until receive() finds no further one.
    int (*send)(struct card *card, const void *frame, size_t len);
    // The next frame, in place: its length (at most FRAME_RECEIVE_MAX), 0 when there is none, negative on a fault.
    int (*receive)(struct card *card, uint8_t **ret_frame);
    // Lets in everything that is on the wire, whomever it is for, until this is taken back or the card is closed. 0, ERR_NET_LINK.
    // NULL: it cannot.
    int (*promiscuous)(struct card *card, bool on);
};

static inline int card_open(struct card *card)
{
    return card->ops->open(card);
}

static inline void card_close(struct card *card)
{
    card->ops->close(card);
}

// True where the card cannot tell.
static inline bool card_link(struct card *card)
{
    return !card->ops->link || card->ops->link(card);
}

static inline int card_multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    return card->ops->multicast(card, macs, count);
}

static inline int card_send(struct card *card, const void *frame, size_t len)
{
    return card->ops->send(card, frame, len);
}

static inline int card_receive(struct card *card, uint8_t **ret_frame)
{
    return card->ops->receive(card, ret_frame);
}
