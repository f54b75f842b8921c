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

static bool frame_passed;

static bool is_open(const struct efi_card *card)
{
    return card->state || card->snp;
}

// By the native driver; by the firmware's, when that fails.
static int start(struct efi_card *card)
{
    char text[160];
    if (!card->driver)
        return snp_open(card);
    int err = native_open(card);
    if (!err)
        return 0;
    fmt_snprintf(text, sizeof text, "net: net%u (%s): %s [%s]; the firmware's driver takes over\n", (unsigned)(card - card_at(0)),
                 card->driver->name, err_text(err), err_code(err));
    console_write_text(text, strlen(text));
    native_give_back(card, true);
    cards_use_snp(card);
    return snp_open(card);
}

static void stop(struct efi_card *card)
{
    if (card->state) {
        native_close(card);
        native_give_back(card, false);
    } else {
        snp_close(card);
    }
}

static struct efi_card *of(struct card *card)
{
    return container_of(card, struct efi_card, card);
}

static int open(struct card *card)
{
    return is_open(of(card)) ? 0 : start(of(card));
}

static void close(struct card *card)
{
    stop(of(card));
}

void nic_close_all(void)
{
    for (unsigned i = 0; i < cards_count(); i++)
        stop(card_at(i));
}

static bool link(struct card *which)
{
    const struct efi_card *card = of(which);
    return card->state ? card->driver->link(card->state) : card->snp && snp_link(card);
}

static int set_groups(struct efi_card *card)
{
    return card->state ? card->driver->multicast(card->state, (const uint8_t(*)[6])card->groups, card->group_count) : snp_set_groups(card);
}

void nic_lend(void)
{
    for (unsigned i = 0; i < cards_count(); i++) {
        struct efi_card *card = card_at(i);
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
        struct efi_card *card = card_at(i);
        if (card->paused && open(&card->card) == 0)
            (void)set_groups(card); // a failure shows as silence
        card->paused = false;
    }
}

static int multicast(struct card *which, const uint8_t (*macs)[6], unsigned n)
{
    struct efi_card *card = of(which);
    if (!is_open(card))
        return ERR_NET_LINK;
    card->group_count = n;
    memcpy(card->groups, macs, n * sizeof *macs);
    return set_groups(card);
}

static int send(struct card *to, const void *frame, size_t len)
{
    struct efi_card *card = of(to);
    frame_passed = true;
    if (!is_open(card) || len > FRAME_MAX)
        return ERR_NET_LINK;
    return card->state ? card->driver->send(card->state, frame, len) : snp_send(card, frame, len);
}

static int receive(struct card *from, uint8_t **ret_frame)
{
    struct efi_card *card = of(from);
    if (!is_open(card))
        return ERR_NET_LINK;
    int len = card->state ? card->driver->receive(card->state, ret_frame) : snp_receive(card, ret_frame);
    frame_passed |= len > 0;
    return len;
}

bool nic_frame_passed(void)
{
    bool passed = frame_passed;
    frame_passed = false;
    return passed;
}

unsigned nic_cards(void *ctx, struct card *ret[CARDS_MAX])
{
    static const struct card_ops ops = { open, close, link, multicast, send, receive };
    for (unsigned i = 0; i < cards_count(); i++) {
        ret[i] = &card_at(i)->card;
        ret[i]->ops = &ops;
    }
    return cards_count();
}
