// SPDX-License-Identifier: MPL-2.0
// See host.h.
#include "host/host.h"
#include "image/smbios.h"

#include "core/core.h"
#include "net/net.h"
#include "phase2/seal.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

// Distance between calls of the clock on a fake clock, so that a loop that only looks at the time ends.
#define FAKE_TICK_US 1
#define ALLOC_HEAD 16
#define HELPER_REST_US 100

static jmp_buf leave_core; // core_main has no way back from a boot: a real machine has none either

static uint64_t now_us(void *ctx)
{
    struct host_machine *m = ctx;
    if (m->real_time) {
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
    }
    m->now_us += FAKE_TICK_US;
    if (m->give_up_us && m->now_us > m->give_up_us) {
        fprintf(stderr, "host: the core hangs: fake time is %llu s\n%s", (unsigned long long)(m->now_us / 1000000),
                m->transcript ? m->transcript : "");
        abort();
    }
    return m->now_us;
}

static void random_bytes(void *ctx, void *buf, size_t len)
{
    struct host_machine *m = ctx;
    uint8_t *out = buf;
    if (!m->random_state) {
        while (len > 0) {
            ssize_t n = getrandom(out, len, 0);
            if (n <= 0)
                abort();
            out += n;
            len -= (size_t)n;
        }
        return;
    }
    for (size_t i = 0; i < len; i++) { // xorshift64: repeatable, for tests
        m->random_state ^= m->random_state << 13;
        m->random_state ^= m->random_state >> 7;
        m->random_state ^= m->random_state << 17;
        out[i] = (uint8_t)m->random_state;
    }
}

static void *allocate(void *ctx, size_t len)
{
    struct host_machine *m = ctx;
    if (++m->allocations == m->fail_allocation)
        return NULL;
    if (m->live_allocations == HOST_LIVE_MAX)
        abort();
    void *p = malloc(len ? len : 1);
    if (p)
        m->live[m->live_allocations++] = p;
    return p;
}

static void release(void *ctx, void *ptr)
{
    struct host_machine *m = ctx;
    long i = m->live_allocations;
    if (!ptr)
        return;
    while (i-- > 0 && m->live[i] != ptr)
        ;
    if (i < 0)
        abort(); // nobody has it, or it was given back already
    m->live[i] = m->live[--m->live_allocations];
    free(ptr);
}

static void console_write(void *ctx, const char *text, size_t len)
{
    struct host_machine *m = ctx;
    if (m->console) {
        fwrite(text, 1, len, m->console);
        fflush(m->console);
    }
    char *grown = realloc(m->transcript, m->transcript_len + len + 1);
    if (!grown)
        abort();
    m->transcript = grown;
    memcpy(m->transcript + m->transcript_len, text, len);
    m->transcript_len += len;
    m->transcript[m->transcript_len] = 0;
}

static int console_getkey(void *ctx)
{
    struct host_machine *m = ctx;
    if (m->keys)
        return *m->keys ? (uint8_t)*m->keys++ : -1;
    struct pollfd typed = { .fd = STDIN_FILENO, .events = POLLIN };
    uint8_t key;
    return m->real_time && poll(&typed, 1, 0) == 1 && read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}

static void idle(void *ctx, uint64_t deadline_us)
{
    struct host_machine *m = ctx;
    uint64_t now = now_us(m), left = deadline_us > now ? deadline_us - now : 0;
    if (m->wire.idle)
        m->wire.idle(m->wire.ctx, &m->now_us);
    else if (m->real_time)
        usleep((unsigned)MIN(left, 200u));
    else
        m->now_us += MIN(MAX(left, 1u), 1000u);
}

static struct host_machine *machine_of(struct card *card)
{
    return container_of(card, struct host_machine, card);
}

static int open_card(struct card *card)
{
    return machine_of(card)->wire.send ? 0 : ERR_NET_LINK;
}

static void drop_frame(struct host_machine *m)
{
    free(m->frame);
    m->frame = NULL;
}

static void close_card(struct card *card)
{
    drop_frame(machine_of(card));
}

static bool has_link(struct card *card)
{
    const struct host_machine *m = machine_of(card);
    return m->now_us >= m->link_us;
}

static int set_groups(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    return 0; // a tap and the simulation deliver everything
}

static int send_frame(struct card *card, const void *frame, size_t len)
{
    const struct host_machine *m = machine_of(card);
    return has_link(card) ? m->wire.send(m->wire.ctx, frame, len) : 0;
}

// Each frame has memory of its own, of its length, so that the sanitizers see who reads beyond it or too late.
static int receive_frame(struct card *card, uint8_t **ret_frame)
{
    struct host_machine *m = machine_of(card);
    uint8_t frame[FRAME_RECEIVE_MAX];
    drop_frame(m);
    int len = m->wire.receive(m->wire.ctx, frame, sizeof frame);
    if (len <= 0)
        return len;
    m->frame = malloc((size_t)len);
    if (!m->frame)
        abort();
    memcpy(m->frame, frame, (size_t)len);
    *ret_frame = m->frame;
    return len;
}

static const struct card_ops wire_ops = { open_card, close_card, has_link, set_groups, send_frame, receive_frame, NULL };

static unsigned cards(void *ctx, struct card *ret[CARDS_MAX])
{
    struct host_machine *m = ctx;
    ret[0] = &m->card;
    return m->no_card ? 0 : 1;
}

static unsigned memory(void *ctx, struct mem_region ret[PLATFORM_REGIONS_MAX])
{
    struct host_machine *m = ctx;
    ret[0] = (struct mem_region){ m->memory_base, m->memory_size };
    return 1;
}

static void *map(void *ctx, uint64_t address, uint64_t length)
{
    struct host_machine *m = ctx;
    if (!m->arena) {
        m->arena = mmap(NULL, m->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (m->arena == MAP_FAILED) {
            m->arena = NULL;
            return NULL;
        }
    }
    if (address < m->memory_base || address - m->memory_base > m->memory_size ||
        length > m->memory_size - (address - m->memory_base))
        return NULL;
    return m->arena + (address - m->memory_base);
}

// Sleeps, and does not yield: dozens of threads that yield in a row, of a dozen rows side by side, left this one's first thread waiting for
// ten seconds and more on Linux 6.18, and its transfers timed out.
static void helper_rest(const uint32_t *news, uint32_t seen)
{
    usleep(HELPER_REST_US);
}

static void *helper_thread(void *board)
{
    hashboard_serve(board, helper_rest);
    return NULL;
}

static unsigned helpers_start(void *ctx, struct hashboard *board)
{
    struct host_machine *m = ctx;
    if (!m->helpers)
        return 0;
    m->board = board;
    hashboard_open(board, m->helpers);
    for (unsigned i = 0; i < m->helpers; i++)
        if (pthread_create(&m->threads[i], NULL, helper_thread, board) != 0)
            abort();
    return m->helpers;
}

static void helpers_stop(void *ctx)
{
    struct host_machine *m = ctx;
    if (!m->board)
        return;
    hashboard_close(m->board);
    for (unsigned i = 0; i < m->helpers; i++)
        pthread_join(m->threads[i], NULL);
    m->board = NULL;
}

static int boot(void *ctx, const struct platform_boot *what)
{
    struct host_machine *m = ctx;
    m->booted = true;
    if (m->on_boot)
        m->on_boot(m, what);
    longjmp(leave_core, 1);
}

void host_power_off(struct host_machine *m)
{
    longjmp(leave_core, 1);
}

static void leave(void *ctx, enum platform_leave how)
{
    struct host_machine *m = ctx;
    m->left = true;
    m->how = how;
    longjmp(leave_core, 1);
}

static int measure(void *ctx, uint32_t pcr, const void *event, size_t len)
{
    struct host_machine *m = ctx;
    m->measurements++;
    if (m->measurements == m->fail_measurement || (m->tpm_dead_from && m->measurements >= m->tpm_dead_from))
        return ERR_TPM;
    size_t used = strlen(m->measured);
    snprintf(m->measured + used, sizeof m->measured - used, "%u %.*s\n", pcr, (int)len, (const char *)event);
    return 0;
}

static struct host_value *value_of(struct host_machine *m, enum platform_room room, const char *name)
{
    for (unsigned i = 0; i < HOST_VALUES; i++)
        if (strcmp(m->values[i].name, name) == 0 && (!*name || m->values[i].room == room))
            return &m->values[i];
    return NULL;
}

static int nvram_load(void *ctx, enum platform_room room, const char *name, void *buf, size_t cap)
{
    const struct host_value *value = value_of(ctx, room, name);
    if (!value)
        return ERR_NOT_FOUND;
    if (value->len > cap)
        return ERR_NVRAM;
    memcpy(buf, value->data, value->len);
    return (int)value->len;
}

static int nvram_store(void *ctx, enum platform_room room, const char *name, const void *data, size_t len)
{
    struct host_machine *m = ctx;
    struct host_value *value = value_of(m, room, name);
    if (!value && len == 0)
        return 0;
    m->stores++;
    if (m->fail_store && m->stores >= m->fail_store)
        return ERR_NVRAM;
    if (!value)
        value = value_of(m, room, "");
    if (!value || len > sizeof value->data)
        return ERR_NVRAM;
    *value = (struct host_value){ .room = room, .len = len };
    if (len > 0) {
        snprintf(value->name, sizeof value->name, "%s", name);
        memcpy(value->data, data, len);
    }
    return 0;
}
static const struct platform_nvram nvram = { nvram_load, nvram_store };

// A system that says what ci/differential has QEMU say: manufacturer, product, version, serial, UUID, wake-up by the power switch, SKU,
// family; and the end mark.
static const uint8_t *smbios_table(void *ctx, size_t *ret_len)
{
    static const char table[] = "\x01\x1b\x00\x01\x01\x02\x03\x04"
                                "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x06\x05\x06"
                                "Signet host\0process\0one\0S1\0SKU\0family\0\0"
                                "\x7f\x04\x7f\x7f\0";
    *ret_len = sizeof table;
    return (const uint8_t *)table;
}

static const char *smbios(void *ctx, const char *name)
{
    static struct smbios facts;
    size_t len;
    const uint8_t *table = smbios_table(ctx, &len);
    return smbios_parse(table, len, 0x0208, &facts) == 0 ? smbios_value(&facts, name) : NULL;
}

void host_init(struct host_machine *m)
{
    *m = (struct host_machine){
        .memory_base = 16 * MIB,
        .memory_size = 256 * MIB,
        .card = { &wire_ops, { .driver = "host", .chip = "host wire", .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, .mtu = 1500 } },
    };
    m->platform = (struct platform){
        .ctx = m,
        .name = "host",
        .buildarch = sizeof(void *) == 8 ? "x86_64" : "i386",
        .pxe_arch = PXE_ARCH_BIOS,
        .now_us = now_us,
        .random = random_bytes,
        .alloc = allocate,
        .free = release,
        .console_write = console_write,
        .console_getkey = console_getkey,
        .idle = idle,
        .cards = cards,
        .memory = memory,
        .memory_limit = UINT64_MAX,
        .targets = 1u << TARGET_LINUX_X86,
        .map = map,
        .helpers_start = helpers_start,
        .helpers_stop = helpers_stop,
        .boot = boot,
        .leave = leave,
        .smbios = smbios,
        .smbios_table = smbios_table,
    };
}

void host_free(struct host_machine *m)
{
    host_disks_close(m);
    helpers_stop(m);
    if (m->arena)
        munmap(m->arena, m->memory_size);
    drop_frame(m);
    while (m->live_allocations > 0)
        free(m->live[--m->live_allocations]);
    free(m->transcript);
    m->arena = NULL;
    m->transcript = NULL;
    m->transcript_len = 0;
}

int host_run(struct host_machine *m, const struct core_options *options)
{
    m->platform.measure = m->tpm ? measure : NULL;
    m->platform.nvram = m->nvram ? &nvram : NULL;
    if (setjmp(leave_core) != 0)
        return 0;
    return core_main(&m->platform, options);
}
