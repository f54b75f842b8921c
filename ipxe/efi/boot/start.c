// SPDX-License-Identifier: MPL-2.0
// See start.h.
#include "efi/boot/start.h"

#include "base/fmt.h"
#include "efi/console.h"
#include "efi/efi.h"
#include "efi/boot/vouch.h"

static const struct efi_guid loaded_image_guid = EFI_LOADED_IMAGE_GUID;

// MemoryMapped(EfiLoaderData, start, end): where the file "comes from". It leads to no device, so that what is started
// finds no file beside itself that no seal covers.
static struct PACKED {
    struct efi_device_path head;
    uint32_t type;
    uint64_t start, end;
    struct efi_device_path last;
} memory_path = {
    { EFI_PATH_HARDWARE, EFI_PATH_HARDWARE_MEMORY, { 24, 0 } },
    EFI_LOADER_DATA,
    0,
    0,
    { EFI_PATH_END, EFI_PATH_END_ALL, { 4, 0 } },
};

static void say(const char *text)
{
    console_write_text("boot: ", 6);
    console_write_text(text, strlen(text));
    console_write_text("\n", 1);
}

void start_say_status(const char *what, efi_status status)
{
    char text[96];
    fmt_snprintf(text, sizeof text, "%s (status 0x%llx)", what, (unsigned long long)status);
    say(text);
}

static uint64_t file_size(const struct platform_boot *boot)
{
    return boot->setup_len + boot->kernel_len;
}

int start_inspect(const struct platform_boot *boot, struct pe_image *ret)
{
    int err = pe_parse(boot->setup, file_size(boot), file_size(boot), ret);
    return err ? err : ret->machine == START_MACHINE ? 0 : ERR_BOOT_TARGET;
}

// The text in UCS-2, which the started image reads when it likes.
static int set_options(struct efi_loaded_image *loaded, const char *text)
{
    static uint16_t options[START_OPTIONS_MAX];
    size_t len = strlen(text);
    if (len >= START_OPTIONS_MAX)
        return ERR_BOOT_CMDLINE;
    for (size_t i = 0; i <= len; i++)
        options[i] = (uint8_t)text[i];
    loaded->options = len ? options : NULL;
    loaded->options_size = len ? (uint32_t)((len + 1) * sizeof *options) : 0;
    return 0;
}

static int load(const struct platform_boot *boot, efi_handle *ret)
{
    const char *what = boot->application ? "application" : "kernel";
    char text[96];
    memory_path.start = (uintptr_t)boot->setup;
    memory_path.end = memory_path.start + file_size(boot) - 1;
    *ret = NULL;
    if (vouch_secure_boot()) {
        bool vouched = vouch_begin(boot->setup, file_size(boot));
        fmt_snprintf(text, sizeof text, vouched ? "Secure Boot is on; the seal vouches for the %s" :
                                                  "Secure Boot is on, and only the firmware decides about the %s", what);
        say(text);
    }
    efi_status status = efi_boot->load_image(false, efi_image, &memory_path.head, boot->setup, file_size(boot), ret);
    vouch_end();
    if (!efi_failed(status))
        return 0;
    if (*ret) // a security violation leaves a handle
        (void)efi_boot->unload_image(*ret);
    fmt_snprintf(text, sizeof text, "the firmware does not take the %s: LoadImage", what);
    start_say_status(text, status);
    return status == EFI_SECURITY_VIOLATION || status == EFI_ACCESS_DENIED ? ERR_BOOT_DENIED :
           status == EFI_OUT_OF_RESOURCES                                  ? ERR_BOOT_NO_ROOM :
                                                                             ERR_BOOT_FORMAT;
}

int start_load(const struct platform_boot *boot, const char *options, efi_handle *ret)
{
    int err = load(boot, ret);
    if (err)
        return err;
    struct efi_loaded_image *loaded = efi_protocol(*ret, &loaded_image_guid);
    err = loaded ? set_options(loaded, options) : ERR_BOOT_FORMAT;
    if (err)
        (void)efi_boot->unload_image(*ret);
    return err;
}
