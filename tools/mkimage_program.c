// SPDX-License-Identifier: MPL-2.0
// mkimage: the file that will be started, a Linux kernel, an EFI application or a network bootstrap program, and what its headers ask for.
#include "mkimage_program.h"
#include "image/arm64.h"
#include "image/bzimage.h"
#include "image/pe.h"
#include "mkimage_unpack.h"
#include <stdlib.h>

// What the firmware appends to the command line, at its longest: " signet.name=" " signet.counter="
// " signet.ramdisk=0x...,0x..." with their numbers, one of the last for each ramdisk.
static size_t cmdline_extra(const struct seal *seal, size_t ramdisks)
{
    return strlen(" signet.name=") + strlen(seal->name) + strlen(" signet.counter=") + 20 +
           ramdisks * (strlen(" signet.ramdisk=0x,0x") + 32);
}

// The file's first bytes, as far as its headers may reach.
struct program {
    struct seal_part *part;
    uint8_t head[PE_HEADERS_MAX];
    size_t len;
};

static int read_head(struct payload *p, struct program *program, const char *path)
{
    program->len = (size_t)MIN(program->part->size, (uint64_t)sizeof program->head);
    return file_read_at(p->files[0].fd, path, 0, program->head, program->len);
}

// Appends the file. 0, or -1 after a message.
static int add_program(struct payload *p, uint32_t kind, const char *path, struct program *program)
{
    program->part = payload_add(p, kind, path);
    return program->part ? read_head(p, program, path) : -1;
}

// In place of a packed kernel the kernel itself. 0, or -1 after a message.
static int unpack(struct payload *p, struct program *program, const char *path)
{
    if (p->seal->detached)
        return unpack_names_packed(path, program->head, program->len) || unpack_names(path, program->head, program->len) ? -1 : 0;
    int fd;
    uint64_t size;
    if (unpack_names(path, program->head, program->len))
        return -1;
    int r = unpack_kernel(path, p->files[0].fd, program->part->size, program->head, program->len, &fd, &size);
    if (r != 0)
        return MIN(r, 0);
    if (payload_replace(p, fd, size) != 0 || read_head(p, program, path) != 0)
        return -1;
    return unpack_names(path, program->head, program->len) ? -1 : 0;
}

// Through which doors a bzImage starts: BIOS takes every one, UEFI those whose stub takes what Signet hands over.
static const char *bzimage_doors(const struct program *program, const struct mkimage *m)
{
    struct pe_image pe;
    if (pe_parse(program->head, program->len, program->part->size, &pe) != 0 || pe.machine != PE_MACHINE_X64)
        return "BIOS (the kernel has no EFI stub)";
    if (m->initrds.count && pe.image_major < STUB_MAJOR_INITRD)
        return "BIOS (the kernel's EFI stub takes no initrd from Signet)";
    return "BIOS, UEFI";
}

static int check_cmdline(const struct mkimage *m, const struct seal *seal, uint32_t limit)
{
    size_t have = strlen(seal->cmdline), extra = cmdline_extra(seal, m->ramdisks.count);
    if (have + extra <= limit)
        return 0;
    return -tool_error("--cmdline", "%zu characters and the %zu that the firmware appends are more than this kernel takes (%u)",
                       have, extra, limit);
}

static int fill_bzimage(const struct program *program, const struct mkimage *m, const struct bzimage *kernel, struct seal *seal,
                        const char **ret_doors)
{
    struct seal_part *part = program->part;
    part->address = kernel->pref_address;
    part->memory = kernel->init_size;
    part->align = kernel->alignment;
    part->split = kernel->setup_size;
    *ret_doors = bzimage_doors(program, m);
    return check_cmdline(m, seal, kernel->cmdline_size);
}

static int fill_arm64(const struct program *program, const struct mkimage *m, const struct arm64_image *kernel, struct seal *seal,
                      const char **ret_doors)
{
    if (m->ramdisks.count)
        return -tool_error(m->ramdisks.items[0], "is a ramdisk, of which an arm64 kernel cannot be told: --initrd is left");
    seal->target = TARGET_LINUX_ARM64;
    program->part->memory = kernel->memory;
    program->part->align = ARM64_ALIGN;
    *ret_doors = "UEFI";
    return check_cmdline(m, seal, ARM64_CMDLINE_MAX);
}

static int fill_application(struct seal *seal, struct seal_part *part, const struct pe_image *pe, const char *path, const char **ret_doors)
{
    if (pe->machine != PE_MACHINE_X64 && pe->machine != PE_MACHINE_ARM64)
        return -tool_error(path, "is an EFI application for a processor that Signet does not run on (machine 0x%x)", pe->machine);
    if (seal->arguments[0] && !seal->cmdline[0])
        return -tool_error("--allow", "one argument would take the place of all that %s carries as its own; --cmdline says what stays", path);
    seal->target = pe->machine == PE_MACHINE_X64 ? TARGET_EFI_X64 : TARGET_EFI_ARM64;
    part->kind = PART_APPLICATION;
    part->memory = MAX((uint64_t)pe->memory, part->size);
    *ret_doors = "UEFI";
    return 0;
}

// A unified kernel image, which is an EFI application with all that Linux needs in it.
static int fill_unified(const struct program *program, const struct mkimage *m, const struct pe_image *pe, struct seal *seal,
                        const char **ret_doors)
{
    if (!pe->unified)
        return -tool_error(m->kernel, "is an EFI application and no kernel; --efi makes an image of it");
    if (m->initrds.count || m->ramdisks.count)
        return -tool_error(m->kernel, "is a unified kernel image: it brings its own initrd, and nothing can be added");
    return fill_application(seal, program->part, pe, m->kernel, ret_doors);
}

static int add_kernel(struct payload *p, const struct mkimage *m, struct program *program, const char **ret_doors)
{
    struct bzimage bzimage;
    struct arm64_image arm64;
    struct pe_image pe;
    if (add_program(p, PART_KERNEL, m->kernel, program) != 0 || unpack(p, program, m->kernel) != 0)
        return -1;
    int r = bzimage_parse(program->head, program->len, program->part->size, &bzimage);
    if (r == 0)
        return fill_bzimage(program, m, &bzimage, p->seal, ret_doors);
    int arm = arm64_parse(program->head, program->len, program->part->size, &arm64);
    if (arm == 0)
        return fill_arm64(program, m, &arm64, p->seal, ret_doors);
    if (arm != ERR_BOOT_FORMAT && arm != ERR_TRUNCATED)
        return -tool_error(m->kernel, "is an arm64 kernel that cannot be booted: %s (%s)", err_text(arm), err_code(arm));
    if (r == ERR_BOOT_FORMAT && pe_parse(program->head, program->len, program->part->size, &pe) == 0)
        return fill_unified(program, m, &pe, p->seal, ret_doors);
    return -tool_error(m->kernel, "is not a Linux bzImage that can be booted: %s (%s)", err_text(r), err_code(r));
}

static int add_application(struct payload *p, const struct mkimage *m, struct program *program, const char **ret_doors)
{
    struct pe_image pe;
    if (add_program(p, PART_APPLICATION, m->efi, program) != 0)
        return -1;
    int r = pe_parse(program->head, program->len, program->part->size, &pe);
    if (r != 0)
        return -tool_error(m->efi, "is not an EFI application: %s (%s)", err_text(r), err_code(r));
    return fill_application(p->seal, program->part, &pe, m->efi, ret_doors);
}

// Such a program has no mark of its own: what is certainly something else is named, so that no machine jumps into it.
static int add_nbp(struct payload *p, const struct mkimage *m, struct program *program, const char **ret_doors)
{
    struct bzimage bzimage;
    struct pe_image pe;
    if (add_program(p, PART_APPLICATION, m->nbp, program) != 0)
        return -1;
    if (pe_parse(program->head, program->len, program->part->size, &pe) == 0)
        return -tool_error(m->nbp, "is an EFI application; --efi makes an image of it");
    if (bzimage_parse(program->head, program->len, program->part->size, &bzimage) == 0)
        return -tool_error(m->nbp, "is a Linux kernel; --kernel makes an image of it");
    if (program->len >= strlen(SEAL_MAGIC) && memcmp(program->head, SEAL_MAGIC, strlen(SEAL_MAGIC)) == 0)
        return -tool_error(m->nbp, "is an image already; its program is needed");
    if (program->part->size > NBP_SIZE_MAX)
        return -tool_error(m->nbp, "has %llu bytes, and base memory has room for %u of a network bootstrap program",
                           (unsigned long long)program->part->size, NBP_SIZE_MAX);
    p->seal->target = TARGET_NBP;
    *ret_doors = "BIOS";
    return 0;
}

int mkimage_program(struct payload *p, const struct mkimage *m, const char **ret_doors)
{
    struct program *program = tool_alloc(sizeof *program);
    int r = 0;
    if (m->kernel)
        r = add_kernel(p, m, program, ret_doors);
    else if (m->efi)
        r = add_application(p, m, program, ret_doors);
    else if (m->nbp)
        r = add_nbp(p, m, program, ret_doors);
    free(program);
    return r;
}
