// SPDX-License-Identifier: MPL-2.0
// The PXE API of the ROM below (proto/pxe.h): finding it and calling it.
#pragma once
#include "base/bytes.h"
#include "base/err.h"
#include "proto/pxe.h"
#include "real/real.h"

// Finds the API by what the ROM handed over at the entry, else by INT 1Ah; checks signature, length and checksum.
// 0 or ERR_NET_NO_CARD.
int pxe_find(void);

// Takes the API behind one of these two structures. 0 or ERR_NET_NO_CARD.
int pxe_use(struct segoff bang, struct segoff pxenv);

// PXE API call with a parameter block of len bytes, which is copied down and back up. The ROM's return value
// (0 = success) or, when that is success, the block's Status.
uint16_t pxe_call(uint16_t function, void *param, size_t len);

// Calls a ROM's UNDI loader with such a block. Its return value: 0 = success.
uint16_t pxe_loader(struct segoff loader, void *param, size_t len);

// Where pxe_call goes: the API that was found last, or that of the card in use.
extern struct segoff pxe_entry;

// How it was found, for people: "!PXE" or "PXENV+ 2.0".
const char *pxe_kind(void);

// The packet that the ROM keeps (at most cap bytes): its length, 0 when there is none.
size_t pxe_cached_packet(enum pxe_packet type, uint8_t *buf, size_t cap);
