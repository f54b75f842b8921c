// SPDX-License-Identifier: MPL-2.0
// See tcg2.h.
#include "efi/tcg2.h"

#include "efi/efi.h"
#include "phase2/event.h"

_Static_assert(sizeof(struct efi_tcg2_event) == sizeof(uint32_t) + EFI_TCG2_EVENT_HEADER, "EFI_TCG2_EVENT");

static const struct efi_guid tcg2_guid = EFI_TCG2_GUID;
static struct efi_tcg2 *tcg2;

bool tcg2_find(void)
{
    struct efi_tcg2_capability capability = { .size = sizeof capability };
    if (efi_failed(efi_boot->locate_protocol(&tcg2_guid, NULL, (void **)&tcg2)) ||
        efi_failed(tcg2->get_capability(tcg2, &capability)) || !capability.tpm_present)
        tcg2 = NULL;
    return tcg2 != NULL;
}

int tcg2_measure(uint32_t pcr, const void *event, size_t len)
{
    static struct PACKED {
        struct efi_tcg2_event head;
        uint8_t event[EVENT_MAX];
    } entry;
    if (!tcg2 || len > sizeof entry.event)
        return ERR_TPM;
    entry.head = (struct efi_tcg2_event){ .size = (uint32_t)(sizeof entry.head + len), .header_size = EFI_TCG2_EVENT_HEADER,
                                          .header_version = 1, .pcr = pcr, .type = EV_IPL };
    memcpy(entry.event, event, len);
    efi_status status = tcg2->hash_log_extend(tcg2, 0, (uintptr_t)entry.event, len, &entry.head);
    // A full log: the PCR was extended all the same, and a log that lacks the event does not replay to it.
    return efi_failed(status) && status != EFI_VOLUME_FULL ? ERR_TPM : 0;
}
