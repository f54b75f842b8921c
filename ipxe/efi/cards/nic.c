// SPDX-License-Identifier: MPL-2.0
// See nic.h.
#include "efi/cards/nic.h"

#include "base/fmt.h"
#include "drivers/nic.h"
#include "efi/cards/cards.h"
#include "efi/console.h"
#include "efi/efi.h"
#include "efi/cards/native.h"

static bool frame_passed;

static struct efi_card *of(struct card *card)
{
    return container_of(card, struct efi_card, card);
}

// `ready`: it is open.
static void work_by(struct efi_card *card, struct card *ready)
{
    card->at_work = ready;
    cards_describe(card, ready);
}

static int start_snp(struct efi_card *card)
{
    int err = card_open(&card->snp.card);
    if (!err)
        work_by(card, &card->snp.card);
    return err;
}

// By the native driver; by the firmware's, when that fails.
static int start(struct efi_card *card)
{
    char text[160];
    if (!card->driver)
        return start_snp(card);
    int err = native_open(card);
    if (!err) {
        work_by(card, card->native);
        return 0;
    }
    fmt_snprintf(text, sizeof text, "net: net%u (%s): %s [%s]; the firmware's driver takes over\n", (unsigned)(card - card_at(0)),
                 card->driver->name, err_text(err), err_code(err));
    console_write_text(text, strlen(text));
    native_give_back(card, true);
    cards_use_snp(card);
    return start_snp(card);
}

// `wake`: as for native_give_back.
static void stop(struct efi_card *card, bool wake)
{
    if (card->native) {
        native_close(card);
        native_give_back(card, wake);
    } else if (card->at_work) {
        card_close(card->at_work);
    }
    card->at_work = NULL;
}

static int open(struct card *card)
{
    return of(card)->at_work ? 0 : start(of(card));
}

static void close(struct card *card)
{
    stop(of(card), false);
}

void nic_close_all(void)
{
    for (unsigned i = 0; i < cards_count(); i++)
        stop(card_at(i), false);
}

static bool link(struct card *card)
{
    struct card *at_work = of(card)->at_work;
    return at_work && card_link(at_work);
}

static int set_groups(const struct efi_card *card)
{
    return card_multicast(card->at_work, (const uint8_t(*)[6])card->groups, card->group_count);
}

void nic_lend(void)
{
    for (unsigned i = 0; i < cards_count(); i++) {
        struct efi_card *card = card_at(i);
        card->paused = card->at_work != NULL;
        stop(card, true); // an application looks for SNP, whatever was there before us
    }
}

void nic_quiet(void)
{
    for (unsigned i = 0; i < cards_count(); i++) {
        struct efi_card *card = card_at(i);
        card->paused = card->native != NULL;
        if (!card->native)
            continue;
        native_close(card);
        card->at_work = NULL;
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
    if (!card->at_work)
        return ERR_NET_LINK;
    card->group_count = n;
    memcpy(card->groups, macs, n * sizeof *macs);
    return set_groups(card);
}

static int send(struct card *card, const void *frame, size_t len)
{
    struct card *at_work = of(card)->at_work;
    frame_passed = true;
    return at_work && len <= FRAME_MAX ? card_send(at_work, frame, len) : ERR_NET_LINK;
}

static int receive(struct card *card, uint8_t **ret_frame)
{
    struct card *at_work = of(card)->at_work;
    int len = at_work ? card_receive(at_work, ret_frame) : ERR_NET_LINK;
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
    static const struct card_ops ops = { open, close, link, multicast, send, receive, NULL };
    for (unsigned i = 0; i < cards_count(); i++) {
        ret[i] = &card_at(i)->card;
        ret[i]->ops = &ops;
    }
    return cards_count();
}
