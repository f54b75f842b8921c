// SPDX-License-Identifier: MPL-2.0
#include "image/romfile.h"
#include "base/bytes.h"
#include "base/test.h"
#include "image/optrom.h"

#define FRONT (3u * ROM_UNIT)
#define SIZE (64u * 1024)
#define ROOM (SIZE / 2)

static uint8_t file[SIZE];
static const uint8_t text[] = "a program of a length that is no multiple of sixteen";

static struct romfile made(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "\x55\xaa\x03", 3);
    memcpy(file + ROM_AT_MAGIC, ROM_MAGIC, sizeof ROM_MAGIC);
    store32_le(file + ROM_AT_OFFSET, FRONT);
    store32_le(file + ROM_AT_ROOM, ROOM);
    memset(file + FRONT + ROOM, 0x5a, SIZE - FRONT - ROOM); // a driver for UEFI
    struct romfile rom = { .program = file + FRONT, .room = ROOM };
    memcpy(rom.program, text, sizeof text);
    romfile_close(file, sizeof text);
    return rom;
}

static void sum_front(void)
{
    file[FRONT - 1] = 0;
    file[FRONT - 1] = (uint8_t)-byte_sum(file, FRONT);
}

// From an exact copy, so that the sanitizer sees a read behind the end.
static int open_cut(size_t len)
{
    struct romfile rom;
    uint8_t *copy = malloc(len);
    memcpy(copy, file, len);
    int err = romfile_open(copy, len, &rom);
    free(copy);
    return err;
}

TEST(closed_and_opened)
{
    made();
    struct romfile rom;
    CHECK(romfile_open(file, sizeof file, &rom) == 0);
    CHECK(rom.program == file + FRONT, rom.room == ROOM, rom.length == 64);
    CHECK(memcmp(rom.program, text, sizeof text) == 0);
    CHECK(byte_sum(file, FRONT) == 0);
    CHECK(rom.program[63] == 0, rom.program[64] == 0xff, rom.program[ROOM - 1] == 0xff);
    CHECK(file[FRONT + ROOM] == 0x5a, file[SIZE - 1] == 0x5a);
}

TEST(longer_shorter_and_full)
{
    struct romfile rom = made();
    for (uint32_t length = 0; length <= ROOM; length += length == 64 ? ROOM - 64 - 17 : 1) {
        memset(rom.program, 0x81, length);
        romfile_close(file, length);
        struct romfile again;
        CHECK(romfile_open(file, sizeof file, &again) == 0);
        CHECK(again.length >= length, again.length < length + ROM_ALIGN, again.length % ROM_ALIGN == 0);
        CHECK(byte_sum(file, FRONT) == 0, file[FRONT + ROOM] == 0x5a);
    }
}

TEST(other_files_are_none)
{
    struct romfile rom;
    made();
    file[1] = 0xab;
    CHECK(romfile_open(file, sizeof file, &rom) == ERR_NOT_FOUND);
    made();
    file[ROM_AT_MAGIC + 3] ^= 1;
    CHECK(romfile_open(file, sizeof file, &rom) == ERR_NOT_FOUND);
    made();
    CHECK(open_cut(ROM_FRONT_MIN - 1) == ERR_NOT_FOUND);
}

// Each length in turn leads out of the file or past what there is room for; and every bit of the program counts.
TEST(damaged_ones_are_named)
{
    static const struct {
        unsigned at;
        uint32_t value;
    } wrong[] = {
        { ROM_AT_OFFSET, 0 }, { ROM_AT_OFFSET, SIZE }, { ROM_AT_OFFSET, UINT32_MAX }, { ROM_AT_OFFSET, FRONT - 1 },
        { ROM_AT_ROOM, SIZE }, { ROM_AT_ROOM, UINT32_MAX }, { ROM_AT_ROOM, 48 }, { ROM_AT_ROOM, ROOM - 1 },
        { ROM_AT_LENGTH, ROOM + ROM_ALIGN }, { ROM_AT_LENGTH, UINT32_MAX }, { ROM_AT_LENGTH, 63 }, { ROM_AT_LENGTH, 48 },
    };
    struct romfile rom;
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        made();
        store32_le(file + wrong[i].at, wrong[i].value);
        sum_front();
        CHECK(romfile_open(file, sizeof file, &rom) == ERR_INVALID);
    }
    for (uint32_t i = 0; i < sizeof text; i++) {
        made();
        file[FRONT + i] ^= 0x10;
        CHECK(romfile_open(file, sizeof file, &rom) == ERR_INVALID);
    }
    made();
    file[FRONT - 100] ^= 1; // code: a BIOS would not run it, and no embedder may make it right
    CHECK(romfile_open(file, sizeof file, &rom) == ERR_INVALID);
    made();
    file[OPTROM_AT_SIZE] = 0;
    CHECK(romfile_open(file, sizeof file, &rom) == ERR_INVALID);
    for (size_t len = ROM_FRONT_MIN; len < FRONT + ROOM; len += 511) {
        made();
        CHECK(open_cut(len) == ERR_INVALID);
    }
}

TEST_MAIN(T(closed_and_opened), T(longer_shorter_and_full), T(other_files_are_none), T(damaged_ones_are_named))
