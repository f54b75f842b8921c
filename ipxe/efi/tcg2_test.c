// SPDX-License-Identifier: MPL-2.0
// tcg2.c over a TPM of its own: what the firmware is given, and which answers count as measured.
#include "efi/tcg2.c"
#include "base/bytes.h"
#include "base/test.h"
#include "efi/testefi.h"

static bool there, present;
static efi_status answer;
static uint8_t seen[200];
static uint64_t seen_data, seen_size;

static efi_status capability(struct efi_tcg2 *self, struct efi_tcg2_capability *ret)
{
    ret->tpm_present = present;
    return ret->size < sizeof *ret ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
}

static efi_status extend(struct efi_tcg2 *self, uint64_t flags, uint64_t data, uint64_t size, struct efi_tcg2_event *event)
{
    seen_data = data;
    seen_size = size;
    memcpy(seen, event, MIN(event->size, sizeof seen));
    return flags == 0 ? answer : EFI_INVALID_PARAMETER;
}
static struct efi_tcg2 protocol = { .get_capability = capability, .hash_log_extend = extend };

static efi_status locate(const struct efi_guid *guid, void *registration, void **ret)
{
    *ret = &protocol;
    return there && guid->a == 0x607f766c ? EFI_SUCCESS : EFI_NOT_FOUND;
}

TEST(only_a_tpm_that_is_there_counts)
{
    services.locate_protocol = locate;
    CHECK(!tcg2_find());
    CHECK_EQ(tcg2_measure(8, "x", 1), ERR_TPM);
    there = true;
    CHECK(!tcg2_find());
    present = true;
    CHECK(tcg2_find());
}

TEST(an_event_is_hashed_and_logged_as_it_is)
{
    answer = EFI_SUCCESS;
    CHECK_EQ(tcg2_measure(14, "signet broken", 13), 0);
    CHECK_EQ(load32_le(seen), 4 + 14 + 13); // EFI_TCG2_EVENT: Size, Header (14 bytes), Event
    CHECK_EQ(load32_le(seen + 4), 14);
    CHECK_EQ(load16_le(seen + 8), 1);
    CHECK_EQ(load32_le(seen + 10), 14);
    CHECK_EQ(load32_le(seen + 14), 0xd);
    CHECK(memcmp(seen + 18, "signet broken", 13) == 0);
    CHECK_EQ(seen_size, 13);
    CHECK(memcmp((const void *)(uintptr_t)seen_data, "signet broken", 13) == 0);
}

TEST(errors)
{
    static char large[EVENT_MAX + 1];
    answer = EFI_VOLUME_FULL; // extended, not logged
    CHECK_EQ(tcg2_measure(8, "x", 1), 0);
    answer = EFI_ERROR_BIT | 7; // device error
    CHECK_EQ(tcg2_measure(8, "x", 1), ERR_TPM);
    answer = EFI_SUCCESS;
    CHECK_EQ(tcg2_measure(8, large, sizeof large), ERR_TPM);
}

TEST_MAIN(T(only_a_tpm_that_is_there_counts), T(an_event_is_hashed_and_logged_as_it_is), T(errors))
