// SPDX-License-Identifier: MPL-2.0
#include "install_nvram.h"
#include "base/test.h"

static const struct install_nvram_file file = { .disk = "/dev/sda", .partition = 1, .signature = "GPT,01020304-0506-0708-090a-0b0c0d0e0f10",
                                                .path = "\\EFI\\signet\\ipxe.efi" };
#define DEVICE "HD(1,GPT,01020304-0506-0708-090a-0b0c0d0e0f10,0x800,0x100000)/"

static const char *match(const char *line)
{
    static char number[INSTALL_NVRAM_NUMBER_MAX];
    return install_nvram_match(line, &file, number) ? number : "";
}

TEST(finds_the_entry_of_either_version)
{
    CHECK_STR(match("Boot0003* Signet\t" DEVICE "File(\\EFI\\signet\\ipxe.efi)\n"), "0003");
    CHECK_STR(match("Boot001A* Signet\t" DEVICE "\\EFI\\signet\\ipxe.efi\nBoot0000* x\n"), "001A");
    CHECK_STR(match("BootBEEF  an old label\tPciRoot(0x0)/" DEVICE "File(\\efi\\SIGNET\\IPXE.EFI)dhcp"), "BEEF");
    struct install_nvram_file mbr = file;
    char number[INSTALL_NVRAM_NUMBER_MAX];
    mbr.signature = "MBR,0x4e474953";
    CHECK(install_nvram_match("Boot0001* x\tHD(1,MBR,0x4e474953,0x800,0x1000)/\\EFI\\signet\\ipxe.efi", &mbr, number));
}

TEST(passes_over_all_others)
{
    static const char *const lines[] = {
        "",
        "BootOrder: 0003,0000",
        "BootCurrent: 0003",
        "Boot0003* Signet\t" DEVICE "File(\\EFI\\signet\\ipxe.efi.old)",
        "Boot0003* Signet\t" DEVICE "File(\\EFI\\BOOT\\BOOTX64.EFI)",
        "Boot0003* Signet\tHD(2,GPT,01020304-0506-0708-090a-0b0c0d0e0f10,0x800,0x100000)/File(\\EFI\\signet\\ipxe.efi)",
        "Boot0003* Signet\tHD(1,GPT,01020304-0506-0708-090a-0b0c0d0e0f11,0x800,0x100000)/File(\\EFI\\signet\\ipxe.efi)",
        "Boot0003* " DEVICE "\nBoot0004* x\t\\EFI\\signet\\ipxe.efi", // the file on another line
        "Boot0003* \\EFI\\signet\\ipxe.efi\t" DEVICE "x.efi",          // in the label
        "Boot00",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        CHECK_STR(match(lines[i]), "");
}

TEST_MAIN(T(finds_the_entry_of_either_version), T(passes_over_all_others))
