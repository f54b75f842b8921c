// SPDX-License-Identifier: MPL-2.0
// nic.c and native.c over two cards in memory: what is taken from the firmware and when it is given back, and what happens
// where a step fails.
#include "efi/cards/nic.c"
#include "efi/cards/native.c"
#include "base/test.h"
#include "efi/testefi.h"

static struct efi_card cards[2];
static struct card *net[CARDS_MAX];
static bool links[2]; // of the native cards
static unsigned failing;
enum { FAILS_NOTHING, FAILS_PROTOCOL, FAILS_PCI, FAILS_HEAP, FAILS_DRIVER, FAILS_LAST };

unsigned cards_count(void)
{
    return ARRAY_SIZE(cards);
}

struct efi_card *card_at(unsigned i)
{
    return i < ARRAY_SIZE(cards) ? &cards[i] : NULL;
}

void cards_use_snp(struct efi_card *card)
{
    testefi_note("use-snp");
    card->driver = NULL;
}

static bool heap_empty(void)
{
    return failing == FAILS_HEAP;
}

int pci_open(struct pci_io *pci, efi_handle handle)
{
    testefi_note("pci");
    return failing == FAILS_PCI ? ERR_NET_LINK : 0;
}

void pci_close(struct pci_io *pci)
{
    testefi_note("pci-end");
}

// --- the firmware's side ---

static int snp_open(struct card *card)
{
    testefi_note("snp");
    return 0;
}

static void snp_close(struct card *card)
{
    testefi_note("snp-end");
}

static int snp_multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    testefi_note("snp-groups");
    return 0;
}

static int snp_send(struct card *card, const void *frame, size_t len)
{
    testefi_note("snp-send");
    return 0;
}

static int snp_receive(struct card *card, uint8_t **ret_frame)
{
    return 0;
}

const struct card_ops snp_ops = { snp_open, snp_close, NULL, snp_multicast, snp_send, snp_receive, NULL };

void snp_stop(efi_handle function)
{
    testefi_note("stop");
}

static efi_status disconnect(efi_handle controller, efi_handle driver, efi_handle child)
{
    testefi_note("disconnect");
    return EFI_NOT_FOUND; // where there was none
}

static efi_status connect(efi_handle controller, efi_handle *drivers, struct efi_device_path *remaining, bool recursive)
{
    testefi_note(recursive ? "connect-all" : "connect");
    return EFI_SUCCESS;
}

static efi_status open_protocol(efi_handle handle, const struct efi_guid *guid, void **ret, efi_handle agent, efi_handle controller,
                                uint32_t attributes)
{
    testefi_note(attributes == EFI_OPEN_EXCLUSIVE ? "take" : "take-not-alone");
    return failing == FAILS_PROTOCOL ? EFI_ACCESS_DENIED : EFI_SUCCESS;
}

static efi_status close_protocol(efi_handle handle, const struct efi_guid *guid, efi_handle agent, efi_handle controller)
{
    testefi_note("let-go");
    return EFI_SUCCESS;
}

// --- a driver ---

struct state {
    struct nic nic;
    uint8_t zero[16];
    unsigned number;
};

static int driver_open(struct card *card)
{
    struct state *s = (struct state *)card;
    testefi_note("driver");
    for (unsigned i = 0; i < sizeof s->zero; i++)
        if (s->zero[i])
            return ERR_INTERNAL;
    if (failing == FAILS_DRIVER)
        return ERR_NET_LINK;
    memset(s->zero, 0xff, sizeof s->zero);
    s->number = s->nic.pci == &cards[1].pci.function;
    memcpy(card->info.mac, (const uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)s->number }, 6);
    card->info.rx_buffers = 256;
    card->info.mtu = 1400;
    return 0;
}

static void driver_close(struct card *card)
{
    testefi_note("driver-end");
}

static bool driver_link(struct card *card)
{
    return links[((struct state *)card)->number];
}

static int driver_multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    testefi_note(count == 2 && macs[1][5] == 7 ? "groups" : "other-groups");
    return 0;
}

static int driver_send(struct card *card, const void *frame, size_t len)
{
    testefi_note("send");
    return 0;
}

static int driver_receive(struct card *card, uint8_t **ret_frame)
{
    static uint8_t frame[60];
    *ret_frame = frame;
    return sizeof frame;
}

static const struct nic_driver driver = { .name = "fake", .size = sizeof(struct state),
                                          .ops = { driver_open, driver_close, driver_link, driver_multicast, driver_send, driver_receive, NULL } };

#define TAKEN "stop disconnect take pci driver "
#define CLOSED "driver-end pci-end let-go "

static void set_up(void)
{
    testefi_start();
    heap_fails = heap_empty;
    services.disconnect = disconnect;
    services.connect = connect;
    services.open_protocol = open_protocol;
    services.close_protocol = close_protocol;
    for (unsigned i = 0; i < 2; i++) {
        cards[i] = (struct efi_card){ .driver = &driver, .snp.card.ops = &snp_ops };
        links[i] = true;
    }
    CHECK_EQ(nic_cards(NULL, net), 2);
    failing = FAILS_NOTHING;
}

TEST(taken_when_opened_and_given_back_as_it_was)
{
    set_up();
    CHECK_EQ(card_open(net[0]), 0);
    CHECK(testefi_ordered(TAKEN));
    CHECK_STR(net[0]->info.driver, "fake");
    CHECK(cards[0].card.info.rx_buffers == 256, cards[0].card.info.mtu == 1400, cards[0].card.info.mac[0] == 2);
    card_close(net[0]);
    CHECK(testefi_ordered(CLOSED)); // the firmware had not started it
    cards[0].bound = true;
    CHECK_EQ(card_open(net[0]), 0);
    CHECK_EQ(card_open(net[0]), 0);
    card_close(net[0]);
    card_close(net[0]);
    CHECK(testefi_ordered(TAKEN CLOSED "connect "));
    cards[0].snp.stack = true;
    CHECK_EQ(card_open(net[0]), 0);
    nic_close_all();
    CHECK(testefi_ordered(TAKEN CLOSED "connect-all "));
    CHECK_EQ(heap_under_way, 0);
    CHECK_STR(said, "");
}

TEST(the_firmwares_driver_takes_over_where_a_step_fails)
{
    static const char *const steps[FAILS_LAST] = { [FAILS_PROTOCOL] = "stop disconnect take ",
                                                   [FAILS_PCI] = "stop disconnect take pci let-go ",
                                                   [FAILS_HEAP] = "stop disconnect take pci pci-end let-go ",
                                                   [FAILS_DRIVER] = TAKEN "pci-end let-go " };
    for (unsigned step = FAILS_PROTOCOL; step < FAILS_LAST; step++) {
        char expected[200];
        set_up();
        failing = step;
        CHECK_EQ(card_open(net[0]), 0);
        snprintf(expected, sizeof expected, "%sconnect-all use-snp snp ", steps[step]);
        CHECK(testefi_ordered(expected));
        CHECK_STR(said, step == FAILS_HEAP ? "net: net0 (fake): out of memory [G02]; the firmware's driver takes over\n" :
                                             "net: net0 (fake): network card fault [N02]; the firmware's driver takes over\n");
        CHECK_EQ(card_send(net[0], "", 60), 0);
        card_close(net[0]);
        CHECK(testefi_ordered("snp-send snp-end "));
        CHECK_EQ(card_open(net[0]), 0); // it stays with the firmware's
        CHECK(testefi_ordered("snp "));
        nic_close_all();
        CHECK_EQ(heap_under_way, 0);
    }
}

TEST(a_link_is_what_the_driver_says)
{
    set_up();
    CHECK(!card_link(net[0])); // not open
    CHECK_EQ(card_open(net[0]), 0);
    CHECK(card_link(net[0]));
    links[0] = false;
    CHECK(!card_link(net[0]));
    cards[1].driver = NULL;
    CHECK_EQ(card_open(net[1]), 0);
    CHECK(card_link(net[1]));
    nic_close_all();
}

TEST(lent_or_quiet_and_back_with_the_same_groups)
{
    static const uint8_t groups[2][6] = { { 1 }, { 1, 0, 0, 0, 0, 7 } };
    set_up();
    cards[1].driver = NULL;
    CHECK_EQ(card_multicast(net[0], groups, 2), ERR_NET_LINK);
    CHECK_EQ(card_open(net[0]), 0);
    CHECK_EQ(card_open(net[1]), 0);
    CHECK_EQ(card_multicast(net[0], groups, 2), 0);
    CHECK(testefi_ordered(TAKEN "snp groups "));
    nic_lend();
    CHECK(testefi_ordered(CLOSED "connect-all snp-end "));
    CHECK_EQ(card_send(net[0], "", 60), ERR_NET_LINK);
    nic_resume();
    CHECK(testefi_ordered(TAKEN "groups snp snp-groups "));
    nic_quiet();
    CHECK(testefi_ordered(CLOSED)); // nobody's; the firmware sees to its own card when the kernel ends it
    nic_resume();
    CHECK(testefi_ordered(TAKEN "groups "));
    card_close(net[0]);
    nic_lend();
    order[0] = 0;
    nic_resume();
    CHECK(testefi_ordered("snp snp-groups ")); // a closed one stays closed
    nic_close_all();
    CHECK_EQ(heap_under_way, 0);
}

TEST(frames)
{
    static uint8_t frame[FRAME_MAX + 1];
    uint8_t *got;
    set_up();
    CHECK_EQ(card_receive(net[0], &got), ERR_NET_LINK);
    CHECK_EQ(card_send(net[0], frame, 60), ERR_NET_LINK);
    CHECK_EQ(card_open(net[0]), 0);
    (void)nic_frame_passed();
    CHECK_EQ(card_receive(net[0], &got), 60);
    CHECK(nic_frame_passed(), !nic_frame_passed());
    order[0] = 0;
    CHECK_EQ(card_send(net[0], frame, FRAME_MAX), 0);
    CHECK(nic_frame_passed(), !nic_frame_passed());
    CHECK_EQ(card_send(net[0], frame, FRAME_MAX + 1), ERR_NET_LINK);
    CHECK(testefi_ordered("send "));
    nic_close_all();
}

TEST_MAIN(T(taken_when_opened_and_given_back_as_it_was), T(the_firmwares_driver_takes_over_where_a_step_fails),
          T(a_link_is_what_the_driver_says), T(lent_or_quiet_and_back_with_the_same_groups), T(frames))
