// SPDX-License-Identifier: MPL-2.0
// Shared by the files of the PXE API alone. A function takes its block, copied, and gives its Status.
#pragma once
#include "base/bytes.h"
#include "proto/pxe_api.h"

typedef unsigned pxe_api_function(struct pxe_api *a, void *block);

// pxe_api_undi.c
pxe_api_function pxe_api_initialize, pxe_api_shutdown, pxe_api_undi_open, pxe_api_undi_close, pxe_api_transmit, pxe_api_set_mcast,
    pxe_api_set_filter, pxe_api_information, pxe_api_statistics, pxe_api_clear_statistics, pxe_api_mcast_address, pxe_api_nic_type,
    pxe_api_iface, pxe_api_isr;
// pxe_api_udp.c
pxe_api_function pxe_api_udp_open, pxe_api_udp_close, pxe_api_udp_read, pxe_api_udp_write;
// pxe_api_tftp.c
pxe_api_function pxe_api_tftp_open, pxe_api_tftp_close, pxe_api_tftp_read, pxe_api_tftp_read_file, pxe_api_tftp_fsize;

// pxe_api_file.c
pxe_api_function pxe_api_file_open, pxe_api_file_close, pxe_api_file_select, pxe_api_file_read, pxe_api_file_size, pxe_api_file_check;

// Opens a file to be read by blocks of at most that size, and waits for the server's answer. `port` as it is on the wire, 0: TFTP's.
unsigned pxe_api_open_blocks(struct pxe_api *a, const uint8_t server[4], uint16_t port, const char *filename, unsigned size);
// The next bytes, of one block: at most *size, which says how many they are. PXE_TFTP_CANNOT_READ behind the last one, and the file is
// open then.
unsigned pxe_api_read_on(struct pxe_api *a, const struct segoff *to, uint16_t *size);

// pxe_api_memory.c. Copies to or from the program's memory: PXE_SUCCESS, or PXE_FAILURE where some of it is none of the program's.
unsigned pxe_api_copy(uint32_t address, void *ours, uint32_t len, bool out);
unsigned pxe_api_put(const struct segoff *to, void *from, uint32_t len);
// A far pointer, and one that leads to an address below 1 MiB.
uint32_t pxe_api_address(const struct segoff *at);
struct segoff pxe_api_far(uint32_t address);
