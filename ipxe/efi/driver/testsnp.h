// SPDX-License-Identifier: MPL-2.0
// The firmware as the driver's tests see it, beside testefi.h: a task priority that must come back to where it was, events, Stall.
#pragma once
#include "efi/testefi.h"

#define TEST_EVENTS 8

static struct {
    uint64_t tpl;
    bool wrong; // a priority lowered by raising, or raised by restoring; the machine stalled at a raised one
    unsigned stalls, signals, events;
    efi_status no_event; // what CreateEvent says, EFI_SUCCESS: an event
    struct {
        uint32_t type;
        void (*notify)(efi_event event, void *context);
        void *context;
        bool open;
    } event[TEST_EVENTS];
} firmware;

static uint64_t raise_tpl(uint64_t tpl)
{
    uint64_t before = firmware.tpl;
    firmware.wrong |= tpl < before;
    firmware.tpl = tpl;
    return before;
}

static void restore_tpl(uint64_t tpl)
{
    firmware.wrong |= tpl > firmware.tpl;
    firmware.tpl = tpl;
}

static efi_status create_event(uint32_t type, uint64_t tpl, void (*notify)(efi_event event, void *context), void *context, efi_event *ret)
{
    if (firmware.no_event)
        return firmware.no_event;
    for (unsigned i = 0; i < TEST_EVENTS; i++)
        if (!firmware.event[i].open) {
            firmware.event[i].type = type;
            firmware.event[i].notify = notify;
            firmware.event[i].context = context;
            firmware.event[i].open = true;
            firmware.events++;
            *ret = &firmware.event[i];
            return EFI_SUCCESS;
        }
    __builtin_trap();
}

static efi_status close_event(efi_event event)
{
    for (unsigned i = 0; i < TEST_EVENTS; i++)
        if (event == &firmware.event[i] && firmware.event[i].open) {
            firmware.event[i].open = false;
            firmware.events--;
            return EFI_SUCCESS;
        }
    firmware.wrong = true;
    return EFI_INVALID_PARAMETER;
}

static efi_status signal_event(efi_event event)
{
    firmware.signals++;
    return EFI_SUCCESS;
}

static void (*while_stalling)(void); // what the world does meanwhile

static efi_status stall(uint64_t us)
{
    firmware.stalls++;
    firmware.wrong |= firmware.tpl == EFI_TPL_NOTIFY;
    if (while_stalling)
        while_stalling();
    return EFI_SUCCESS;
}

// Calls what was to be called for all open events of a type, as the firmware does: at the priority that the driver chose.
UNUSED static void notify_all(uint32_t type)
{
    for (unsigned i = 0; i < TEST_EVENTS; i++)
        if (firmware.event[i].open && firmware.event[i].type == type) {
            firmware.tpl = EFI_TPL_NOTIFY;
            firmware.event[i].notify(&firmware.event[i], firmware.event[i].context);
            firmware.tpl = EFI_TPL_CALLBACK;
        }
}

static void testsnp_start(void)
{
    testefi_start();
    memset(&firmware, 0, sizeof firmware);
    firmware.tpl = EFI_TPL_CALLBACK;
    while_stalling = NULL;
    services.raise_tpl = raise_tpl;
    services.restore_tpl = restore_tpl;
    services.create_event = create_event;
    services.close_event = close_event;
    services.signal_event = signal_event;
    services.stall = stall;
}

// Every call has left the priority where it was.
static bool is_calm(void)
{
    return !firmware.wrong && firmware.tpl == EFI_TPL_CALLBACK;
}
