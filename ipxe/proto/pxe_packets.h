// SPDX-License-Identifier: MPL-2.0
// The answer of DHCP that PXE keeps for a network bootstrap program (Preboot Execution Environment 2.1, GET_CACHED_INFO), made of what is
// known now: the servers' own words say where Signet came from, and not where the program did. Pure.
#pragma once
#include "proto/dhcp.h"

#define PXE_PACKET_MAX (DHCP_FIXED_SIZE + 1024) // BOOTPLAYER: no program has room for more
#define PXE_FILE_MAX 128                        // of a file's name in it, with NUL

// Where TFTP finds what lies beside a program.
struct pxe_origin {
    uint8_t server[4];       // siaddr. Zero: not known
    char file[PXE_FILE_MAX]; // its own name there. "": not known, or longer
};

// What option `code` is to be. False: there is none. The bytes stay until the next call.
typedef bool pxe_option(void *ctx, uint8_t code, const uint8_t **ret, size_t *ret_len);

// Builds the DHCPACK behind a DISCOVER of dhcp_build's, with all options but those that the fields are for: GRUB believes 66 and 67 before
// them. What is longer than one option can be, which programs do not join, and what there is no room for, is left out. Its length.
size_t pxe_answer_build(const struct pxe_origin *origin, const uint8_t ip[4], const uint8_t *discover, pxe_option *option, void *ctx,
                        uint8_t buf[PXE_PACKET_MAX]);
