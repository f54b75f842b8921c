// SPDX-License-Identifier: MPL-2.0
// nvram.c over a firmware of its own: who can reach what, variables that somebody else has made, and a full store.
#include "efi/nvram.c"
#include "base/test.h"
#include "efi/testefi.h"

#define VARIABLES 4

static struct variable {
    uint16_t name[NAME_MAX]; // "": none
    uint32_t attributes;
    uint64_t size;
    uint8_t data[32 * VALUE_MAX];
} variables[VARIABLES];
static unsigned sets;
static bool full, early_attributes, no_memory;
static int pool_blocks;

static efi_status fake_allocate(int type, uint64_t size, void **ret)
{
    *ret = type == EFI_LOADER_DATA && !no_memory ? malloc(size) : NULL;
    pool_blocks += *ret != NULL;
    return *ret ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static efi_status fake_free(void *memory)
{
    pool_blocks--;
    free(memory);
    return EFI_SUCCESS;
}

static struct variable *find(const uint16_t *name)
{
    for (unsigned i = 0; i < VARIABLES; i++)
        if (memcmp(variables[i].name, name, 2 * sizeof *name) == 0)
            return &variables[i];
    return NULL;
}

static efi_status fake_get(const uint16_t *name, const struct efi_guid *guid, uint32_t *attributes, uint64_t *size, void *data)
{
    const struct variable *v = find(name);
    if (!v || memcmp(guid, &vendor, sizeof vendor) != 0)
        return EFI_NOT_FOUND;
    uint64_t room = *size;
    *size = v->size;
    if (room >= v->size || early_attributes) // firmware before UEFI 2.8 tells none of what does not fit
        *attributes = v->attributes;
    if (room < v->size)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(data, v->data, v->size);
    return EFI_SUCCESS;
}

static efi_status fake_set(const uint16_t *name, const struct efi_guid *guid, uint32_t attributes, uint64_t size, const void *data)
{
    static const uint16_t nothing[NAME_MAX];
    struct variable *v = find(name);
    sets++;
    if (size == 0 && !v)
        return EFI_NOT_FOUND;
    if (size > 0 && (full || (v && v->attributes != attributes)))
        return v && !full ? EFI_INVALID_PARAMETER : EFI_OUT_OF_RESOURCES;
    if (!v)
        v = find(nothing);
    *v = (struct variable){ .attributes = attributes, .size = size };
    if (size > 0) {
        memcpy(v->name, name, 2 * sizeof *name); // two letters tell them apart here
        memcpy(v->data, data, size);
    }
    return EFI_SUCCESS;
}

static void set_up(void)
{
    memset(variables, 0, sizeof variables);
    runtime.get_variable = fake_get;
    runtime.set_variable = fake_set;
    services.allocate_pool = fake_allocate;
    services.free_pool = fake_free;
    sets = 0;
    full = early_attributes = no_memory = false;
}

TEST(each_room_has_its_attributes)
{
    char back[8];
    set_up();
    CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), ERR_NOT_FOUND);
    CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", "abc", 3), 0);
    CHECK_EQ(store(NULL, ROOM_SYSTEM, "b", "defg", 4), 0);
    CHECK_EQ(find(u"a")->attributes, EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOT_SERVICES);
    CHECK_EQ(find(u"b")->attributes, EFI_VARIABLE_BOOT_SERVICES | EFI_VARIABLE_RUNTIME);
    CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), 3);
    CHECK(memcmp(back, "abc", 3) == 0);
    CHECK_EQ(load(NULL, ROOM_SYSTEM, "b", back, 3), ERR_NVRAM);
    // Replaced in one step, so that the old value is there until the new one is.
    sets = 0;
    CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", "x", 1), 0);
    CHECK_EQ(sets, 1);
    CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), 1);
}

TEST(removing_writes_only_what_is_there)
{
    set_up();
    CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", NULL, 0), 0);
    CHECK_EQ(sets, 0);
    (void)store(NULL, ROOM_FIRMWARE, "a", "abc", 3);
    CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", NULL, 0), 0);
    CHECK(!find(u"a"));
}

TEST(what_a_system_made_is_not_the_firmwares)
{
    uint8_t back[8];
    const uint32_t all = EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOT_SERVICES | EFI_VARIABLE_RUNTIME;
    const uint64_t sizes[] = { 1, 4, 8, 9, VALUE_MAX, VALUE_MAX + 1, 32 * VALUE_MAX };
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        set_up();
        early_attributes = i & 1;
        variables[0] = (struct variable){ .name = u"a", .attributes = all, .size = sizes[i / 2] };
        // Not there, whatever its size: an error would switch off what is kept, and a stranger could do that.
        CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), ERR_NOT_FOUND);
        CHECK_EQ(pool_blocks, 0);
        CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", "abc", 3), 0);
        CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), 3);
        // The system's answer is a variable of its own making.
        variables[1] = (struct variable){ .name = u"b", .attributes = all, .size = 4 };
        CHECK_EQ(load(NULL, ROOM_SYSTEM, "b", back, sizeof back), 4);
        CHECK_EQ(store(NULL, ROOM_SYSTEM, "b", NULL, 0), 0);
        CHECK(!find(u"b"));
    }
}

// The firmware's own that is too large is an error, and so is one of which nobody can say whose it is; replaced it is in one step.
TEST(too_large_and_the_firmwares_own)
{
    uint8_t back[8];
    for (unsigned i = 0; i < 2; i++) {
        set_up();
        early_attributes = i & 1;
        variables[0] = (struct variable){ .name = u"a", .attributes = attributes_of(ROOM_FIRMWARE), .size = 32 * VALUE_MAX };
        CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), ERR_NVRAM);
        CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", "abc", 3), 0);
        CHECK_EQ(sets, 1);
        CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), 3);
    }
    set_up();
    no_memory = true;
    variables[0] = (struct variable){ .name = u"a", .attributes = 7, .size = 32 * VALUE_MAX };
    CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), ERR_NVRAM);
    CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", "abc", 3), 0);
    CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), 3);
}

TEST(a_full_store_is_an_error_and_keeps_the_old_value)
{
    char back[8];
    set_up();
    (void)store(NULL, ROOM_FIRMWARE, "a", "abc", 3);
    full = true;
    CHECK_EQ(store(NULL, ROOM_FIRMWARE, "a", "xyz1", 4), ERR_NVRAM);
    CHECK_EQ(store(NULL, ROOM_SYSTEM, "b", "x", 1), ERR_NVRAM);
    CHECK_EQ(load(NULL, ROOM_FIRMWARE, "a", back, sizeof back), 3);
}

TEST_MAIN(T(each_room_has_its_attributes), T(removing_writes_only_what_is_there), T(what_a_system_made_is_not_the_firmwares),
          T(too_large_and_the_firmwares_own), T(a_full_store_is_an_error_and_keeps_the_old_value))
