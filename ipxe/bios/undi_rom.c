// SPDX-License-Identifier: MPL-2.0
// See undi_rom.h. A ROM's loader puts UNDI code and data where it is told to: at the top of base memory, which is then no
// longer free (BDA_BASE_KIB), one card below the other. What the ROM does beyond that is its own: iPXE's ROMs unpack
// themselves at the top of memory and hide that from INT 15h E820.
#include "bios/undi_rom.h"

#include "bios/console.h"
#include "bios/handed.h"
#include "bios/layout.h"
#include "bios/pxe.h"
#include "bios/undi.h"
#include "image/optrom.h"

#define ROM_FIRST 0xc0000
#define ROM_END 0xf0000
#define PNP_FIRST 0xf0000
#define PNP_END 0x100000
#define PNP_SIZE 0x21
#define BDA_BASE_KIB 0x413 // what INT 12h returns
#define VECTORS 256

// What the loader takes (s_UNDI_LOADER). The fields up to ES are also those of START_UNDI.
struct PACKED undi_start {
    uint16_t status;
    uint16_t ax; // PCI bus, device and function
    uint16_t bx, dx; // ISA Plug and Play: none
    uint16_t di, es; // of the BIOS's $PnP structure
};
struct PACKED undi_loader {
    struct undi_start start;
    uint16_t data_segment, code_segment;
    uint16_t pxe, pxenv; // out: offsets in the code segment
};

static struct loaded {
    struct segoff entry;
    uint16_t kib_before, kib_after; // base memory
} loaded[UNDI_CARDS_MAX];
static unsigned loaded_count;

static void set_base_kib(uint16_t kib)
{
    store16_le(low_memory(BDA_BASE_KIB), kib);
    base_kib = kib;
}

// The first ROM in memory that has an UNDI loader for this card; 0 when there is none.
static uint32_t find_rom(uint16_t vendor, uint16_t device, struct optrom *ret)
{
    for (uint32_t at = ROM_FIRST; at < ROM_END;) {
        const uint8_t *image = low_memory(at);
        if (optrom_parse(image, ROM_END - at, ret) != 0) {
            at += OPTROM_ALIGN;
            continue;
        }
        if (ret->undi_code_size && optrom_serves(image, ret, vendor, device))
            return at;
        at += (ret->size + OPTROM_ALIGN - 1) & ~(OPTROM_ALIGN - 1u);
    }
    return 0;
}

static struct segoff find_pnp(void)
{
    for (uint32_t at = PNP_FIRST; at < PNP_END - PNP_SIZE; at += 16) {
        const uint8_t *p = low_memory(at);
        if (memcmp(p, "$PnP", 4) == 0 && byte_sum(p, PNP_SIZE) == 0)
            return (struct segoff){ .segment = PNP_FIRST >> 4, .offset = (uint16_t)at };
    }
    return (struct segoff){ 0 };
}

// Any interrupt vector that leads into this UNDI?
static bool is_hooked(const struct loaded *l)
{
    for (unsigned i = 0; i < VECTORS; i++) {
        struct segoff vector;
        memcpy(&vector, low_memory(i * 4), sizeof vector);
        uint32_t to = segoff_address(vector);
        if (to >= l->kib_after * 1024u && to < l->kib_before * 1024u)
            return true;
    }
    return false;
}

// Its memory is free again, unless an interrupt would lead there or something was loaded after it and is still there.
static void give_back(const struct loaded *l)
{
    if (load16_le(low_memory(BDA_BASE_KIB)) == l->kib_after && !is_hooked(l))
        set_base_kib(l->kib_before);
    else
        bios_say("undi: the PXE ROM keeps %u KiB of base memory\n", l->kib_before - l->kib_after);
}

// Calls the ROM's loader; on success pxe_call goes to the new UNDI. 0, ERR_NO_MEMORY or ERR_UNDI_CALL.
static int load(uint32_t rom_at, const struct optrom *rom, struct undi_start start)
{
    struct loaded l = { .kib_before = load16_le(low_memory(BDA_BASE_KIB)) };
    uint32_t data = (rom->undi_data_size + 15u) & ~15u, code = (rom->undi_code_size + 15u) & ~15u;
    if (l.kib_before * 1024u < BASE_END + data + code)
        return ERR_NO_MEMORY;
    uint32_t data_at = l.kib_before * 1024u - data, code_at = data_at - code;
    l.kib_after = (uint16_t)(code_at / 1024);
    struct undi_loader params = { .start = start,
                                  .data_segment = (uint16_t)(data_at >> 4),
                                  .code_segment = (uint16_t)(code_at >> 4) };
    struct segoff loader = { .segment = (uint16_t)(rom_at >> 4), .offset = rom->undi_loader };
    set_base_kib(l.kib_after); // before the call: a ROM may build a memory map of its own
    uint16_t result = pxe_loader(loader, &params, sizeof params);
    struct segoff pxe = { .segment = params.code_segment, .offset = params.pxe };
    struct segoff pxenv = { .segment = params.code_segment, .offset = params.pxenv };
    if (result != 0 || params.start.status != 0 || pxe_use(pxe, pxenv) != 0) {
        give_back(&l);
        return ERR_UNDI_CALL;
    }
    l.entry = pxe_entry;
    loaded[loaded_count++] = l;
    return 0;
}

// Takes the UNDI that was loaded last out of memory.
static void unload(void)
{
    const struct loaded *l = &loaded[--loaded_count];
    struct pxe_status status = { 0 };
    pxe_entry = l->entry;
    (void)pxe_call(PXENV_UNDI_SHUTDOWN, &status, sizeof status);
    (void)pxe_call(PXENV_UNDI_CLEANUP, &status, sizeof status);
    if (pxe_call(PXENV_STOP_UNDI, &status, sizeof status) == 0)
        give_back(l);
    else
        bios_say("undi: the PXE ROM stays in memory: it refused to stop\n");
}

static int bring_up(uint32_t rom_at, const struct optrom *rom, uint16_t card, struct card **ret)
{
    struct segoff pnp = find_pnp();
    struct undi_start start = { .ax = card, .bx = 0xffff, .dx = 0xffff, .di = pnp.offset, .es = pnp.segment };
    int err = load(rom_at, rom, start);
    if (err)
        return err;
    struct pxe_status status = { 0 };
    struct pxe_undi_initialize initialize = { 0 };
    if (pxe_call(PXENV_START_UNDI, &start, sizeof start) == 0 && pxe_call(PXENV_UNDI_STARTUP, &status, sizeof status) == 0 &&
        pxe_call(PXENV_UNDI_INITIALIZE, &initialize, sizeof initialize) == 0)
        err = undi_add(false, ret);
    else
        err = ERR_UNDI_CALL;
    if (err)
        unload();
    return err;
}

struct card *undi_rom_start(const struct pci_bus_function *function)
{
    struct optrom rom;
    struct card *card;
    uint16_t vendor = function->vendor, device = function->device;
    uint32_t at = find_rom(vendor, device, &rom);
    if (at == 0) {
        bios_say("undi: card %04x:%04x has no PXE ROM in memory\n", vendor, device);
        return NULL;
    }
    int err = loaded_count < UNDI_CARDS_MAX ? bring_up(at, &rom, function->at, &card) : ERR_TOO_LARGE;
    if (err) {
        bios_say("undi: card %04x:%04x by its ROM at %05x: %s [%s]\n", vendor, device, at, err_text(err), err_code(err));
        return NULL;
    }
    bios_say("undi: card %04x:%04x brought up by its ROM at %05x\n", vendor, device, at);
    return card;
}

void undi_rom_stop(void)
{
    while (loaded_count > 0)
        unload();
}
