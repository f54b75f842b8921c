// SPDX-License-Identifier: MPL-2.0
#include "install_record.h"
#include "base/test.h"

static void fill(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i * 7 + seed);
}

TEST(what_is_written_is_read)
{
    struct install_record record = { .former_known = true }, read;
    uint8_t sector[INSTALL_SECTOR], mbr[MBR_CODE_SIZE];
    fill(record.former, sizeof record.former, 1);
    fill(mbr, sizeof mbr, 2);
    install_record_code(mbr, record.code);
    install_record_build(&record, sector);
    CHECK(install_record_parse(sector, &read));
    CHECK(read.former_known, !read.former_signature);
    CHECK(memcmp(read.former, record.former, sizeof record.former) == 0);
    CHECK(install_record_holds(&read, mbr));
}

TEST(a_changed_byte_is_no_record)
{
    struct install_record record = { .former_signature = true }, read;
    uint8_t sector[INSTALL_SECTOR];
    for (unsigned i = 0; i < INSTALL_SECTOR; i++) {
        install_record_build(&record, sector);
        sector[i] ^= 1;
        CHECK(!install_record_parse(sector, &read));
    }
}

TEST(the_code_is_known_without_its_entries)
{
    struct install_record record = { 0 };
    uint8_t mbr[MBR_CODE_SIZE];
    fill(mbr, sizeof mbr, 3);
    CHECK(install_record_holds(&record, mbr)); // a record that does not know
    install_record_code(mbr, record.code);
    for (unsigned i = 0; i < MBR_CODE_SIZE; i++) {
        bool entry = i >= MBR_ENTRIES && i < MBR_ENTRIES + MBR_ENTRY_COUNT * MBR_ENTRY_SIZE;
        mbr[i] ^= 0x20;
        CHECK(install_record_holds(&record, mbr) == entry);
        mbr[i] ^= 0x20;
    }
}

TEST_MAIN(T(what_is_written_is_read), T(a_changed_byte_is_no_record), T(the_code_is_known_without_its_entries))
