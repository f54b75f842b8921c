// SPDX-License-Identifier: MPL-2.0
// One honest server, and a crowd in front of it that offers the same image: addresses that bring nothing, or too little. None of
// them can be told from an honest one by what it says, and the boot does not wait for their end.
#include "phase2/testclient.h"

#define SECONDS 1000000ull
#define CROWD_MAX 40

enum manners { SILENT, SILENT_BEHIND_LIST, TRICKLES };

static struct {
    unsigned count; // of liars
    enum manners manners;
    const struct testimage *image;
    uint64_t since;
    uint32_t given; // blocks of the payload
} crowd;

static struct net_addr liar(unsigned i)
{
    return (struct net_addr){ .ip = { 0xfe, 0x80, [14] = 2, [15] = (uint8_t)i }, .port = P2_PORT, .zone = 1 };
}

static void say(struct p2_message *m, const uint8_t *nonce, const struct net_addr *from)
{
    uint8_t buf[P2_MESSAGE_MAX];
    memcpy(m->nonce, nonce, P2_NONCE_SIZE);
    int n = p2_wire_write(m, buf, sizeof buf);
    if (n <= 0)
        abort();
    feed(buf, (size_t)n, from);
}

static void offer(const uint8_t *nonce, const struct net_addr *from)
{
    const struct p2_image *view = &servers[0].view;
    struct p2_message m = { .type = P2_OFFER };
    m.offer = (struct p2_offer){ .seal_size = view->seal_size, .list_size = view->list_size, .payload_size = view->payload_size,
                                 .block_max = P2_BLOCK_MAX, .window_max = 512 };
    memcpy(m.offer.image_id, view->id, P2_IMAGE_ID_SIZE);
    say(&m, nonce, from);
}

// 7 blocks a second are no silence.
static bool may_send(uint8_t space)
{
    if (crowd.manners == SILENT || space != P2_SPACE_PAYLOAD)
        return crowd.manners != SILENT;
    if (crowd.manners != TRICKLES || (crowd.given + 1) * SECONDS / 7 > now - crowd.since)
        return false;
    crowd.given++;
    return true;
}

static void serve_some(const struct p2_message *read, const struct net_addr *from)
{
    const struct testimage *t = crowd.image;
    const uint8_t *space[] = { t->file, t->list, t->payload };
    for (uint32_t i = 0; i < read->read.range_count; i++) {
        uint64_t at = read->read.ranges[i].offset, end = at + read->read.ranges[i].length, piece = t->seal.chunk_size;
        while (at < end && may_send(read->read.space)) {
            uint64_t stop = read->read.space == P2_SPACE_PAYLOAD ? MIN(end, (at / piece + 1) * piece) : end;
            struct p2_message m = { .type = P2_DATA };
            memcpy(m.data.tag, servers[0].view.id, P2_TAG_SIZE);
            m.data.space = read->read.space;
            m.data.stamp = read->read.stamp;
            m.data.offset = at;
            m.data.length = (uint16_t)MIN(stop - at, (uint64_t)read->read.block_size);
            m.data.bytes = space[read->read.space] + at;
            say(&m, read->nonce, from);
            at += m.data.length;
        }
    }
}

// The crowd is nearer than the honest server.
static bool ask_crowd(const struct p2_message *m, const struct net_addr *to)
{
    for (unsigned i = 0; i < crowd.count; i++) {
        struct net_addr addr = liar(i);
        if (m->type == P2_HELLO && (net_addr_equal(to, &group) || net_addr_equal(to, &addr)))
            offer(m->nonce, &addr);
        if (m->type == P2_READ && net_addr_equal(to, &addr))
            serve_some(m, &addr);
    }
    return true;
}

// How long a boot takes among them; 0: there is none.
static uint64_t boots_in(const struct testimage *image, unsigned count, enum manners manners)
{
    setup();
    server_start(0, image, 1);
    crowd.count = count;
    crowd.manners = manners;
    crowd.image = image;
    crowd.since = now;
    crowd.given = 0;
    to_server = ask_crowd;
    start();
    uint64_t began = now;
    return boot(now + 300 * SECONDS) && memory_is(image) ? now - began : 0;
}

static void check_crowd(enum manners manners, uint64_t each_us)
{
    static const unsigned counts[] = { 1, 2, 11, 12, 14, CROWD_MAX };
    struct testimage image;
    testimage_make(&image, "crowd", 3000000, 1, TESTKEY_P256_A);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        uint64_t took = boots_in(&image, counts[i], manners);
        if (!took || took > 3 * SECONDS + counts[i] * each_us)
            printf("  %u in the crowd: %llu ms, %s\n", counts[i], (unsigned long long)took / 1000, err_code(p2_client_error(&client)));
        CHECK(took && took <= 3 * SECONDS + counts[i] * each_us);
    }
    cleanup(&image, NULL);
}

TEST(those_that_only_offer)
{
    check_crowd(SILENT, 2 * P2_FIRST_AFTER);
}

TEST(those_that_stop_behind_the_list)
{
    check_crowd(SILENT_BEHIND_LIST, 2 * P2_FIRST_AFTER);
}

TEST(those_that_trickle)
{
    check_crowd(TRICKLES, 2 * P2_RATE_TIME);
}

TEST_MAIN(T(those_that_only_offer), T(those_that_stop_behind_the_list), T(those_that_trickle))
