// SPDX-License-Identifier: MPL-2.0
// See mkimage_unpack.h.
#include "mkimage_unpack.h"
#include "base/bytes.h"
#include "base/range.h"
#include "file.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define UNPACKED_MAX (1024 * MIB)
#define PIECE ((size_t)256 * 1024)
#define GZIP_WINDOW (15 + 16) // zlib: the largest window, gzip's header

// The head of an EFI zboot image (Linux, drivers/firmware/efi/libstub/zboot-header.S).
enum zboot { ZBOOT_TYPE = 4, ZBOOT_OFFSET = 8, ZBOOT_SIZE = 12, ZBOOT_CODEC = 24, ZBOOT_CODEC_SIZE = 32, ZBOOT_END = 64 };

static bool is_zboot(const uint8_t *head, size_t len)
{
    return len >= ZBOOT_END && memcmp(head, "MZ", 2) == 0 && memcmp(head + ZBOOT_TYPE, "zimg", 4) == 0;
}

// --- what it is ---

#define UNPACK(tool) "is compressed by " tool "; unpack it first: " tool " -dc %s >Image"

// First bytes, at an offset; a "%s" is the file.
static const struct {
    unsigned offset, len;
    const char *bytes, *says;
} kinds[] = {
    { 0, 6, "\xfd" "7zXZ\0", UNPACK("xz") },
    { 0, 4, "\x28\xb5\x2f\xfd", UNPACK("zstd") },
    { 0, 4, "\x04\x22\x4d\x18", UNPACK("lz4") },
    { 0, 4, "\x02\x21\x4c\x18", UNPACK("lz4") }, // the legacy frame, which Linux makes
    { 0, 3, "BZh", UNPACK("bzip2") },
    { 0, 5, "\x89LZO\0", UNPACK("lzop") },
    { 0, 5, "\x5d\0\0\x80\0", UNPACK("lzma") },
    { 0, 4, "\x7f" "ELF", "is an ELF file, such as vmlinux; bzImage or Image are made to be booted" },
    { 0, 4, "\x27\x05\x19\x56", "is a U-Boot image: take the kernel out of it: dumpimage -p 0 -o Image %s" },
    { 0, 4, "\xd0\x0d\xfe\xed", "is a flattened device tree or a FIT image: take the kernel out of it: dumpimage -T flat_dt -p 0 -o Image %s" },
    { 0, 8, "ANDROID!", "is an Android boot image: take kernel and ramdisk out of it: unpack_bootimg --boot_img %s" },
    { 0x24, 4, "\x18\x28\x6f\x01", "is a kernel for 32-bit ARM, on which Signet does not run" },
    { 0x30, 5, "RISCV", "is a kernel for RISC-V, on which Signet does not run" },
    { 0, 6, "070701", "is a cpio archive: --initrd takes it" },
    { 0, 6, "070702", "is a cpio archive: --initrd takes it" },
    { 0, 7, "!<arch>", "is a Debian package or an archive: take the kernel out of it: dpkg-deb -x %s DIR" },
    { 0, 4, "\xed\xab\xee\xdb", "is an RPM package: take the kernel out of it: rpm2cpio %s | cpio -id" },
    { 0, 4, "hsqs", "is a squashfs file system: -i makes a ramdisk of it" },
    { 0x8001, 5, "CD001", "is a CD image: take the kernel out of it" },
};

static bool name_zboot(const char *path, const uint8_t *head, bool as_it_is)
{
    int codec = (int)strnlen((const char *)head + ZBOOT_CODEC, ZBOOT_CODEC_SIZE);
    const char *name = (const char *)head + ZBOOT_CODEC;
    bool gzip = codec >= 4 && memcmp(name, "gzip", 4) == 0;
    if (gzip && !as_it_is)
        return false;
    const char *program = gzip ? "gzip" : codec >= 4 && memcmp(name, "zstd", 4) == 0 ? "zstd" : codec >= 2 && memcmp(name, "xz", 2) == 0 ? "xz" :
                          codec >= 4 && memcmp(name, "lzma", 4) == 0 ? "lzma" : codec >= 3 && memcmp(name, "lz4", 3) == 0 ? "lz4" : NULL;
    char *file = tool_quoted(path);
    if (program)
        tool_error(path, "is an EFI zboot kernel, compressed by %s; unpack it %sfirst: tail -c +%" PRIu64 " %s | head -c %u | %s -dc >Image",
                   program, as_it_is ? "on the server " : "", (uint64_t)load32_le(head + ZBOOT_OFFSET) + 1, file,
                   load32_le(head + ZBOOT_SIZE), program);
    else
        tool_error(path, "is an EFI zboot kernel, compressed by \"%.*s\", which is not known here", codec, name);
    free(file);
    return true;
}

bool unpack_names(const char *path, const uint8_t *head, size_t len)
{
    if (is_zboot(head, len))
        return name_zboot(path, head, false);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!range_fits(kinds[i].offset, kinds[i].len, len) || memcmp(head + kinds[i].offset, kinds[i].bytes, kinds[i].len) != 0)
            continue;
        const char *gap = strstr(kinds[i].says, "%s");
        char *file = tool_quoted(path);
        if (gap)
            tool_error(path, "%.*s%s%s", (int)(gap - kinds[i].says), kinds[i].says, file, gap + 2);
        else
            tool_error(path, "%s", kinds[i].says);
        free(file);
        return true;
    }
    return false;
}

// --- gzip ---

static bool is_gzip(const uint8_t *head, size_t len)
{
    return len >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

bool unpack_names_packed(const char *path, const uint8_t *head, size_t len)
{
    if (is_zboot(head, len))
        return name_zboot(path, head, true);
    if (!is_gzip(head, len))
        return false;
    char *file = tool_quoted(path);
    tool_error(path, "is compressed by gzip, and a file that stays on its server is started as it lies there; unpack it there first: "
               "gzip -dc %s >Image", file);
    free(file);
    return true;
}

static int write_all(const char *path, int fd, const uint8_t *data, size_t len)
{
    for (ssize_t n; len > 0; data += n, len -= (size_t)n)
        if ((n = write(fd, data, len)) <= 0) {
            tool_errno(path, errno);
            return -1;
        }
    return 0;
}

// What lies at [at, at + len) of the file, unpacked. -1 after a message.
static int inflate_file(const char *path, int fd, uint64_t at, uint64_t len, int out, uint64_t *ret_size)
{
    z_stream z = { 0 };
    uint8_t *in = tool_alloc(PIECE), *plain = tool_alloc(PIECE);
    int status = -1, r = inflateInit2(&z, GZIP_WINDOW);
    while (r == Z_OK && len > 0) {
        size_t n = (size_t)MIN(len, (uint64_t)PIECE);
        if (file_read_at(fd, path, at, in, n) != 0)
            goto done;
        at += n;
        len -= n;
        z.next_in = in;
        z.avail_in = (unsigned)n;
        do {
            z.next_out = plain;
            z.avail_out = PIECE;
            r = inflate(&z, Z_NO_FLUSH);
            if (z.total_out > UNPACKED_MAX) {
                tool_error(path, "has more than %llu MiB when it is unpacked", (unsigned long long)(UNPACKED_MAX / MIB));
                goto done;
            }
            if (write_all(path, out, plain, PIECE - z.avail_out) != 0)
                goto done;
        } while (r == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
        if (r == Z_BUF_ERROR && z.avail_in == 0) // the piece ended with the buffer
            r = Z_OK;
    }
    if (r == Z_STREAM_END) {
        *ret_size = z.total_out;
        status = 0;
    } else {
        tool_error(path, r == Z_OK ? "is compressed by gzip and ends too early" : "is compressed by gzip and damaged");
    }
done:
    (void)inflateEnd(&z);
    free(in);
    free(plain);
    return status;
}

int unpack_kernel(const char *path, int fd, uint64_t size, const uint8_t *head, size_t len, int *ret_fd, uint64_t *ret_size)
{
    uint64_t at = 0;
    bool zboot = is_zboot(head, len);
    if (zboot) {
        at = load32_le(head + ZBOOT_OFFSET);
        uint64_t packed = load32_le(head + ZBOOT_SIZE);
        if (!range_fits(at, packed, size)) {
            tool_error(path, "is an EFI zboot kernel and ends too early");
            return -1;
        }
        size = packed;
    } else if (!is_gzip(head, len)) {
        return 1;
    }
    int out = memfd_create("kernel", MFD_CLOEXEC);
    if (out < 0) {
        tool_errno(path, errno);
        return -1;
    }
    if (inflate_file(path, fd, at, size, out, ret_size) != 0) {
        close(out);
        return -1;
    }
    *ret_fd = out;
    return 0;
}
