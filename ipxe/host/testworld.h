// SPDX-License-Identifier: MPL-2.0
// The world that the tests of the whole core share: a host machine on a simulated wire with a DHCP, a TFTP and a boot
// server, a signed image, and a way to run each case in a process of its own, which it may end.
#pragma once
#include "core/core.h"
#include "host/simnet.h"
#include "image/bzimage.h"
#include "image/embed.h"
#include "phase2/server.h"
#include "proto/dhcp.h"

#include "base/test.h"
#include "phase2/testimage.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRANSCRIPT_MAX 65536
#define KERNEL_SIZE 300000 // the largest
#define INITRD_SIZE 20001
#define VERSION_SIZE 8192
#define SETUP_SIZE 2048
#define BOOT_V4 "#!ipxe\ndhcp\nchain p2://10.0.0.1/image\n"
#define GIVE_UP_US (600 * 1000000ull)

// What a case found, in memory shared with its child.
struct outcome {
    bool booted, left, memory_right;
    int err;
    unsigned long allocations;
    long live_allocations;
    uint64_t now_us;
    uint32_t server_finished, server_verified, discovers; // FINISHED as booting, as verified; DHCP packets seen
    uint32_t renewals[2]; // requests to renew a lease: to the server, to all
    struct host_storage storage; // its counters
    uint64_t sent;               // DATA messages of the boot server
    char transcript[TRANSCRIPT_MAX];
    char measured[sizeof((struct host_machine *)0)->measured];
    struct host_value values[HOST_VALUES]; // the machine's variables in the end
    unsigned stores;
};

struct world {
    struct host_machine machine;
    struct simnet net;
    struct testimage image;
    uint32_t kernel_size; // of the image's kernel
    uint64_t counter;     // of the image; 0: 7
    const char *product;  // of the image; NULL: none
    const char *outside;  // a script from outside; NULL: none
    uint8_t version;      // the last 8 KiB of its initrd are filled with it
    struct p2_image served;
    struct p2_server server;
    struct p2_peer peers[8];
    struct p2_job jobs[256];
    struct net_addr server_addr;
    uint32_t dead_after_data;
    bool dhcp;
    const uint8_t *dhcp_options; // of the answers, in place of option 67, with the end mark; dhcp_options_len bytes
    size_t dhcp_options_len;
    const char *boot_file; // the field `file` of the answers
    uint32_t lease_s;      // 0: an hour
    bool forgets;          // nobody answers who wants to renew
    bool once;             // nobody answers who asks for an address once more
    const char *dhcp_file; // content of the file that TFTP serves as "script.ipxe"
    uint16_t closed;       // the server's port that refuses what is sent there (ICMP)...
    uint64_t opens_us;     // ...until then
    bool folder;           // Signet was started from a disk that may have a script in its folder
    bool same_image;       // all machines of the process have one image: the first one's
    struct outcome *out;
};

static struct world w;
static const enum testkey_name key_a = TESTKEY_P256_A, key_b = TESTKEY_P256_B;

// Mbed TLS allocates by calloc (the Makefile wraps it for this test): those calls count and fail like the
// platform's own while the core runs.
static bool counting;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    if (counting && ++w.machine.allocations == w.machine.fail_allocation)
        return NULL;
    return __real_calloc(count, size);
}

// A bzImage's setup sectors as mkimage and the loader read them, then bytes.
static void make_kernel(uint8_t *kernel, uint32_t size)
{
    memset(kernel, 0, SETUP_SIZE);
    for (uint32_t i = SETUP_SIZE; i < size; i++)
        kernel[i] = (uint8_t)(i * 31 + i / 977);
    kernel[0x1f1] = SETUP_SIZE / 512 - 1;
    store16_le(kernel + 0x1fe, 0xaa55);
    store16_le(kernel + 0x200, 0x66eb);
    memcpy(kernel + 0x202, "HdrS", 4);
    store16_le(kernel + 0x206, 0x020f);
    kernel[0x211] = 1; // loaded high
    store32_le(kernel + 0x1f4, (size - SETUP_SIZE + 15) / 16);
    store32_le(kernel + 0x214, 0x100000);
    store32_le(kernel + 0x22c, 0x7fffffff);
    store32_le(kernel + 0x230, 0x200000);
    kernel[0x234] = 1;    // relocatable
    kernel[0x235] = 21;
    store16_le(kernel + 0x236, 3);
    store32_le(kernel + 0x238, 2047);
    store64_le(kernel + 0x258, 0x1000000);
    store32_le(kernel + 0x260, 0x800000);
}

// Seals the parts, and gives the image to the server.
static void build_image(const struct seal *fields, const struct testpart *parts, unsigned count, enum testkey_name key)
{
    if (!testimage_build(&w.image, fields, parts, count, &key, 1))
        abort();
    w.served = (struct p2_image){ .seal_size = (uint32_t)w.image.seal_len,
                                  .list_size = w.image.seal.chunk_count * SHA256_SIZE,
                                  .payload_size = w.image.seal.payload_size,
                                  .chunk_size = w.image.seal.chunk_size,
                                  .name = "image" };
    memcpy(w.served.id, w.image.seal.image_id, sizeof w.served.id);
}

static void make_image(const char *name, enum testkey_name key, uint64_t memory)
{
    static uint8_t kernel[KERNEL_SIZE], initrd[INITRD_SIZE];
    make_kernel(kernel, w.kernel_size);
    for (size_t i = 0; i < sizeof initrd; i++)
        initrd[i] = (uint8_t)(i * 17);
    memset(initrd + INITRD_SIZE - VERSION_SIZE, w.version, VERSION_SIZE);
    struct seal fields = testimage_fields(name);
    fields.counter = w.counter ? w.counter : 7;
    fmt_snprintf(fields.product, sizeof fields.product, "%s", w.product ? w.product : "");
    const struct testpart parts[] = {
        { .kind = PART_KERNEL, .name = "vmlinuz", .data = kernel, .size = w.kernel_size, .address = 0x1000000,
          .memory = memory, .align = 0x200000, .split = SETUP_SIZE },
        { .kind = PART_INITRD, .name = "initrd.img", .data = initrd, .size = sizeof initrd },
    };
    build_image(&fields, parts, ARRAY_SIZE(parts), key);
}

// --- the server on the far side ---

static const struct p2_image *by_name(void *ctx, const char *name)
{
    return name[0] == 0 || strcmp(name, "image") == 0 ? &w.served : NULL;
}

static const struct p2_image *by_tag(void *ctx, const uint8_t tag[P2_TAG_SIZE])
{
    return memcmp(tag, w.served.id, P2_TAG_SIZE) == 0 ? &w.served : NULL;
}

static const uint8_t *bytes(void *ctx, const struct p2_image *image, uint8_t space, uint64_t offset, uint32_t length)
{
    const uint8_t *base = space == P2_SPACE_SEAL ? w.image.file : space == P2_SPACE_LIST ? w.image.list : w.image.payload;
    return base + offset;
}

static struct net_addr client_addr;

static void serve(struct simnet *net, uint64_t now)
{
    uint8_t message[P2_MESSAGE_MAX];
    struct net_addr to;
    int len;
    while (net->count < SIMNET_QUEUE_MAX / 2 &&
           (len = p2_server_output_flat(&w.server, message, sizeof message, &to, now)) > 0) {
        struct net_addr from = w.server_addr;
        if (!net_addr_is_v4(&to)) {
            memcpy(from.ip, net->peer_ip6, 16);
            from.port = P2_PORT;
        }
        if (w.dead_after_data && w.server.stats.data_messages > w.dead_after_data)
            continue;
        simnet_send_udp(net, &from, &to, message, (size_t)len);
    }
    struct p2_event event;
    while (p2_server_event(&w.server, &event))
        if (event.type == P2_EVENT_FINISHED) {
            w.out->server_finished += event.finished.outcome == P2_OUTCOME_BOOTING;
            w.out->server_verified += event.finished.outcome == P2_OUTCOME_VERIFIED;
        }
}

// --- a DHCP and TFTP server, as little as the core needs ---

static void answer_dhcp(struct simnet *net, const struct net_addr *asked, const uint8_t *data, size_t len)
{
    static const uint8_t me[4] = { 10, 0, 0, 1 }, you[4] = { 10, 0, 0, 99 };
    static const uint8_t boot[] = { 67, 4, 'b', 'o', 'o', 't', 255 };
    uint8_t type = 0, reply[400];
    if (dhcp_option(data, len, DHCP_MESSAGE_TYPE, -1, &type, 1) != 1)
        return;
    bool renews = memcmp(data + 12, you, 4) == 0;
    w.out->discovers += type == DHCP_DISCOVER;
    w.out->renewals[asked->ip[15] == 255] += renews;
    if (!w.dhcp || (renews && w.forgets) || (w.once && type == DHCP_DISCOVER && w.out->discovers > 1))
        return;
    memset(reply, 0, sizeof reply);
    reply[0] = 2;
    reply[1] = 1;
    reply[2] = 6;
    memcpy(reply + 4, data + 4, 4); // xid
    memcpy(reply + 16, you, 4);
    memcpy(reply + 20, me, 4);
    memcpy(reply + 28, data + 28, 16);
    const uint8_t options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, (uint8_t)(type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK),
                                54, 4, 10, 0, 0, 1, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1, 51, 4, 0, 0, 14, 16 };
    memcpy(reply + 236, options, sizeof options);
    if (w.lease_s)
        store32_be(reply + 236 + sizeof options - 4, w.lease_s);
    memcpy(reply + 236 + sizeof options, w.dhcp_options ? w.dhcp_options : boot, w.dhcp_options ? w.dhcp_options_len : sizeof boot);
    if (w.boot_file)
        memcpy(reply + 108, w.boot_file, strlen(w.boot_file));
    struct net_addr from = net_addr_v4(me, 67), to = net_addr_v4((const uint8_t[]){ 255, 255, 255, 255 }, 68);
    simnet_send_udp(net, &from, &to, reply, sizeof reply);
}

// One block is enough for the scripts of these tests; options are not known here.
static void answer_tftp(struct simnet *net, const struct net_addr *from, const uint8_t *data, size_t len)
{
    struct net_addr me = w.server_addr;
    me.port = 3000;
    if (len < 4 || load16_be(data) != 1 || !w.dhcp_file)
        return;
    uint8_t reply[516];
    size_t size = MIN(strlen(w.dhcp_file), (size_t)511);
    bool known = strcmp((const char *)data + 2, "script.ipxe") == 0;
    store16_be(reply, known ? 3 : 5);
    store16_be(reply + 2, 1);
    memcpy(reply + 4, known ? w.dhcp_file : "no such file", known ? size : 13);
    simnet_send_udp(net, &me, from, reply, 4 + (known ? size : 13));
}

static void datagram(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data,
                     size_t len)
{
    client_addr = *from;
    if (to->port == w.closed && net->machine->now_us < w.opens_us && memcmp(to->ip, w.server_addr.ip, 16) == 0)
        simnet_refuse(net, from, to, data, len);
    else if (to->port == 67)
        answer_dhcp(net, to, data, len);
    else if (to->port == 69)
        answer_tftp(net, from, data, len);
    else if (to->port == P2_PORT)
        (void)p2_server_input(&w.server, data, len, from, net->machine->now_us);
    serve(net, net->machine->now_us);
}

// --- a case ---

static void on_boot(struct host_machine *m, const struct platform_boot *boot)
{
    const uint8_t *kernel = m->platform.map(m, boot->kernel, boot->kernel_len);
    const uint8_t *initrd = m->platform.map(m, boot->initrd, boot->initrd_len);
    const struct seal *seal = &w.image.seal;
    const uint8_t *file = w.image.payload;
    char cmdline[100];
    snprintf(cmdline, sizeof cmdline, "console=ttyS0 panic=1 signet.name=img signet.counter=%llu", (unsigned long long)seal->counter);
    w.out->memory_right = boot->setup_len == SETUP_SIZE && memcmp(boot->setup, file, SETUP_SIZE) == 0 &&
                          boot->kernel_len == w.kernel_size - SETUP_SIZE && kernel &&
                          memcmp(kernel, file + SETUP_SIZE, w.kernel_size - SETUP_SIZE) == 0 && initrd &&
                          boot->initrd_len >= seal->parts[1].size &&
                          memcmp(initrd, file + seal->parts[1].offset, (size_t)seal->parts[1].size) == 0 &&
                          strcmp(boot->cmdline, cmdline) == 0 &&
                          boot->kernel_address % 0x200000 == 0;
}

static void set_up(const char *name, enum testkey_name key)
{
    host_init(&w.machine);
    w.machine.give_up_us = GIVE_UP_US;
    w.machine.random_state = 42;
    w.machine.on_boot = on_boot;
    simnet_attach(&w.net, &w.machine);
    w.net.udp = datagram;
    w.net.tick = serve;
    if (!w.kernel_size)
        w.kernel_size = KERNEL_SIZE;
    if (!w.same_image || !w.image.file)
        make_image(name, key, 8 * MIB);
    w.server_addr = net_addr_v4((const uint8_t[]){ 10, 0, 0, 1 }, P2_PORT);
    struct p2_server_config config = { .images = { .by_name = by_name, .by_tag = by_tag, .bytes = bytes },
                                       .secret = { 1 }, .instance = { 2 }, .name = "sim", .peers = w.peers,
                                       .peer_count = ARRAY_SIZE(w.peers), .jobs = w.jobs, .job_count = ARRAY_SIZE(w.jobs) };
    if (p2_server_init(&w.server, &config) != 0)
        abort();
    w.dhcp = true;
}

// The SubjectPublicKeyInfo of a test key (RFC 5480): the blob wants keys as people have them.
static size_t spki_of(enum testkey_name name, uint8_t *der)
{
    static const uint8_t p256[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
    struct trust_key key = testkey_public(name);
    memcpy(der, p256, sizeof p256);
    memcpy(der + sizeof p256, key.point, key.point_len);
    return sizeof p256 + key.point_len;
}

static void tear_down(void)
{
    host_free(&w.machine);
    simnet_free(&w.net);
    if (!w.same_image)
        testimage_free(&w.image);
}

static uint8_t blob[EMBED_BLOB_MAX];

// The machine's life with what is embedded, and then its end.
static void run_embedded(const struct embed_source *source)
{
    int len = embed_build(source, blob, sizeof blob);
    if (len < 0)
        abort();
    const struct core_options options = { .embed = blob, .embed_len = (size_t)len, .script = w.outside,
                                          .script_len = w.outside ? strlen(w.outside) : 0, .script_name = "the test",
                                          .folder = w.folder };
    struct outcome *out = w.out;
    counting = true;
    out->err = host_run(&w.machine, &options);
    counting = false;
    serve(&w.net, w.machine.now_us);
    out->booted = w.machine.booted;
    out->left = w.machine.left;
    out->allocations = w.machine.allocations;
    out->live_allocations = w.machine.live_allocations;
    out->now_us = w.machine.now_us;
    out->storage = w.machine.storage;
    out->sent = w.server.stats.data_messages;
    snprintf(out->transcript, sizeof out->transcript, "%s", w.machine.transcript ? w.machine.transcript : "");
    memcpy(out->measured, w.machine.measured, sizeof out->measured);
    memcpy(out->values, w.machine.values, sizeof out->values);
    out->stores = w.machine.stores;
    tear_down();
}

static UNUSED void run(const char *script, const enum testkey_name *anchor, uint64_t floor)
{
    uint8_t der[SPKI_DER_MAX];
    struct digest_piece spki = { der, anchor ? spki_of(*anchor, der) : 0 };
    const struct embed_source source = { .script = script, .script_len = strlen(script), .spki = &spki,
                                         .spki_count = anchor ? 1 : 0, .threshold = 1, .counter_floor = floor };
    run_embedded(&source);
}

static UNUSED struct outcome *in_child(void (*body)(void))
{
    static struct outcome *out;
    if (!out)
        out = mmap(NULL, sizeof *out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(out, 0, sizeof *out);
    w.out = out;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        out->err = ERR_INTERNAL;
        snprintf(out->transcript + strlen(out->transcript), 100, "\n(the child died, status %x)\n", status);
    }
    return out;
}

static UNUSED bool said(const struct outcome *out, const char *text)
{
    if (strstr(out->transcript, text))
        return true;
    printf("  did not say \"%s\":\n%s\n", text, out->transcript);
    return false;
}
