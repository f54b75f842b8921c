// SPDX-License-Identifier: MPL-2.0
// See install_record.h. Integers little-endian.
#include "install_record.h"
#include "base/bytes.h"
#include "crypto/digest.h"

#define RECORD_MAGIC "SGNTSAVE"
#define RECORD_VERSION 1
enum {
    RECORD_AT_VERSION = 8, // u32
    RECORD_AT_FLAGS = 12,  // u32
    RECORD_AT_FORMER = 16, // MBR_CODE_SIZE bytes
    RECORD_AT_CODE = 456,  // INSTALL_CODE_DIGEST bytes; zeros in records of the first releases
    RECORD_AT_SUM = 480,   // SHA-256 of what is before
};
#define RECORD_FORMER_KNOWN 1u
#define RECORD_SIGNATURE 2u

bool install_record_parse(const uint8_t sector[INSTALL_SECTOR], struct install_record *ret)
{
    uint8_t sum[SHA256_SIZE];
    sha256(sector, RECORD_AT_SUM, sum);
    if (memcmp(sector, RECORD_MAGIC, 8) != 0 || memcmp(sum, sector + RECORD_AT_SUM, SHA256_SIZE) != 0 ||
        load32_le(sector + RECORD_AT_VERSION) != RECORD_VERSION)
        return false;
    uint32_t flags = load32_le(sector + RECORD_AT_FLAGS);
    ret->former_known = flags & RECORD_FORMER_KNOWN;
    ret->former_signature = flags & RECORD_SIGNATURE;
    memcpy(ret->former, sector + RECORD_AT_FORMER, MBR_CODE_SIZE);
    memcpy(ret->code, sector + RECORD_AT_CODE, INSTALL_CODE_DIGEST);
    return true;
}

void install_record_build(const struct install_record *record, uint8_t sector[INSTALL_SECTOR])
{
    memset(sector, 0, INSTALL_SECTOR);
    memcpy(sector, RECORD_MAGIC, 8);
    store32_le(sector + RECORD_AT_VERSION, RECORD_VERSION);
    store32_le(sector + RECORD_AT_FLAGS,
               (record->former_known ? RECORD_FORMER_KNOWN : 0) | (record->former_signature ? RECORD_SIGNATURE : 0));
    memcpy(sector + RECORD_AT_FORMER, record->former, MBR_CODE_SIZE);
    memcpy(sector + RECORD_AT_CODE, record->code, INSTALL_CODE_DIGEST);
    sha256(sector, RECORD_AT_SUM, sector + RECORD_AT_SUM);
}

void install_record_code(const uint8_t mbr[MBR_CODE_SIZE], uint8_t ret[INSTALL_CODE_DIGEST])
{
    uint8_t code[MBR_CODE_SIZE], sum[SHA256_SIZE];
    memcpy(code, mbr, sizeof code);
    memset(code + MBR_ENTRIES, 0, MBR_ENTRY_COUNT * MBR_ENTRY_SIZE);
    sha256(code, sizeof code, sum);
    memcpy(ret, sum, INSTALL_CODE_DIGEST);
}

bool install_record_holds(const struct install_record *record, const uint8_t mbr[MBR_CODE_SIZE])
{
    static const uint8_t unknown[INSTALL_CODE_DIGEST];
    uint8_t code[INSTALL_CODE_DIGEST];
    install_record_code(mbr, code);
    return memcmp(record->code, code, sizeof code) == 0 || memcmp(record->code, unknown, sizeof unknown) == 0;
}
