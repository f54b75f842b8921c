// SPDX-License-Identifier: MPL-2.0
// signet seal: the command line.
#include "mkimage.h"
#include "phase2/seal.h"
#include "seal_from.h"

static const struct opt_help help = {
    .usage = "--key K [--key K2]... [-o SEAL] --kernel F [--initrd F]... [--cmdline STR] [--allow PATTERN]... [-i RAW]...\n"
             "       signet seal --key K... [-o SEAL] --efi F [--cmdline STR] [--allow PATTERN]...\n"
             "       signet seal --key K... [-o SEAL] --nbp F\n"
             "       signet seal --key K... [-o DIR] --from-script SCRIPT [--set NAME=VALUE]... [--root DIR] [--allow PATTERN]...",
    .about = "Makes a detached seal (doc/phase2-format.md, 4.2): the files stay where they are, on any server, and are only\n"
             "read here. Put the seal beside the kernel as its NAME.seal, where a script's `kernel` looks for it, or name it\n"
             "in the script by `seal URI`. The script then brings the files in this order: kernel, initrds, ramdisks.\n"
             "An initrd is F, or 'F PATH [mode=OCTAL] [mkdir=N]' as the script's line has it: then it is a file of the\n"
             "initial file system. --from-script follows an iPXE script, each way through it, and seals what it starts: words that\n"
             "all of a kernel's command lines have are sealed, the others allowed. The seal appears under\n"
             "its name when it is complete, or not at all.",
};

// Each kernel of the script has its own files, command line and seal.
static int from_script(const struct mkimage *m, struct seal_from *from)
{
    if (m->kernel || m->efi || m->nbp || m->initrds.count || m->cmdline || m->ramdisks.count)
        return tool_usage("--from-script", "says itself what is sealed: --kernel, --initrd and the like do not go with it");
    if (!m->keys.count)
        return tool_usage(NULL, "no --key given");
    from->folder = m->output;
    from->options = m;
    return seal_from_script(from);
}

int seal_main(int argc, char **argv)
{
    struct mkimage m = { .chunk_size = CHUNK_SIZE_DETACHED, .detached = true };
    struct seal_from from = { 0 };
    const struct opt table[] = {
        OPTION_TEXT('o', "output", &m.output, "SEAL", "write the seal here (default: the program's name and .seal);\n"
                    "of a script: into this folder (default: beside the kernels)"),
        OPTION_LIST('k', "key", &m.keys, "K", "sign with this private key (PEM); repeat to sign with several"),
        OPTION_TEXT('N', "name", &m.name, "NAME", "name of the build (default: name of the kernel's file)"),
        OPTION_TEXT(0, "product", &m.product, "P", "product that the files are for (default: any)"),
        OPTION_NUMBER(0, "counter", &m.counter, "N", 0, 0, NULL, "security counter, against roll-back (default 0)"),
        MKIMAGE_PROGRAM_OPTIONS(m),
        OPTION_TEXT(0, "cmdline", &m.cmdline, "STR", "kernel command line: what must be there, in this order"),
        OPTION_LIST(0, "allow", &m.allow, "PATTERN", MKIMAGE_ALLOW_HELP),
        OPTION_TEXT(0, "from-script", &from.script, "SCRIPT", "seal each kernel that this script starts (file or http:// URI)"),
        OPTION_LIST(0, "set", &from.sets, "NAME=VALUE", "a setting that the script finds; NAME= for one that is not there"),
        OPTION_TEXT(0, "root", &from.root, "DIR", "the script's servers have this folder's files"),
        OPTION_LIST('i', "ramdisk", &m.ramdisks, "RAW", "raw image that the booted system finds in memory"),
        OPTION_NUMBER('s', "target-size", &m.target_mib, "MIB", 1, MKIMAGE_TARGET_MIB_MAX, &m.target_given,
                      "size of the ramdisk on the target, in MiB (default: its own)"),
        OPTION_NUMBER(0, "chunk-size", &m.chunk_size, "BYTES", CHUNK_SIZE_MIN, CHUNK_SIZE_MAX, NULL, "a power of two (default 65536)"),
    };
    struct opt_list operands = { 0 };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status < 0 && operands.count)
        status = tool_usage(operands.items[0], "not expected here");
    if (status < 0 && from.script)
        return from_script(&m, &from);
    if (status < 0 && (from.sets.count || from.root))
        status = tool_usage(from.root ? "--root" : "--set", "is of no use without --from-script");
    const char *program = m.kernel ? m.kernel : m.efi ? m.efi : m.nbp;
    if (status < 0 && program && !m.output)
        m.output = tool_format("%s.seal", program);
    if (status < 0)
        status = mkimage_check(&m);
    if (status < 0 && m.target_given && !m.ramdisks.count)
        status = tool_usage("-s", "is the size of a ramdisk (-i), and there is none");
    return status >= 0 ? status : mkimage_seal(&m);
}
