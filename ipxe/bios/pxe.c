// SPDX-License-Identifier: MPL-2.0
// Finding the PXE API of the ROM, and what it keeps of its DHCP exchange.
#include "bios/pxe.h"
#include "base/fmt.h"
#include "bios/handed.h"
#include "bios/layout.h"

static char kind[16];

// A structure whose bytes add up to 0; NULL when signature, length or sum are wrong.
static const uint8_t *valid_structure(struct segoff at, const char *signature, size_t length_at, size_t size_min)
{
    uint32_t address = segoff_address(at);
    if (address == 0 || address > 0x100000 - 256)
        return NULL;
    const uint8_t *p = low_memory(address);
    if (memcmp(p, signature, strlen(signature)) != 0 || p[length_at] < size_min)
        return NULL;
    return byte_sum(p, p[length_at]) == 0 ? p : NULL;
}

static bool use_entry(const uint8_t *p)
{
    struct segoff entry;
    memcpy(&entry, p, sizeof entry);
    if (segoff_address(entry) == 0)
        return false;
    pxe_entry = entry;
    return true;
}

static bool use_bang(struct segoff at)
{
    const uint8_t *p = valid_structure(at, "!PXE", BANG_LENGTH, BANG_SIZE_MIN);
    if (!p || !use_entry(p + BANG_ENTRY))
        return false;
    memcpy(kind, "!PXE", 5);
    return true;
}

// PXENV+ leads on to !PXE when the ROM is 2.1 or later (section 3.2: !PXE is then to be preferred).
static bool use_pxenv(struct segoff at)
{
    const uint8_t *p = valid_structure(at, "PXENV+", PXENV_LENGTH, PXENV_SIZE_MIN);
    if (!p)
        return false;
    uint16_t version = load16_le(p + PXENV_VERSION);
    if (version >= 0x0201 && p[PXENV_LENGTH] >= PXENV_SIZE_2_1) {
        struct segoff bang;
        memcpy(&bang, p + PXENV_BANG, sizeof bang);
        if (use_bang(bang))
            return true;
    }
    if (!use_entry(p + PXENV_ENTRY))
        return false;
    fmt_snprintf(kind, sizeof kind, "PXENV+ %u.%u", version >> 8, version & 0xff);
    return true;
}

int pxe_use(struct segoff bang, struct segoff pxenv)
{
    return use_bang(bang) || use_pxenv(pxenv) ? 0 : ERR_NET_NO_CARD;
}

int pxe_find(void)
{
    if (pxe_use(entry_pxe, entry_pxenv) == 0)
        return 0;
    struct bios_regs regs = { .eax = 0x5650 };
    bios_call(&regs, 0x1a);
    if (!(regs.flags & FLAG_CARRY) && (regs.eax & 0xffff) == 0x564e) {
        struct segoff at = { .offset = (uint16_t)regs.ebx, .segment = regs.es };
        if (use_pxenv(at))
            return 0;
    }
    return ERR_NET_NO_CARD;
}

const char *pxe_kind(void)
{
    return kind;
}

size_t pxe_cached_packet(enum pxe_packet type, uint8_t *buf, size_t cap)
{
    struct pxe_cached_info info = { .type = type, .size = BOUNCE_SIZE, .limit = BOUNCE_SIZE,
                                    .buffer = segoff_of(BOUNCE) };
    uint8_t *bounce = low_memory(BOUNCE);
    memset(bounce, 0, BOUNCE_SIZE);
    if (pxe_call(PXENV_GET_CACHED_INFO, &info, sizeof info) != 0)
        return 0;
    const uint8_t *from = bounce;
    if (bounce[0] == 0) {
        // Quirk: a ROM that shows its own copy but does not fill a buffer. BOOTP's op is never 0.
        info = (struct pxe_cached_info){ .type = type };
        if (pxe_call(PXENV_GET_CACHED_INFO, &info, sizeof info) != 0 || segoff_address(info.buffer) == 0)
            return 0;
        from = low_memory(segoff_address(info.buffer));
    }
    size_t len = MIN(MIN((size_t)info.size, cap), (size_t)BOUNCE_SIZE);
    memcpy(buf, from, len);
    return len;
}
