// SPDX-License-Identifier: MPL-2.0
// Linux through its EFI stub (Documentation/admin-guide/efi-stub.rst): the kernel's file, whole and verified in memory,
// goes through LoadImage and StartImage; the initrds are handed out by a LoadFile2 protocol on the device path that
// the stub asks for; the command line is the load options.
#include "efi/boot/linux.h"

#include "base/bytes.h"
#include "base/fmt.h"
#include "efi/efi.h"
#include "efi/cards/nic.h"
#include "efi/boot/start.h"
#include "image/pe.h"

static const struct efi_guid path_guid = EFI_DEVICE_PATH_GUID, load_file2_guid = EFI_LOAD_FILE2_GUID;

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
    struct pe_image pe;
    int err = start_inspect(boot, &pe);
    if (err)
        return err == ERR_BOOT_TARGET ? err : ERR_BOOT_NO_STUB;
    return boot->initrd_len && pe.image_major < STUB_MAJOR_INITRD ? ERR_BOOT_TOO_OLD : 0;
}

// The command line. Ramdisks, which UEFI's memory map cannot express, are told to the kernel as memmap=.
static int write_options(const struct platform_boot *boot, char *text, size_t cap)
{
    size_t len = (size_t)fmt_snprintf(text, cap, "%s", boot->cmdline);
    for (unsigned i = 0; i < boot->ramdisk_count && len < cap; i++)
        len += (size_t)fmt_snprintf(text + len, cap - len, " memmap=0x%llx!0x%llx", (unsigned long long)boot->ramdisks[i].length,
                                    (unsigned long long)boot->ramdisks[i].base);
    return len < cap ? 0 : ERR_BOOT_CMDLINE;
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

int linux_start(const struct platform_boot *boot)
{
    static char options[START_OPTIONS_MAX];
    efi_handle kernel, initrd_handle;
    if (boot->kernel != (uintptr_t)boot->setup + boot->setup_len)
        return ERR_BOOT_FORMAT;
    // Only x86 has a way to tell the kernel of a ramdisk (memmap=).
    if (boot->ramdisk_count && START_MACHINE != PE_MACHINE_X64)
        return ERR_BOOT_TARGET;
    int err = check_stub(boot);
    if (!err)
        err = write_options(boot, options, sizeof options);
    if (!err)
        err = start_load(boot, options, &kernel);
    if (err)
        return err;
    err = offer_initrd(boot, &initrd_handle);
    if (err) {
        (void)efi_boot->unload_image(kernel);
        return err;
    }
    nic_quiet();
    efi_status status = efi_boot->start_image(kernel, NULL, NULL); // the firmware unloads it when it ends
    nic_resume();
    start_say_status("the kernel's stub came back", status);
    withdraw_initrd(initrd_handle);
    return ERR_BOOT_RETURNED;
}
