// SPDX-License-Identifier: MPL-2.0
// The installer's record: one sector of a boot area that says that the area is Signet's, what MBR code was there before, and
// which was installed. doc/signet.md describes it.
#pragma once
#include "install_dev.h"
#include "mbr/layout.h"

#define INSTALL_CODE_DIGEST 24 // leading bytes of a SHA-256: what the sector has room for

struct install_record {
    bool former_known;               // `former` is what sector 0 had before
    bool former_signature;           // 55 AA was there before
    uint8_t former[MBR_CODE_SIZE];
    uint8_t code[INSTALL_CODE_DIGEST]; // install_record_code of the MBR that was installed; zeros: not known
};

// False when the sector holds no record, or a damaged one.
bool install_record_parse(const uint8_t sector[INSTALL_SECTOR], struct install_record *ret);
void install_record_build(const struct install_record *record, uint8_t sector[INSTALL_SECTOR]);

// Digest of an MBR's code without the entries that the installer writes into it, which differ from disk to disk.
void install_record_code(const uint8_t mbr[MBR_CODE_SIZE], uint8_t ret[INSTALL_CODE_DIGEST]);

// Whether the MBR's code is the one that was installed. True as well when the record does not know.
bool install_record_holds(const struct install_record *record, const uint8_t mbr[MBR_CODE_SIZE]);
