// SPDX-License-Identifier: MPL-2.0
// The interface over a card in memory: each call in each state, and what becomes of frames, filters, addresses and counts.
#include "efi/driver/snp_device.c"
#include "efi/driver/snp_filters.c"
#include "efi/driver/snp_state.c"
#include "efi/driver/snp_traffic.c"
#include "base/test.h"
#include "efi/driver/testsnp.h"

static const uint8_t own[6] = { 0x52, 0x54, 0, 0x50, 0x32, 1 }, other[6] = { 0x52, 0x54, 0, 0x50, 0x32, 2 };
static const uint8_t all_ones[6] = { 255, 255, 255, 255, 255, 255 };
static const struct efi_mac group = { { 1, 0, 0x5e, 1, 2, 3 } }, group_too = { { 0x33, 0x33, 0, 0, 0, 1 } };

// --- the card ---

#define WIRE_MAX 80

static struct {
    bool open, link, everything, faulty;
    unsigned opens, closes, group_count, groups_first;
    int open_err, groups_err, everything_err, send_err;
    uint8_t in[WIRE_MAX][FRAME_RECEIVE_MAX]; // frames that wait in the card, which lets all of them through
    int in_len[WIRE_MAX];
    unsigned in_first, in_count;
    uint8_t out[FRAME_MAX];
    size_t out_len;
    unsigned out_count;
} wire;

static int fake_open(struct card *card)
{
    wire.faulty |= wire.open;
    if (wire.open_err)
        return wire.open_err;
    card->info.mtu = 1400;
    wire.open = true;
    wire.opens++;
    wire.everything = false;
    return 0;
}

static void fake_close(struct card *card)
{
    wire.faulty |= !wire.open;
    wire.open = false;
    wire.closes++;
}

static bool fake_link(struct card *card)
{
    wire.faulty |= !wire.open;
    return wire.link;
}

static int fake_multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    wire.faulty |= !wire.open;
    wire.group_count = count;
    wire.groups_first = count ? macs[0][5] : 0;
    return wire.groups_err;
}

static int fake_send(struct card *card, const void *frame, size_t len)
{
    wire.faulty |= !wire.open || len > FRAME_MAX;
    if (wire.send_err)
        return wire.send_err;
    memcpy(wire.out, frame, len);
    wire.out_len = len;
    wire.out_count++;
    return 0;
}

static int fake_receive(struct card *card, uint8_t **ret_frame)
{
    wire.faulty |= !wire.open;
    if (wire.in_first == wire.in_count)
        return 0;
    *ret_frame = wire.in[wire.in_first];
    return wire.in_len[wire.in_first++];
}

static int fake_promiscuous(struct card *card, bool on)
{
    wire.faulty |= !wire.open;
    wire.everything = on && !wire.everything_err;
    return wire.everything_err;
}

static const struct nic_driver fake = { .name = "fake",
                                        .ops = { fake_open, fake_close, fake_link, fake_multicast, fake_send, fake_receive, fake_promiscuous } };
static const struct nic_driver narrow = { .name = "narrow",
                                          .ops = { fake_open, fake_close, fake_link, fake_multicast, fake_send, fake_receive, NULL } };
static struct card card;
static struct snp_device device;
static struct efi_snp *const snp = &device.snp;

static void arrive(const uint8_t to[6], int len)
{
    uint8_t *frame = wire.in[wire.in_count];
    memset(frame, 0xa5, FRAME_RECEIVE_MAX);
    memcpy(frame, to, 6);
    memcpy(frame + 6, other, 6);
    frame[12] = 0x08;
    frame[13] = 0x06;
    wire.in_len[wire.in_count++] = len;
}

static void set_up(const struct nic_driver *driver)
{
    testsnp_start();
    memset(&wire, 0, sizeof wire);
    wire.link = true;
    card = (struct card){ .ops = &driver->ops };
    CHECK_EQ(snp_device_begin(&device, driver, &card, own), EFI_SUCCESS);
}

static void initialize_it(const struct nic_driver *driver)
{
    set_up(driver);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
}

static efi_status receive(uint64_t room, uint64_t *ret_size)
{
    static uint8_t buffer[FRAME_RECEIVE_MAX];
    *ret_size = room;
    return snp->receive(snp, NULL, ret_size, buffer, NULL, NULL, NULL);
}

// The next frame in is one to this address.
static bool hears(const uint8_t to[6])
{
    uint64_t size;
    arrive(to, 60);
    efi_status status = receive(FRAME_RECEIVE_MAX, &size);
    return !efi_failed(status) && size == 60;
}

static efi_status filters(uint32_t enable, uint32_t disable)
{
    return snp->receive_filters(snp, enable, disable, false, 0, NULL);
}

// --- states ---

TEST(what_it_is_before_anybody_has_called)
{
    const struct efi_snp_mode *m = &device.mode;
    set_up(&fake);
    CHECK(snp->revision == 0x10000, snp->mode == m, m->state == EFI_SNP_STOPPED, m->address_size == 6, m->header_size == 14);
    CHECK(m->packet_max == 1500, m->nvram_size == 0, m->type == 1, m->address_changeable, m->multiple_tx, m->media_present_supported);
    CHECK(m->filter_mask == 0x1f, m->filter_setting == 0, m->filter_max == 16, m->filter_count == 0);
    CHECK(memcmp(m->permanent.bytes, own, 6) == 0, memcmp(m->current.bytes, own, 6) == 0, memcmp(m->broadcast.bytes, all_ones, 6) == 0);
    CHECK(all_zero(m->current.bytes + 6, 26), all_zero(m->broadcast.bytes + 6, 26), wire.opens == 0);
    snp_device_end(&device);
    CHECK(wire.closes == 0, firmware.events == 0, is_calm());
    set_up(&narrow);
    CHECK(m->filter_mask == 0x07, !m->address_changeable);
    snp_device_end(&device);
    firmware.no_event = EFI_OUT_OF_RESOURCES;
    CHECK_EQ(snp_device_begin(&device, &fake, &card, own), EFI_OUT_OF_RESOURCES);
}

TEST(the_three_states)
{
    set_up(&fake);
    CHECK_EQ(snp->stop(snp), EFI_NOT_STARTED);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_NOT_STARTED);
    CHECK_EQ(snp->reset(snp, false), EFI_NOT_STARTED);
    CHECK_EQ(snp->shutdown(snp), EFI_NOT_STARTED);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    CHECK_EQ(device.mode.state, EFI_SNP_STARTED);
    CHECK_EQ(snp->start(snp), EFI_ALREADY_STARTED);
    CHECK_EQ(snp->reset(snp, false), EFI_DEVICE_ERROR);
    CHECK_EQ(snp->shutdown(snp), EFI_DEVICE_ERROR);
    CHECK_EQ(snp->initialize(snp, 1, 0), EFI_UNSUPPORTED);
    CHECK_EQ(snp->initialize(snp, 0, 1), EFI_UNSUPPORTED);
    CHECK_EQ(device.mode.state, EFI_SNP_STARTED);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK(device.mode.state == EFI_SNP_INITIALIZED, device.mode.packet_max == 1400, wire.open);
    CHECK_EQ(snp->start(snp), EFI_ALREADY_STARTED);
    CHECK_EQ(snp->stop(snp), EFI_DEVICE_ERROR);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_DEVICE_ERROR);
    CHECK_EQ(snp->reset(snp, true), EFI_SUCCESS);
    CHECK(wire.opens == 2, wire.closes == 1);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    CHECK(device.mode.state == EFI_SNP_STARTED, !wire.open);
    CHECK_EQ(snp->stop(snp), EFI_SUCCESS);
    CHECK_EQ(device.mode.state, EFI_SNP_STOPPED);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty, wire.opens == wire.closes);
}

// Every call that needs a card at work: what it says in the two states without one, and where there is nothing at all.
TEST(calls_that_need_an_initialized_card)
{
    for (unsigned state = EFI_SNP_STOPPED; state <= EFI_SNP_STARTED; state++) {
        efi_status expected = state == EFI_SNP_STOPPED ? EFI_NOT_STARTED : EFI_DEVICE_ERROR;
        uint64_t size = 0;
        uint32_t interrupts;
        uint8_t bytes[64] = { 0xe0 };
        struct efi_mac mac;
        set_up(&fake);
        if (state == EFI_SNP_STARTED)
            CHECK_EQ(snp->start(snp), EFI_SUCCESS);
        CHECK_EQ(filters(EFI_SNP_UNICAST, 0), expected);
        CHECK_EQ(snp->station_address(snp, true, NULL), expected);
        CHECK_EQ(snp->statistics(snp, true, NULL, NULL), expected);
        CHECK_EQ(snp->group_to_mac(snp, false, bytes, &mac), expected);
        CHECK_EQ(snp->nvdata(snp, true, 0, 4, bytes), expected);
        CHECK_EQ(snp->get_status(snp, &interrupts, NULL), expected);
        CHECK_EQ(snp->transmit(snp, 0, 60, bytes, NULL, NULL, NULL), expected);
        CHECK_EQ(snp->receive(snp, NULL, &size, bytes, NULL, NULL, NULL), expected);
        notify_all(EFI_EVT_NOTIFY_WAIT);
        CHECK(firmware.signals == 0, is_calm(), !wire.faulty);
        snp_device_end(&device);
    }
    CHECK_EQ(snp->start(NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->stop(NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->initialize(NULL, 0, 0), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->reset(NULL, false), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->shutdown(NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->nvdata(NULL, true, 0, 0, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->statistics(NULL, false, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->get_status(NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    initialize_it(&fake);
    CHECK_EQ(snp->nvdata(snp, true, 0, 4, NULL), EFI_UNSUPPORTED);
    snp_device_end(&device);
}

TEST(a_card_that_fails_is_not_initialized)
{
    set_up(&fake);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    wire.open_err = ERR_NO_MEMORY;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_OUT_OF_RESOURCES);
    wire.open_err = ERR_NET_LINK;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_DEVICE_ERROR);
    CHECK(device.mode.state == EFI_SNP_STARTED, !wire.open);
    wire.open_err = 0;
    wire.groups_err = ERR_NET_LINK; // takes no list, and works without one
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK_EQ(filters(EFI_SNP_UNICAST | EFI_SNP_BROADCAST, 0), EFI_SUCCESS);
    wire.groups_err = 0;
    CHECK_EQ(snp->station_address(snp, false, &(struct efi_mac){ { 2, 2, 2 } }), EFI_SUCCESS);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    wire.everything_err = ERR_NET_LINK; // without which there is no such address
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_DEVICE_ERROR);
    CHECK(device.mode.state == EFI_SNP_STARTED, !wire.open);
    wire.everything_err = 0;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    wire.open_err = ERR_NO_MEMORY;
    CHECK_EQ(snp->reset(snp, false), EFI_DEVICE_ERROR);
    CHECK(device.mode.state == EFI_SNP_STARTED, !wire.open);
    CHECK_EQ(snp->shutdown(snp), EFI_DEVICE_ERROR);
    wire.open_err = 0;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    snp_device_end(&device); // in whatever state
    CHECK(!wire.open, !wire.faulty, firmware.events == 0, is_calm());
}

static void plug_in(void)
{
    wire.link |= firmware.stalls == 20;
}

static void shut_it_down(void)
{
    if (firmware.stalls == 5)
        (void)snp->shutdown(snp);
}

TEST(a_link_is_waited_for_once)
{
    unsigned whole = SNP_DEVICE_LINK_US / SNP_DEVICE_LINK_STEP_US;
    uint32_t interrupts;
    initialize_it(&fake);
    CHECK(firmware.stalls == 0, device.mode.media_present);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    wire.link = false;
    while_stalling = plug_in;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK(firmware.stalls == 20, device.mode.media_present);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    wire.link = false;
    while_stalling = NULL;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK(firmware.stalls == 20 + whole, !device.mode.media_present);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS); // no second time for nothing
    CHECK(firmware.stalls == 20 + whole, !device.mode.media_present);
    wire.link = true;
    CHECK_EQ(snp->get_status(snp, &interrupts, NULL), EFI_SUCCESS);
    CHECK(device.mode.media_present);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    wire.link = false;
    while_stalling = shut_it_down; // by somebody else, meanwhile
    firmware.stalls = 0;
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK(firmware.stalls == 5, device.mode.state == EFI_SNP_STARTED);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

// --- what comes in ---

TEST(nothing_comes_in_before_it_is_asked_for)
{
    initialize_it(&fake);
    CHECK(!hears(own), !hears(all_ones), !hears(group.bytes), !hears(other));
    CHECK_EQ(filters(EFI_SNP_UNICAST, 0), EFI_SUCCESS);
    CHECK(hears(own), !hears(all_ones), !hears(group.bytes), !hears(other));
    CHECK_EQ(filters(EFI_SNP_BROADCAST, EFI_SNP_UNICAST), EFI_SUCCESS);
    CHECK(!hears(own), hears(all_ones), !hears(group.bytes), device.mode.filter_setting == EFI_SNP_BROADCAST);
    CHECK_EQ(filters(EFI_SNP_UNICAST, EFI_SNP_UNICAST), EFI_SUCCESS); // what is disabled wins
    CHECK(!hears(own), hears(all_ones));
    CHECK_EQ(filters(EFI_SNP_ALL_MULTICAST, 0), EFI_SUCCESS);
    CHECK(hears(group.bytes), hears(all_ones), !hears(own), !hears(other), wire.everything);
    CHECK_EQ(filters(EFI_SNP_PROMISCUOUS, EFI_SNP_ALL_MULTICAST), EFI_SUCCESS);
    CHECK(hears(group.bytes), hears(own), hears(other), wire.everything);
    CHECK_EQ(filters(EFI_SNP_UNICAST, EFI_SNP_PROMISCUOUS), EFI_SUCCESS);
    CHECK(!wire.everything, !hears(other), hears(own), hears(all_ones));
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK(!hears(own), device.mode.filter_setting == 0);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(multicast_lists)
{
    struct efi_mac groups[17];
    initialize_it(&fake);
    for (unsigned i = 0; i < 17; i++)
        groups[i] = group;
    groups[1] = group_too;
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 2, groups), EFI_SUCCESS);
    CHECK(hears(group.bytes), hears(group_too.bytes), !hears(all_ones), !hears(own), wire.group_count == 2, wire.groups_first == 3);
    CHECK(device.mode.filter_count == 2, memcmp(&device.mode.filters[1], &group_too, sizeof group_too) == 0);
    CHECK_EQ(filters(EFI_SNP_UNICAST, 0), EFI_SUCCESS); // the list stays
    CHECK(hears(group_too.bytes), hears(own), device.mode.filter_count == 2);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 1, groups), EFI_SUCCESS);
    CHECK(hears(group.bytes), !hears(group_too.bytes));
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, true, 2, groups), EFI_SUCCESS); // reset wins
    CHECK(!hears(group.bytes), hears(own), device.mode.filter_count == 0, device.mode.filter_setting == EFI_SNP_UNICAST, wire.group_count == 0);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 16, groups), EFI_SUCCESS);
    CHECK_EQ(filters(0, EFI_SNP_MULTICAST), EFI_SUCCESS);
    CHECK(!hears(group.bytes), device.mode.filter_count == 0);

    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 17, groups), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, UINT64_MAX, groups), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 0, groups), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 1, NULL), EFI_INVALID_PARAMETER);
    memcpy(groups[1].bytes, own, 6);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 2, groups), EFI_INVALID_PARAMETER);
    CHECK_EQ(filters(0x20, 0), EFI_INVALID_PARAMETER);
    CHECK_EQ(filters(0, 0x20), EFI_INVALID_PARAMETER);
    CHECK_EQ(device.mode.filter_setting, EFI_SNP_UNICAST);
    wire.groups_err = ERR_NET_LINK;
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 1, groups), EFI_DEVICE_ERROR);
    wire.groups_err = 0;
    wire.everything_err = ERR_NET_LINK;
    CHECK_EQ(filters(EFI_SNP_PROMISCUOUS, 0), EFI_DEVICE_ERROR);
    CHECK(device.mode.filter_setting == EFI_SNP_UNICAST, device.mode.filter_count == 0, hears(own));
    snp_device_end(&device);
    initialize_it(&narrow);
    CHECK_EQ(filters(EFI_SNP_PROMISCUOUS, 0), EFI_INVALID_PARAMETER);
    CHECK_EQ(filters(EFI_SNP_ALL_MULTICAST, 0), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->receive_filters(snp, EFI_SNP_MULTICAST, 0, false, 1, groups), EFI_SUCCESS);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(another_address_and_back)
{
    struct efi_mac mac = { { 2, 0, 0, 0, 0, 9 } }, bad = { { 3, 0, 0, 0, 0, 9 } }, none = { { 0 } }, permanent = { { 0 } };
    memcpy(permanent.bytes, own, 6);
    memset(mac.bytes + 6, 0xee, 26); // what is behind the six bytes means nothing
    initialize_it(&fake);
    CHECK_EQ(filters(EFI_SNP_UNICAST, 0), EFI_SUCCESS);
    CHECK_EQ(snp->station_address(snp, false, &mac), EFI_SUCCESS);
    CHECK(hears(mac.bytes), !hears(own), !hears(other), wire.everything, all_zero(device.mode.current.bytes + 6, 26));
    CHECK(memcmp(device.mode.permanent.bytes, own, 6) == 0);
    CHECK_EQ(snp->station_address(snp, false, &bad), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->station_address(snp, false, &none), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->station_address(snp, false, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->reset(snp, false), EFI_SUCCESS); // which takes neither address nor filters away
    CHECK(hears(mac.bytes), wire.everything);
    CHECK_EQ(snp->station_address(snp, true, &bad), EFI_SUCCESS);
    CHECK(hears(own), !hears(mac.bytes), !wire.everything);
    wire.everything_err = ERR_NET_LINK;
    CHECK_EQ(snp->station_address(snp, false, &mac), EFI_DEVICE_ERROR);
    CHECK(hears(own));
    wire.everything_err = 0;
    CHECK_EQ(snp->station_address(snp, false, &mac), EFI_SUCCESS);
    CHECK_EQ(snp->shutdown(snp), EFI_SUCCESS);
    CHECK_EQ(snp->stop(snp), EFI_SUCCESS);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    CHECK(memcmp(device.mode.current.bytes, own, 6) == 0);
    snp_device_end(&device);
    initialize_it(&narrow);
    CHECK_EQ(snp->station_address(snp, false, &mac), EFI_UNSUPPORTED);
    CHECK_EQ(snp->station_address(snp, false, &permanent), EFI_SUCCESS);
    CHECK_EQ(snp->station_address(snp, true, NULL), EFI_SUCCESS);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(groups_of_ip)
{
    static const uint8_t ipv4[4] = { 239, 0x81, 2, 3 }, ipv6[16] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56 };
    static const uint8_t single[16] = { 10 }, last[4] = { 0xf0 };
    struct efi_mac mac;
    initialize_it(&fake);
    CHECK_EQ(snp->group_to_mac(snp, false, ipv4, &mac), EFI_SUCCESS);
    CHECK(memcmp(mac.bytes, "\x01\x00\x5e\x01\x02\x03", 6) == 0, all_zero(mac.bytes + 6, 26));
    CHECK_EQ(snp->group_to_mac(snp, true, ipv6, &mac), EFI_SUCCESS);
    CHECK(memcmp(mac.bytes, "\x33\x33\xff\x12\x34\x56", 6) == 0, all_zero(mac.bytes + 6, 26));
    CHECK_EQ(snp->group_to_mac(snp, false, single, &mac), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->group_to_mac(snp, false, last, &mac), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->group_to_mac(snp, true, single, &mac), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->group_to_mac(snp, false, NULL, &mac), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->group_to_mac(snp, false, ipv4, NULL), EFI_INVALID_PARAMETER);
    snp_device_end(&device);
}

TEST(a_received_frame)
{
    uint8_t buffer[FRAME_RECEIVE_MAX + 2];
    uint64_t size = 0, header = 0;
    struct efi_mac source, destination;
    uint16_t protocol = 0;
    initialize_it(&fake);
    CHECK_EQ(filters(EFI_SNP_UNICAST, 0), EFI_SUCCESS);
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_NOT_READY);
    arrive(own, 13); // of which a driver would have made nothing
    arrive(own, 77);
    arrive(own, FRAME_RECEIVE_MAX);
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_NOT_READY);
    CHECK_EQ(receive(76, &size), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(size, 77);
    CHECK_EQ(receive(0, &size), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(size, 77);
    memset(buffer, 0, sizeof buffer);
    CHECK_EQ(snp->receive(snp, &header, &size, buffer + 1, &source, &destination, &protocol), EFI_SUCCESS);
    CHECK(size == 77, header == 14, protocol == 0x0806, memcmp(source.bytes, other, 6) == 0, memcmp(destination.bytes, own, 6) == 0);
    CHECK(all_zero(source.bytes + 6, 26), buffer[0] == 0, buffer[77] == 0xa5, buffer[78] == 0);
    CHECK_EQ(receive(FRAME_RECEIVE_MAX - 1, &size), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_SUCCESS);
    CHECK_EQ(size, FRAME_RECEIVE_MAX);
    CHECK_EQ(snp->receive(snp, NULL, NULL, buffer, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->receive(snp, NULL, &size, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_NOT_READY);
    arrive(own, 60);
    CHECK_EQ(receive(10, &size), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(filters(EFI_SNP_BROADCAST, EFI_SNP_UNICAST), EFI_SUCCESS); // not wanted any more
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_NOT_READY);
    // A wire full of frames for others does not keep the caller for ever.
    for (unsigned i = 0; i < FETCH_MAX + 1; i++)
        arrive(other, 60);
    wire.in_first = wire.in_count - FETCH_MAX - 1;
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_NOT_READY);
    CHECK_EQ(wire.in_first, wire.in_count - 1);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(who_waits_for_a_frame_is_told)
{
    uint32_t interrupts = 0;
    uint64_t size;
    initialize_it(&fake);
    CHECK_EQ(filters(EFI_SNP_BROADCAST, 0), EFI_SUCCESS);
    notify_all(EFI_EVT_NOTIFY_WAIT);
    CHECK_EQ(firmware.signals, 0);
    arrive(own, 60);
    arrive(all_ones, 60);
    notify_all(EFI_EVT_NOTIFY_WAIT);
    notify_all(EFI_EVT_NOTIFY_WAIT);
    CHECK_EQ(firmware.signals, 2);
    CHECK_EQ(snp->get_status(snp, &interrupts, NULL), EFI_SUCCESS);
    CHECK_EQ(interrupts, SNP_RECEIVE_INTERRUPT);
    CHECK_EQ(snp->get_status(snp, &interrupts, NULL), EFI_SUCCESS);
    CHECK_EQ(interrupts, 0);
    CHECK_EQ(receive(FRAME_RECEIVE_MAX, &size), EFI_SUCCESS);
    notify_all(EFI_EVT_NOTIFY_WAIT);
    CHECK_EQ(firmware.signals, 2);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

// --- what goes out ---

TEST(a_frame_with_and_without_a_header)
{
    uint8_t frame[FRAME_MAX + 1] = { 0 };
    struct efi_mac to = group, from = { { 2, 2, 2, 2, 2, 2 } };
    uint16_t protocol = 0x86dd;
    void *buffer = NULL;
    initialize_it(&fake);
    memset(frame, 7, sizeof frame);
    CHECK_EQ(snp->transmit(snp, 0, 60, frame, NULL, NULL, NULL), EFI_SUCCESS);
    CHECK(wire.out_len == 60, memcmp(wire.out, frame, 60) == 0, frame[0] == 7);
    CHECK_EQ(snp->transmit(snp, 14, 61, frame, NULL, &to, &protocol), EFI_SUCCESS);
    CHECK(wire.out_len == 61, memcmp(wire.out, group.bytes, 6) == 0, memcmp(wire.out + 6, own, 6) == 0);
    CHECK(memcmp(wire.out + 12, "\x86\xdd\x07", 3) == 0);
    CHECK_EQ(snp->transmit(snp, 14, 14, frame, &from, &to, &protocol), EFI_SUCCESS);
    CHECK(wire.out_len == 14, memcmp(wire.out + 6, from.bytes, 6) == 0);
    CHECK_EQ(snp->transmit(snp, 0, 1414, frame, NULL, NULL, NULL), EFI_SUCCESS); // the card's MTU is 1400
    CHECK_EQ(snp->transmit(snp, 0, 1415, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->transmit(snp, 0, UINT64_MAX, frame, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->transmit(snp, 0, 13, frame, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(snp->transmit(snp, 14, 13, frame, NULL, &to, &protocol), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(snp->transmit(snp, 13, 60, frame, NULL, &to, &protocol), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->transmit(snp, 14, 60, frame, NULL, NULL, &protocol), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->transmit(snp, 14, 60, frame, NULL, &to, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->transmit(snp, 0, 60, NULL, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(wire.out_count, 4);
    wire.send_err = ERR_NET_LINK;
    CHECK_EQ(snp->transmit(snp, 0, 60, frame, NULL, NULL, NULL), EFI_DEVICE_ERROR);
    CHECK_EQ(device.sent_count, 4); // that one is the caller's
    CHECK_EQ(snp->get_status(snp, NULL, NULL), EFI_INVALID_PARAMETER);
    CHECK_EQ(snp->get_status(snp, NULL, &buffer), EFI_SUCCESS);
    CHECK(buffer == frame);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(buffers_come_back_in_their_order)
{
    static uint8_t frames[SNP_STATE_SENT_MAX + 1][60];
    uint32_t interrupts;
    void *buffer;
    initialize_it(&fake);
    CHECK_EQ(snp->get_status(snp, NULL, &buffer), EFI_SUCCESS);
    CHECK(buffer == NULL);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SNP_STATE_SENT_MAX; i++)
            CHECK_EQ(snp->transmit(snp, 0, 60, frames[i], NULL, NULL, NULL), EFI_SUCCESS);
        CHECK_EQ(snp->transmit(snp, 0, 60, frames[SNP_STATE_SENT_MAX], NULL, NULL, NULL), EFI_NOT_READY);
        CHECK_EQ(snp->get_status(snp, &interrupts, &buffer), EFI_SUCCESS);
        CHECK(interrupts == SNP_TRANSMIT_INTERRUPT, buffer == frames[0]);
        CHECK_EQ(snp->transmit(snp, 0, 60, frames[SNP_STATE_SENT_MAX], NULL, NULL, NULL), EFI_SUCCESS);
        for (unsigned i = 1; i <= SNP_STATE_SENT_MAX; i++) {
            CHECK_EQ(snp->get_status(snp, NULL, &buffer), EFI_SUCCESS);
            CHECK(buffer == frames[i]);
        }
        CHECK_EQ(snp->get_status(snp, &interrupts, &buffer), EFI_SUCCESS);
        CHECK(interrupts == SNP_TRANSMIT_INTERRUPT, buffer == NULL);
    }
    CHECK_EQ(snp->transmit(snp, 0, 60, frames[0], NULL, NULL, NULL), EFI_SUCCESS);
    CHECK_EQ(snp->reset(snp, false), EFI_SUCCESS); // empties the queues
    CHECK_EQ(snp->get_status(snp, &interrupts, &buffer), EFI_SUCCESS);
    CHECK(interrupts == 0, buffer == NULL);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(counts)
{
    struct {
        struct snp_statistics s;
        uint64_t guard;
    } got = { .guard = 42 };
    uint8_t frame[100] = { 0 };
    uint64_t size;
    initialize_it(&fake);
    CHECK_EQ(filters(EFI_SNP_PROMISCUOUS, 0), EFI_SUCCESS);
    CHECK(hears(own), hears(other), hears(all_ones), hears(group.bytes));
    CHECK_EQ(snp->transmit(snp, 0, 100, frame, NULL, NULL, NULL), EFI_SUCCESS);
    memset(frame, 0xff, 6);
    CHECK_EQ(snp->transmit(snp, 0, 60, frame, NULL, NULL, NULL), EFI_SUCCESS);
    wire.send_err = ERR_NET_LINK;
    CHECK_EQ(snp->transmit(snp, 0, 60, frame, NULL, NULL, NULL), EFI_DEVICE_ERROR);
    CHECK_EQ(snp->statistics(snp, false, NULL, NULL), EFI_SUCCESS);
    CHECK_EQ(snp->statistics(snp, false, NULL, &got), EFI_INVALID_PARAMETER);
    size = 0;
    CHECK_EQ(snp->statistics(snp, false, &size, NULL), EFI_BUFFER_TOO_SMALL);
    CHECK_EQ(size, 208);
    CHECK_EQ(snp->statistics(snp, false, &size, NULL), EFI_BUFFER_TOO_SMALL);
    size = 16;
    memset(&got.s, 0, sizeof got.s);
    CHECK_EQ(snp->statistics(snp, false, &size, &got), EFI_BUFFER_TOO_SMALL); // a part of them
    CHECK(size == 208, got.s.rx_total == 4, got.s.rx_good == 4, got.s.rx_undersize == 0);
    size = 300;
    CHECK_EQ(snp->statistics(snp, true, &size, &got), EFI_SUCCESS);
    CHECK(size == 208, got.guard == 42, got.s.rx_unicast == 2, got.s.rx_broadcast == 1, got.s.rx_multicast == 1, got.s.rx_bytes == 240);
    CHECK(got.s.tx_total == 3, got.s.tx_good == 2, got.s.tx_bytes == 160, got.s.tx_unicast == 1, got.s.tx_broadcast == 1);
    CHECK(got.s.rx_crc_error == UINT64_MAX, got.s.collisions == UINT64_MAX, got.s.tx_retry == UINT64_MAX);
    CHECK_EQ(snp->statistics(snp, false, &size, &got), EFI_SUCCESS);
    CHECK(got.s.rx_total == 0, got.s.tx_total == 0, got.s.tx_bytes == 0, got.s.rx_dropped == UINT64_MAX);
    snp_device_end(&device);
    CHECK(is_calm(), !wire.faulty);
}

TEST(the_system_takes_the_machine)
{
    uint64_t size;
    initialize_it(&fake);
    CHECK_EQ(filters(EFI_SNP_BROADCAST, 0), EFI_SUCCESS);
    snp_device_leave(&device);
    CHECK(!wire.open);
    unsigned opens = wire.opens;
    CHECK_EQ(snp->start(snp), EFI_DEVICE_ERROR);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_DEVICE_ERROR);
    CHECK_EQ(receive(100, &size), EFI_DEVICE_ERROR);
    notify_all(EFI_EVT_NOTIFY_WAIT);
    CHECK(wire.opens == opens, firmware.signals == 0, !wire.faulty, is_calm());
    set_up(&fake);
    snp_device_leave(&device);
    CHECK(wire.closes == 0, !wire.faulty);
}

TEST_MAIN(T(what_it_is_before_anybody_has_called), T(the_three_states), T(calls_that_need_an_initialized_card),
          T(a_card_that_fails_is_not_initialized), T(a_link_is_waited_for_once), T(nothing_comes_in_before_it_is_asked_for), T(multicast_lists),
          T(another_address_and_back), T(groups_of_ip), T(a_received_frame), T(who_waits_for_a_frame_is_told),
          T(a_frame_with_and_without_a_header), T(buffers_come_back_in_their_order), T(counts), T(the_system_takes_the_machine))
