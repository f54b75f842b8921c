// SPDX-License-Identifier: MPL-2.0
// See nbptest.h: the card, by UNDI.
#include "bios/nbptest/nbptest.h"

#include "real/real.h"

#define ARP_SIZE 28
#define HEADER 14
#define FRAME_MAX 1600
#define TRIES 10
#define SECOND 18 // in ticks
#define NIC_PCI 2
#define FILTER_DIRECTED_BROADCAST 3
enum { PROTOCOL_NONE, PROTOCOL_IP, PROTOCOL_ARP };
enum { ISR_START = 1, ISR_PROCESS, ISR_NEXT };
enum { ISR_DONE = 0, ISR_TRANSMIT = 2, ISR_RECEIVE = 3 };

struct PACKED multicast {
    uint16_t count;
    uint8_t address[8][16];
};
struct PACKED undi_open {
    uint16_t status, flag, filter;
    struct multicast groups;
};
struct PACKED set_groups {
    uint16_t status;
    struct multicast groups;
};
struct PACKED set_filter {
    uint16_t status;
    uint8_t filter;
};
struct PACKED transmit {
    uint16_t status;
    uint8_t protocol, flag;
    uint32_t destination, descriptor, reserved[2];
};
struct PACKED descriptor {
    uint16_t length;
    uint32_t data;
    uint16_t count;
    struct PACKED {
        uint8_t type, reserved;
        uint16_t length;
        uint32_t data;
    } block[8];
};
struct PACKED information {
    uint16_t status, base_io, interrupt, mtu, hardware, address_length;
    uint8_t current[16], permanent[16];
    uint16_t rom, receive_buffers, transmit_buffers;
};
struct PACKED nic_type {
    uint16_t status;
    uint8_t type;
    uint16_t vendor, device;
    uint8_t base_class, sub_class, interface, revision;
    uint16_t place, sub_vendor, sub_device;
};
struct PACKED interface {
    uint16_t status;
    char type[16];
    uint32_t speed, flags, reserved[4];
};
struct PACKED statistics {
    uint16_t status;
    uint32_t sent, received, bad_crc, no_room;
};
struct PACKED group_address {
    uint16_t status;
    uint8_t ip[4], address[16];
};
struct PACKED isr {
    uint16_t status, flag, buffer_length, frame_length, header_length;
    uint32_t frame;
    uint8_t protocol, type;
};

static void ask_about(void)
{
    struct information info = { 0 };
    result(api(UNDI_GET_INFORMATION, &info, sizeof info) && info.hardware == 1 && info.address_length == 6 && info.mtu >= 1500 &&
           memcmp(info.current, addresses.mac, 6) == 0 && memcmp(info.permanent, addresses.mac, 6) == 0, "undi-information");
    struct nic_type type = { 0 };
    result(api(UNDI_GET_NIC_TYPE, &type, sizeof type) && type.type == NIC_PCI && type.vendor != 0 && type.vendor != 0xffff && type.base_class == 2,
           "undi-nic-type");
    struct interface iface = { 0 };
    bool good = api(UNDI_GET_IFACE_INFO, &iface, sizeof iface);
    note("nbp: card %04x:%04x at %04x, \"%.16s\", %u bit/s, flags %04x, irq %u, mtu %u, buffers %u and %u", type.vendor, type.device, type.place,
         iface.type, iface.speed, iface.flags, info.interrupt, info.mtu, info.receive_buffers, info.transmit_buffers);
    result(good && memcmp(iface.type, "DIX+802.3", 9) == 0 && iface.speed >= 10000000 && (iface.flags & 1), "undi-interface");
    struct group_address group = { .ip = { 224, 0, 1, 2 } };
    result(api(UNDI_GET_MCAST_ADDRESS, &group, sizeof group) && memcmp(group.address, "\x01\x00\x5e\x00\x01\x02", 6) == 0, "undi-group-address");
}

// ---- a question and its answer ------------------------------------------------------------------------------

static void arp_question(uint8_t *p)
{
    static const uint8_t fixed[] = { 0, 1, 8, 0, 6, 4, 0, 1 };
    memset(p, 0, ARP_SIZE);
    memcpy(p, fixed, sizeof fixed);
    memcpy(p + 8, addresses.mac, 6);
    memcpy(p + 14, addresses.own, 4);
    memcpy(p + 24, addresses.server, 4);
}

// `whole`: with its Ethernet header, in two pieces; else UNDI makes that.
static bool send_question(bool whole)
{
    uint8_t *frame = low_memory(SECOND_AT);
    struct descriptor *tbd = low_memory(SECOND_AT + 0x100);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, addresses.mac, 6);
    store16_be(frame + 12, 0x0806);
    arp_question(frame + HEADER);
    memset(tbd, 0, sizeof *tbd);
    struct transmit block = { .protocol = whole ? PROTOCOL_NONE : PROTOCOL_ARP, .flag = !whole, .descriptor = far_pointer(SECOND_AT + 0x100) };
    if (whole) {
        tbd->length = 20;
        tbd->data = far_pointer(SECOND_AT);
        tbd->count = 1;
        tbd->block[0].type = 1; // a far pointer
        tbd->block[0].length = HEADER + ARP_SIZE - 20;
        tbd->block[0].data = far_pointer(SECOND_AT + 20);
    } else {
        tbd->length = ARP_SIZE;
        tbd->data = far_pointer(SECOND_AT + HEADER);
    }
    return api(UNDI_TRANSMIT, &block, sizeof block);
}

static uint8_t frame[FRAME_MAX];

static bool is_answer(const struct isr *isr, uint32_t len)
{
    return len >= HEADER + ARP_SIZE && len == isr->frame_length && isr->header_length == HEADER && isr->protocol == PROTOCOL_ARP &&
           isr->type == 0 && memcmp(frame, addresses.mac, 6) == 0 && load16_be(frame + 12) == 0x0806 && load16_be(frame + 20) == 2 &&
           memcmp(frame + 28, addresses.server, 4) == 0 && memcmp(frame + 38, addresses.own, 4) == 0;
}

// All that the card has. True when the answer was in it.
static bool receive(void)
{
    struct isr isr = { .flag = ISR_START };
    (void)api(UNDI_ISR, &isr, sizeof isr);
    uint32_t len = 0;
    bool heard = false;
    for (unsigned i = 0; i < 1000; i++) {
        isr = (struct isr){ .flag = i ? ISR_NEXT : ISR_PROCESS };
        if (!api(UNDI_ISR, &isr, sizeof isr) || isr.flag == ISR_DONE)
            return heard;
        if (isr.flag != ISR_RECEIVE)
            continue;
        if (len + isr.buffer_length <= FRAME_MAX)
            memcpy(frame + len, low_memory((isr.frame >> 16 << 4) + (isr.frame & 0xffff)), isr.buffer_length);
        len += isr.buffer_length;
        if (len >= isr.frame_length) {
            heard = heard || is_answer(&isr, len);
            len = 0;
        }
    }
    return false;
}

static bool ask_and_hear(bool whole)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (!send_question(whole))
            return false;
        uint32_t begun = ticks();
        while (ticks() - begun < SECOND)
            if (receive())
                return true;
    }
    return false;
}

void try_undi(void)
{
    ask_about();
    struct undi_open open = { .filter = FILTER_DIRECTED_BROADCAST };
    result(api(UNDI_OPEN, &open, sizeof open), "undi-open");
    result(ask_and_hear(false), "undi-arp");
    result(ask_and_hear(true), "undi-arp-whole");
    struct set_filter filter = { .filter = FILTER_DIRECTED_BROADCAST | 4 };
    result(api(UNDI_SET_PACKET_FILTER, &filter, sizeof filter), "undi-filter");
    struct set_groups groups = { .groups = { .count = 1, .address = { { 1, 0, 0x5e, 0, 1, 2 } } } };
    result(api(UNDI_SET_MCAST_ADDRESS, &groups, sizeof groups), "undi-groups");
    struct transmit bad = { .protocol = 77, .descriptor = far_pointer(SECOND_AT + 0x100) };
    result(refused(UNDI_TRANSMIT, &bad, sizeof bad), "undi-bad-protocol");
    struct statistics counts = { 0 };
    result(api(UNDI_GET_STATISTICS, &counts, sizeof counts) && counts.sent >= 2 && counts.received >= 2, "undi-statistics");
    struct set_groups close = { 0 };
    result(api(UNDI_CLOSE, &close, 2), "undi-close");
}
