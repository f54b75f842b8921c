// SPDX-License-Identifier: MPL-2.0
// Linux through its EFI stub (Documentation/admin-guide/efi-stub.rst): the kernel's file, whole and verified in memory,
// goes through LoadImage and StartImage; the initrds are handed out by a LoadFile2 protocol on the device path that
// the stub asks for; the command line is the load options.
#include "efi/linux.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "efi/console.h"
#include "efi/efi.h"
#include "efi/vouch.h"
#include "phase2/seal.h"

#define MZ_PE_OFFSET 0x3c
#define MACHINE_X64 0x8664
#define PE_MACHINE 4              // from the PE signature on
#if defined(__x86_64__)
#define MACHINE_OWN MACHINE_X64
#else
#define MACHINE_OWN 0xaa64
#endif
#define PE_IMAGE_MAJOR (24 + 44)  // MajorImageVersion, from the PE signature on
#define STUB_MAJOR_INITRD 1       // from this image version on the stub asks for the initrd by LoadFile2
#define OPTIONS_MAX (SEAL_CMDLINE_MAX + 1024)
#define MEMMAP_TEXT_MAX 64

static const struct efi_guid path_guid = EFI_DEVICE_PATH_GUID, load_file2_guid = EFI_LOAD_FILE2_GUID,
                             loaded_image_guid = EFI_LOADED_IMAGE_GUID;

// VenMedia(5568e427-68fc-4f3d-ac74-ca555231cc68), then the end: LINUX_EFI_INITRD_MEDIA_GUID.
static struct PACKED {
    struct efi_device_path head;
    struct efi_guid vendor;
    struct efi_device_path end;
} initrd_path = {
    { EFI_PATH_MEDIA, EFI_PATH_MEDIA_VENDOR, { 20, 0 } },
    { 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } },
    { EFI_PATH_END, EFI_PATH_END_ALL, { 4, 0 } },
};

// MemoryMapped(EfiLoaderData, start, end): where the kernel "comes from".
static struct PACKED {
    struct efi_device_path head;
    uint32_t type;
    uint64_t start, end;
    struct efi_device_path last;
} kernel_path = {
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

static void say_status(const char *what, efi_status status)
{
    char text[96];
    fmt_snprintf(text, sizeof text, "%s (status 0x%llx)", what, (unsigned long long)status);
    say(text);
}

static const void *initrd;
static uint64_t initrd_len;

static efi_status load_initrd(struct efi_load_file *self, struct efi_device_path *path, bool boot_policy, uint64_t *size,
                              void *buffer)
{
    if (!size)
        return EFI_INVALID_PARAMETER;
    if (boot_policy)
        return EFI_UNSUPPORTED; // as LoadFile2 says
    uint64_t room = *size;
    *size = initrd_len;
    if (!buffer || room < initrd_len)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(buffer, initrd, initrd_len);
    return EFI_SUCCESS;
}
static struct efi_load_file initrd_loader = { load_initrd };

// A PE image, and one whose stub takes the initrd in our way when there is one.
static int check_stub(const struct platform_boot *boot)
{
    const uint8_t *file = boot->setup;
    uint64_t len = boot->setup_len + boot->kernel_len;
    if (len < 64 || file[0] != 'M' || file[1] != 'Z')
        return ERR_BOOT_TOO_OLD;
    uint64_t pe = load32_le(file + MZ_PE_OFFSET);
    if (pe > len || len - pe < PE_IMAGE_MAJOR + 2 || memcmp(file + pe, "PE\0", 4) != 0)
        return ERR_BOOT_TOO_OLD;
    if (load16_le(file + pe + PE_MACHINE) != MACHINE_OWN)
        return ERR_BOOT_TARGET;
    uint16_t major = load16_le(file + pe + PE_IMAGE_MAJOR);
    return boot->initrd_len && major < STUB_MAJOR_INITRD ? ERR_BOOT_TOO_OLD : 0;
}

// The command line in UCS-2. Ramdisks, which UEFI's memory map cannot express, are told to the kernel as memmap=.
static int write_options(const struct platform_boot *boot, uint16_t *out, size_t cap, uint32_t *ret_size)
{
    size_t n = 0;
    char text[MEMMAP_TEXT_MAX];
    for (const char *c = boot->cmdline; *c; c++) {
        if (n + 1 >= cap)
            return ERR_BOOT_CMDLINE;
        out[n++] = (uint8_t)*c;
    }
    for (unsigned i = 0; i < boot->ramdisk_count; i++) {
        fmt_snprintf(text, sizeof text, " memmap=0x%llx!0x%llx", (unsigned long long)boot->ramdisks[i].length,
                     (unsigned long long)boot->ramdisks[i].base);
        for (const char *c = text; *c; c++) {
            if (n + 1 >= cap)
                return ERR_BOOT_CMDLINE;
            out[n++] = (uint8_t)*c;
        }
    }
    out[n++] = 0;
    *ret_size = (uint32_t)(n * sizeof *out);
    return 0;
}

// Hands out the initrds while the kernel runs its stub.
static int offer_initrd(const struct platform_boot *boot, efi_handle *ret)
{
    *ret = NULL;
    if (!boot->initrd_len)
        return 0;
    initrd = (const void *)(uintptr_t)boot->initrd;
    initrd_len = boot->initrd_len;
    if (efi_failed(efi_boot->install_protocol(ret, &path_guid, EFI_NATIVE_INTERFACE, &initrd_path)))
        return ERR_NO_MEMORY;
    if (!efi_failed(efi_boot->install_protocol(ret, &load_file2_guid, EFI_NATIVE_INTERFACE, &initrd_loader)))
        return 0;
    (void)efi_boot->uninstall_protocol(*ret, &path_guid, &initrd_path);
    *ret = NULL;
    return ERR_NO_MEMORY;
}

static void withdraw_initrd(efi_handle handle)
{
    if (!handle)
        return;
    (void)efi_boot->uninstall_protocol(handle, &load_file2_guid, &initrd_loader);
    (void)efi_boot->uninstall_protocol(handle, &path_guid, &initrd_path);
}

static int load_kernel(const struct platform_boot *boot, efi_handle *ret)
{
    uint64_t len = boot->setup_len + boot->kernel_len;
    kernel_path.start = (uintptr_t)boot->setup;
    kernel_path.end = kernel_path.start + len - 1;
    *ret = NULL;
    bool secure = vouch_secure_boot();
    if (secure)
        say(vouch_begin(boot->setup, len) ? "Secure Boot is on; the seal vouches for the kernel" :
                                            "Secure Boot is on, and only the firmware decides about the kernel");
    efi_status status = efi_boot->load_image(false, efi_image, &kernel_path.head, boot->setup, len, ret);
    vouch_end();
    if (!efi_failed(status))
        return 0;
    if (*ret) // a security violation leaves a handle
        (void)efi_boot->unload_image(*ret);
    say_status("the firmware does not take the kernel: LoadImage", status);
    return status == EFI_SECURITY_VIOLATION || status == EFI_ACCESS_DENIED ? ERR_BOOT_DENIED :
           status == EFI_OUT_OF_RESOURCES                                  ? ERR_BOOT_NO_ROOM :
                                                                             ERR_BOOT_FORMAT;
}

int linux_start(const struct platform_boot *boot)
{
    static uint16_t options[OPTIONS_MAX];
    uint32_t options_size;
    efi_handle kernel, initrd_handle;
    if (boot->kernel != (uintptr_t)boot->setup + boot->setup_len)
        return ERR_BOOT_FORMAT;
    // Only x86 has a way to tell the kernel of a ramdisk (memmap=).
    if (boot->ramdisk_count && MACHINE_OWN != MACHINE_X64)
        return ERR_BOOT_TARGET;
    int err = check_stub(boot);
    if (!err)
        err = write_options(boot, options, ARRAY_SIZE(options), &options_size);
    if (!err)
        err = load_kernel(boot, &kernel);
    if (err)
        return err;
    err = offer_initrd(boot, &initrd_handle);
    struct efi_loaded_image *loaded = efi_protocol(kernel, &loaded_image_guid);
    if (!err && !loaded)
        err = ERR_BOOT_FORMAT;
    if (!err) {
        loaded->options = options;
        loaded->options_size = options_size;
        efi_status status = efi_boot->start_image(kernel, NULL, NULL);
        say_status("the kernel's stub came back", status);
        err = ERR_BOOT_RETURNED;
    }
    withdraw_initrd(initrd_handle);
    (void)efi_boot->unload_image(kernel); // gone already when it exited by itself
    return err;
}
