// SPDX-License-Identifier: MPL-2.0
// Network bootstrap programs in the whole core: from a sealed image over TFTP and the native protocol to a program, which here is a C
// function that calls what it finds under it, comes back, and lets the script go on.
#include "host/testworld.h"

#include "image/place.h"
#include "proto/pxe.h"

#define NBP_SIZE 70001u
#define TFTP_BLOCK 512u
#define BLOCK_PORT 3001
// Places in base memory, which the program and the packets are in.
#define PARAMETERS 0x8000u
#define BUFFER 0x9000u
#define LOW 0x80000u
#define LOW_SIZE 0x2000u

static uint8_t program_bytes[NBP_SIZE];
static int program_result;
static bool damaged; // the file that TFTP serves
static bool detached; // it serves the program and its seal
static struct { const uint8_t *bytes; size_t len; } served;

// --- the program ---

static void print(struct host_machine *m, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    m->platform.console_write(m, text, (size_t)len);
}

// What PXE kept: its length, copied to BUFFER.
static uint16_t cached(struct host_machine *m, struct platform_nbp *nbp, uint16_t type)
{
    struct pxe_cached_info *info = m->platform.map(m, PARAMETERS, sizeof *info);
    *info = (struct pxe_cached_info){ .type = type, .size = DHCP_PACKET_MAX, .buffer = { .offset = 0, .segment = BUFFER >> 4 } };
    return nbp->call(nbp->ctx, PXENV_GET_CACHED_INFO, PARAMETERS) == PXENV_EXIT_SUCCESS && info->status == PXE_SUCCESS ? info->size : 0;
}

static void tell(struct host_machine *m, struct platform_nbp *nbp, const char *name, uint16_t type)
{
    static struct dhcp_lease lease;
    uint8_t option[256] = { 0 };
    const uint8_t *packet = m->platform.map(m, BUFFER, DHCP_PACKET_MAX);
    uint16_t len = cached(m, nbp, type);
    if (!len || dhcp_lease_read(packet, len, &lease) != 0) {
        print(m, "%s is no answer\n", name);
        return;
    }
    print(m, "%s type %u to %u.%u.%u.%u from %u.%u.%u.%u siaddr %u.%u.%u.%u file '%s'\n", name, lease.type, lease.ip[0], lease.ip[1],
          lease.ip[2], lease.ip[3], lease.server_id[0], lease.server_id[1], lease.server_id[2], lease.server_id[3], packet[20], packet[21],
          packet[22], packet[23], (const char *)packet + 108);
    print(m, "%s mask %u gateway %u mac %02x host '%s'", name, lease.mask[3], lease.gateway[3], packet[33], lease.hostname);
    if (dhcp_option(packet, len, 209, -1, option, sizeof option) > 0)
        print(m, " config '%s'", (const char *)option);
    print(m, "\n");
}

static int run_program(void *ctx, const struct platform_boot *boot)
{
    struct host_machine *m = ctx;
    const uint8_t *file = m->platform.map(m, boot->kernel, boot->kernel_len);
    uint8_t option[16];
    w.out->memory_right = boot->nbp && !boot->application && boot->kernel_len == NBP_SIZE && boot->kernel >= PLACE_LOW_LIMIT && file &&
                          memcmp(file, program_bytes, NBP_SIZE) == 0 && !boot->cmdline[0] && !boot->move_count;
    if (!boot->nbp)
        return ERR_BOOT_STATUS;
    boot->nbp->low = LOW;
    boot->nbp->low_size = LOW_SIZE;
    uint16_t len = cached(m, boot->nbp, PXE_PACKET_DISCOVER);
    const uint8_t *packet = m->platform.map(m, BUFFER, DHCP_PACKET_MAX);
    if (len && packet[0] == 1 && dhcp_option(packet, len, DHCP_MESSAGE_TYPE, -1, option, 1) == 1 && option[0] == DHCP_DISCOVER &&
        dhcp_option(packet, len, DHCP_CLIENT_ID, -1, option, sizeof option) == 7 && memcmp(option + 1, m->card.info.mac, 6) == 0)
        print(m, "discover says who\n");
    tell(m, boot->nbp, "ack", PXE_PACKET_ACK);
    tell(m, boot->nbp, "reply", PXE_PACKET_REPLY);
    return program_result;
}

// --- its server ---

static void send_block(struct simnet *net, const struct net_addr *to, uint16_t block)
{
    uint8_t reply[4 + TFTP_BLOCK];
    size_t at = (size_t)(block - 1) * TFTP_BLOCK;
    struct net_addr me = w.server_addr;
    me.port = BLOCK_PORT;
    if (at > served.len)
        return;
    size_t n = MIN(served.len - at, (size_t)TFTP_BLOCK);
    store16_be(reply, 3);
    store16_be(reply + 2, block);
    memcpy(reply + 4, served.bytes + at, n);
    simnet_send_udp(net, &me, to, reply, 4 + n);
}

static void tftp_datagram(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    static const uint8_t no_such_file[] = { 0, 5, 0, 1, 'n', 'o', 0 };
    bool asks = to->port == 69 && len > 16, seal = asks && strcmp((const char *)data + 2, "dir/pxelinux.0.seal") == 0;
    struct net_addr me = w.server_addr;
    me.port = BLOCK_PORT;
    if (seal && !detached) {
        simnet_send_udp(net, &me, from, no_such_file, sizeof no_such_file);
    } else if (seal || (asks && strcmp((const char *)data + 2, "dir/pxelinux.0") == 0)) {
        struct seal_view view;
        (void)seal_view(w.image.file, w.image.len, &view);
        served.bytes = seal || !detached ? w.image.file : program_bytes;
        served.len = seal ? (size_t)(seal_list_offset(&view) + seal_list_size(&view)) : detached ? NBP_SIZE : w.image.len;
        send_block(net, from, 1);
    } else if (to->port == BLOCK_PORT && len >= 4 && load16_be(data) == 4) {
        send_block(net, from, (uint16_t)(load16_be(data + 2) + 1));
    } else {
        datagram(net, from, to, data, len);
    }
}

// --- the cases ---

static void set_up_program(int result)
{
    for (size_t i = 0; i < sizeof program_bytes; i++)
        program_bytes[i] = (uint8_t)(i * 7 + i / 251);
    const struct testpart part = { .kind = PART_APPLICATION, .name = "pxelinux.0", .data = program_bytes, .size = sizeof program_bytes };
    set_up("img", key_a);
    testimage_free(&w.image);
    struct seal fields = testimage_fields("pxelinux");
    fields.target = TARGET_NBP;
    fields.cmdline[0] = 0;
    fields.detached = detached;
    sha256(program_bytes, sizeof program_bytes, fields.files[0]);
    build_image(&fields, &part, 1, key_a);
    if (damaged)
        w.image.payload[50000] ^= 1;
    w.machine.memory_base = 0; // base memory is there
    w.machine.platform.memory_limit = 0x100000000ull;
    w.machine.platform.targets |= 1u << TARGET_NBP;
    w.machine.platform.boot = run_program;
    w.net.udp = tftp_datagram;
    program_result = result;
}

static void run_by_tftp(void)
{
    set_up_program(0);
    run("#!ipxe\ndhcp\nset 209:string pxelinux.cfg/rack7\nset net0/hostname node9\nimgfetch --name other p2://10.0.0.1/image\n"
        "chain tftp://10.0.0.1/dir/pxelinux.0\necho FIRST\nboot other || echo GONE\n"
        "imgfetch tftp://10.0.0.1/dir/pxelinux.0 && imgexec pxelinux.0 && echo SECOND\n", &key_a, 0);
}
TEST(a_program_over_tftp_runs_and_lets_the_script_go_on)
{
    struct outcome *out = in_child(run_by_tftp);
    CHECK(out->memory_right);
    CHECK(said(out, "discover says who"));
    CHECK(said(out, "ack type 5 to 10.0.0.99 from 10.0.0.1 siaddr 10.0.0.1 file 'dir/pxelinux.0'"));
    CHECK(said(out, "ack mask 0 gateway 1 mac 56 host 'node9' config 'pxelinux.cfg/rack7'"));
    CHECK(said(out, "reply type 5 to 10.0.0.99 from 10.0.0.1 siaddr 10.0.0.1 file 'dir/pxelinux.0'"));
    CHECK(said(out, "starting pxelinux"), said(out, "pxelinux has ended"), said(out, "FIRST"), said(out, "SECOND"));
    // It had the other image's memory as well.
    CHECK(said(out, "in memory: none"));
    CHECK_EQ(out->live_allocations, 0);
}

// A program that lies there as it is, beside its seal.
static void run_detached(void)
{
    detached = true;
    set_up_program(0);
    run("#!ipxe\ndhcp\nset next-server 10.0.0.7\nset filename other\nkernel tftp://10.0.0.1/dir/pxelinux.0\nboot\n", &key_a, 0);
}
TEST(a_program_beside_its_seal_is_told_where_it_comes_from)
{
    struct outcome *out = in_child(run_detached);
    CHECK(said(out, "starting pxelinux"), out->memory_right);
    CHECK(said(out, "reply type 5 to 10.0.0.99 from 10.0.0.1 siaddr 10.0.0.1 file 'dir/pxelinux.0'"));
}

// Where TFTP had no part in it, the settings say what is beside the program.
static void run_by_p2(void)
{
    set_up_program(ERR_BOOT_STATUS);
    run("#!ipxe\ndhcp\nchain p2://10.0.0.1/image || echo FIRST\nset next-server 10.0.0.7\nset filename grub/core.0\n"
        "chain p2://10.0.0.1/image || echo SECOND\n", &key_a, 0);
}
TEST(a_program_over_the_native_protocol_fails_the_command)
{
    struct outcome *out = in_child(run_by_p2);
    CHECK(out->memory_right);
    CHECK(said(out, "ack type 5 to 10.0.0.99 from 10.0.0.1 siaddr 10.0.0.1 file 'boot'"));
    CHECK(said(out, "reply type 5 to 10.0.0.99 from 10.0.0.1 siaddr 10.0.0.7 file 'grub/core.0'"));
    CHECK(said(out, "pxelinux failed: the application ended with an error [B09]"), said(out, "FIRST"), said(out, "SECOND"));
    CHECK_EQ(out->live_allocations, 0);
}

static void run_with_a_set_address(void)
{
    set_up_program(0);
    w.dhcp = false;
    run("#!ipxe\nset net0/ip 10.0.0.50\nset net0/netmask 255.255.255.0\nifopen\nchain tftp://10.0.0.1/dir/pxelinux.0\n", &key_a, 0);
}
TEST(an_address_that_a_script_sets)
{
    struct outcome *out = in_child(run_with_a_set_address);
    CHECK(out->memory_right);
    CHECK(said(out, "ack type 5 to 10.0.0.50 from 0.0.0.0 siaddr 10.0.0.1 file 'dir/pxelinux.0'"), said(out, "ack mask 0 gateway 0 mac 56"));
}

static void run_without_address(void)
{
    set_up_program(0);
    w.net.ip4 = false;
    w.dhcp = false;
    run("#!ipxe\nchain p2:///image || echo FIRST\n", &key_a, 0);
}
TEST(without_an_ipv4_address_it_does_not_start)
{
    struct outcome *out = in_child(run_without_address);
    CHECK(!out->memory_right);
    CHECK(said(out, "pxelinux failed: "), said(out, "FIRST"));
}

static void run_damaged(void)
{
    damaged = true;
    set_up_program(0);
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/dir/pxelinux.0 || echo FIRST\n", &key_a, 0);
}
TEST(a_damaged_program_does_not_start)
{
    struct outcome *out = in_child(run_damaged);
    CHECK(!out->memory_right);
    CHECK(said(out, "[S16]"), said(out, "FIRST"));
}

// As pxelinux.0 lies on servers.
static void run_unsealed(void)
{
    set_up_program(0);
    memcpy(w.image.file, program_bytes, w.image.len = NBP_SIZE);
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/dir/pxelinux.0 || echo FIRST\n", &key_a, 0);
}
TEST(a_program_without_a_seal_does_not_start)
{
    struct outcome *out = in_child(run_unsealed);
    CHECK(!out->memory_right);
    CHECK(said(out, "10.0.0.1/dir/pxelinux.0 is no script, has no seal and is not started: "), said(out, "[S01]"), said(out, "FIRST"));
}

static void run_elsewhere(void)
{
    set_up_program(0);
    w.machine.platform.targets = 1u << TARGET_LINUX_X86 | 1u << TARGET_EFI_X64;
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/dir/pxelinux.0 || echo FIRST\n", &key_a, 0);
}
TEST(a_machine_that_starts_none_refuses_it_before_the_download)
{
    struct outcome *out = in_child(run_elsewhere);
    CHECK(!out->memory_right);
    CHECK(said(out, "pxelinux is for nbp, which this machine does not start; refused before the download"), said(out, "[B07]"));
    CHECK(said(out, "FIRST"));
}

TEST_MAIN(T(a_program_over_tftp_runs_and_lets_the_script_go_on), T(a_program_beside_its_seal_is_told_where_it_comes_from),
          T(a_program_over_the_native_protocol_fails_the_command),
          T(an_address_that_a_script_sets), T(without_an_ipv4_address_it_does_not_start), T(a_damaged_program_does_not_start),
          T(a_program_without_a_seal_does_not_start), T(a_machine_that_starts_none_refuses_it_before_the_download))
