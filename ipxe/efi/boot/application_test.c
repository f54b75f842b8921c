// SPDX-License-Identifier: MPL-2.0
// application.c and start.c over a firmware of their own: what LoadImage and StartImage get, what becomes of their
// answers, and that nothing stays loaded.
#include "efi/boot/application.c"
#include "efi/boot/start.c"
#include "base/test.h"
#include "efi/testefi.h"

static uint8_t handle_of_image;

static uint8_t file[1024];
static efi_status load_status, start_status;
static bool leaves_handle, secure;
static uint16_t options_seen[START_OPTIONS_MAX];

bool vouch_secure_boot(void)
{
    return secure;
}

bool vouch_begin(const void *image, uint64_t len)
{
    testefi_note(image == file && len == sizeof file ? "vouch" : "vouch-for-another");
    return true;
}

void vouch_end(void)
{
    testefi_note("end");
}

void nic_lend(void)
{
    testefi_note("lend");
}

void nic_resume(void)
{
    testefi_note("resume");
}

static efi_status load_image(bool policy, efi_handle parent, struct efi_device_path *path, const void *source, uint64_t size,
                             efi_handle *ret)
{
    testefi_note("load");
    *ret = !efi_failed(load_status) || leaves_handle ? &handle_of_image : NULL;
    return path == &memory_path.head && source == file && size == sizeof file ? load_status : EFI_INVALID_PARAMETER;
}

static efi_status start_image(efi_handle image, uint64_t *size, uint16_t **data)
{
    testefi_note("start");
    memcpy(options_seen, loaded.options ? loaded.options : u"", loaded.options ? loaded.options_size : 2);
    return start_status;
}

static efi_status unload_image(efi_handle image)
{
    testefi_note("unload");
    return EFI_SUCCESS;
}

static efi_status set_watchdog(uint64_t seconds, uint64_t code, uint64_t size, uint16_t *data)
{
    return EFI_SUCCESS;
}

// The headers of an application for this machine, without a section.
static void start(void)
{
    testefi_start();
    testefi_install(&handle_of_image, &loaded_image_guid, &loaded);
    services.load_image = load_image;
    services.start_image = start_image;
    services.unload_image = unload_image;
    services.set_watchdog = set_watchdog;
    memset(file, 0, sizeof file);
    memcpy(file, "MZ", 2);
    store32_le(file + PE_MZ_POINTER, 64);
    memcpy(file + 64, "PE\0", 4);
    store16_le(file + 64 + PE_MACHINE, START_MACHINE);
    store16_le(file + 64 + PE_OPTIONAL_SIZE, 240);
    store16_le(file + 64 + PE_COFF_SIZE, PE_MAGIC_64);
    store32_le(file + 64 + PE_COFF_SIZE + PE_IMAGE_SIZE, 0x2000);
    store16_le(file + 64 + PE_COFF_SIZE + PE_SUBSYSTEM, PE_SUBSYSTEM_EFI_APPLICATION);
    load_status = start_status = EFI_SUCCESS;
    leaves_handle = secure = false;
}

static int run(const char *cmdline)
{
    struct platform_boot boot = { .application = true, .setup = file, .kernel = (uintptr_t)file, .kernel_len = sizeof file,
                                  .cmdline = cmdline };
    order[0] = 0;
    return application_run(&boot);
}

TEST(runs_and_ends)
{
    start();
    CHECK_EQ(run("a b"), 0);
    CHECK(testefi_ordered("load end lend start resume "));
    CHECK_EQ(loaded.options_size, 8);
    CHECK(memcmp(options_seen, u"a b", 8) == 0);
    start_status = EFI_NOT_FOUND;
    CHECK_EQ(run("a b"), ERR_BOOT_STATUS);
    CHECK(testefi_ordered("load end lend start resume ")); // the firmware has unloaded it
    secure = true;
    CHECK_EQ(run("a b"), ERR_BOOT_STATUS);
    CHECK(testefi_ordered("vouch load end lend start resume "));
}

TEST(load_options)
{
    static char text[START_OPTIONS_MAX + 1];
    start();
    CHECK_EQ(run(""), 0);
    CHECK(!loaded.options, loaded.options_size == 0);
    memset(text, 'x', START_OPTIONS_MAX);
    CHECK_EQ(run(text), ERR_BOOT_CMDLINE);
    CHECK(testefi_ordered("load end unload "));
    text[START_OPTIONS_MAX - 1] = 0;
    CHECK_EQ(run(text), 0);
    CHECK_EQ(loaded.options_size, 2 * START_OPTIONS_MAX);
}

TEST(the_firmware_refuses)
{
    static const struct {
        efi_status status;
        int err;
    } cases[] = { { EFI_SECURITY_VIOLATION, ERR_BOOT_DENIED },
                  { EFI_ACCESS_DENIED, ERR_BOOT_DENIED },
                  { EFI_OUT_OF_RESOURCES, ERR_BOOT_NO_ROOM },
                  { EFI_UNSUPPORTED, ERR_BOOT_FORMAT } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        start();
        load_status = cases[i].status;
        CHECK_EQ(run(""), cases[i].err);
        CHECK(testefi_ordered("load end "));
        leaves_handle = true;
        CHECK_EQ(run(""), cases[i].err);
        CHECK(testefi_ordered("load end unload "));
    }
    start();
    testefi_remove(&handle_of_image);
    CHECK_EQ(run(""), ERR_BOOT_FORMAT);
    CHECK(testefi_ordered("load end unload "));
}

TEST(not_for_this_machine)
{
    start();
    store16_le(file + 64 + PE_MACHINE, 0x14c);
    CHECK_EQ(run(""), ERR_BOOT_TARGET);
    CHECK(testefi_ordered(""));
    file[0] = 0;
    CHECK_EQ(run(""), ERR_BOOT_FORMAT);
    CHECK(testefi_ordered(""));
}

TEST_MAIN(T(runs_and_ends), T(load_options), T(the_firmware_refuses), T(not_for_this_machine))
