// SPDX-License-Identifier: MPL-2.0
// PE/COFF artefacts (ipxe.efi) for `signet embed`: the last section, .signet, grows with what is embedded behind its slot.
#pragma once
#include "image/pe.h"

// Makes a whole file of `head` (the bare artefact up to and with the slot, `head_len` bytes) and the blob: section and
// image sizes, the checksum, and no Authenticode signature any more. The file gets `size` bytes, of which the section takes
// what is left over; 0: as many as it needs. Returns a new buffer (free()), its length in
// *ret_len; NULL after a message about `path`. *ret_signed says whether a signature was lost.
uint8_t *embed_pe_build(const char *path, const uint8_t *head, size_t head_len, const uint8_t *blob, size_t blob_len,
                        size_t size, size_t *ret_len, bool *ret_signed);

// The machine that a finished artefact is for (enum pe_machine); 0: it is no UEFI application of Signet.
unsigned embed_pe_machine(const uint8_t *file, size_t len);

// Whether such a file has the checksum that its header says (signing keeps it true).
bool embed_pe_intact(const uint8_t *file, size_t len);
