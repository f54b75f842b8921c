// SPDX-License-Identifier: MPL-2.0
// memory.c over a firmware that lends its pages one by one: nothing is given back twice, and nothing of another image.
#include "efi/testefi.h"

#include "base/test.h"

#include "efi/boot/memory.c"

#define PAGES 256
#define BASE 0x100000ull

static uint8_t lent[PAGES]; // 1: ours
static unsigned wrong;

static efi_status allocate(int type, int memory_type, uint64_t pages, uint64_t *address)
{
    uint64_t first = (*address - BASE) / EFI_PAGE_SIZE;
    if (type != EFI_ALLOCATE_ADDRESS || first >= PAGES || pages > PAGES - first)
        return EFI_NOT_FOUND;
    for (uint64_t i = first; i < first + pages; i++)
        if (lent[i])
            return EFI_NOT_FOUND;
    memset(lent + first, 1, pages);
    return EFI_SUCCESS;
}

static efi_status give_back(uint64_t address, uint64_t pages)
{
    for (uint64_t i = (address - BASE) / EFI_PAGE_SIZE; pages-- > 0; i++) {
        wrong += !lent[i];
        lent[i] = 0;
    }
    return EFI_SUCCESS;
}

static unsigned ours(unsigned first, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = first; i < first + count; i++)
        sum += lent[i];
    return sum;
}

static void start(void)
{
    testefi_start();
    services.allocate_pages = allocate;
    services.free_pages = give_back;
    memset(lent, 0, sizeof lent);
    claim_count = wrong = 0;
}

static bool claims_pages(unsigned first, unsigned count)
{
    return memory_claim(BASE + first * EFI_PAGE_SIZE, count * EFI_PAGE_SIZE) != NULL;
}

static void release_pages(unsigned first, unsigned count)
{
    memory_release(BASE + first * EFI_PAGE_SIZE, count * EFI_PAGE_SIZE);
}

TEST(one_image_goes_and_the_other_stays)
{
    start();
    CHECK(claims_pages(10, 20), claims_pages(40, 5)); // the first image
    CHECK(claims_pages(30, 10), claims_pages(60, 1)); // the second one, which touches it on both sides
    CHECK_EQ(ours(0, PAGES), 36);
    release_pages(10, 20);
    release_pages(40, 5);
    CHECK_EQ(ours(0, PAGES), 11);
    CHECK_EQ(ours(30, 10), 10);
    CHECK(claims_pages(10, 20)); // and can be had once more
    memory_release(0, UINT64_MAX);
    CHECK_EQ(ours(0, PAGES), 0);
    CHECK_EQ(wrong, 0);
    memory_release(0, UINT64_MAX);
    CHECK_EQ(wrong, 0);
}

// Two small things of an image share a page, and neither begins with it.
TEST(a_page_that_two_things_of_an_image_share)
{
    start();
    CHECK(memory_claim(BASE + 5 * EFI_PAGE_SIZE + 64, 100), memory_claim(BASE + 5 * EFI_PAGE_SIZE + 192, 2 * EFI_PAGE_SIZE));
    CHECK_EQ(ours(5, 3), 3);
    memory_release(BASE + 5 * EFI_PAGE_SIZE + 64, 100);
    memory_release(BASE + 5 * EFI_PAGE_SIZE + 192, 2 * EFI_PAGE_SIZE);
    CHECK_EQ(ours(0, PAGES), 0);
    CHECK_EQ(wrong, 0);
}

TEST(what_the_firmware_does_not_give)
{
    start();
    CHECK(claims_pages(8, 2));
    lent[20] = 1; // the firmware's own
    CHECK(!claims_pages(8, 20));
    release_pages(8, 20);
    CHECK_EQ(ours(0, PAGES), 1);
    CHECK(!memory_claim(UINT64_MAX - 10, 100), !memory_claim(BASE, 0));
    for (unsigned i = 0; i < CLAIMS_MAX - 1; i++)
        claims[claim_count++] = (struct mem_region){ BASE + PAGES * EFI_PAGE_SIZE, 0 };
    CHECK(claims_pages(100, 1), !claims_pages(101, 1));
}

TEST_MAIN(T(one_image_goes_and_the_other_stays), T(a_page_that_two_things_of_an_image_share), T(what_the_firmware_does_not_give))
