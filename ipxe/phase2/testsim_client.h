// SPDX-License-Identifier: MPL-2.0
// The simulation's client, its other processors, and the world's turns.
#pragma once
#include "phase2/testsim_servers.h"

static struct helper {
    struct hash_job job;
    uint64_t done; // 0 = idle
} helpers[SIM_HELPERS];

static void helper_digest(struct hash_job *job)
{
    hash_job_run(job);
    if (chance(net.helper_errs))
        job->digest[below(SHA256_SIZE)] ^= (uint8_t)(1u << below(8));
}

// Fetches what is done and gives out what there is. False: nothing of that.
static bool helpers_turn(uint64_t now)
{
    bool moved = false;
    for (uint32_t i = 0; i < net.helpers; i++) {
        struct helper *h = &helpers[i];
        if (h->done && now >= h->done) {
            h->done = 0;
            moved = true;
            if (i == 0 && net.helper_dies) {
                intake_jobs_lost(&client.intake); // the caller's patience is at its end
                net.helpers = 0;
                break;
            }
            helper_digest(&h->job);
            intake_job_done(&client.intake, &h->job);
        }
        if (h->done || !intake_job(&client.intake, &h->job))
            continue;
        uint64_t bytes = 0;
        for (uint32_t j = 0; j < h->job.piece_count; j++)
            bytes += h->job.pieces[j].len;
        h->done = now + 1 + bytes * net.client_kib / 1024 * between(1, 5) + below(2000);
        moved = true;
    }
    return moved;
}

static uint64_t helpers_deadline(void)
{
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < net.helpers; i++)
        at = helpers[i].done ? MIN(at, helpers[i].done) : at;
    return at;
}

// A datagram wakes a client that waits, but not one that is busy with another or hashes.
static void client_wake(uint64_t now)
{
    if (client_asleep || client_at > client_busy) {
        client_at = MAX(now, client_busy);
        client_asleep = false;
    }
}

static void watch_read(const struct p2_read *read)
{
    for (uint32_t i = 0; read->space == P2_SPACE_PAYLOAD && i < read->range_count; i++)
        for (uint64_t at = read->ranges[i].offset; at < read->ranges[i].offset + read->ranges[i].length; at += P2_BLOCK_MIN)
            local_asked_for |= local[at / image->seal.chunk_size];
}

static void client_send(const uint8_t *bytes, size_t len, const struct net_addr *to, uint64_t now)
{
    static const struct net_addr group = { .ip = P2_GROUP_V6, .port = P2_PORT };
    bool everyone = memcmp(to->ip, group.ip, 16) == 0;
    struct p2_message m;
    if (p2_wire_read(bytes, len, &m) != 0)
        abort(); // our own machine wrote something that cannot be read
    if (m.type == P2_READ)
        watch_read(&m.read);
    if (everyone)
        memcpy(seen_discovery, m.nonce, P2_NONCE_SIZE);
    for (uint32_t i = 0; i < net.servers; i++) {
        if ((!everyone && !net_addr_equal(to, &servers[i].addr)) || (net.old && m.type == P2_HELLO && m.hello.block_max))
            continue;
        if (!everyone) {
            memcpy(seen_nonce, m.nonce, P2_NONCE_SIZE);
            seen_server = servers[i].addr;
            seen = true;
        }
        if (!net.mtu[i] || len + 28 <= net.mtu[i])
            wire_send(bytes, len, (int)i, &client_addr, now);
    }
    card_stuck = false;
}

static void client_memory(void)
{
    // Two to four pieces with guards around, cut anywhere.
    uint64_t size = image->seal.payload_size, offset = 0;
    uint8_t *p = memory;
    memset(memory, 0xa5, size + 5 * GUARD);
    map = (struct scatter){ .size = size };
    for (uint32_t count = between(1, 4); offset < size; count--) {
        uint64_t length = count == 1 || size - offset < 2 ? size - offset : 1 + below((uint32_t)(size - offset - 1));
        p += GUARD;
        map.pieces[map.count++] = (struct scatter_piece){ .offset = offset, .length = length, .memory = p };
        p += length;
        offset += length;
    }
}

static bool memory_good(void)
{
    const uint8_t *end = memory;
    for (uint32_t i = 0; i < map.count; i++) {
        const struct scatter_piece *p = &map.pieces[i];
        for (const uint8_t *g = end; g < p->memory; g++)
            if (*g != 0xa5)
                return false;
        if (memcmp(p->memory, image->payload + p->offset, p->length) != 0)
            return false;
        end = p->memory + p->length;
    }
    for (uint32_t i = 0; i < GUARD; i++)
        if (end[i] != 0xa5)
            return false;
    return true;
}

// What is on the client's disk, some of it damaged. Returns the time that the disk took for it.
static uint64_t local_give(void)
{
    uint64_t took = 1;
    for (uint32_t i = 0; i < image->seal.chunk_count; i++) {
        uint32_t length = seal_chunk_length(&image->seal, i);
        uint64_t offset = (uint64_t)i * image->seal.chunk_size;
        if (!chance(net.local))
            continue;
        bool bad = chance(net.local_bad);
        uint8_t wrong = image->payload[offset + length / 2] ^ 1;
        scatter_write(&map, offset, image->payload + offset, length);
        if (bad)
            scatter_write(&map, offset + length / 2, &wrong, 1);
        local[i] = p2_client_local(&client, i) == 1;
        if (local[i] == bad)
            abort();
        took += between(1, 2000000);
    }
    return took;
}

// One turn of the loop that client.h describes; returns how long it took.
static uint64_t client_turn(uint64_t now)
{
    uint8_t buf[P2_CLIENT_MESSAGE_MAX];
    struct net_addr to;
    if (ring_count) {
        uint32_t index = ring[ring_head];
        ring_head = (ring_head + 1) % RING_MAX;
        ring_count--;
        p2_client_input(&client, packets[index].bytes, packets[index].len, &packets[index].from, now);
        free_list[free_count++] = index;
        return MAX(net.client_packet, 1u);
    }
    if (net.local && p2_client_phase(&client) == P2_PAYLOAD && !local_given) {
        local_given = true;
        return local_give();
    }
    int n = p2_client_output(&client, buf, sizeof buf, &to, now);
    if (n < 0)
        abort();
    if (n > 0) {
        client_send(buf, (size_t)n, &to, now);
        return MAX(net.client_packet, 1u);
    }
    if (helpers_turn(now))
        return 1;
    size_t hashed = p2_client_work(&client, 16 * 1024);
    if (hashed)
        return 1 + hashed * net.client_kib / 1024;
    struct p2_report report = { .outcome = P2_OUTCOME_BOOTING };
    switch (p2_client_phase(&client)) {
    case P2_SEALED:
        if (p2_client_seal(&client)->payload_size != image->seal.payload_size)
            image = &newer; // replaced before it was asked for
        client_memory();
        if (p2_client_accept(&client, &map, list_buf, chunk_bits) != 0)
            abort();
        return 1;
    case P2_VERIFIED:
        if (helpers_deadline() != UINT64_MAX)
            abort(); // a digest that is out was not waited for
        p2_client_finish(&client, &report, now);
        return 1;
    case P2_FAILED:
        report = (struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = p2_client_error(&client) };
        p2_client_finish(&client, &report, now);
        return 1;
    default: return 0;
    }
}

static void client_run(uint64_t now)
{
    uint64_t took = client_turn(now);
    if (took) {
        client_at = client_busy = now + took;
        return;
    }
    uint64_t deadline = MIN(p2_client_deadline(&client), helpers_deadline());
    if (deadline == UINT64_MAX)
        client_asleep = true;
    else
        client_at = MAX(deadline, now + 1);
}

static void deliver(uint32_t index, uint64_t now)
{
    struct packet *p = &packets[index];
    if (p->to >= 0) {
        server_times((uint32_t)p->to, now);
        struct sim_server *s = &servers[p->to];
        if (s->alive) {
            p2_server_input(&s->machine, p->bytes, p->len, &p->from, now);
            server_drain((uint32_t)p->to, now);
        }
        free_list[free_count++] = index;
        return;
    }
    forgers(now);
    card_stuck |= net.stuck && ring_count >= net.stuck;
    if (card_stuck || ring_count >= net.ring) {
        free_list[free_count++] = index; // no buffer: lost
        return;
    }
    ring[(ring_head + ring_count++) % RING_MAX] = index;
    client_wake(now);
}

static void client_start(void)
{
    struct net_addr fixed[SIM_SERVERS], group = { .ip = P2_GROUP_V6, .port = P2_PORT, .zone = 1 };
    uint8_t seed[16];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)rng();
    for (uint32_t i = 0; i < net.servers; i++)
        fixed[i] = servers[i].addr;
    bool both = chance(2000);
    struct p2_client_config config = {
        .trust = &trust, .image = chance(5000) ? "" : "boot", .seed = seed, .seed_len = sizeof seed,
        .seal_buf = seal_buf, .seal_cap = sizeof seal_buf, .facts = { .arch = "sim", .version = "0" },
        .servers = fixed, .server_count = net.discover && !both ? 0 : net.servers,
        .targets = &group, .target_count = net.discover || both ? 1 : 0,
        .rx_buffers = (uint16_t)(chance(7000) && !net.blind ? net.ring : 0), .block_max = net.large,
    };
    if (p2_client_init(&client, &config, 0) != 0)
        abort();
}

// Memory for payloads of up to `size` bytes.
static void world_open(uint64_t size)
{
    testkey_trust(&trust, TESTKEY_P256_A);
    memory = malloc((size_t)size + 5 * GUARD);
    list_buf = malloc(64 * 1024);
    if (!memory || !list_buf)
        abort();
}

static void world_close(void)
{
    free(memory);
    free(list_buf);
}

static void world_reset(uint64_t seed)
{
    rng_state = seed * 0x2545f4914f6cdd1dull + 1;
    heap_count = ring_head = ring_count = 0;
    free_count = PACKETS_MAX;
    for (uint32_t i = 0; i < PACKETS_MAX; i++)
        free_list[i] = i;
    packet_order = wire_free = events = clock_now = client_at = client_busy = 0;
    client_asleep = seen = card_stuck = local_given = local_asked_for = false;
    memset(local, 0, sizeof local);
    memset(helpers, 0, sizeof helpers);
    old_count = 0;
}

static void world_run(uint64_t deadline)
{
    while (p2_client_phase(&client) != P2_DONE && clock_now < deadline && events++ < SIM_EVENTS_MAX) {
        uint64_t packet_at = heap_count ? packets[heap[0]].at : UINT64_MAX;
        uint64_t at = client_asleep ? UINT64_MAX : client_at;
        if (packet_at == UINT64_MAX && at == UINT64_MAX)
            return; // nobody will ever do anything again
        if (packet_at <= at) {
            clock_now = MAX(clock_now, packet_at);
            deliver(heap_pop(), clock_now);
        } else {
            clock_now = MAX(clock_now, at);
            client_run(clock_now);
        }
    }
}

// What is wrong with how it ended, or NULL.
static const char *judge(void)
{
    int error = p2_client_error(&client);
    if (p2_client_phase(&client) != P2_DONE)
        return "hang";
    if (local_asked_for)
        return "asked for what it had";
    if (!error)
        return net.must_fail ? "booted, but should not have" : memory_good() ? NULL : "memory differs from the payload";
    // A failure must have a name of the protocol or the seal.
    if (err_group(error) != 'P' && err_group(error) != 'S' && error != ERR_TOO_SLOW)
        return "failed without a proper name";
    if ((net.late || net.loss > 2000) && error == ERR_P2_NO_SERVER)
        return NULL; // nobody was there in time, or ten HELLOs or their OFFERs were lost: at 30 % that happens
    if (!net.must_fail && !net.may_fail)
        return "failed";
    return net.expect && net.expect != error ? "failed with another error" : NULL;
}

static void build(struct testimage *t, const char *name, uint32_t size, uint32_t chunk, enum testkey_name key)
{
    struct seal fields = testimage_fields(name);
    fields.chunk_size = chunk;
    uint8_t *data = malloc(size);
    struct testkey_stream stream = { .block = 0 };
    sha256(name, strlen(name), stream.seed);
    if (!data || testkey_random(&stream, data, size) != 0)
        abort();
    struct testpart part = { .kind = PART_RAMDISK, .name = "disk", .data = data, .size = size, .align = 4096 };
    fields.target = TARGET_DATA;
    if (!testimage_build(t, &fields, &part, 1, &key, 1))
        abort();
    free(data);
}
