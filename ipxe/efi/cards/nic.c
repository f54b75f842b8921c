// SPDX-License-Identifier: MPL-2.0
// See nic.h.
#include "efi/cards/nic.h"

#include "base/fmt.h"
#include "drivers/nic.h"
#include "efi/cards/cards.h"
#include "efi/console.h"
#include "efi/efi.h"
#include "efi/cards/native.h"
#include "efi/cards/snp.h"

static void say(unsigned nic, const char *what)
{
    char text[160];
    fmt_snprintf(text, sizeof text, "net: net%u %s\n", nic, what);
    console_write_text(text, strlen(text));
}

static bool is_open(const struct card *card)
{
    return card->state || card->snp;
}

// By the native driver; by the firmware's, when that fails.
static int start(unsigned nic, struct card *card)
{
    char text[128];
    if (!card->driver)
        return snp_open(card);
    int err = native_open(card);
    if (!err)
        return 0;
    fmt_snprintf(text, sizeof text, "(%s): %s [%s]; the firmware's driver takes over", card->driver->name, err_text(err), err_code(err));
    say(nic, text);
    native_give_back(card, true);
    cards_use_snp(card);
    return snp_open(card);
}

static void stop(struct card *card)
{
    if (card->state) {
        native_close(card);
        native_give_back(card, false);
    } else {
        snp_close(card);
    }
}

int nic_open(unsigned nic)
{
    struct card *card = card_at(nic);
    if (!card)
        return ERR_NET_NO_CARD;
    return is_open(card) ? 0 : start(nic, card);
}

void nic_close(unsigned nic)
{
    if (card_at(nic))
        stop(card_at(nic));
}

void nic_close_all(void)
{
    for (unsigned i = 0; i < cards_count(); i++)
        stop(card_at(i));
}

bool nic_link(unsigned nic)
{
    const struct card *card = card_at(nic);
    if (!card || !is_open(card))
        return false;
    return card->state ? card->driver->link(card->state) : snp_link(card);
}

static int set_groups(struct card *card)
{
    unsigned n = MIN(card->group_count, (unsigned)EFI_SNP_FILTERS_MAX);
    return card->state ? card->driver->multicast(card->state, (const uint8_t(*)[6])card->groups, n) : snp_set_groups(card);
}

void nic_lend(void)
{
    for (unsigned i = 0; i < cards_count(); i++) {
        struct card *card = card_at(i);
        card->paused = is_open(card);
        if (card->state) {
            native_close(card);
            native_give_back(card, true); // an application looks for SNP, whatever was there before us
        } else {
            snp_close(card);
        }
    }
}

void nic_quiet(void)
{
    for (unsigned i = 0; i < cards_count(); i++) {
        card_at(i)->paused = card_at(i)->state != NULL;
        native_close(card_at(i));
    }
}

void nic_resume(void)
{
    for (unsigned i = 0; i < cards_count(); i++) {
        struct card *card = card_at(i);
        if (card->paused && nic_open(i) == 0)
            (void)set_groups(card); // a failure shows as silence
        card->paused = false;
    }
}

int nic_multicast(unsigned nic, const uint8_t (*macs)[6], unsigned n)
{
    struct card *card = card_at(nic);
    if (!card || !is_open(card))
        return ERR_NET_NO_CARD;
    card->group_count = n;
    memcpy(card->groups, macs, MIN(n, (unsigned)EFI_SNP_FILTERS_MAX) * sizeof *macs);
    return set_groups(card);
}

int nic_send(unsigned nic, const void *frame, size_t len)
{
    struct card *card = card_at(nic);
    if (!card || !is_open(card) || len > FRAME_MAX)
        return ERR_NET_LINK;
    return card->state ? card->driver->send(card->state, frame, len) : snp_send(card, frame, len);
}

int nic_receive(unsigned nic, uint8_t **ret_frame)
{
    struct card *card = card_at(nic);
    if (!card || !is_open(card))
        return ERR_NET_NO_CARD;
    return card->state ? card->driver->receive(card->state, ret_frame) : snp_receive(card, ret_frame);
}
