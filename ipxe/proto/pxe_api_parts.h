// SPDX-License-Identifier: MPL-2.0
// Shared by the files of the PXE API alone. A function takes its block, copied, and gives its Status.
#pragma once
#include "base/bytes.h"
#include "proto/pxe_api.h"

typedef unsigned pxe_api_function(struct pxe_api *a, void *block);

// pxe_api_undi.c
pxe_api_function pxe_api_initialize, pxe_api_shutdown, pxe_api_undi_open, pxe_api_undi_close, pxe_api_transmit, pxe_api_set_mcast,
    pxe_api_set_filter, pxe_api_information, pxe_api_mcast_address, pxe_api_nic_type, pxe_api_iface, pxe_api_isr;
// pxe_api_udp.c
pxe_api_function pxe_api_udp_open, pxe_api_udp_close, pxe_api_udp_read, pxe_api_udp_write;
// pxe_api_tftp.c
pxe_api_function pxe_api_tftp_open, pxe_api_tftp_close, pxe_api_tftp_read, pxe_api_tftp_read_file, pxe_api_tftp_fsize;

// Copies from the program's memory, or to it: PXE_SUCCESS, or PXE_FAILURE where it is none of the program's.
unsigned pxe_api_take(uint32_t address, void *to, uint32_t len);
unsigned pxe_api_put(const struct segoff *to, const void *from, uint32_t len);
// A far pointer, and one that leads to an address below 1 MiB.
uint32_t pxe_api_address(const struct segoff *at);
struct segoff pxe_api_far(uint32_t address);
