// SPDX-License-Identifier: MPL-2.0
// The PXE API over the network stack (core/nbp.c): a program's calls on a simulated wire, with a second card in the machine.
#include "core/nbp.h"
#include "core/network.h"
#include "host/simnet.h"
#include "net/net.h"

#include "base/bytes.h"
#include "base/test.h"

#define LOW 0x90000u
#define LOW_SIZE 4608u
#define BLOCK 0x2000u
#define BUFFER 0x3000u
#define FILE_SIZE 100000u
#define ECHO_PORT 7000
#define POLLS 2000

static struct {
    struct host_machine machine;
    struct simnet net;
    struct card other;
    const struct card_ops *host_ops;
    struct core core;
    struct platform_nbp nbp;
    uint8_t file[FILE_SIZE];
    unsigned opened, closed, other_opened, other_closed, renewed;
    bool open, everything, card_fails;
    unsigned groups;
    uint8_t group[6];
    struct net_addr asked; // the last datagram's target
    uint8_t raw[FRAME_MAX], out[FRAME_MAX];
    size_t raw_len, out_len;
} t;

static const uint8_t own_ip[4] = { 10, 0, 0, 99 };

// --- the cards ---

static int open_card(struct card *card)
{
    if (t.card_fails || t.open)
        return ERR_NET_LINK;
    t.opened++;
    t.open = true;
    return t.host_ops->open(card);
}

static void close_card(struct card *card)
{
    t.closed++;
    t.open = false;
    t.host_ops->close(card);
}

static int multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    if (!t.open)
        abort();
    t.groups = count;
    if (count)
        memcpy(t.group, macs[0], 6);
    return 0;
}

static int promiscuous(struct card *card, bool on)
{
    if (!t.open)
        abort();
    t.everything = on;
    return 0;
}

static int send_frame(struct card *card, const void *frame, size_t len)
{
    if (!t.open)
        abort();
    memcpy(t.out, frame, len);
    t.out_len = len;
    return t.host_ops->send(card, frame, len);
}

static int receive_frame(struct card *card, uint8_t **ret_frame)
{
    if (!t.open)
        abort();
    if (!t.raw_len)
        return t.host_ops->receive(card, ret_frame);
    *ret_frame = t.raw;
    int len = (int)t.raw_len;
    t.raw_len = 0;
    return len;
}

static const struct card_ops ops = { open_card, close_card, NULL, multicast, send_frame, receive_frame, promiscuous };

static int open_other(struct card *card)
{
    t.other_opened++;
    return 0;
}

static void close_other(struct card *card)
{
    t.other_closed++;
}

static int no_groups(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    return 0;
}

static int send_other(struct card *card, const void *frame, size_t len)
{
    return 0;
}

static int receive_other(struct card *card, uint8_t **ret_frame)
{
    if (t.other_closed == t.other_opened)
        abort();
    return 0;
}

static const struct card_ops other_ops = { open_other, close_other, NULL, no_groups, send_other, receive_other, NULL };

static unsigned cards(void *ctx, struct card *ret[CARDS_MAX])
{
    ret[0] = &t.other;
    ret[1] = &t.machine.card;
    return 2;
}

// --- the far side ---

static void send_block(const struct net_addr *to, unsigned number)
{
    uint8_t packet[516] = { 0, 3, (uint8_t)(number >> 8), (uint8_t)number };
    size_t at = (number - 1) * 512u, len = MIN(FILE_SIZE - at, (size_t)512);
    struct net_addr me = net_addr_v4(t.net.peer_ip4, 3000);
    memcpy(packet + 4, t.file + at, len);
    simnet_send_udp(&t.net, &me, to, packet, 4 + len);
}

static void datagram(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    t.asked = *to;
    if (to->port == ECHO_PORT) {
        struct net_addr me = net_addr_v4(t.net.peer_ip4, ECHO_PORT);
        simnet_send_udp(net, &me, from, data, len);
    } else if (to->port == 69 && load16_be(data) == 1) {
        send_block(from, 1);
    } else if (to->port == 3000 && load16_be(data) == 4 && load16_be(data + 2) < FILE_SIZE / 512 + 1) {
        send_block(from, load16_be(data + 2) + 1u);
    }
}

static uint64_t renew(struct core *core)
{
    t.renewed++;
    return 0;
}

// --- the program ---

static void set_up(void)
{
    static uint8_t arena[4096];
    static const uint8_t packet[300] = { 2, 1, 6, 'p' };
    static const struct pxe_api_packets packets = { { packet, packet, packet }, { 300, 300, 300 } };
    memset(&t, 0, sizeof t);
    host_init(&t.machine);
    t.machine.random_state = 1;
    t.machine.memory_base = 0;
    simnet_attach(&t.net, &t.machine);
    t.net.udp = datagram;
    t.host_ops = t.machine.card.ops;
    t.machine.card.ops = &ops;
    t.machine.card.info.pci.vendor = 0x8086;
    t.machine.card.info.pci.device = 0x100e;
    t.machine.card.info.pci.at = 0x0118;
    t.machine.card.info.pci.class_revision = 0x02000003;
    t.machine.card.info.pci.subsystem = 0x11001af4;
    t.machine.platform.cards = cards;
    t.other.ops = &other_ops;
    t.core.platform = &t.machine.platform;
    t.core.renew = renew;
    settings_init(&t.core.settings, arena, sizeof arena);
    for (size_t i = 0; i < FILE_SIZE; i++)
        t.file[i] = (uint8_t)(i * 7 + i / 256);
    if (net_start(&t.machine.platform) != 0 || net_open(0) != 0 || net_open(1) != 0)
        abort();
    if (settings_put(&t.core.settings, "net1", "ip", SETTING_IPV4, own_ip, 4) != 0 ||
        settings_put(&t.core.settings, "net1", "netmask", SETTING_IPV4, "\xff\xff\xff", 4) != 0)
        abort();
    core_apply_addresses(&t.core);
    unsigned nic = 77;
    if (!core_nbp_card(&t.core, &nic) || nic != 1)
        abort();
    core_nbp_start(&t.core, nic, &packets, &t.nbp);
    t.nbp.low = LOW; // as boot() does
    t.nbp.low_size = LOW_SIZE;
}

static void tear_down(void)
{
    core_nbp_end();
    net_stop();
    host_free(&t.machine);
    simnet_free(&t.net);
}

static uint8_t *memory(uint32_t address)
{
    return t.machine.platform.map(&t.machine, address, 1);
}

static unsigned status_of(uint16_t function, void *block, size_t len)
{
    memcpy(memory(BLOCK), block, len);
    uint16_t ax = t.nbp.call(t.nbp.ctx, function, BLOCK);
    memcpy(block, memory(BLOCK), len);
    return ax == (load16_le(block) != 0) ? load16_le(block) : 0xffff;
}
#define STATUS(function, block) status_of(function, &(block), sizeof(block))

static unsigned simple(uint16_t function)
{
    struct pxe_status block = { 0 };
    return STATUS(function, block);
}

static unsigned write_udp(const uint8_t ip[4], uint16_t from, uint16_t to, uint16_t size)
{
    struct pxe_udp_write b = { .size = size, .buffer = segoff_of(BUFFER) };
    memcpy(b.ip, ip, 4);
    store16_be(b.from_port, from);
    store16_be(b.to_port, to);
    return STATUS(PXENV_UDP_WRITE, b);
}

// Polls until it comes: its length, -1 when nothing does.
static int read_udp(uint16_t port)
{
    for (unsigned i = 0; i < POLLS; i++) {
        struct pxe_udp_read b = { .size = 1000, .buffer = segoff_of(BUFFER + 0x800) };
        store16_be(b.to_port, port);
        if (STATUS(PXENV_UDP_READ, b) == 0)
            return b.size;
    }
    return -1;
}

static bool udp_works(void)
{
    struct pxe_udp_open open = { 0 };
    memcpy(memory(BUFFER), "hello", 5);
    return STATUS(PXENV_UDP_OPEN, open) == 0 && write_udp(t.net.peer_ip4, 1000, ECHO_PORT, 5) == 0 && read_udp(1000) == 5 &&
           memcmp(memory(BUFFER + 0x800), "hello", 5) == 0;
}

TEST(the_stack)
{
    set_up();
    CHECK(t.other_closed == 1, !net_is_open(0), t.closed == 0);
    CHECK(udp_works());
    CHECK(t.renewed > 0);
    static const uint8_t everyone[4] = { 255, 255, 255, 255 }, group[4] = { 239, 1, 2, 3 };
    CHECK_EQ(write_udp(everyone, 1000, 9, 5), 0);
    CHECK(t.asked.port == 9, memcmp(t.asked.ip + 12, everyone, 4) == 0);
    CHECK_EQ(write_udp(group, 1000, 9, 5), 0);
    CHECK(memcmp(t.asked.ip + 12, group, 4) == 0, t.out[0] == 1);
    CHECK_EQ(write_udp(t.net.peer_ip4, 1000, 9, 0xffff), PXE_FAILURE);
    struct pxe_tftp_read_file b = { .filename = "file", .size = FILE_SIZE, .buffer = 0x100000, .server = { 10, 0, 0, 1 } };
    CHECK_EQ(STATUS(PXENV_TFTP_READ_FILE, b), 0);
    CHECK(b.size == FILE_SIZE, memcmp(memory(0x100000), t.file, FILE_SIZE) == 0);
    struct pxe_tftp_open open = { .filename = "file", .packet_size = 1456, .server = { 10, 0, 0, 1 } };
    struct pxe_tftp_read read = { .buffer = segoff_of(BUFFER) };
    CHECK_EQ(STATUS(PXENV_TFTP_OPEN, open), 0);
    CHECK_EQ(STATUS(PXENV_TFTP_READ, read), 0);
    CHECK(read.size == 512, memcmp(memory(BUFFER), t.file, 512) == 0);
    tear_down();
}

TEST(what_it_is_told)
{
    set_up();
    struct pxe_undi_nic_type nic;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_NIC_TYPE, nic), 0);
    CHECK(nic.vendor == 0x8086, nic.device == 0x100e, nic.base_class == 2, nic.sub_class == 0, nic.interface == 0, nic.revision == 3);
    CHECK(nic.bus_dev_fn == 0x0118, nic.sub_vendor == 0x1af4, nic.sub_device == 0x1100, nic.type == PXE_NIC_PCI);
    struct pxe_undi_information info;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_INFORMATION, info), 0);
    CHECK(memcmp(info.current_address, t.machine.card.info.mac, 6) == 0);
    struct pxe_cached_info cached = { .type = PXE_PACKET_REPLY };
    CHECK_EQ(STATUS(PXENV_GET_CACHED_INFO, cached), 0);
    uint32_t at = segoff_address(cached.buffer);
    CHECK(at >= LOW, at + cached.size <= LOW + LOW_SIZE, memory(at)[3] == 'p');
    tear_down();
}

static unsigned open_undi(void)
{
    struct pxe_undi_open b = { .filter = FILTER_PROMISCUOUS, .mcast = { .count = 1, .address = { { 1, 0, 0x5e, 7, 7, 7 } } } };
    return STATUS(PXENV_UNDI_OPEN, b);
}

TEST(the_card)
{
    set_up();
    CHECK(udp_works());
    unsigned groups = t.groups; // of IPv6
    CHECK(groups > 0);
    CHECK_EQ(open_undi(), 0);
    CHECK(t.everything, t.groups == 1, t.group[3] == 7);
    memset(t.raw, 0x11, 60);
    t.raw_len = 60;
    struct pxe_undi_isr isr = { .flag = PXE_ISR_IN_START };
    CHECK_EQ(STATUS(PXENV_UNDI_ISR, isr), 0);
    CHECK_EQ(isr.flag, PXE_ISR_OUT_OURS);
    isr.flag = PXE_ISR_IN_PROCESS;
    CHECK_EQ(STATUS(PXENV_UNDI_ISR, isr), 0);
    CHECK(isr.flag == PXE_ISR_OUT_RECEIVE, isr.frame_length == 60, memcmp(memory(segoff_address(isr.frame)), t.raw, 60) == 0);
    memset(memory(BUFFER), 0x22, 60);
    struct pxe_tbd_head tbd = { .length = 60, .data = segoff_of(BUFFER) };
    memcpy(memory(0x2800), &tbd, sizeof tbd);
    struct pxe_undi_transmit transmit = { .tbd = segoff_of(0x2800) };
    CHECK_EQ(STATUS(PXENV_UNDI_TRANSMIT, transmit), 0);
    CHECK(t.out_len == 60, memcmp(t.out, memory(BUFFER), 60) == 0);
    CHECK_EQ(simple(PXENV_UNDI_CLOSE), 0);
    CHECK(!t.everything, t.groups == groups, t.group[0] == 0x33);
    CHECK(udp_works());
    CHECK(t.opened == 1, t.closed == 0);
    tear_down();
}

TEST(the_card_shut_and_opened)
{
    uint8_t ip[4], mask[4], gateway[4];
    set_up();
    CHECK(udp_works());
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    CHECK(!t.open, !net_is_open(1));
    CHECK_EQ(write_udp(t.net.peer_ip4, 1000, ECHO_PORT, 5), PXE_UNDI_INVALID_STATE);
    t.card_fails = true;
    CHECK_EQ(simple(PXENV_UNDI_INITIALIZE), PXE_UNDI_CANNOT_INITIALIZE);
    t.card_fails = false;
    CHECK_EQ(simple(PXENV_UNDI_INITIALIZE), 0);
    CHECK(t.open, net_get_ipv4(1, ip, mask, gateway), memcmp(ip, own_ip, 4) == 0);
    CHECK(udp_works());
    tear_down();
}

// What it leaves behind is put in order.
TEST(the_end)
{
    uint8_t ip[4], mask[4], gateway[4];
    set_up();
    CHECK(udp_works());
    unsigned groups = t.groups;
    CHECK_EQ(open_undi(), 0);
    core_nbp_end();
    CHECK(!t.everything, t.groups == groups, t.group[0] == 0x33, t.open);
    for (unsigned i = 0; i < 8; i++) // all sockets are free again
        CHECK(net_udp_open((uint16_t)(1000 + i), NULL, NULL));
    net_stop();
    tear_down();

    set_up();
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    core_nbp_end();
    CHECK(t.open, net_get_ipv4(1, ip, mask, gateway), memcmp(ip, own_ip, 4) == 0);
    tear_down();

    set_up();
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    t.card_fails = true;
    core_nbp_end();
    CHECK(!t.open, !net_is_open(1)); // nobody receives from it
    (void)net_poll();
    tear_down();

    set_up();
    CHECK_EQ(simple(PXENV_UNLOAD_STACK), 0);
    CHECK(!t.nbp.unload);
    CHECK_EQ(simple(PXENV_STOP_UNDI), 0);
    CHECK(t.nbp.unload, !t.open);
    tear_down();

    set_up(); // a program that called nothing
    CHECK(settings_put(&t.core.settings, "net0", "ip", SETTING_IPV4, "\x0a\x09\x00\x05", 4) == 0);
    CHECK(!net_is_open(0));
    core_nbp_end();
    CHECK(net_is_open(0), net_get_ipv4(0, ip, mask, gateway), ip[1] == 9); // as before
    net_close(0);
    core_nbp_start(&t.core, 1, &(struct pxe_api_packets){ 0 }, &t.nbp);
    tear_down();
    CHECK(t.other_opened == 2); // one that was closed stays so
}

TEST(no_address)
{
    unsigned nic;
    set_up();
    net_close(1);
    CHECK(!core_nbp_card(&t.core, &nic));
    tear_down();
}

TEST_MAIN(T(the_stack), T(what_it_is_told), T(the_card), T(the_card_shut_and_opened), T(the_end), T(no_address))
