// SPDX-License-Identifier: MPL-2.0
// signet seal: the command line.
#include "mkimage.h"
#include "phase2/seal.h"

static const struct opt_help help = {
    .usage = "--key K [--key K2]... [-o SEAL] --kernel F [--initrd F]... [--cmdline STR] [--allow PATTERN]... [-i RAW]...\n"
             "       signet seal --key K... [-o SEAL] --efi F [--cmdline STR] [--allow PATTERN]...\n"
             "       signet seal --key K... [-o SEAL] --nbp F",
    .about = "Makes a detached seal (doc/phase2-format.md, 4.2): the files stay where they are, on any server, and are only\n"
             "read here. Put the seal beside the kernel as its NAME.seal, where a script's `kernel` looks for it, or name it\n"
             "in the script by `seal URI`. The script then brings the files in this order: kernel, initrds, ramdisks.\n"
             "An initrd is F, or 'F PATH [mode=OCTAL] [mkdir=N]' as the script's line has it: then it is a file of the\n"
             "initial file system. The seal appears under its name when it is complete, or not at all.",
};

int seal_main(int argc, char **argv)
{
    struct mkimage m = { .chunk_size = CHUNK_SIZE_DETACHED, .detached = true };
    const struct opt table[] = {
        OPTION_TEXT('o', "output", &m.output, "SEAL", "write the seal here (default: the program's name and .seal)"),
        OPTION_LIST('k', "key", &m.keys, "K", "sign with this private key (PEM); repeat to sign with several"),
        OPTION_TEXT('N', "name", &m.name, "NAME", "name of the build (default: name of the kernel's file)"),
        OPTION_TEXT(0, "product", &m.product, "P", "product that the files are for (default: any)"),
        OPTION_NUMBER(0, "counter", &m.counter, "N", 0, 0, NULL, "security counter, against roll-back (default 0)"),
        OPTION_TEXT(0, "kernel", &m.kernel, "F", "Linux kernel (bzImage or arm64 Image), or a unified kernel image"),
        OPTION_TEXT(0, "efi", &m.efi, "F", "EFI application; --cmdline is its load options"),
        OPTION_TEXT(0, "nbp", &m.nbp, "F", "network bootstrap program (PXE), as pxelinux.0 is one"),
        OPTION_LIST(0, "initrd", &m.initrds, "F", "initrd; repeat to have several, in this order"),
        OPTION_TEXT(0, "cmdline", &m.cmdline, "STR", "kernel command line: what must be there, in this order"),
        OPTION_LIST(0, "allow", &m.allow, "PATTERN", MKIMAGE_ALLOW_HELP),
        OPTION_LIST('i', "ramdisk", &m.ramdisks, "RAW", "raw image that the booted system finds in memory"),
        OPTION_NUMBER('s', "target-size", &m.target_mib, "MIB", 1, MKIMAGE_TARGET_MIB_MAX, &m.target_given,
                      "size of the ramdisk on the target, in MiB (default: its own)"),
        OPTION_NUMBER(0, "chunk-size", &m.chunk_size, "BYTES", CHUNK_SIZE_MIN, CHUNK_SIZE_MAX, NULL, "a power of two (default 65536)"),
    };
    struct opt_list operands = { 0 };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status < 0 && operands.count)
        status = tool_usage(operands.items[0], "not expected here");
    const char *program = m.kernel ? m.kernel : m.efi ? m.efi : m.nbp;
    if (status < 0 && program && !m.output)
        m.output = tool_format("%s.seal", program);
    if (status < 0)
        status = mkimage_check(&m);
    if (status < 0 && m.target_given && !m.ramdisks.count)
        status = tool_usage("-s", "is the size of a ramdisk (-i), and there is none");
    return status >= 0 ? status : mkimage_seal(&m);
}
