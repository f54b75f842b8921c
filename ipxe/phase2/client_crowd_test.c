// SPDX-License-Identifier: MPL-2.0
// One honest server, and a crowd in front of it that offers the same image: addresses that bring nothing, or too little. None of
// them can be told from an honest one by what it says, and the boot does not wait for their end; nor does it matter that the
// honest one comes only when the crowd has begun.
#include "phase2/testclient.h"

#define SECONDS 1000000ull
#define CROWD_MAX 40
#define MODEST 255 // the number of an honest one that is far away

enum manners { SILENT, SILENT_BEHIND_LIST, TRICKLES };

static struct {
    unsigned count; // of liars
    enum manners manners;
    const struct testimage *image;
    uint64_t since;
    uint32_t given;     // blocks of the payload
    uint64_t late_us;   // the honest server comes so much later
    bool named;         // the servers are named by the caller, not found by discovery
    bool ever_new;      // other addresses answer each time, and the honest server is far
    uint8_t generation; // of these addresses
    uint64_t modest_at; // when the far one has the next block
} crowd;

static struct net_addr liar(unsigned i)
{
    return (struct net_addr){ .ip = { 0xfe, 0x80, [13] = crowd.generation, 2, (uint8_t)i }, .port = P2_PORT, .zone = 1 };
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

// 150 blocks a second, and some in a row.
static bool modest_may_send(void)
{
    if (crowd.modest_at > now)
        return false;
    crowd.modest_at = MAX(crowd.modest_at + SECONDS / 20, now) - SECONDS / 20 + SECONDS / 150;
    return true;
}

// 7 blocks a second are no silence.
static bool may_send(uint8_t space, const struct net_addr *from)
{
    if (crowd.manners == SILENT || space != P2_SPACE_PAYLOAD)
        return crowd.manners != SILENT;
    if (from->ip[15] == MODEST)
        return modest_may_send();
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
        while (at < end && may_send(read->read.space, from)) {
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
    bool everyone = m->type == P2_HELLO && net_addr_equal(to, &group);
    servers[0].alive = !crowd.ever_new && now - crowd.since >= crowd.late_us;
    crowd.generation += everyone && crowd.ever_new;
    for (unsigned i = 0; everyone && i < crowd.count; i++) {
        struct net_addr addr = liar(i);
        offer(m->nonce, &addr);
    }
    if (everyone && crowd.ever_new) {
        struct net_addr modest = { .ip = { 0xfe, 0x80, [14] = 2, MODEST }, .port = P2_PORT, .zone = 1 };
        offer(m->nonce, &modest);
    }
    if (everyone || to->ip[14] != 2)
        return true;
    if (m->type == P2_HELLO)
        offer(m->nonce, to);
    if (m->type == P2_READ)
        serve_some(m, to);
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
    crowd.given = crowd.generation = 0;
    crowd.modest_at = 0;
    to_server = ask_crowd;
    const struct net_addr fixed[2] = { liar(0), servers[0].addr };
    struct p2_client_config config = config_make(fixed, 2);
    if (!crowd.named)
        start();
    else if (p2_client_init(&client, &config, now) != 0)
        abort();
    uint64_t began = now;
    return boot(now + 300 * SECONDS) && memory_is(image) ? now - began : 0;
}

static void check_crowd(enum manners manners, uint64_t first_us, uint64_t each_us)
{
    static const unsigned counts[] = { 1, 2, 11, 12, 14, CROWD_MAX };
    struct testimage image;
    testimage_make(&image, "crowd", 3000000, 1, TESTKEY_P256_A);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        uint64_t took = boots_in(&image, counts[i], manners), most = first_us + counts[i] * each_us;
        if (!took || took > most)
            printf("  %u in the crowd: %llu ms, %s\n", counts[i], (unsigned long long)took / 1000, err_code(p2_client_error(&client)));
        CHECK(took, took <= most);
    }
    cleanup(&image, NULL);
}

TEST(those_that_only_offer)
{
    check_crowd(SILENT, 3 * SECONDS, 2 * P2_FIRST_AFTER);
}

TEST(those_that_stop_behind_the_list)
{
    check_crowd(SILENT_BEHIND_LIST, 3 * SECONDS, 2 * P2_FIRST_AFTER);
}

TEST(those_that_trickle)
{
    check_crowd(TRICKLES, 3 * SECONDS, 2 * P2_RATE_TIME);
}

TEST(one_that_comes_later_is_found)
{
    crowd.late_us = 5 * SECONDS;
    check_crowd(TRICKLES, crowd.late_us + 2 * P2_RATE_TIME, 2 * P2_RATE_TIME);
    crowd.late_us = 0;
}

TEST(one_that_is_named_and_comes_later_is_found)
{
    struct testimage image;
    testimage_make(&image, "crowd", 3000000, 1, TESTKEY_P256_A);
    crowd.late_us = 5 * SECONDS;
    crowd.named = true;
    uint64_t took = boots_in(&image, 1, TRICKLES);
    CHECK(took, took <= crowd.late_us + 3 * P2_RATE_TIME);
    crowd.late_us = 0;
    crowd.named = false;
    cleanup(&image, NULL);
}

// A far one among liars that come under ever new addresses: they may have every second turn.
TEST(a_far_one_among_ever_new_ones)
{
    struct testimage image;
    testimage_make(&image, "crowd", 3000000, 1, TESTKEY_P256_A);
    crowd.ever_new = true;
    uint64_t alone = boots_in(&image, 0, TRICKLES), took = boots_in(&image, P2_CLIENT_SERVERS, TRICKLES);
    CHECK(alone, took, took <= 5 * alone / 2 + 4 * P2_RATE_TIME);
    crowd.ever_new = false;
    cleanup(&image, NULL);
}

TEST_MAIN(T(those_that_only_offer), T(those_that_stop_behind_the_list), T(those_that_trickle), T(one_that_comes_later_is_found),
          T(one_that_is_named_and_comes_later_is_found), T(a_far_one_among_ever_new_ones))
