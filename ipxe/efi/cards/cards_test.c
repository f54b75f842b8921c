// SPDX-License-Identifier: MPL-2.0
// cards.c over a made-up firmware: which cards there are, in which order, who drives them and what is woken for that.
#include "base/test.h" // first: `count` is a name in both
#include "efi/cards/cards.c"
#include "efi/testefi.h"

#define KNOWN 0x10001af4u // device and vendor of the card that the only driver knows
#define UNKNOWN 0x813910ecu
#define NETWORK 0x020000u
#define THINGS 8

// A handle: a PCI function, or an SNP that leads through one.
static struct thing {
    uint32_t id, class;      // of a function, else 0
    struct thing *function;  // that an SNP leads through, NULL: none
    uint8_t mac;             // of an SNP, the last byte; of a function's card
    bool there, driven;      // driven: a driver of the firmware's has it open
    bool loaded_by_pxe;
    unsigned woken;
    struct efi_snp snp;
    struct efi_snp_mode mode;
} things[THINGS];
static unsigned thing_count, opened;
static bool probe_fails, everything_woken;
static struct efi_pxe_mode pxe_mode;
static struct efi_pxe pxe = { .mode = &pxe_mode };

// A function is there from the start; an SNP may come later, or go.
static void come(struct thing *t)
{
    t->there = true;
    testefi_install(t, t->id ? &pci_guid : &snp_guid, &t->snp);
    if (t->loaded_by_pxe)
        testefi_install(t, &pxe_guid, &pxe);
}

static void go(struct thing *t)
{
    t->there = false;
    testefi_remove(t);
}

efi_handle drivers_pci(efi_handle handle)
{
    struct thing *t = handle;
    return t && t->there ? t->id ? t : t->function : NULL;
}

uint32_t drivers_pci_id(efi_handle handle)
{
    struct thing *t = drivers_pci(handle);
    return t ? t->id : 0;
}

uint32_t drivers_pci_class(efi_handle device)
{
    return ((struct thing *)device)->class;
}

// Brings up the SNP of what is wanted.
void drivers_connect(bool (*wanted)(efi_handle device, uint32_t class), const struct efi_guid *protocol)
{
    for (unsigned i = 0; i < thing_count; i++) {
        struct thing *t = &things[i];
        if (!t->id || !wanted(t, t->class))
            continue;
        t->woken++;
        for (unsigned k = 0; k < thing_count; k++) {
            if (things[k].function != t)
                continue;
            things[k].driven = true;
            if (!things[k].there)
                come(&things[k]);
        }
    }
    everything_woken = protocol != NULL;
}

int pci_open(struct pci_io *pci, efi_handle handle)
{
    opened++;
    pci->function.ctx = handle;
    return 0;
}

void pci_close(struct pci_io *pci)
{
    opened--;
}

static efi_status open_information(efi_handle handle, const struct efi_guid *guid, struct efi_open_entry **ret, uint64_t *ret_count)
{
    static struct efi_open_entry entry;
    entry.attributes = ((struct thing *)handle)->driven ? EFI_OPEN_BY_DRIVER : 0;
    *ret = &entry;
    *ret_count = 1;
    return EFI_SUCCESS;
}

static bool knows(uint16_t vendor, uint16_t device)
{
    return vendor == (KNOWN & 0xffff) && device == KNOWN >> 16;
}

static int probe_mac(const struct pci_function *pci, uint8_t ret_mac[6])
{
    memset(ret_mac, 0, 6);
    ret_mac[5] = ((struct thing *)pci->ctx)->mac;
    return probe_fails || !opened ? ERR_NET_LINK : 0;
}

const struct card_ops snp_ops;
static const struct nic_driver driver = { .name = "fake", .knows = knows, .probe = probe_mac };
const struct nic_driver *const nic_drivers[] = { &driver };
const size_t nic_driver_count = 1;

static struct thing *add(struct thing t)
{
    struct thing *new = &things[thing_count++];
    *new = t;
    new->mode = (struct efi_snp_mode){ .type = 1, .address_size = 6, .packet_max = 1500 };
    new->mode.current.bytes[5] = t.mac;
    new->snp.mode = &new->mode;
    if (t.there || t.id)
        come(new);
    return new;
}

static void set_up(void)
{
    testefi_start();
    services.open_information = open_information;
    memset(&pxe_mode, 0, sizeof pxe_mode);
    thing_count = count = opened = 0;
    probe_fails = everything_woken = false;
}

static bool is(unsigned i, uint8_t mac, const char *name)
{
    struct efi_card *card = card_at(i);
    const struct card_info *info = card ? &card->card.info : NULL;
    return info && info->mac[5] == mac && strcmp(info->driver, name) == 0 && (card->driver != NULL) == (strcmp(name, "fake") == 0);
}

TEST(the_card_that_we_came_from_is_the_first_and_keeps_its_lease)
{
    set_up();
    struct thing *first = add((struct thing){ .id = KNOWN, .class = NETWORK }), *ours = add((struct thing){ .id = KNOWN, .class = NETWORK });
    add((struct thing){ .function = first, .mac = 1, .there = true });
    add((struct thing){ .function = ours, .mac = 2, .there = true, .driven = true });
    loaded.device = add((struct thing){ .function = ours, .mac = 2, .there = true, .loaded_by_pxe = true });
    ours->driven = true;
    pxe_mode.started = pxe_mode.ack_received = true;
    pxe_mode.ack[BOOTP_CHADDR + 5] = 2;
    cards_find(true);
    CHECK_EQ(cards_count(), 2);
    CHECK(is(0, 2, "fake"), card_at(0)->function == ours, card_at(0)->bound, card_at(0)->snp.stack);
    CHECK(is(1, 1, "fake"), card_at(1)->function == first, !card_at(1)->bound, !card_at(1)->snp.stack);
    CHECK(card_at(0)->card.info.dhcp_ack, !card_at(1)->card.info.dhcp_ack);
    CHECK_STR(card_at(0)->card.info.chip, "PCI 1af4:1000");
    CHECK(first->woken == 0, ours->woken == 0, !everything_woken);
}

TEST(what_is_known_is_not_woken_and_what_is_not_is)
{
    set_up();
    struct thing *known = add((struct thing){ .id = KNOWN, .class = NETWORK, .mac = 1 });
    struct thing *other = add((struct thing){ .id = UNKNOWN, .class = NETWORK });
    struct thing *disk = add((struct thing){ .id = KNOWN, .class = 0x010802 }); // an id alone is no network card
    add((struct thing){ .function = known, .mac = 1 });
    add((struct thing){ .function = other, .mac = 2 });
    cards_find(true);
    CHECK(known->woken == 0, other->woken == 1, disk->woken == 0, !everything_woken);
    CHECK_EQ(cards_count(), 2);
    CHECK(is(0, 1, "fake"), is(1, 2, "snp"), !card_at(1)->snp.stack);
    CHECK_EQ(opened, 0);
}

TEST(without_native_drivers)
{
    set_up();
    struct thing *known = add((struct thing){ .id = KNOWN, .class = NETWORK, .mac = 1 });
    add((struct thing){ .function = known, .mac = 1 });
    cards_find(false);
    CHECK_EQ(known->woken, 1);
    CHECK_EQ(cards_count(), 1);
    CHECK(is(0, 1, "snp"), everything_woken);
}

TEST(a_card_that_does_not_tell_its_address_is_the_firmwares)
{
    set_up();
    probe_fails = true;
    struct thing *known = add((struct thing){ .id = KNOWN, .class = NETWORK, .mac = 1 });
    add((struct thing){ .function = known, .mac = 1 });
    cards_find(true);
    CHECK_EQ(known->woken, 1);
    CHECK(cards_count() == 1, is(0, 1, "snp"));
    CHECK_EQ(opened, 0);
}

TEST(two_addresses_on_one_function_are_the_firmwares)
{
    set_up();
    struct thing *known = add((struct thing){ .id = KNOWN, .class = NETWORK });
    add((struct thing){ .function = known, .mac = 1, .there = true });
    add((struct thing){ .function = known, .mac = 2, .there = true });
    add((struct thing){ .mac = 3, .there = true }); // and one that is not on PCI
    cards_find(true);
    CHECK_EQ(cards_count(), 3);
    CHECK(is(0, 1, "snp"), is(1, 2, "snp"), is(2, 3, "snp"));
    CHECK_STR(card_at(2)->card.info.chip, "not on PCI");
}

TEST(back_to_the_firmwares_driver_whose_handles_are_new)
{
    set_up();
    struct thing *known = add((struct thing){ .id = KNOWN, .class = NETWORK }), *other = add((struct thing){ .id = UNKNOWN, .class = NETWORK });
    struct thing *old = add((struct thing){ .function = known, .mac = 1, .there = true });
    add((struct thing){ .function = other, .mac = 2, .there = true });
    cards_find(true);
    CHECK(is(0, 1, "fake"), is(1, 2, "snp"));
    go(old);
    struct thing *new = add((struct thing){ .function = known, .mac = 7, .there = true });
    cards_use_snp(card_at(0));
    CHECK(is(0, 7, "snp"), card_at(0)->snp.handle_count == 1, card_at(0)->snp.handles[0] == new);
    go(new);
    cards_use_snp(card_at(0));
    CHECK_EQ(card_at(0)->snp.handle_count, 0);
    CHECK_EQ(card_at(1)->snp.handle_count, 1);
}

TEST_MAIN(T(the_card_that_we_came_from_is_the_first_and_keeps_its_lease), T(what_is_known_is_not_woken_and_what_is_not_is),
          T(without_native_drivers), T(a_card_that_does_not_tell_its_address_is_the_firmwares),
          T(two_addresses_on_one_function_are_the_firmwares), T(back_to_the_firmwares_driver_whose_handles_are_new))
