// SPDX-License-Identifier: MPL-2.0
// signet mkimage: the command line, and which of the two formats it asks for.
#include "mkimage.h"
#include "phase2/seal.h"

static const struct opt_help help = {
    .usage = "-o IMG --key K [--key K2]... --kernel F [--initrd F]... [--cmdline STR] [--allow PATTERN]... [-i RAW]...\n"
             "       signet mkimage -o IMG --key K... --efi F [--cmdline STR]\n"
             "       signet mkimage -o IMG --key K... --nbp F\n"
             "       signet mkimage -o IMG --key K... -i RAW...\n"
             "       signet mkimage -o IMG --unsigned -i RAW [-s MIB] [-z]",
    .about = "Makes a phase-2 image that Signet boots: kernel, initrds, command line and ramdisk images under one\n"
             "signed seal (doc/phase2-format.md). With --efi, or a unified kernel image as the kernel, the image holds an\n"
             "application that UEFI machines start; with --nbp, a program that BIOS machines start over PXE. With -i alone\n"
             "the image holds data and no kernel; with --unsigned and -i alone it is an Oxide boot image (header version\n"
             "2). An image made with --unsigned and --kernel has an empty signature table: no firmware starts it.\n"
             "The image appears under its name when it is complete, or not at all.",
};

static int check_oxide(const struct mkimage *m)
{
    if (m->ramdisks.count != 1)
        return tool_usage("-i", "an Oxide image holds exactly one raw image");
    if (m->product)
        return tool_usage("--product", "an Oxide image has no product name");
    if (m->counter)
        return tool_usage("--counter", "an Oxide image has no security counter");
    return mkimage_oxide(m);
}

int mkimage_main(int argc, char **argv)
{
    struct mkimage m = { .chunk_size = CHUNK_SIZE_DEFAULT, .target_mib = MKIMAGE_TARGET_MIB };
    const struct opt table[] = {
        OPTION_TEXT('o', "output", &m.output, "IMG", "write the image here (replaces a file)"),
        OPTION_LIST('k', "key", &m.keys, "K", "sign with this private key (PEM); repeat to sign with several"),
        OPTION_FLAG(0, "unsigned", &m.is_unsigned, "do not sign"),
        OPTION_TEXT('N', "name", &m.name, "NAME", "name of the build (default: name of the kernel's or raw image's file)"),
        OPTION_TEXT(0, "product", &m.product, "P", "product that the image is for (default: any)"),
        OPTION_NUMBER(0, "counter", &m.counter, "N", 0, 0, NULL, "security counter, against roll-back (default 0)"),
        MKIMAGE_PROGRAM_OPTIONS(m),
        OPTION_TEXT(0, "cmdline", &m.cmdline, "STR", "kernel command line"),
        OPTION_LIST(0, "allow", &m.allow, "PATTERN", MKIMAGE_ALLOW_HELP),
        OPTION_LIST('i', "ramdisk", &m.ramdisks, "RAW", "raw image that the booted system finds in memory"),
        OPTION_NUMBER('s', "target-size", &m.target_mib, "MIB", 1, MKIMAGE_TARGET_MIB_MAX, &m.target_given,
                      "size of the ramdisk on the target, in MiB\n(default: its own; Oxide image: 4096)"),
        OPTION_FLAG('z', "compress", &m.compress, "compress with zlib (Oxide image only)"),
        OPTION_TEXT(0, "dataset", &m.dataset, "D", "dataset in the ramdisk that is the root\n(Oxide image: " MKIMAGE_DATASET ")"),
        OPTION_TEXT('O', "sum-file", &m.sum_file, "F", "also write the image's SHA-256, 32 bytes (Oxide image only)"),
        OPTION_NUMBER(0, "chunk-size", &m.chunk_size, "BYTES", CHUNK_SIZE_MIN, CHUNK_SIZE_MAX, NULL,
                      "a power of two (default 262144)"),
    };
    struct opt_list operands = { 0 };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status < 0 && operands.count)
        status = tool_usage(operands.items[0], "not expected here");
    if (status < 0)
        status = mkimage_check(&m);
    if (status >= 0)
        return status;
    if (m.is_unsigned && !m.kernel && !m.efi && !m.nbp)
        return check_oxide(&m);
    if (m.compress)
        return tool_usage("-z", "is for Oxide images: firmware takes the parts of a phase-2 image as they are");
    if (m.sum_file)
        return tool_usage("-O", "is for Oxide images");
    if (m.target_given && !m.ramdisks.count)
        return tool_usage("-s", "is the size of a ramdisk (-i), and there is none");
    return mkimage_seal(&m);
}
