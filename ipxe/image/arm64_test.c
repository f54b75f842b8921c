// SPDX-License-Identifier: MPL-2.0
#include "image/arm64.h"

#include "base/test.h"

static uint8_t header[ARM64_HEADER_SIZE];
static struct arm64_image image;

// As Debian's 6.1 kernel begins.
static void start(void)
{
    memset(header, 0, sizeof header);
    memcpy(header, "MZ@\xfa", 4);
    store64_le(header + 16, 0x1ab0000);
    store64_le(header + 24, 0xa);
    memcpy(header + 56, "ARM\x64", 4);
    store32_le(header + 60, 64);
}

TEST(sound)
{
    start();
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), 0);
    CHECK_EQ(image.memory, 0x1ab0000);
}

TEST(refused)
{
    start();
    CHECK_EQ(arm64_parse(header, sizeof header - 1, 27303872, &image), ERR_TRUNCATED);
    CHECK_EQ(arm64_parse(header, sizeof header, 63, &image), ERR_TRUNCATED);
    CHECK_EQ(arm64_parse(header, sizeof header, 0x1ab0001, &image), ERR_BOOT_FORMAT);
    header[56] = 'B';
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), ERR_BOOT_FORMAT);
    start();
    header[24] |= 1;
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), ERR_BOOT_FORMAT);
    start();
    store64_le(header + 16, UINT64_MAX);
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), ERR_BOOT_FORMAT);
    store64_le(header + 16, 0);
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), ERR_BOOT_TOO_OLD);
    start();
    header[0] = 0;
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), ERR_BOOT_NO_STUB);
    start();
    store32_le(header + 60, 0);
    CHECK_EQ(arm64_parse(header, sizeof header, 27303872, &image), ERR_BOOT_NO_STUB);
}

TEST_MAIN(T(sound), T(refused))
