// SPDX-License-Identifier: MPL-2.0
// How the card is found, brought up and left, through the network driver.
#include "drivers/virtio_pci.h"

#include "drivers/testvirtio_pci.h"

TEST(knows_its_cards)
{
    CHECK(DRIVER->knows(0x1af4, 0x1000));
    CHECK(DRIVER->knows(0x1af4, 0x1041));
    CHECK(!DRIVER->knows(0x1af4, 0x1001)); // a disk
    CHECK(!DRIVER->knows(0x1af4, 0x1042));
    CHECK(!DRIVER->knows(0x8086, 0x1000));
}

TEST(probe_leaves_the_card_as_it_was)
{
    EITHER_INTERFACE(legacy) {
        uint8_t mac[6];
        card_make(legacy);
        store16_le(card.config + PCI_COMMAND, 0); // its registers do not even answer
        struct model before = card;
        CHECK_EQ(DRIVER->probe(&card.pci, mac), 0);
        CHECK(memcmp(mac, card_mac, 6) == 0);
        before.accesses = card.accesses;
        before.now = card.now;
        CHECK(memcmp(&card, &before, sizeof card) == 0);
        memset(card.net, 0, 6);
        CHECK_EQ(DRIVER->probe(&card.pci, mac), ERR_NET_LINK);
        card.net[0] = 1;
        CHECK_EQ(DRIVER->probe(&card.pci, mac), ERR_NET_LINK);
    }
}

TEST(takes_the_features_that_it_knows_and_no_others)
{
    CHECK(begin(false));
    CHECK_EQ(card.accepted, 1 << 5 | 1 << 16 | 1 << 17 | 1 << 18 | 1ull << 32 | 1ull << 33 | 1ull << 36);
    CHECK_EQ(card.status, 0x0f);
    CHECK_EQ(load16_le(card.config + PCI_COMMAND), 0x0407);
    CHECK(memcmp(net->info.mac, card_mac, 6) == 0);
    CHECK_EQ(net->info.rx_buffers, 256);
    CHECK_EQ(net->info.mtu, 1500);
    CHECK(finish());
    CHECK(begin(true));
    CHECK_EQ(card.accepted, 1 << 5 | 1 << 16);
    CHECK_EQ(card.status, 0x07);
    CHECK_EQ(net->info.rx_buffers, 128); // each takes two descriptors
    CHECK(finish());
}

TEST(mtu)
{
    static const struct {
        uint16_t offered, facts;
        bool taken;
    } rows[] = { { 1400, 1400, true }, { 1500, 1500, true }, { 68, 68, true }, { 9000, 1500, false }, { 67, 1500, false } };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        card_make(false);
        card.offered |= CARD_MTU;
        store16_le(card.net + 10, rows[i].offered);
        CHECK_EQ(open_card(), 0);
        CHECK_EQ(net->info.mtu, rows[i].facts);
        CHECK_EQ(!!(card.accepted & CARD_MTU), rows[i].taken);
        CHECK(finish());
    }
}

TEST(a_reset_that_takes_its_time)
{
    EITHER_INTERFACE(legacy) {
        card_make(legacy);
        card.reset_polls = 500;
        CHECK_EQ(open_card(), 0);
        CHECK(finish());
    }
}

TEST(a_reset_that_never_ends)
{
    EITHER_INTERFACE(legacy) {
        card_make(legacy);
        card.reset_polls = UINT32_MAX;
        CHECK_EQ(open_card(), ERR_NET_LINK);
        CHECK(card.now < 4 * NIC_WAIT_US);
        CHECK_EQ(card_dma_count(), 0);
        CHECK(begin(legacy));
        card.reset_polls = UINT32_MAX;
        card_close(net);
        CHECK_EQ(card_dma_count(), 0);
        CHECK(!(load16_le(card.config + PCI_COMMAND) & PCI_COMMAND_MASTER)); // so that it writes nowhere
        CHECK(!card_runs(CARD_RX));
        CHECK(!card.wrong);
    }
}

TEST(a_card_that_runs_is_reset_before_it_may_use_memory)
{
    EITHER_INTERFACE(legacy) {
        card_make(legacy);
        store16_le(card.config + PCI_COMMAND, 0);
        CHECK_EQ(open_card(), 0);
        CHECK(card_runs(CARD_RX));
        card_close(net);
        CHECK(!card.wrong);
        CHECK_EQ(load16_le(card.config + PCI_COMMAND), 0);
    }
}

TEST(every_allocation_fails_once)
{
    EITHER_INTERFACE(legacy) {
        unsigned n = 0;
        int err;
        do {
            card_make(legacy);
            card.fail_allocation = ++n;
            err = open_card();
            CHECK(err == 0 || err == ERR_NO_MEMORY);
            CHECK(err == 0 || (card.status == 0 && is_tidy()));
        } while (err);
        CHECK_EQ(n, legacy ? 3 : 4);
        CHECK(finish());
    }
}

TEST(damaged_capabilities)
{
    enum { NOTIFY = 0x70, DEVICE = 0x60, ISR = 0x50, COMMON = 0x40, BEFORE_NOTIFY = 0x84 }; // as they are linked
    enum { ID = 0, NEXT = 1, LENGTH = 2, TYPE = 3, BAR = 4, OFFSET = 8, AREA = 12 };
    static const struct {
        uint8_t at[2], value[2];
        int err;
    } rows[] = {
        { { COMMON + ID }, { 0x0a }, ERR_NET_LINK }, // not there
        { { DEVICE + ID }, { 0x0a }, ERR_NET_LINK },
        { { NOTIFY + ID }, { 0x0a }, ERR_NET_LINK },
        { { ISR + ID }, { 0x0a }, 0 }, // who polls has no need of it
        { { PCI_STATUS }, { 0 }, ERR_NET_LINK },
        { { COMMON + TYPE }, { 200 }, ERR_NET_LINK }, // of a kind that nobody knows
        { { COMMON + LENGTH }, { 15 }, ERR_NET_LINK },
        { { NOTIFY + LENGTH }, { 19 }, ERR_NET_LINK }, // no multiplier
        { { DEVICE + BAR }, { 6 }, ERR_NET_LINK },
        { { COMMON + AREA, COMMON + AREA + 1 }, { 0x37, 0 }, ERR_NET_LINK },
        { { COMMON + AREA, COMMON + AREA + 1 }, { 0x38, 0 }, 0 },
        { { DEVICE + AREA, DEVICE + AREA + 1 }, { 7, 0 }, ERR_NET_LINK },
        { { DEVICE + AREA, DEVICE + AREA + 1 }, { 8, 0 }, 0 },
        { { NOTIFY + AREA, NOTIFY + AREA + 1 }, { 9, 0 }, ERR_NET_LINK }, // no place for the third queue's
        { { NOTIFY + AREA, NOTIFY + AREA + 1 }, { 10, 0 }, 0 },
        { { COMMON + OFFSET + 3, COMMON + AREA + 3 }, { 0xff, 0xff }, ERR_NET_LINK }, // goes round at 4 GiB
        { { BEFORE_NOTIFY + NEXT }, { 0x98 }, ERR_NET_LINK }, // a list that goes in circles before it names anything,
        { { COMMON + NEXT }, { 0x98 }, 0 },                   // and behind everything
        { { COMMON + NEXT }, { 0xfc }, 0 },                   // an entry that ends outside
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        card_make(false);
        store32_le(card.config + 0xfc, 0x01140009);
        for (unsigned k = 0; k < 2; k++)
            if (rows[i].at[k])
                card.config[rows[i].at[k]] = rows[i].value[k];
        CHECK_EQ(open_card(), rows[i].err);
        CHECK(rows[i].err ? is_tidy() : finish());
    }
}

// A second capability of a kind is for drivers that cannot use the first one.
TEST(the_first_usable_capability_counts)
{
    card_make(false);
    card_capability(0xb0, 9, 16, 1, 2, 0, CARD_AREA);
    CHECK_EQ(open_card(), 0);
    CHECK(finish());
    card.config[0x40 + 4] = 7;
    card.config[0xb0 + 4] = CARD_BAR;
    CHECK_EQ(open_card(), 0);
    CHECK(finish());
}

TEST(legacy_registers_behind_interrupt_vectors)
{
    card_make(true);
    store16_le(card.config + 0x98 + 2, 0x8000);
    memmove(card.net + 4, card.net, 8);
    memset(card.net, 0xee, 4);
    CHECK_EQ(open_card(), 0);
    CHECK(memcmp(net->info.mac, card_mac, 6) == 0);
    CHECK(finish());
    card.config[0x10] = 0; // memory, not ports
    CHECK_EQ(open_card(), ERR_NET_LINK);
    card.config[0x10] = 1;
    card.pci.device = 0x1041; // a version 1 device has no such interface
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_tidy());
}

TEST(what_a_card_needs_to_have)
{
    card_make(false);
    card.offered &= ~CARD_MAC;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_tidy());
    card_make(false);
    card.offered &= ~CARD_VERSION_1;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_tidy());
    card_make(false);
    card.queues[CARD_CONTROL].max = 1; // no room for a command and its answer
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_tidy());
    card_make(false);
    card.refused_features = CARD_MAC;
    CHECK_EQ(open_card(), ERR_NET_LINK);
    CHECK(is_tidy());
    card_make(false);
    card.offered = CARD_MAC | CARD_VERSION_1; // no more than that
    CHECK_EQ(open_card(), 0);
    CHECK(card_link(net));
    CHECK_EQ(card_multicast(net, NULL, 0), 0);
    uint8_t frame[60] = { 1 }, *received;
    CHECK(card_deliver(frame, sizeof frame));
    CHECK_EQ(card_receive(net, &received), sizeof frame);
    CHECK(memcmp(received, frame, sizeof frame) == 0);
    CHECK(finish());
}

TEST_MAIN(T(knows_its_cards), T(probe_leaves_the_card_as_it_was), T(takes_the_features_that_it_knows_and_no_others),
          T(mtu), T(a_reset_that_takes_its_time), T(a_reset_that_never_ends),
          T(a_card_that_runs_is_reset_before_it_may_use_memory), T(every_allocation_fails_once),
          T(damaged_capabilities), T(the_first_usable_capability_counts), T(legacy_registers_behind_interrupt_vectors),
          T(what_a_card_needs_to_have))
