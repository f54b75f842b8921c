// SPDX-License-Identifier: MPL-2.0
// A firmware that is made up, for tests of efi/: its tables, empty, where efi.h's globals lead; its handles and their protocols;
// Signet's own heap and console beside it, as main.c has them. A test fills in the calls that it wants to see, and installs the
// protocols that it wants to be found. It begins with testefi_start().
#pragma once
#include "efi/console.h"
#include "efi/efi.h"
#include "efi/heap.h"

#include <stdio.h>
#include <stdlib.h>

#define TESTEFI_PROTOCOLS 16

static struct efi_boot_services services;
static struct efi_runtime_services runtime;
static struct efi_system_table tables = { .boot = &services, .runtime = &runtime };
static struct efi_loaded_image loaded;

struct efi_system_table *efi_system = &tables;
struct efi_boot_services *efi_boot = &services;
struct efi_loaded_image *efi_loaded = &loaded;
efi_handle efi_image;

// What is installed, in the order of its coming. A handle is any address of the test's.
static struct {
    efi_handle handle;
    struct efi_guid guid;
    void *protocol; // NULL: taken away, or none
} installed[TESTEFI_PROTOCOLS];
static unsigned installed_count;

static unsigned heap_under_way;     // pieces of the heap that were not given back
static bool (*heap_fails)(void);    // asked at each request, where there is one
static char said[400], order[400];  // on the console; by testefi_note

// FreePool for what was never allocated.
static efi_status free_nothing(void *memory)
{
    return EFI_SUCCESS;
}

UNUSED static void testefi_start(void)
{
    services = (struct efi_boot_services){ .free_pool = free_nothing };
    runtime = (struct efi_runtime_services){ 0 };
    loaded = (struct efi_loaded_image){ 0 };
    memset(installed, 0, sizeof installed);
    installed_count = 0;
    heap_fails = NULL;
    said[0] = order[0] = 0;
}

// Another protocol on a handle, or none (NULL) where the handle shall be there without one. A guid of NULL is nobody's.
UNUSED static void testefi_install(efi_handle handle, const struct efi_guid *guid, void *protocol)
{
    if (installed_count == TESTEFI_PROTOCOLS)
        __builtin_trap();
    installed[installed_count].handle = handle;
    installed[installed_count].guid = guid ? *guid : (struct efi_guid){ 0 };
    installed[installed_count++].protocol = protocol;
}

// All that is on a handle, and the handle with it.
UNUSED static void testefi_remove(efi_handle handle)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < installed_count; i++)
        if (installed[i].handle != handle)
            installed[kept++] = installed[i];
    installed_count = kept;
}

static bool has(unsigned i, const struct efi_guid *guid)
{
    return memcmp(&installed[i].guid, guid, sizeof *guid) == 0;
}

void *efi_protocol(efi_handle handle, const struct efi_guid *guid)
{
    for (unsigned i = 0; i < installed_count; i++)
        if (installed[i].handle == handle && has(i, guid))
            return installed[i].protocol;
    return NULL;
}

unsigned efi_handles(const struct efi_guid *guid, efi_handle **ret)
{
    static efi_handle handles[TESTEFI_PROTOCOLS];
    unsigned n = 0;
    for (unsigned i = 0; i < installed_count; i++) {
        bool known = false;
        for (unsigned k = 0; k < n; k++)
            known |= handles[k] == installed[i].handle;
        if (!known && (!guid || has(i, guid)))
            handles[n++] = installed[i].handle;
    }
    *ret = handles;
    return n;
}

// ---- what Signet has beside it ---

void *heap_alloc(size_t len)
{
    if (heap_fails && heap_fails())
        return NULL;
    heap_under_way++;
    return malloc(len);
}

void heap_free(void *ptr)
{
    heap_under_way -= ptr != NULL;
    free(ptr);
}

void console_write_text(const char *text, size_t len)
{
    strncat(said, text, MIN(len, sizeof said - 1 - strlen(said)));
}

// Notes that something was called; testefi_ordered compares with all that was noted since it was asked last.
UNUSED static void testefi_note(const char *what)
{
    size_t used = strlen(order);
    snprintf(order + used, sizeof order - used, "%s ", what);
}

UNUSED static bool testefi_ordered(const char *expected)
{
    bool same = strcmp(order, expected) == 0;
    if (!same)
        printf("  order: %s\n", order);
    order[0] = 0;
    return same;
}
