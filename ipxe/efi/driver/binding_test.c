// SPDX-License-Identifier: MPL-2.0
// The driver model over a firmware in memory, each of whose calls fails once: who has what open, which handles and protocols there
// are, and what is left behind.
#include "efi/driver/binding.c"
#include "efi/driver/names.c"
#include "efi/driver/snp_device.c"
#include "efi/driver/snp_filters.c"
#include "efi/driver/snp_state.c"
#include "efi/driver/snp_traffic.c"
#include "base/test.h"
#include "efi/driver/testsnp.h"

#define OPENS_MAX 8
#define VENDOR 0x1234

static const uint8_t own[6] = { 0x52, 0x54, 0, 0x50, 0x32, 1 };
static uint8_t image_at, pci_at[2], children_at[4]; // handles are addresses
static efi_handle image = &image_at, pci[2] = { &pci_at[0], &pci_at[1] };
static unsigned calls, fail_at, children_made, clocks;
static bool held_on; // somebody does not let go of the SNP
static uint32_t id, class;
static struct efi_pci_io protocol;
static struct {
    efi_handle handle, controller;
    uint32_t attributes;
} opened[OPENS_MAX];
// The controller's path: one node, and the end.
static uint8_t parent_path[] = { EFI_PATH_HARDWARE, 1, 6, 0, 0, 2, EFI_PATH_END, EFI_PATH_END_ALL, 4, 0 };

static bool fails(void)
{
    return ++calls == fail_at;
}

void clock_init(void)
{
    clocks++;
}

// --- a driver, and the function that it works ---

struct state {
    struct nic nic;
    void *memory;
};

static struct {
    unsigned opens, closes, functions, dma;
    bool no_answer;
} hardware;

static void *dma_alloc(void *ctx, size_t len, uint64_t *ret_bus)
{
    hardware.dma++;
    return ctx;
}

static void dma_free(void *ctx, void *memory, size_t len)
{
    hardware.dma--;
}

static const struct pci_ops ops = { .dma_alloc = dma_alloc, .dma_free = dma_free };

int pci_open(struct pci_io *io, efi_handle handle)
{
    if (fails())
        return ERR_NET_LINK;
    *io = (struct pci_io){ .function = { .ops = &ops, .ctx = io, .vendor = (uint16_t)id, .device = (uint16_t)(id >> 16) } };
    hardware.functions++;
    return 0;
}

void pci_close(struct pci_io *io)
{
    hardware.functions--;
}

static bool knows(uint16_t vendor, uint16_t device)
{
    return vendor == VENDOR && device == 1;
}

static int probe(const struct pci_function *function, uint8_t ret_mac[6])
{
    if (fails())
        return ERR_NET_LINK;
    memcpy(ret_mac, own, 6);
    return 0;
}

static int driver_open(struct card *card)
{
    struct state *s = (struct state *)card;
    uint64_t bus;
    s->memory = s->nic.pci->ops->dma_alloc(s->nic.pci->ctx, 4096, &bus);
    hardware.opens++;
    return 0;
}

static void driver_close(struct card *card)
{
    struct state *s = (struct state *)card;
    s->nic.pci->ops->dma_free(s->nic.pci->ctx, s->memory, 4096);
    hardware.closes++;
}

static bool driver_link(struct card *card)
{
    return true;
}

static int driver_multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    return 0;
}

static int driver_send(struct card *card, const void *frame, size_t len)
{
    return 0;
}

static int driver_receive(struct card *card, uint8_t **ret_frame)
{
    return 0;
}

static const struct nic_driver fake = { .name = "fake", .size = sizeof(struct state), .knows = knows, .probe = probe,
                                        .ops = { driver_open, driver_close, driver_link, driver_multicast, driver_send, driver_receive, NULL } };
const struct nic_driver *const nic_drivers[] = { &fake };
const size_t nic_driver_count = 1;

// --- the firmware ---

static efi_status read_config(struct efi_pci_io *self, int width, uint32_t offset, uint64_t count, void *ret)
{
    if (fails() || width != EFI_PCI_WIDTH_32 || count != 1)
        return EFI_UNSUPPORTED;
    memcpy(ret, offset == 0 ? &id : &class, 4);
    return EFI_SUCCESS;
}

static efi_status open_protocol(efi_handle handle, const struct efi_guid *guid, void **ret, efi_handle agent, efi_handle controller,
                                uint32_t attributes)
{
    *ret = efi_protocol(handle, guid);
    if (!*ret || agent != image)
        return EFI_UNSUPPORTED;
    if (fails())
        return EFI_ACCESS_DENIED;
    for (unsigned i = 0; i < OPENS_MAX; i++)
        if (opened[i].handle == handle && attributes == EFI_OPEN_BY_DRIVER && opened[i].attributes == attributes)
            return EFI_ALREADY_STARTED;
    for (unsigned i = 0; i < OPENS_MAX; i++)
        if (!opened[i].handle) {
            opened[i].handle = handle;
            opened[i].controller = controller;
            opened[i].attributes = attributes;
            return EFI_SUCCESS;
        }
    __builtin_trap();
}

static efi_status close_protocol(efi_handle handle, const struct efi_guid *guid, efi_handle agent, efi_handle controller)
{
    for (unsigned i = 0; i < OPENS_MAX; i++)
        if (opened[i].handle == handle && opened[i].controller == controller && agent == image) {
            memset(&opened[i], 0, sizeof opened[i]);
            return EFI_SUCCESS;
        }
    firmware.wrong = true;
    return EFI_NOT_FOUND;
}

static efi_status install_protocol(efi_handle *handle, const struct efi_guid *guid, int type, void *interface)
{
    if (fails())
        return EFI_OUT_OF_RESOURCES;
    if (!*handle)
        *handle = &children_at[children_made++ % ARRAY_SIZE(children_at)];
    testefi_install(*handle, guid, interface);
    return EFI_SUCCESS;
}

static efi_status uninstall_protocol(efi_handle handle, const struct efi_guid *guid, void *interface)
{
    if (held_on && memcmp(guid, &snp_guid, sizeof *guid) == 0)
        return EFI_ACCESS_DENIED;
    for (unsigned i = 0; i < installed_count; i++)
        if (installed[i].handle == handle && has(i, guid) && installed[i].protocol == interface) {
            installed[i] = installed[--installed_count];
            return EFI_SUCCESS;
        }
    firmware.wrong = true;
    return EFI_NOT_FOUND;
}

static struct efi_driver_binding *driver(void)
{
    return efi_protocol(image, &binding_guid);
}

// As UEFI 2.10, 7.3 has it: the children first, then the controller.
static efi_status disconnect(efi_handle controller, efi_handle agent, efi_handle child)
{
    struct binding_card *card = binding_find(controller);
    if (!card || agent != image || fails())
        return EFI_NOT_FOUND;
    if (card->child) {
        efi_status status = driver()->stop(driver(), controller, 1, &card->child);
        if (efi_failed(status))
            return status;
    }
    return driver()->stop(driver(), controller, 0, NULL);
}

static void set_up(void)
{
    testsnp_start();
    efi_image = image;
    heap_fails = fails;
    services.open_protocol = open_protocol;
    services.close_protocol = close_protocol;
    services.install_protocol = install_protocol;
    services.uninstall_protocol = uninstall_protocol;
    services.disconnect = disconnect;
    protocol = (struct efi_pci_io){ .config_read = read_config };
    for (unsigned i = 0; i < 2; i++) {
        testefi_install(pci[i], &pci_guid, &protocol);
        testefi_install(pci[i], &path_guid, parent_path);
    }
    memset(opened, 0, sizeof opened);
    memset(&hardware, 0, sizeof hardware);
    id = 1u << 16 | VENDOR;
    class = PCI_CLASS_NETWORK << 24;
    calls = fail_at = children_made = 0;
    held_on = false;
}

static unsigned count_opened(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < OPENS_MAX; i++)
        n += opened[i].handle != NULL;
    return n;
}

// Nothing is left but what set_up made, and the driver's own protocols.
static bool is_clean(unsigned of_driver)
{
    return installed_count == 4 + of_driver && count_opened() == 0 && heap_under_way == 0 && firmware.events == 0 && hardware.functions == 0 &&
           hardware.dma == 0 && hardware.opens == hardware.closes && !cards && is_calm();
}

TEST(a_handle_for_a_card)
{
    struct efi_driver_binding *d;
    set_up();
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    d = driver();
    CHECK(d != NULL, d->image == image, d->handle == image, d->version >= 0x10, is_clean(4));
    CHECK_EQ(d->supported(d, pci[0], NULL), EFI_SUCCESS);
    CHECK(is_clean(4), clocks == 0);
    CHECK_EQ(d->start(d, pci[0], NULL), EFI_SUCCESS);
    struct binding_card *card = binding_find(pci[0]);
    CHECK(card != NULL, card->child == &children_at[0], hardware.opens == 0);
    const uint8_t *path = efi_protocol(card->child, &path_guid);
    CHECK(memcmp(path, parent_path, 6) == 0, memcmp(path + 6, "\x03\x0b\x25\x00\x52\x54\x00\x50\x32\x01", 10) == 0);
    CHECK(all_zero(path + 16, 26), path[42] == 1, memcmp(path + 43, "\x7f\xff\x04\x00", 4) == 0);
    struct efi_snp *snp = efi_protocol(card->child, &snp_guid);
    CHECK(snp != NULL, memcmp(snp->mode->permanent.bytes, own, 6) == 0, count_opened() == 2, firmware.events == 2);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    CHECK_EQ(d->supported(d, pci[0], NULL), EFI_ALREADY_STARTED);
    CHECK_EQ(d->start(d, pci[0], NULL), EFI_ALREADY_STARTED);
    CHECK_EQ(d->start(d, pci[1], NULL), EFI_SUCCESS); // a second one beside it
    CHECK(count_opened() == 4, binding_find(pci[1])->child == &children_at[1]);
    CHECK_EQ(d->stop(d, pci[0], 1, &card->child), EFI_SUCCESS);
    CHECK(hardware.closes == 1, efi_protocol(&children_at[0], &snp_guid) == NULL, efi_protocol(&children_at[0], &path_guid) == NULL);
    CHECK_EQ(d->stop(d, pci[0], 0, NULL), EFI_SUCCESS);
    CHECK(binding_find(pci[0]) == NULL, count_opened() == 2);
    CHECK_EQ(d->stop(d, pci[0], 0, NULL), EFI_DEVICE_ERROR);
    CHECK_EQ(disconnect(pci[1], image, NULL), EFI_SUCCESS);
    CHECK(is_clean(4));
    CHECK_EQ(binding_end(), EFI_SUCCESS);
    CHECK(is_clean(0), driver() == NULL);
}

TEST(what_it_does_not_take)
{
    set_up();
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    struct efi_driver_binding *d = driver();
    id = 2u << 16 | VENDOR;
    CHECK_EQ(d->supported(d, pci[0], NULL), EFI_UNSUPPORTED);
    CHECK_EQ(d->start(d, pci[0], NULL), EFI_DEVICE_ERROR);
    id = 1u << 16 | VENDOR;
    class = 0x01000000;
    CHECK_EQ(d->supported(d, pci[0], NULL), EFI_UNSUPPORTED);
    class = PCI_CLASS_NETWORK << 24;
    CHECK_EQ(d->supported(d, image, NULL), EFI_UNSUPPORTED); // not PCI
    calls = 0;
    fail_at = 1;
    CHECK_EQ(d->supported(d, pci[0], NULL), EFI_ACCESS_DENIED); // somebody has it for himself
    for (fail_at = 2; fail_at <= 3; fail_at++) {
        calls = 0;
        CHECK_EQ(d->supported(d, pci[0], NULL), EFI_UNSUPPORTED); // the configuration cannot be read
    }
    CHECK(is_clean(4));
    fail_at = 0;
    testefi_remove(pci[1]);
    testefi_install(pci[1], &pci_guid, &protocol); // without a path
    CHECK_EQ(d->start(d, pci[1], NULL), EFI_OUT_OF_RESOURCES);
    testefi_install(pci[1], &path_guid, parent_path);
    CHECK(is_clean(4));
    CHECK_EQ(binding_end(), EFI_SUCCESS);
}

TEST(the_child_that_is_asked_for)
{
    static uint8_t end[] = { EFI_PATH_END, EFI_PATH_END_ALL, 4, 0 };
    static uint8_t mac[MAC_NODE_SIZE + 4] = { EFI_PATH_MESSAGING, EFI_PATH_MESSAGING_MAC, MAC_NODE_SIZE, 0 }, uri[] = { 3, 24, 4, 0 };
    struct efi_device_path *none = (void *)end, *node = (void *)mac, *other = (void *)uri;
    set_up();
    memcpy(mac + 4, own, 6);
    mac[MAC_NODE_SIZE - 1] = 1;
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    struct efi_driver_binding *d = driver();
    CHECK_EQ(d->supported(d, pci[0], other), EFI_UNSUPPORTED);
    CHECK_EQ(d->start(d, pci[0], other), EFI_UNSUPPORTED);
    CHECK(is_clean(4));
    CHECK_EQ(d->supported(d, pci[0], none), EFI_SUCCESS);
    CHECK_EQ(d->start(d, pci[0], none), EFI_SUCCESS); // no child for now
    CHECK(binding_find(pci[0]) != NULL, binding_find(pci[0])->child == NULL, count_opened() == 1);
    CHECK_EQ(d->supported(d, pci[0], none), EFI_ALREADY_STARTED);
    mac[9] = 2;
    CHECK_EQ(d->start(d, pci[0], node), EFI_UNSUPPORTED); // that is another card
    mac[9] = 1;
    CHECK(binding_find(pci[0]) != NULL);
    CHECK_EQ(d->supported(d, pci[0], node), EFI_SUCCESS);
    CHECK_EQ(d->start(d, pci[0], node), EFI_SUCCESS);
    CHECK_EQ(d->supported(d, pci[0], node), EFI_ALREADY_STARTED);
    CHECK(binding_find(pci[0])->child != NULL);
    CHECK_EQ(disconnect(pci[0], image, NULL), EFI_SUCCESS);
    mac[9] = 2;
    CHECK_EQ(d->start(d, pci[0], node), EFI_UNSUPPORTED);
    CHECK(is_clean(4));
    CHECK_EQ(binding_end(), EFI_SUCCESS);
}

TEST(every_step_of_a_start_fails_once)
{
    bool done = false;
    for (unsigned step = 1; !done; step++) {
        set_up();
        CHECK_EQ(binding_begin(), EFI_SUCCESS);
        calls = 0;
        fail_at = step;
        struct efi_driver_binding *d = driver();
        efi_status status = d->start(d, pci[0], NULL);
        done = calls < step;
        CHECK(efi_failed(status) == !done);
        if (!done)
            CHECK(is_clean(4));
        fail_at = 0;
        CHECK_EQ(d->start(d, pci[0], NULL), done ? EFI_ALREADY_STARTED : EFI_SUCCESS);
        CHECK_EQ(binding_end(), EFI_SUCCESS);
        CHECK(is_clean(0), step < 40);
    }
    set_up();
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    firmware.no_event = EFI_OUT_OF_RESOURCES;
    CHECK_EQ(driver()->start(driver(), pci[0], NULL), EFI_OUT_OF_RESOURCES);
    CHECK(is_clean(4));
    CHECK_EQ(binding_end(), EFI_SUCCESS);
}

TEST(every_step_of_the_entry_fails_once)
{
    for (unsigned step = 1; step <= 4; step++) {
        set_up();
        fail_at = step;
        CHECK(efi_failed(binding_begin()), is_clean(0));
    }
}

TEST(somebody_does_not_let_go)
{
    set_up();
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    struct efi_driver_binding *d = driver();
    CHECK_EQ(d->start(d, pci[0], NULL), EFI_SUCCESS);
    efi_handle child = binding_find(pci[0])->child, stranger = pci[1];
    struct efi_snp *snp = efi_protocol(child, &snp_guid);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    held_on = true;
    CHECK_EQ(d->stop(d, pci[0], 1, &child), EFI_DEVICE_ERROR);
    CHECK_EQ(d->stop(d, pci[0], 0, NULL), EFI_DEVICE_ERROR);
    CHECK(efi_failed(binding_end()), driver() == d, count_opened() == 2, binding_find(pci[0])->child == child);
    CHECK(hardware.closes == 0, efi_protocol(child, &path_guid) != NULL); // it goes on
    held_on = false;
    CHECK_EQ(d->stop(d, pci[0], 1, &stranger), EFI_DEVICE_ERROR);
    CHECK_EQ(binding_end(), EFI_SUCCESS);
    CHECK(is_clean(0));
}

TEST(at_the_end_of_boot_services_the_card_stands_still)
{
    set_up();
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    struct efi_driver_binding *d = driver();
    CHECK_EQ(d->start(d, pci[0], NULL), EFI_SUCCESS);
    CHECK_EQ(d->start(d, pci[1], NULL), EFI_SUCCESS);
    struct efi_snp *snp = efi_protocol(binding_find(pci[0])->child, &snp_guid);
    CHECK_EQ(snp->start(snp), EFI_SUCCESS);
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_SUCCESS);
    notify_all(EFI_EVT_EXIT_BOOT_SERVICES);
    CHECK(hardware.opens == 1, hardware.closes == 1, hardware.dma == 1, is_calm()); // its memory is the system's, and not freed
    CHECK_EQ(snp->initialize(snp, 0, 0), EFI_DEVICE_ERROR);
    hardware.dma = 0;
    CHECK_EQ(binding_end(), EFI_SUCCESS);
}

TEST(names)
{
    const uint16_t *name = NULL;
    set_up();
    CHECK_EQ(binding_begin(), EFI_SUCCESS);
    struct efi_driver_binding *d = driver();
    CHECK_EQ(d->start(d, pci[0], NULL), EFI_SUCCESS);
    efi_handle child = binding_find(pci[0])->child;
    for (unsigned i = 0; i < 2; i++) {
        struct efi_component_name *n = efi_protocol(image, i ? &names_old_guid : &names_guid);
        const char *right = i ? "eng" : "en", *wrong = i ? "en" : "eng";
        CHECK_EQ(n->driver(n, right, &name), EFI_SUCCESS);
        CHECK(memcmp(name, u"Signet network card driver", 54) == 0);
        CHECK_EQ(n->driver(n, wrong, &name), EFI_UNSUPPORTED);
        CHECK_EQ(n->driver(n, NULL, &name), EFI_INVALID_PARAMETER);
        CHECK_EQ(n->driver(n, right, NULL), EFI_INVALID_PARAMETER);
        CHECK_EQ(n->controller(n, pci[0], NULL, right, &name), EFI_SUCCESS);
        CHECK(memcmp(name, u"Signet fake (PCI 1234:0001)", 56) == 0);
        CHECK_EQ(n->controller(n, pci[0], child, right, &name), EFI_SUCCESS);
        CHECK_EQ(n->controller(n, pci[0], image, right, &name), EFI_UNSUPPORTED);
        CHECK_EQ(n->controller(n, pci[1], NULL, right, &name), EFI_UNSUPPORTED);
        CHECK_EQ(n->controller(n, pci[0], NULL, wrong, &name), EFI_UNSUPPORTED);
        CHECK_EQ(n->controller(n, NULL, NULL, right, &name), EFI_INVALID_PARAMETER);
        CHECK_EQ(n->controller(n, pci[0], NULL, NULL, &name), EFI_INVALID_PARAMETER);
        CHECK_EQ(n->controller(n, pci[0], NULL, right, NULL), EFI_INVALID_PARAMETER);
    }
    struct efi_driver_supported_version *v = efi_protocol(image, &version_guid);
    CHECK(v->length == 8, v->version == 0x20064);
    CHECK_EQ(binding_end(), EFI_SUCCESS);
}

TEST_MAIN(T(a_handle_for_a_card), T(what_it_does_not_take), T(the_child_that_is_asked_for), T(every_step_of_a_start_fails_once),
          T(every_step_of_the_entry_fails_once), T(somebody_does_not_let_go), T(at_the_end_of_boot_services_the_card_stands_still), T(names))
