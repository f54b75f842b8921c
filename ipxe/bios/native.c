// SPDX-License-Identifier: MPL-2.0
// See native.h. Between the core and a driver stand its calls as they are, but for opening: a card is opened when it is found, so that
// it is known whether its driver works. One that is closed while others think that it is open sends and receives nothing.
#include "bios/native.h"

#include "bios/console.h"
#include "bios/memory.h"
#include "bios/pci.h"
#include "drivers/bind.h"

struct native {
    struct native *next;
    const struct nic_driver *driver;
    struct bios_pci pci;
    bool open;
    _Alignas(16) uint8_t state[]; // the driver's, which begins with the card
};

static struct native *all;
static bool frame_passed;

static struct native *of(struct card *card)
{
    return container_of((uint8_t(*)[])card, struct native, state);
}

static int open(struct card *card)
{
    struct native *n = of(card);
    int err = n->open ? 0 : n->driver->ops.open(card);
    n->open = !err;
    return err;
}

static void close(struct card *card)
{
    struct native *n = of(card);
    if (n->open)
        n->driver->ops.close(card);
    n->open = false;
}

static bool link(struct card *card)
{
    return of(card)->open && of(card)->driver->ops.link(card);
}

static int multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    return of(card)->open ? of(card)->driver->ops.multicast(card, macs, count) : 0;
}

static int send(struct card *card, const void *frame, size_t len)
{
    frame_passed = true;
    return of(card)->open ? of(card)->driver->ops.send(card, frame, len) : ERR_NET_LINK;
}

static int receive(struct card *card, uint8_t **ret_frame)
{
    int len = of(card)->open ? of(card)->driver->ops.receive(card, ret_frame) : 0;
    frame_passed |= len > 0;
    return len;
}

// Each driver here can.
static int promiscuous(struct card *card, bool on)
{
    return of(card)->driver->ops.promiscuous(card, on);
}

static const struct card_ops native_ops = { open, close, link, multicast, send, receive, promiscuous };

bool native_has(const struct card *card)
{
    return card->ops == &native_ops;
}

bool native_is_open(struct card *card)
{
    return of(card)->open;
}

struct card *native_find(uint16_t at)
{
    struct bios_pci pci;
    int err = pci_open(&pci, at);
    if (err == ERR_NOT_FOUND)
        return NULL;
    const struct pci_function *f = &pci.function;
    const struct nic_driver *driver = bind_driver(f->vendor, f->device, f->ops->config_read(f->ctx, PCI_REVISION, 4) >> 8);
    if (!driver)
        return NULL;
    if (err) {
        bios_say("net: card %04x:%04x has registers above 4 GiB, where this Signet does not reach: not driven natively\n", f->vendor,
                 f->device);
        return NULL;
    }
    struct native *n = memory_alloc(sizeof *n + driver->size);
    if (!n)
        return NULL;
    n->next = all;
    n->driver = driver;
    n->open = false;
    (void)pci_open(&n->pci, at);
    struct card *card = bind_card(driver, &n->pci.function, n->state);
    card->ops = &native_ops;
    card->info.pci.vendor = f->vendor;
    card->info.pci.device = f->device;
    card->info.pci.at = at;
    card->info.pci.class_revision = f->ops->config_read(f->ctx, PCI_REVISION, 4);
    card->info.pci.subsystem = f->ops->config_read(f->ctx, PCI_SUBSYSTEM, 4);
    all = n;
    return card;
}

int native_start(struct card *card)
{
    int err = open(card);
    if (err) {
        bios_say("net: %s (%s): %s [%s]\n", card->info.chip, card->info.driver, err_text(err), err_code(err));
        native_drop(card);
    }
    return err;
}

void native_drop(struct card *card)
{
    struct native **at = &all, *n = of(card);
    close(card);
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    memory_free(n);
}

void native_drop_all(void)
{
    while (all)
        native_drop((struct card *)all->state);
}

bool native_frame_passed(void)
{
    bool passed = frame_passed;
    frame_passed = false;
    return passed;
}
