// SPDX-License-Identifier: MPL-2.0
// See nbptest.h: TFTP, UDP, and the FILE functions of iPXE.
#include "bios/nbptest/nbptest.h"

#include "base/fmt.h"
#include "real/real.h"

#define FILE_NAME "nbptest.dat" // of ci/qemu/nbp.py: FILE_SIZE bytes, by expected()
#define ABSENT "absent.dat"
#define FILE_SIZE 300001u
#define TFTP_PORT 0x4500 // 69 in network order
#define TRIES 10
#define SECOND 18 // in ticks

struct PACKED tftp_open {
    uint16_t status;
    uint8_t server[4], gateway[4];
    char name[128];
    uint16_t port, packet_size;
};
struct PACKED tftp_read {
    uint16_t status, number, size;
    uint32_t buffer;
};
struct PACKED tftp_read_file {
    uint16_t status;
    char name[128];
    uint32_t size, buffer;
    uint8_t server[4], gateway[4], group[4];
    uint16_t client_port, server_port, open_timeout, reopen_delay;
};
struct PACKED tftp_size {
    uint16_t status;
    uint8_t server[4], gateway[4];
    char name[128];
    uint32_t size;
};
struct PACKED udp_open {
    uint16_t status;
    uint8_t own[4];
};
struct PACKED udp_read {
    uint16_t status;
    uint8_t source[4], destination[4];
    uint16_t source_port, destination_port, size;
    uint32_t buffer;
};
struct PACKED udp_write {
    uint16_t status;
    uint8_t to[4], gateway[4];
    uint16_t source_port, port, size;
    uint32_t buffer;
};
struct PACKED just_status {
    uint16_t status;
};

static uint8_t expected(uint32_t at)
{
    return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static bool right(const uint8_t *bytes, uint32_t at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != expected(at + i))
            return false;
    return true;
}

static bool open(const char *name, uint16_t wanted, uint16_t *ret_packet_size)
{
    struct tftp_open block = { .port = TFTP_PORT, .packet_size = wanted };
    memcpy(block.server, addresses.server, 4);
    fmt_snprintf(block.name, sizeof block.name, "%s", name);
    bool good = api(TFTP_OPEN, &block, sizeof block) && block.packet_size >= 512 && block.packet_size <= wanted;
    *ret_packet_size = block.packet_size;
    return good;
}

// The next packet, into BUFFER_AT. False when the call fails.
static bool read_packet(uint16_t packet_size, uint16_t *ret_size, uint16_t *ret_number)
{
    uint8_t *buffer = low_memory(BUFFER_AT);
    memset(buffer, 0xee, packet_size + 64u);
    struct tftp_read block = { .size = packet_size, .buffer = far_pointer(BUFFER_AT) };
    if (!api(TFTP_READ, &block, sizeof block) || block.size > packet_size || buffer[block.size] != 0xee)
        return false;
    *ret_size = block.size;
    *ret_number = block.number;
    return true;
}

static bool close(void)
{
    struct just_status block = { 0 };
    return api(TFTP_CLOSE, &block, sizeof block);
}

static void by_packets(void)
{
    uint16_t packet_size = 0, size = 0, number = 0;
    // Left in the middle, and begun anew with another size.
    bool good = open(FILE_NAME, 512, &packet_size) && read_packet(packet_size, &size, &number) && size == 512 && number == 1 &&
                right(low_memory(BUFFER_AT), 0, 512);
    result(close() && good, "tftp-left");
    uint32_t at = 0, count = 0;
    good = open(FILE_NAME, 1456, &packet_size);
    note("nbp: packets of %u bytes", packet_size);
    result(good, "tftp-open");
    do {
        good = good && read_packet(packet_size, &size, &number) && number == ++count && right(low_memory(BUFFER_AT), at, size);
        at += size;
    } while (good && size == packet_size);
    if (!good)
        note("nbp: packet %u is number %u with %u bytes, at %u", count, number, size, at);
    result(good && at == FILE_SIZE, "tftp-read");
    result(close(), "tftp-close");
}

static struct tftp_read_file whole(const char *name, uint32_t buffer, uint32_t size)
{
    struct tftp_read_file block = { .size = size, .buffer = buffer, .server_port = TFTP_PORT, .open_timeout = 3, .reopen_delay = 1 };
    memcpy(block.server, addresses.server, 4);
    fmt_snprintf(block.name, sizeof block.name, "%s", name);
    return block;
}

void try_tftp(void)
{
    struct tftp_size size = { 0 };
    memcpy(size.server, addresses.server, 4);
    fmt_snprintf(size.name, sizeof size.name, "%s", FILE_NAME);
    result(api(TFTP_GET_FSIZE, &size, sizeof size) && size.size == FILE_SIZE, "tftp-size");
    fmt_snprintf(size.name, sizeof size.name, "%s", ABSENT);
    result(refused(TFTP_GET_FSIZE, &size, sizeof size), "tftp-size-absent");
    by_packets();
    struct tftp_open absent = { .port = TFTP_PORT, .packet_size = 1456, .name = ABSENT };
    memcpy(absent.server, addresses.server, 4);
    result(refused(TFTP_OPEN, &absent, sizeof absent), "tftp-absent");
    note("nbp: a file that is not there: status %02x", last_status);
    struct tftp_read none = { .size = 1456, .buffer = far_pointer(BUFFER_AT) };
    result(refused(TFTP_READ, &none, sizeof none), "tftp-read-unopened");
    uint8_t *to = low_memory(READ_FILE_AT);
    memset(to, 0xee, READ_FILE_SIZE);
    struct tftp_read_file file = whole(FILE_NAME, READ_FILE_AT, READ_FILE_SIZE);
    result(api(TFTP_READ_FILE, &file, sizeof file) && file.size == FILE_SIZE && right(to, 0, FILE_SIZE) && to[FILE_SIZE] == 0xee, "tftp-read-file");
    memset(to, 0xee, READ_FILE_SIZE);
    file = whole(FILE_NAME, READ_FILE_AT, 1000);
    result(refused(TFTP_READ_FILE, &file, sizeof file) && to[1000] == 0xee, "tftp-read-file-small");
}

// ---- UDP: a question to the TFTP server that is answered by an error --------------------------------------

#define OWN_PORT 0x3927 // in network order

static bool ask_and_hear(void)
{
    static const uint8_t question[] = "\0\1" ABSENT "\0octet";
    for (unsigned i = 0; i < TRIES; i++) {
        memcpy(low_memory(SECOND_AT), question, sizeof question);
        struct udp_write write = { .source_port = OWN_PORT, .port = TFTP_PORT, .size = sizeof question, .buffer = far_pointer(SECOND_AT) };
        memcpy(write.to, addresses.server, 4);
        if (!api(UDP_WRITE, &write, sizeof write))
            return false;
        uint32_t begun = ticks();
        while (ticks() - begun < SECOND) {
            uint8_t *buffer = low_memory(BUFFER_AT);
            memset(buffer, 0xee, BUFFER_SIZE);
            struct udp_read read = { .destination_port = OWN_PORT, .size = 1400, .buffer = far_pointer(BUFFER_AT) };
            memcpy(read.destination, addresses.own, 4);
            if (refused(UDP_READ, &read, sizeof read))
                continue;
            return last_status == 0 && memcmp(read.source, addresses.server, 4) == 0 && memcmp(read.destination, addresses.own, 4) == 0 &&
                   read.destination_port == OWN_PORT && read.source_port != 0 && read.size >= 5 && read.size < 200 &&
                   load16_be(buffer) == 5 && load16_be(buffer + 2) == 1 && buffer[read.size] == 0xee;
        }
    }
    return false;
}

void try_udp(void)
{
    struct udp_open block = { 0 };
    memcpy(block.own, addresses.own, 4);
    struct udp_read read = { .size = 100, .buffer = far_pointer(BUFFER_AT) };
    result(refused(UDP_READ, &read, sizeof read), "udp-unopened");
    result(api(UDP_OPEN, &block, sizeof block), "udp-open");
    result(ask_and_hear(), "udp-answer");
    struct udp_write write = { .source_port = OWN_PORT, .port = TFTP_PORT, .size = 0xffff, .buffer = far_pointer(SECOND_AT) };
    memcpy(write.to, addresses.server, 4);
    if (strict)
        result(refused(UDP_WRITE, &write, sizeof write), "udp-too-long");
    struct just_status close_block = { 0 };
    result(api(UDP_CLOSE, &close_block, sizeof close_block), "udp-close");
}

// ---- iPXE's FILE functions ----------------------------------------------------------------------------------

struct PACKED file_check {
    uint16_t status, size;
    uint32_t magic, provider, mask, flags;
};
struct PACKED file_open {
    uint16_t status, handle;
    uint32_t name, reserved;
};
struct PACKED file_handle {
    uint16_t status, handle;
};
struct PACKED file_read {
    uint16_t status, handle, size;
    uint32_t buffer;
};
struct PACKED file_size {
    uint16_t status, handle;
    uint32_t size;
};
#define CHECK_ASKED 0x91d447b2
#define CHECK_ANSWERED 0xe9c17b20
#define FILE_WOULD_BLOCK 0x1b // of FILE_READ, as iPXE's has it

static bool read_all(uint16_t handle)
{
    uint32_t at = 0, begun = ticks();
    uint8_t *buffer = low_memory(BUFFER_AT);
    while (at < FILE_SIZE && ticks() - begun < 60 * SECOND) {
        struct file_read block = { .handle = handle, .size = 3000, .buffer = far_pointer(BUFFER_AT) };
        if (refused(FILE_READ, &block, sizeof block)) {
            if (last_status == FILE_WOULD_BLOCK)
                continue;
            note("nbp: FILE_READ at %u: status %02x", at, last_status);
            return false;
        }
        if (block.size == 0 || block.size > 3000 || !right(buffer, at, block.size)) {
            note("nbp: FILE_READ at %u: %u bytes", at, block.size);
            return false;
        }
        at += block.size;
    }
    return at == FILE_SIZE;
}

void try_file(void)
{
    struct file_check check = { .size = sizeof check, .magic = CHECK_ASKED };
    if (!result(api(FILE_API_CHECK, &check, sizeof check) && check.magic == CHECK_ANSWERED && check.size == sizeof check, "file-check"))
        return;
    note("nbp: FILE functions %08x", check.mask);
    const uint8_t *ip = addresses.server;
    fmt_snprintf(low_memory(SECOND_AT), 100, "tftp://%u.%u.%u.%u/" FILE_NAME, ip[0], ip[1], ip[2], ip[3]);
    struct file_open file = { .name = far_pointer(SECOND_AT) };
    if (!result(api(FILE_OPEN, &file, sizeof file), "file-open"))
        return;
    struct file_size size = { .handle = file.handle };
    result(api(GET_FILE_SIZE, &size, sizeof size) && size.size == FILE_SIZE, "file-size");
    result(read_all(file.handle), "file-read");
    struct file_handle handle = { .handle = file.handle };
    result(api(FILE_CLOSE, &handle, sizeof handle), "file-close");
    handle.handle = 77;
    if (strict)
        result(refused(FILE_CLOSE, &handle, sizeof handle), "file-no-such");
}

// ---- what no program should ask for ------------------------------------------------------------------------

void try_wild(void)
{
    struct tftp_open nonsense = { 0 };
    result(refused(0x7777, &nonsense, sizeof nonsense), "wild-function");
    struct tftp_read_file file = whole("x", READ_FILE_AT, READ_FILE_SIZE);
    memset(file.name, 'x', sizeof file.name);
    result(refused(TFTP_READ_FILE, &file, sizeof file), "wild-name");
    if (!strict)
        return;
    static const struct {
        const char *name;
        uint32_t before; // bytes of usable memory in front
    } wild[] = { { "wild-hidden", 0 }, { "wild-into-hidden", 4096 } };
    for (unsigned i = 0; i < ARRAY_SIZE(wild); i++) {
        file = whole(FILE_NAME, usable_end - wild[i].before, READ_FILE_SIZE);
        result(refused(TFTP_READ_FILE, &file, sizeof file), wild[i].name);
        memory_refill(usable_end - wild[i].before, usable_end); // what was the program's own may be written to
    }
    file = whole(FILE_NAME, 0xfffff000, 0x100000);
    result(refused(TFTP_READ_FILE, &file, sizeof file), "wild-end");
    struct PACKED {
        uint16_t status, type, size;
        uint32_t buffer;
        uint16_t limit;
    } cached = { .type = 2, .size = 1500, .buffer = far_pointer(base_end + 0x100) };
    result(refused(GET_CACHED_INFO, &cached, sizeof cached), "wild-resident");
}
