// SPDX-License-Identifier: MPL-2.0
#include "base/test.h"
#include "proto/testpxe.h"

static uint16_t last_status;

// Calls with a block of these bytes, which come back as the call leaves them. AX.
static uint16_t call_with(uint16_t function, void *block, size_t len)
{
    memcpy(memory_bytes + BLOCK, block, len);
    uint16_t ax = pxe_api_call(&api, function, BLOCK);
    memcpy(block, memory_bytes + BLOCK, len);
    last_status = load16_le(block);
    return ax;
}

// Status of a call; a wrong AX, or a byte written behind the block, is no status.
static unsigned status_of(uint16_t function, void *block, size_t len)
{
    memory_bytes[BLOCK + len] = 0x5a;
    uint16_t ax = call_with(function, block, len);
    return ax != (last_status != 0) || memory_bytes[BLOCK + len] != 0x5a ? 0xffff : last_status;
}
#define STATUS(function, block) status_of(function, &(block), sizeof(block))

static unsigned simple(uint16_t function)
{
    struct pxe_status block = { 0x7777 };
    return STATUS(function, block);
}

static struct segoff far_of(uint32_t address)
{
    return (struct segoff){ .segment = (uint16_t)(address >> 4), .offset = address & 15 };
}

TEST(what_is_not_served)
{
    world_begin();
    static const uint16_t refused[] = {
        PXENV_UNDI_RESET_ADAPTER, PXENV_UNDI_SET_STATION_ADDRESS, PXENV_UNDI_INITIATE_DIAGS, PXENV_UNDI_FORCE_INTERRUPT, PXENV_RESTART_TFTP,
        PXENV_START_BASE, PXENV_FILE_EXEC, PXENV_FILE_EXIT_HOOK, 0xe8, 0x16, 0x24, 0x72, 0x74, 0xff, 0x100, 0x106, 0x171, 0xffff,
    };
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        CHECK_EQ(simple(refused[i]), PXE_UNSUPPORTED);
}

TEST(blocks_out_of_reach)
{
    world_begin();
    static const uint32_t addresses[] = { 0, MEMORY_FROM - 1, OWN_FROM, OWN_TO - 1, OWN_FROM - 1, MEMORY_TO - 1, MEMORY_TO, 0xffffffff };
    for (unsigned function = 0; function < 0x200; function++)
        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
            CHECK_EQ(pxe_api_call(&api, (uint16_t)function, addresses[i]), PXENV_EXIT_FAILURE);
    CHECK(api.card == PXE_CARD_STACK, !api.unload, world.sent_count == 0);
}

TEST(cached_packets)
{
    world_begin();
    struct pxe_cached_info b = { .type = PXE_PACKET_ACK };
    CHECK_EQ(STATUS(PXENV_GET_CACHED_INFO, b), 0);
    uint32_t at = segoff_address(b.buffer);
    CHECK(b.size == 300, b.limit == 300, at >= LOW, at + 300 <= LOW + LOW_SIZE, memory_bytes[at + 3] == 'a');
    b = (struct pxe_cached_info){ .type = PXE_PACKET_REPLY, .size = 1000, .buffer = far_of(BUFFER) };
    CHECK_EQ(STATUS(PXENV_GET_CACHED_INFO, b), 0);
    CHECK(b.size == 250, b.limit == 250, segoff_address(b.buffer) == BUFFER, memory_bytes[BUFFER + 3] == 'r', memory_bytes[BUFFER + 250] == 0xee);
    b = (struct pxe_cached_info){ .type = PXE_PACKET_REPLY, .size = 4, .buffer = far_of(BUFFER + 300) };
    CHECK_EQ(STATUS(PXENV_GET_CACHED_INFO, b), 0);
    CHECK(b.size == 4, memory_bytes[BUFFER + 303] == 'r', memory_bytes[BUFFER + 304] == 0xee);
    static const uint16_t types[] = { PXE_PACKET_DISCOVER, 0, 4, 0xffff }; // the first one is not there
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        b = (struct pxe_cached_info){ .type = types[i] };
        CHECK_EQ(STATUS(PXENV_GET_CACHED_INFO, b), PXE_FAILURE);
    }
    b = (struct pxe_cached_info){ .type = PXE_PACKET_ACK, .size = 300, .buffer = far_of(OWN_FROM - 10) };
    CHECK_EQ(STATUS(PXENV_GET_CACHED_INFO, b), PXE_FAILURE);
    CHECK(memory_bytes[OWN_FROM] == 0xee);
}

TEST(long_packets_are_cut)
{
    static uint8_t bytes[3000], low[LOW_SIZE + 1];
    const struct pxe_api_packets packets = { .bytes = { bytes, bytes, bytes }, .len = { 1400, 3000, 3000 } };
    memset(low, 0x77, sizeof low);
    pxe_api_init(&api, LOW, low, LOW_SIZE, &packets);
    CHECK(api.packet_len[0] == 1400, api.packet_len[1] + api.packet_len[0] + api.packet_at[0] == LOW_SIZE, api.packet_len[2] == 0);
    CHECK(low[LOW_SIZE - 1] == 0, low[LOW_SIZE] == 0x77, api.packet_at[0] >= FRAME_RECEIVE_MAX);
}

TEST(what_the_card_is)
{
    world_begin();
    api.self.rx_buffers = 256;
    struct pxe_undi_information info;
    memset(&info, 0xff, sizeof info);
    CHECK_EQ(STATUS(PXENV_UNDI_GET_INFORMATION, info), 0);
    CHECK(info.irq == 0, info.mtu == 1500, info.hardware_type == 1, info.address_len == 6, info.rx_buffers == 256, info.tx_buffers == 1,
          info.rom_segment == 0, info.base_io == 0);
    CHECK(memcmp(info.current_address, own_mac, 6) == 0, memcmp(info.permanent_address, own_mac, 6) == 0, info.current_address[6] == 0);
    struct pxe_undi_nic_type nic;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_NIC_TYPE, nic), 0);
    CHECK(nic.type == 2, nic.vendor == 0x8086, nic.device == 0x100e, nic.base_class == 2, nic.bus_dev_fn == 0x18);
    api.self.nic.vendor = 0;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_NIC_TYPE, nic), PXE_UNSUPPORTED);
    struct pxe_undi_iface iface;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_IFACE_INFO, iface), 0);
    CHECK_STR(iface.type, "DIX+802.3");
    CHECK(!(iface.service_flags & SERVICE_IRQ), iface.service_flags & SERVICE_PROMISCUOUS, iface.link_speed > 0);
    api.self.everything = false;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_IFACE_INFO, iface), 0);
    CHECK(!(iface.service_flags & SERVICE_PROMISCUOUS));
    struct pxe_undi_mcast_address mcast = { .ip = { 239, 0xff, 1, 2 } };
    CHECK_EQ(STATUS(PXENV_UNDI_GET_MCAST_ADDRESS, mcast), 0);
    CHECK(memcmp(mcast.address, (const uint8_t[]){ 1, 0, 0x5e, 0x7f, 1, 2 }, 6) == 0);
    mcast.ip[0] = 223;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_MCAST_ADDRESS, mcast), PXE_UNDI_INVALID_PARAMETER);
}

// --- whose the card is ---

static unsigned open_undi(uint16_t filter, uint16_t groups)
{
    struct pxe_undi_open b = { .filter = filter, .mcast = { .count = groups } };
    for (unsigned i = 0; i < PXE_MCAST_MAX; i++)
        memcpy(b.mcast.address[i], (const uint8_t[]){ 1, 0, 0x5e, 0, 0, (uint8_t)i }, 6);
    return STATUS(PXENV_UNDI_OPEN, b);
}

TEST(one_side_at_a_time)
{
    world_begin();
    static const uint8_t programs[] = { PXENV_UNDI_TRANSMIT, PXENV_UNDI_ISR, PXENV_UNDI_SET_MCAST_ADDRESS, PXENV_UNDI_SET_PACKET_FILTER };
    static const uint8_t stacks[] = { PXENV_TFTP_OPEN, PXENV_TFTP_READ, PXENV_TFTP_READ_FILE, PXENV_TFTP_GET_FSIZE, PXENV_UDP_OPEN, PXENV_UDP_READ,
                                      PXENV_UDP_WRITE };
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        CHECK_EQ(simple(programs[i]), PXE_UNDI_INVALID_STATE);
    CHECK_EQ(open_undi(FILTER_DIRECTED, 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
        CHECK_EQ(simple(stacks[i]), PXE_UNDI_INVALID_STATE);
    CHECK_EQ(simple(PXENV_UNDI_CLOSE), 0);
    CHECK_EQ(world.stack_filters, 1);
    CHECK_EQ(simple(PXENV_UNDI_CLOSE), 0);
    CHECK_EQ(world.stack_filters, 1);
    CHECK_EQ(simple(PXENV_UNDI_INITIALIZE), 0);
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    CHECK(!world.card_open);
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    CHECK_EQ(open_undi(FILTER_DIRECTED, 0), PXE_UNDI_INVALID_STATE);
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
        CHECK_EQ(simple(stacks[i]), PXE_UNDI_INVALID_STATE);
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        CHECK_EQ(simple(programs[i]), PXE_UNDI_INVALID_STATE);
    world.card_fails = true;
    CHECK_EQ(simple(PXENV_UNDI_INITIALIZE), PXE_UNDI_CANNOT_INITIALIZE);
    CHECK_EQ(open_undi(FILTER_DIRECTED, 0), PXE_UNDI_INVALID_STATE);
    world.card_fails = false;
    CHECK_EQ(simple(PXENV_UNDI_STARTUP), 0);
    CHECK_EQ(simple(PXENV_UNDI_INITIALIZE), 0);
    CHECK(world.card_open, world.stack_filters == 2);
    CHECK_EQ(open_undi(FILTER_DIRECTED, 0), 0);
    CHECK(!api.unload);
    CHECK_EQ(simple(PXENV_UNLOAD_STACK), 0);
    CHECK_EQ(simple(PXENV_STOP_BASE), 0);
    CHECK(!api.unload, world.card_open, api.card == PXE_CARD_PROGRAM); // undionly.kpxe goes on
    CHECK_EQ(simple(PXENV_START_UNDI), 0);
    CHECK_EQ(simple(PXENV_STOP_UNDI), 0);
    CHECK(api.unload, !world.card_open);
    CHECK_EQ(simple(PXENV_UNDI_CLEANUP), 0);
}

TEST(filters)
{
    world_begin();
    CHECK_EQ(open_undi(FILTER_DIRECTED | FILTER_BROADCAST | FILTER_PROMISCUOUS, 2), 0);
    CHECK(world.everything, world.group_count == 2, world.groups[1][5] == 1);
    struct pxe_undi_set_filter filter = { .filter = FILTER_DIRECTED };
    CHECK_EQ(STATUS(PXENV_UNDI_SET_PACKET_FILTER, filter), 0);
    CHECK(!world.everything, world.group_count == 2);
    struct pxe_undi_set_mcast mcast = { .mcast = { .count = 1, .address = { { 1, 0, 0x5e, 9, 9, 9 } } } };
    CHECK_EQ(STATUS(PXENV_UNDI_SET_MCAST_ADDRESS, mcast), 0);
    CHECK(!world.everything, world.group_count == 1, world.groups[0][3] == 9);
    mcast.mcast.count = PXE_MCAST_MAX + 1;
    CHECK_EQ(STATUS(PXENV_UNDI_SET_MCAST_ADDRESS, mcast), PXE_UNDI_INVALID_PARAMETER);
    mcast.mcast.count = 0xffff;
    CHECK_EQ(STATUS(PXENV_UNDI_SET_MCAST_ADDRESS, mcast), PXE_UNDI_INVALID_PARAMETER);
    world.wire_fails = true;
    mcast.mcast.count = 1;
    CHECK_EQ(STATUS(PXENV_UNDI_SET_MCAST_ADDRESS, mcast), PXE_FAILURE);
    CHECK_EQ(STATUS(PXENV_UNDI_SET_PACKET_FILTER, filter), PXE_FAILURE);
    world_begin();
    CHECK_EQ(open_undi(0, PXE_MCAST_MAX + 1), PXE_UNDI_INVALID_PARAMETER);
    CHECK(api.card == PXE_CARD_STACK);
    world.wire_fails = true;
    CHECK_EQ(open_undi(0, 0), PXE_FAILURE);
    CHECK(api.card == PXE_CARD_STACK);
    world.wire_fails = false;
    api.self.everything = false; // iPXE asks for everything all the same
    CHECK_EQ(open_undi(FILTER_PROMISCUOUS, PXE_MCAST_MAX), 0);
    CHECK(!world.everything, world.group_count == PXE_MCAST_MAX);
}

// --- frames ---

static unsigned send_pieces(uint8_t protocol, uint8_t flag, uint32_t immediate, uint16_t len, const struct pxe_tbd_block *blocks, unsigned count)
{
    struct pxe_tbd tbd = { .head = { .length = len, .data = far_of(immediate), .block_count = (uint16_t)count } };
    if (count && count <= PXE_TBD_BLOCKS_MAX)
        memcpy(tbd.blocks, blocks, count * sizeof blocks[0]);
    memcpy(memory_bytes + 0x2800, &tbd, sizeof tbd);
    memcpy(memory_bytes + 0x2900, "\x52\x54\0\1\2\3", 6);
    struct pxe_undi_transmit b = { .protocol = protocol, .flag = flag, .destination = far_of(0x2900), .tbd = far_of(0x2800) };
    world.out_len = 0;
    return STATUS(PXENV_UNDI_TRANSMIT, b);
}

static void ramp(uint32_t at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        memory_bytes[at + i] = (uint8_t)i;
}

TEST(transmission)
{
    world_begin();
    CHECK_EQ(open_undi(0, 0), 0);
    ramp(BUFFER, 2000);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 60, NULL, 0), 0);
    CHECK(world.out_len == 60, world.out[59] == 59);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, FRAME_MAX, NULL, 0), 0);
    CHECK_EQ(world.out_len, FRAME_MAX);
    static const uint16_t types[] = { 0, 0x0800, 0x0806, 0x8035 };
    for (uint8_t protocol = 1; protocol < 4; protocol++) {
        CHECK_EQ(send_pieces(protocol, PXE_TRANSMIT_BROADCAST, BUFFER, 20, NULL, 0), 0);
        CHECK(world.out_len == 34, memcmp(world.out, "\xff\xff\xff\xff\xff\xff", 6) == 0, memcmp(world.out + 6, own_mac, 6) == 0,
              load16_be(world.out + 12) == types[protocol], world.out[33] == 19);
        CHECK_EQ(send_pieces(protocol, PXE_TRANSMIT_TO, BUFFER, 20, NULL, 0), 0);
        CHECK(memcmp(world.out, "\x52\x54\0\1\2\3", 6) == 0);
    }
    ramp(0x150000, 100);
    struct pxe_tbd_block blocks[PXE_TBD_BLOCKS_MAX] = { { PXE_TBD_FAR, 0, 10, far_of(BUFFER + 100) }, { 0, 0, 20, { 0x0032, 0x0015 } } };
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 14, blocks, 2), 0);
    CHECK(world.out_len == 44, world.out[13] == 13, world.out[14] == 100, world.out[24] == 0x32, world.out[43] == 0x32 + 19);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, 0, 0, NULL, 0), PXE_UNDI_INVALID_PARAMETER); // no bytes at no address
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, 0, 0, (struct pxe_tbd_block[]){ { PXE_TBD_FAR, 0, 30, far_of(BUFFER) } }, 1), 0);
    CHECK_EQ(world.out_len, 30);
}

TEST(frames_that_are_not_sent)
{
    world_begin();
    CHECK_EQ(open_undi(0, 0), 0);
    struct pxe_tbd_block blocks[PXE_TBD_BLOCKS_MAX] = { { PXE_TBD_FAR, 0, 1500, far_of(BUFFER) } };
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 13, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, FRAME_MAX + 1, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 0xffff, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_IP, 0, BUFFER, 1501, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 15, blocks, 1), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(4, 0, BUFFER, 60, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(0xff, 0, BUFFER, 60, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, OWN_FROM, 60, NULL, 0), PXE_UNDI_INVALID_PARAMETER);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 60, blocks, 9), PXE_UNDI_INVALID_PARAMETER);
    blocks[0] = (struct pxe_tbd_block){ 0, 0, 20, { 0xffff, 0xffff } };
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 14, blocks, 1), PXE_UNDI_INVALID_PARAMETER);
    for (unsigned i = 0; i <= PXE_TBD_BLOCKS_MAX; i++) {
        const struct pxe_tbd_block one = { PXE_TBD_FAR, 0, 10, far_of(BUFFER) };
        memcpy(memory_bytes + 0x2808 + 8 * i, &one, sizeof one);
    }
    const struct pxe_tbd_head nine = { .block_count = PXE_TBD_BLOCKS_MAX + 1 };
    memcpy(memory_bytes + 0x2800, &nine, sizeof nine);
    struct pxe_undi_transmit b = { .tbd = far_of(0x2800) };
    CHECK_EQ(STATUS(PXENV_UNDI_TRANSMIT, b), PXE_UNDI_INVALID_PARAMETER);
    b = (struct pxe_undi_transmit){ .tbd = far_of(OWN_FROM - 4) };
    CHECK_EQ(STATUS(PXENV_UNDI_TRANSMIT, b), PXE_UNDI_INVALID_PARAMETER);
    b = (struct pxe_undi_transmit){ .protocol = PXE_PROTOCOL_IP, .destination = far_of(OWN_FROM), .tbd = far_of(0x2800) };
    CHECK_EQ(STATUS(PXENV_UNDI_TRANSMIT, b), PXE_UNDI_INVALID_PARAMETER);
    CHECK(world.out_len == 0, !api.sent);
    world.wire_fails = true;
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 60, NULL, 0), PXE_UNDI_TRANSMIT_ERROR);
    CHECK(!api.sent);
}

static struct pxe_undi_isr isr;
static unsigned ask_isr(uint16_t flag)
{
    isr.flag = flag;
    return STATUS(PXENV_UNDI_ISR, isr) ? 0xffff : isr.flag;
}

static void frame_comes(const char *to, uint16_t type, size_t len)
{
    for (size_t i = 0; i < len; i++)
        world.frame[i] = (uint8_t)(i * 3);
    memcpy(world.frame, to, 6);
    store16_be(world.frame + 12, type);
    world.frame_len = len;
}

// A program that polls as GRUB and lpxelinux do.
TEST(polling_with_start)
{
    world_begin();
    CHECK_EQ(open_undi(0, 0), 0);
    CHECK_EQ(ask_isr(PXE_ISR_IN_START), PXE_ISR_OUT_NOT_OURS);
    frame_comes("\x52\x54\0\x12\x34\x56", 0x0800, 60);
    CHECK_EQ(ask_isr(PXE_ISR_IN_START), PXE_ISR_OUT_OURS);
    CHECK_EQ(ask_isr(PXE_ISR_IN_START), PXE_ISR_OUT_OURS);
    CHECK_EQ(ask_isr(PXE_ISR_IN_PROCESS), PXE_ISR_OUT_RECEIVE);
    CHECK(isr.buffer_length == 60, isr.frame_length == 60, isr.header_length == 14, isr.protocol == PXE_PROTOCOL_IP,
          isr.packet_type == PXE_PACKET_DIRECTED);
    uint32_t at = segoff_address(isr.frame);
    CHECK(at == LOW, memcmp(memory_bytes + at, world.frame, 60) == 0);
    frame_comes("\xff\xff\xff\xff\xff\xff", 0x0806, 1518);
    CHECK_EQ(ask_isr(PXE_ISR_IN_NEXT), PXE_ISR_OUT_RECEIVE);
    CHECK(isr.frame_length == 1518, isr.protocol == PXE_PROTOCOL_ARP, isr.packet_type == PXE_PACKET_BROADCAST);
    CHECK_EQ(ask_isr(PXE_ISR_IN_NEXT), PXE_ISR_OUT_DONE);
    CHECK_EQ(ask_isr(PXE_ISR_IN_START), PXE_ISR_OUT_NOT_OURS);
}

// As iPXE does where there is no interrupt.
TEST(polling_with_process)
{
    world_begin();
    CHECK_EQ(open_undi(0, 0), 0);
    CHECK_EQ(ask_isr(PXE_ISR_IN_PROCESS), PXE_ISR_OUT_DONE);
    frame_comes("\1\0\x5e\0\0\1", 0x8035, 60);
    CHECK_EQ(ask_isr(PXE_ISR_IN_PROCESS), PXE_ISR_OUT_RECEIVE);
    CHECK(isr.protocol == PXE_PROTOCOL_RARP, isr.packet_type == PXE_PACKET_MULTICAST);
    frame_comes("\xff\xff\xff\xff\xff\xfe", 0x86dd, 60);
    CHECK_EQ(ask_isr(PXE_ISR_IN_NEXT), PXE_ISR_OUT_RECEIVE);
    CHECK(isr.protocol == PXE_PROTOCOL_NONE, isr.packet_type == PXE_PACKET_MULTICAST);
    // A transmission is reported once, and before what has come.
    ramp(BUFFER, 60);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 60, NULL, 0), 0);
    frame_comes("\x52\x54\0\x12\x34\x56", 0x0800, 64);
    CHECK_EQ(ask_isr(PXE_ISR_IN_START), PXE_ISR_OUT_OURS);
    CHECK_EQ(ask_isr(PXE_ISR_IN_PROCESS), PXE_ISR_OUT_TRANSMIT);
    CHECK_EQ(ask_isr(PXE_ISR_IN_NEXT), PXE_ISR_OUT_RECEIVE);
    CHECK_EQ(isr.frame_length, 64);
    CHECK_EQ(ask_isr(PXE_ISR_IN_NEXT), PXE_ISR_OUT_DONE);
    CHECK_EQ(send_pieces(PXE_PROTOCOL_NONE, 0, BUFFER, 60, NULL, 0), 0);
    CHECK_EQ(ask_isr(PXE_ISR_IN_START), PXE_ISR_OUT_OURS);
    CHECK_EQ(ask_isr(PXE_ISR_IN_PROCESS), PXE_ISR_OUT_TRANSMIT);
    CHECK_EQ(ask_isr(PXE_ISR_IN_NEXT), PXE_ISR_OUT_DONE);
    struct pxe_undi_statistics count;
    CHECK_EQ(STATUS(PXENV_UNDI_GET_STATISTICS, count), 0);
    CHECK(count.sent == 2, count.received == 3, count.bad_crc == 0, count.no_room == 0);
    CHECK_EQ(simple(PXENV_UNDI_CLEAR_STATISTICS), 0);
    CHECK_EQ(STATUS(PXENV_UNDI_GET_STATISTICS, count), 0);
    CHECK(count.sent == 0, count.received == 0);
}

// --- UDP ---

static unsigned open_udp(void)
{
    struct pxe_udp_open b = { 0 };
    return STATUS(PXENV_UDP_OPEN, b);
}

static unsigned write_udp(uint16_t from, uint16_t to, uint32_t buffer, uint16_t size)
{
    struct pxe_udp_write b = { .size = size, .buffer = far_of(buffer) };
    memcpy(b.ip, server_ip, 4);
    store16_be(b.from_port, from);
    store16_be(b.to_port, to);
    return STATUS(PXENV_UDP_WRITE, b);
}

static struct pxe_udp_read got;
static unsigned read_udp(uint16_t port, uint32_t buffer, uint16_t size)
{
    got = (struct pxe_udp_read){ .size = size, .buffer = far_of(buffer) };
    store16_be(got.to_port, port);
    return STATUS(PXENV_UDP_READ, got);
}

static unsigned socket_at(uint16_t port)
{
    unsigned i = 0;
    while (i < PXE_API_PORTS && !(world.open[i] && world.port[i] == port))
        i++;
    return i;
}

TEST(udp)
{
    world_begin();
    CHECK_EQ(write_udp(1000, 69, BUFFER, 10), PXE_UDP_CLOSED);
    CHECK_EQ(read_udp(1000, BUFFER, 10), PXE_UDP_CLOSED);
    CHECK_EQ(read_udp(0, BUFFER, 10), PXE_UDP_CLOSED);
    struct pxe_udp_open other = { .ip = { 10, 0, 0, 98 } };
    CHECK_EQ(STATUS(PXENV_UDP_OPEN, other), PXE_UNSUPPORTED);
    CHECK_EQ(write_udp(1000, 69, BUFFER, 10), PXE_UDP_CLOSED);
    memcpy(other.ip, own_ip, 4);
    CHECK_EQ(STATUS(PXENV_UDP_OPEN, other), 0);
    ramp(BUFFER, 100);
    CHECK_EQ(write_udp(1000, 69, BUFFER, 10), 0);
    CHECK(world.sent.len == 10, world.sent.data[9] == 9, world.sent.addr.port == 69, memcmp(world.sent.addr.ip + 12, server_ip, 4) == 0);
    CHECK_EQ(world.port[world.sent.socket], 1000);
    CHECK_EQ(write_udp(0, 69, BUFFER, 10), 0);
    CHECK_EQ(world.port[world.sent.socket], PXE_UDP_PORT);
    CHECK_EQ(read_udp(1000, BUFFER, 10), PXE_FAILURE);
    CHECK_EQ(write_udp(900, 69, BUFFER, 10), 0);
    CHECK_EQ(world.port[world.sent.socket], 900);
    world_deliver(socket_at(1000), 4000, (const uint8_t *)"hello", 5);
    world_deliver(socket_at(PXE_UDP_PORT), 4001, (const uint8_t *)"other", 5);
    CHECK_EQ(read_udp(1000, BUFFER + 200, 100), 0);
    unsigned turns = world.turns;
    CHECK(got.size == 5, memcmp(memory_bytes + BUFFER + 200, "hello\xee", 6) == 0, load16_be(got.from_port) == 4000,
          load16_be(got.to_port) == 1000, memcmp(got.from_ip, server_ip, 4) == 0, memcmp(got.to_ip, own_ip, 4) == 0);
    CHECK_EQ(read_udp(1000, BUFFER + 200, 100), PXE_FAILURE);
    CHECK_EQ(read_udp(0, BUFFER + 300, 2), 0); // to any port, and a short buffer
    CHECK_EQ(world.turns, turns + 1);          // for what was not there
    CHECK(got.size == 2, memcmp(memory_bytes + BUFFER + 300, "ot\xee", 3) == 0, load16_be(got.to_port) == PXE_UDP_PORT);
    CHECK_EQ(read_udp(0, BUFFER, 100), PXE_FAILURE);
    CHECK_EQ(simple(PXENV_UDP_CLOSE), 0);
    CHECK(socket_at(1000) == PXE_API_PORTS);
    CHECK_EQ(read_udp(1000, BUFFER, 10), PXE_UDP_CLOSED);
    CHECK_EQ(simple(PXENV_UDP_CLOSE), 0);
}

TEST(udp_refusals)
{
    world_begin();
    CHECK_EQ(open_udp(), 0);
    world.port_taken = 68;
    CHECK_EQ(write_udp(68, 67, BUFFER, 10), PXE_OUT_OF_RESOURCES);
    CHECK_EQ(read_udp(68, BUFFER, 10), PXE_OUT_OF_RESOURCES);
    CHECK_EQ(write_udp(1000, 69, OWN_FROM, 10), PXE_FAILURE);
    CHECK_EQ(write_udp(1000, 69, OWN_FROM - 5, 10), PXE_FAILURE);
    CHECK_EQ(write_udp(1000, 69, BUFFER, FRAME_MAX + 1), PXE_FAILURE);
    CHECK_EQ(write_udp(1000, 69, BUFFER, 0xffff), PXE_FAILURE);
    CHECK_EQ(world.sent_count, 0);
    world.wire_fails = true;
    CHECK_EQ(write_udp(1000, 69, BUFFER, 10), PXE_FAILURE);
    world.wire_fails = false;
    CHECK_EQ(write_udp(1000, 69, 0, 0), 0); // no bytes are of nobody's memory
    CHECK(world.sent.len == 0);
    world_deliver(socket_at(1000), 4000, (const uint8_t *)"", 0);
    CHECK_EQ(read_udp(1000, 0, 10), 0);
    CHECK_EQ(got.size, 0);
    world_deliver(socket_at(1000), 4000, (const uint8_t *)"hello", 5);
    CHECK_EQ(read_udp(1000, OWN_FROM, 10), PXE_FAILURE);
    struct pxe_udp_read b = { .to_ip = { 255, 255, 255, 255 }, .size = 100, .buffer = far_of(BUFFER) };
    CHECK_EQ(STATUS(PXENV_UDP_READ, b), PXE_FAILURE); // that a datagram was a broadcast is not known
    world_deliver(socket_at(1000), 4000, (const uint8_t *)"hello", 5);
    b = (struct pxe_udp_read){ .size = 100, .buffer = far_of(BUFFER) };
    memcpy(b.to_ip, own_ip, 4);
    CHECK_EQ(STATUS(PXENV_UDP_READ, b), 0);
}

// More ports than are heard, and more datagrams than are kept: the newest stay.
TEST(udp_has_limits)
{
    world_begin();
    CHECK_EQ(open_udp(), 0);
    for (uint16_t port = 1000; port < 1000 + PXE_API_PORTS + 2; port++)
        CHECK_EQ(write_udp(port, 69, BUFFER, 10), 0);
    CHECK(socket_at(1000) == PXE_API_PORTS, socket_at(1001) == PXE_API_PORTS, socket_at(1002) < PXE_API_PORTS);
    for (uint8_t i = 0; i < PXE_API_DATAGRAMS + 3; i++)
        world_deliver(socket_at(1003), 4000, &i, 1);
    static const uint8_t large[PXE_API_DATAGRAM_MAX + 1];
    world_deliver(socket_at(1003), 4000, large, sizeof large);
    for (uint8_t i = 3; i < PXE_API_DATAGRAMS + 3; i++) {
        CHECK_EQ(read_udp(1003, BUFFER, 10), 0);
        CHECK(got.size == 1, memory_bytes[BUFFER] == i);
    }
    CHECK_EQ(read_udp(1003, BUFFER, 10), PXE_FAILURE);
    world_deliver(socket_at(1003), 4000, large, PXE_API_DATAGRAM_MAX);
    CHECK_EQ(read_udp(1003, BUFFER, 0xffff), 0);
    CHECK_EQ(got.size, PXE_API_DATAGRAM_MAX);
}

// --- TFTP ---

static struct pxe_tftp_open opened;
static unsigned open_file(const char *name, uint16_t size)
{
    opened = (struct pxe_tftp_open){ .packet_size = size };
    memcpy(opened.server, server_ip, 4);
    snprintf(opened.filename, sizeof opened.filename, "%s", name);
    return STATUS(PXENV_TFTP_OPEN, opened);
}

static struct pxe_tftp_read block_read;
static unsigned read_block(uint32_t buffer)
{
    block_read = (struct pxe_tftp_read){ .buffer = far_of(buffer) };
    return STATUS(PXENV_TFTP_READ, block_read);
}

static unsigned read_file(const char *name, uint32_t buffer, uint32_t size, uint32_t *ret_size)
{
    struct pxe_tftp_read_file b = { .size = size, .buffer = buffer };
    memcpy(b.server, server_ip, 4);
    snprintf(b.filename, sizeof b.filename, "%s", name);
    unsigned status = STATUS(PXENV_TFTP_READ_FILE, b);
    *ret_size = b.size;
    return status;
}

static unsigned file_size(const char *name, uint32_t *ret_size)
{
    struct pxe_tftp_fsize b = { .size = 77 };
    memcpy(b.server, server_ip, 4);
    snprintf(b.filename, sizeof b.filename, "%s", name);
    unsigned status = STATUS(PXENV_TFTP_GET_FSIZE, b);
    *ret_size = b.size;
    return status;
}

// Reads the open file to its end: is it the server's?
static bool file_is_read(uint32_t len)
{
    uint32_t at = 0, number = 1;
    do {
        if (read_block(BUFFER) || block_read.packet_number != (uint16_t)number++ || block_read.size > opened.packet_size ||
            memcmp(memory_bytes + BUFFER, world_file + at, block_read.size) != 0)
            return false;
        at += block_read.size;
    } while (block_read.size == opened.packet_size);
    return at == len && world.acked == (uint16_t)(number - 1) && read_block(BUFFER) == PXE_TFTP_CANNOT_READ;
}

TEST(tftp_by_blocks)
{
    static const uint32_t lengths[] = { 0, 1, 511, 512, 513, 1024, 10000, 100000 };
    for (unsigned options = 0; options < 2; options++)
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
            world_begin();
            world.options = options;
            world.file_len = lengths[i];
            CHECK_EQ(open_file("file", 1456), 0);
            CHECK_EQ(opened.packet_size, options ? 1400 : 512);
            CHECK(file_is_read(lengths[i]));
            CHECK_EQ(simple(PXENV_TFTP_CLOSE), 0);
            CHECK(world.errors == 0, !world.open[PXE_API_TFTP]);
            CHECK_EQ(simple(PXENV_TFTP_CLOSE), PXE_TFTP_CLOSED);
            CHECK_EQ(read_block(BUFFER), PXE_TFTP_CLOSED);
        }
    world_begin();
    CHECK_EQ(open_file("file", 512), 0);
    CHECK_EQ(opened.packet_size, 512);
    CHECK(file_is_read(10000));
}

TEST(tftp_waits_for_the_program)
{
    world_begin();
    CHECK_EQ(open_file("file", 1024), 0);
    world.now += 3600 * 1000000ull; // a person at a menu
    CHECK_EQ(read_block(BUFFER), 0);
    world.now += 3600 * 1000000ull;
    CHECK_EQ(read_block(OWN_FROM), PXE_FAILURE); // the block stays
    CHECK_EQ(read_block(BUFFER), 0);
    CHECK(block_read.packet_number == 2, memcmp(memory_bytes + BUFFER, world_file + 1024, 1024) == 0);
    CHECK_EQ(open_file("file", 1024), 0); // a second one: the first is given up, and its server told
    CHECK_EQ(world.errors, 1);
    CHECK(file_is_read(10000));
    CHECK_EQ(open_file("file", 1024), 0);
    CHECK_EQ(simple(PXENV_TFTP_CLOSE), 0);
    CHECK_EQ(world.errors, 2);
    world.options = false; // the first block comes with the opening, and is not read
    CHECK_EQ(open_file("file", 1024), 0);
    CHECK_EQ(open_file("file", 1024), 0);
    CHECK(file_is_read(10000));
}

TEST(tftp_fails)
{
    uint32_t size;
    world_begin();
    CHECK_EQ(open_file("file", 511), PXE_TFTP_PACKET_SIZE);
    CHECK_EQ(world.sent_count, 0);
    CHECK_EQ(open_file("missing", 512), PXE_TFTP_NOT_FOUND);
    CHECK(!world.open[PXE_API_TFTP], read_block(BUFFER) == PXE_TFTP_CLOSED);
    CHECK_EQ(read_file("missing", 0x100000, 20000, &size), PXE_TFTP_NOT_FOUND);
    CHECK_EQ(file_size("missing", &size), PXE_TFTP_NOT_FOUND);
    struct pxe_tftp_open b = { .packet_size = 512 };
    memset(b.filename, 'x', sizeof b.filename); // and no NUL
    CHECK_EQ(STATUS(PXENV_TFTP_OPEN, b), PXE_OUT_OF_RESOURCES);
    uint64_t before = world.now;
    world.silent = true;
    CHECK_EQ(open_file("file", 512), PXE_TFTP_READ_TIMEOUT);
    CHECK(world.now - before < 70 * 1000000ull);
    CHECK_EQ(read_file("file", 0x100000, 20000, &size), PXE_TFTP_READ_TIMEOUT);
    world.silent = false;
    CHECK_EQ(open_file("file", 512), 0);
    world.silent_later = true;
    CHECK_EQ(read_block(BUFFER), PXE_TFTP_READ_TIMEOUT);
    CHECK(!world.open[PXE_API_TFTP]);
}

TEST(tftp_whole_files)
{
    uint32_t size;
    world_begin();
    world.file_len = 150000;
    CHECK_EQ(read_file("file", 0x110000, 150000, &size), 0);
    CHECK(size == 150000, memcmp(memory_bytes + 0x110000, world_file, size) == 0, memory_bytes[0x110000 + size] == 0xee);
    CHECK(!world.open[PXE_API_TFTP], world.errors == 0);
    CHECK_EQ(read_file("file", 0x150000, 149999, &size), PXE_OUT_OF_RESOURCES);
    CHECK(size == 149999, memory_bytes[0x150000 + 149999] == 0xee, world.errors == 1);
    CHECK_EQ(read_file("file", MEMORY_TO - 100000, 150000, &size), PXE_TFTP_CANNOT_READ);
    CHECK_EQ(read_file("file", OWN_FROM - 5000, 150000, &size), PXE_TFTP_CANNOT_READ);
    for (uint32_t i = OWN_FROM; i < OWN_TO; i++)
        CHECK_EQ(memory_bytes[i], 0xee);
    CHECK_EQ(read_file("file", 0xfffffff0, 0xffffffff, &size), PXE_OUT_OF_RESOURCES);
    world.file_len = 0;
    CHECK_EQ(read_file("file", 0, 0, &size), 0);
    CHECK_EQ(size, 0);
    CHECK_EQ(file_size("file", &size), PXE_TFTP_NO_FILESIZE);
    world.file_len = 150000;
    CHECK_EQ(file_size("file", &size), 0);
    CHECK(size == 150000, !world.open[PXE_API_TFTP]);
    world.options = false;
    CHECK_EQ(file_size("file", &size), PXE_TFTP_NO_FILESIZE);
}

// A port of its own, as MTFTP's fields have one, and a socket that cannot be had.
TEST(tftp_ports)
{
    world_begin();
    world.silent = true;
    struct pxe_tftp_open b = { .packet_size = 512, .filename = "file" };
    store16_be(&b.port, 6969);
    CHECK_EQ(STATUS(PXENV_TFTP_OPEN, b), PXE_TFTP_READ_TIMEOUT);
    CHECK_EQ(world.sent.addr.port, 6969);
    b = (struct pxe_tftp_open){ .packet_size = 512, .filename = "file" };
    CHECK_EQ(STATUS(PXENV_TFTP_OPEN, b), PXE_TFTP_READ_TIMEOUT);
    CHECK_EQ(world.sent.addr.port, 69);
}

// --- FILE ---

static struct pxe_file_open file_opened;
static unsigned open_url(const char *url)
{
    file_opened = (struct pxe_file_open){ .name = far_of(0x2900) };
    snprintf((char *)memory_bytes + 0x2900, 400, "%s", url);
    return STATUS(PXENV_FILE_OPEN, file_opened);
}

static struct pxe_file_read file_got;
static unsigned read_on(uint16_t handle, uint32_t buffer, uint16_t size)
{
    file_got = (struct pxe_file_read){ .handle = handle, .size = size, .buffer = far_of(buffer) };
    return STATUS(PXENV_FILE_READ, file_got);
}

TEST(files)
{
    static const uint32_t lengths[] = { 0, 1, 1400, 1401, 2800, 100000 };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        world_begin();
        world.file_len = lengths[i];
        CHECK_EQ(open_url("tftp://10.0.0.1/file"), 0);
        struct pxe_file_size size = { .handle = file_opened.handle };
        CHECK_EQ(STATUS(PXENV_FILE_GET_SIZE, size), lengths[i] ? 0 : PXE_FAILURE);
        CHECK_EQ(size.size, lengths[i]);
        struct pxe_file_select select = { .handle = file_opened.handle };
        CHECK_EQ(STATUS(PXENV_FILE_SELECT, select), 0);
        CHECK_EQ(select.ready, PXE_FILE_READY);
        uint32_t at = 0;
        do {
            CHECK_EQ(read_on(file_opened.handle, BUFFER, 1000), 0);
            CHECK(file_got.size <= 1000, memcmp(memory_bytes + BUFFER, world_file + at, file_got.size) == 0);
            at += file_got.size;
        } while (file_got.size && at <= lengths[i]);
        CHECK_EQ(at, lengths[i]);
        while (read_on(file_opened.handle, BUFFER, 1000) == 0 && file_got.size) // behind an empty last block
            ;
        CHECK_EQ(read_on(file_opened.handle, BUFFER, 1000), 0);
        CHECK_EQ(file_got.size, 0);
        struct pxe_file_head close = { .handle = file_opened.handle };
        CHECK_EQ(STATUS(PXENV_FILE_CLOSE, close), 0);
        CHECK_EQ(STATUS(PXENV_FILE_CLOSE, close), PXE_FAILURE);
        CHECK_EQ(world.errors, 0);
    }
}

TEST(files_that_do_not_open)
{
    static const char *const urls[] = { "http://10.0.0.1/file", "tftp://name/file", "tftp://[fe80::1]/file", "file", "", "tftp:",
                                        "tftp://10.0.0.1/a%00", "tftp://10.0.0.1:99999/file" };
    world_begin();
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
        CHECK_EQ(open_url(urls[i]), PXE_FAILURE);
    char url[400] = "tftp://10.0.0.1/";
    memset(url + 16, 'x', PXE_FILENAME_MAX);
    CHECK_EQ(open_url(url), PXE_FAILURE);
    memset(url + 16, 'x', 300);
    CHECK_EQ(open_url(url), PXE_FAILURE);
    CHECK_EQ(world.sent_count, 0);
    struct pxe_file_open b = { .name = far_of(OWN_FROM) };
    CHECK_EQ(STATUS(PXENV_FILE_OPEN, b), PXE_FAILURE);
    b = (struct pxe_file_open){ .name = far_of(OWN_FROM - 20) };
    memcpy(memory_bytes + OWN_FROM - 20, "tftp://10.0.0.1/file", 20); // and goes on in the firmware
    CHECK_EQ(STATUS(PXENV_FILE_OPEN, b), PXE_FAILURE);
    CHECK_EQ(open_url("tftp://10.0.0.1/missing"), PXE_TFTP_NOT_FOUND);
    CHECK_EQ(read_on(1, BUFFER, 100), PXE_FAILURE);
    CHECK_EQ(open_url("tftp://10.0.0.1:69/file"), 0);
    CHECK_EQ(world.sent.addr.port, 69);
    CHECK_EQ(open_url("tftp://10.0.0.1/file"), PXE_OUT_OF_RESOURCES);
    CHECK_EQ(read_on(2, BUFFER, 100), PXE_FAILURE);
    struct pxe_file_select select = { .handle = 77 };
    struct pxe_file_size size = { .handle = 77 };
    struct pxe_file_head close = { .handle = 77 };
    CHECK_EQ(STATUS(PXENV_FILE_SELECT, select), PXE_FAILURE);
    CHECK_EQ(STATUS(PXENV_FILE_GET_SIZE, size), PXE_FAILURE);
    CHECK_EQ(STATUS(PXENV_FILE_CLOSE, close), PXE_FAILURE);
    CHECK_EQ(read_on(1, OWN_FROM, 100), PXE_FAILURE);
    world.silent_later = true;
    CHECK_EQ(read_on(1, BUFFER, 100), 0); // that has come
    while (read_on(1, BUFFER, 2000) == 0)
        ;
    CHECK_EQ(last_status, PXE_TFTP_READ_TIMEOUT);
    CHECK_EQ(read_on(1, BUFFER, 100), PXE_FAILURE);
}

TEST(what_pxelinux_asks)
{
    world_begin();
    struct pxe_file_check b = { .size = sizeof b, .magic = PXE_FILE_MAGIC_IN };
    CHECK_EQ(STATUS(PXENV_FILE_API_CHECK, b), 0);
    CHECK(b.magic == PXE_FILE_MAGIC_OUT, b.size == 20, b.functions == 0x5f, b.flags == 0, b.provider != 0);
    CHECK((b.functions & 0x4b) == 0x4b); // what it needs
    CHECK_EQ(STATUS(PXENV_FILE_API_CHECK, b), PXE_BAD_FUNC);
    b = (struct pxe_file_check){ .size = sizeof b - 1, .magic = PXE_FILE_MAGIC_IN };
    CHECK_EQ(STATUS(PXENV_FILE_API_CHECK, b), PXE_BAD_FUNC);
}

TEST(the_end)
{
    world_begin();
    CHECK_EQ(open_udp(), 0);
    CHECK_EQ(write_udp(1000, 69, BUFFER, 10), 0);
    CHECK_EQ(open_file("file", 512), 0);
    CHECK_EQ(open_undi(FILTER_PROMISCUOUS, 3), 0);
    CHECK_EQ(pxe_api_end(&api), 0);
    CHECK(world.errors == 1, !world.everything, world.stack_filters == 1, world.card_open);
    for (unsigned i = 0; i < PXE_API_SOCKETS; i++)
        CHECK(!world.open[i]);
    CHECK_EQ(open_file("file", 512), 0);
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    CHECK_EQ(simple(PXENV_TFTP_CLOSE), 0); // without a word to the server
    CHECK_EQ(pxe_api_end(&api), 0);
    CHECK(world.card_open);
    CHECK_EQ(open_file("file", 512), 0);
    CHECK_EQ(simple(PXENV_UNDI_SHUTDOWN), 0);
    world.card_fails = true;
    CHECK_EQ(pxe_api_end(&api), ERR_NET_LINK);
    CHECK(!world.card_open, !world.open[PXE_API_TFTP]);
}

TEST_MAIN(T(what_is_not_served), T(blocks_out_of_reach), T(cached_packets), T(long_packets_are_cut), T(what_the_card_is),
          T(one_side_at_a_time), T(filters), T(transmission), T(frames_that_are_not_sent), T(polling_with_start), T(polling_with_process),
          T(udp), T(udp_refusals), T(udp_has_limits), T(tftp_by_blocks), T(tftp_waits_for_the_program), T(tftp_fails), T(tftp_whole_files),
          T(tftp_ports), T(files), T(files_that_do_not_open), T(what_pxelinux_asks), T(the_end))
