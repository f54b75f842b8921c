// SPDX-License-Identifier: MPL-2.0
// The server machine and its clients: what it offers, which images there are, what a boot tells of itself.
#include "phase2/testserver.h"

TEST(offer_says_what_there_is)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    say(&m, &a, 1);
    CHECK_EQ(p2_server_deadline(&server), 0);
    CHECK(answer(&r, &to, 1));
    CHECK_EQ(r.type, P2_OFFER);
    CHECK_EQ(r.nonce[0], 5);
    CHECK(memcmp(r.offer.image_id, image.id, P2_IMAGE_ID_SIZE) == 0);
    CHECK_EQ(r.offer.seal_size, SEAL_BYTES);
    CHECK_EQ(r.offer.list_size, LIST_BYTES);
    CHECK_EQ(r.offer.payload_size, PAYLOAD_BYTES);
    CHECK_EQ(r.offer.block_max, P2_BLOCK_MAX);
    CHECK_STR(r.offer.server, "boot-1");
    CHECK(!answer(&r, &to, 1));
    CHECK_EQ(p2_server_deadline(&server), UINT64_MAX);
}

TEST(names_and_tags)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    p2_wire_text(m.hello.name, sizeof m.hello.name, "debian");
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1), r.type == P2_OFFER);
    p2_wire_text(m.hello.name, sizeof m.hello.name, "other");
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1), r.type == P2_ERROR, r.error.code == P2_ERROR_NO_IMAGE);
    struct p2_event e;
    CHECK(p2_server_event(&server, &e), e.type == P2_EVENT_NO_IMAGE);
    CHECK_STR(e.name, "other");
    say(&m, &a, 2); // the same a moment later is answered, but told once a second
    CHECK(answer(&r, &to, 2), !p2_server_event(&server, &e));
    say(&m, &a, 2000002);
    CHECK(answer(&r, &to, 2), p2_server_event(&server, &e));
    memcpy(m.hello.tag, image.id, P2_TAG_SIZE); // a tag that is held goes before the name
    say(&m, &a, 3);
    CHECK(answer(&r, &to, 3), r.type == P2_OFFER);
}

// None of several is the default: who names none is told what there is, a piece of the list with each answer.
static uint32_t last_turn;
static const struct p2_image *two_pieces(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT])
{
    last_turn = turn;
    snprintf(text, P2_ERROR_TEXT, "%s", turn % 2 ? "rescue" : "db, web");
    return &image;
}
TEST(choice_is_told_where_there_is_no_default)
{
    setup();
    image_here = false;
    server.config.images.choice = two_pieces;
    struct net_addr a = host(1, 1000), to;
    struct p2_message m = message(P2_HELLO, 5), r;
    static const char *const texts[] = { "db, web", "rescue", "db, web" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        say(&m, &a, 1);
        CHECK(answer(&r, &to, 1), r.type == P2_ERROR, r.error.code == P2_ERROR_NO_IMAGE);
        CHECK(equal8(r.error.tag, image.id));
        CHECK_STR(r.error.text, texts[i]);
        CHECK(!answer(&r, &to, 1)); // no more bytes than were asked with
    }
    CHECK_EQ(last_turn, 2);
    // Who named one, or is at an image, hears of that alone.
    for (int tag = 0; tag < 2; tag++) {
        memset(&m.hello, 0, sizeof m.hello);
        if (tag)
            memset(m.hello.tag, 0x77, P2_TAG_SIZE);
        else
            p2_wire_text(m.hello.name, sizeof m.hello.name, "wbe");
        say(&m, &a, 1);
        CHECK(answer(&r, &to, 1), r.type == P2_ERROR, equal8(r.error.tag, m.hello.tag));
        CHECK_STR(r.error.text, "no image of that name");
    }
    CHECK_EQ(last_turn, 2);
    // Where there is no room for the answer nobody works it out.
    memset(&m.hello, 0, sizeof m.hello);
    for (unsigned i = 0; i < 3 * P2_SERVER_REPLIES; i++)
        say(&m, &a, 1);
    for (uint32_t answers = 1; answer(&r, &to, 1); answers++)
        CHECK_STR(r.error.text, texts[answers % 2]);
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1), last_turn == 3 + (P2_SERVER_REPLIES + 1) / 2);
}

TEST(events_tell_a_boot)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_event e;
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    CHECK(!p2_server_event(&server, &e)); // anyone can say HELLO
    struct p2_message m = read_of(5, cookie, P2_SPACE_SEAL, 0, SEAL_BYTES);
    say(&m, &a, 2);
    CHECK(p2_server_event(&server, &e), e.type == P2_EVENT_CLIENT);
    CHECK_EQ(e.peer.facts.mac[0], 5);
    CHECK(net_addr_equal(&e.peer.addr, &a));
    m = read_of(5, cookie, P2_SPACE_LIST, 0, LIST_BYTES);
    say(&m, &a, 3);
    CHECK(p2_server_event(&server, &e), e.type == P2_EVENT_SEAL);
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100);
    for (uint32_t i = 0; i < 40; i++) {
        m.read.verified = i * 100;
        say(&m, &a, 2000000 + i * 100000); // 4 s
    }
    unsigned progress = 0;
    uint64_t last = 0;
    while (p2_server_event(&server, &e)) {
        CHECK_EQ(e.type, P2_EVENT_PROGRESS);
        CHECK(e.peer.verified >= last);
        last = e.peer.verified;
        progress++;
    }
    CHECK_EQ(progress, 4);
    drain(6000000);
    m = message(P2_FINISHED, 5);
    memcpy(m.finished.cookie, cookie, sizeof cookie);
    memcpy(m.finished.tag, image.id, P2_TAG_SIZE);
    m.finished.outcome = P2_OUTCOME_FAILED;
    p2_wire_text(m.finished.code, sizeof m.finished.code, "S16");
    for (int i = 0; i < 3; i++) { // every copy is acknowledged, the event comes once
        say(&m, &a, 6000000);
        CHECK(answer(&r, &to, 6000000), r.type == P2_FINISHED_ACK, r.nonce[0] == 5);
    }
    CHECK(p2_server_event(&server, &e), e.type == P2_EVENT_FINISHED);
    CHECK_STR(e.finished.code, "S16");
    CHECK_EQ(e.peer.outcome, P2_OUTCOME_FAILED);
    CHECK(!p2_server_event(&server, &e));
    m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100); // an old READ that comes late starts nothing
    say(&m, &a, 6000001);
    CHECK_EQ(drain(6000001), 0);
    CHECK(!p2_server_event(&server, &e));
}

TEST(image_that_goes_away)
{
    setup();
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, PAYLOAD_BYTES);
    say(&m, &a, 2);
    CHECK(answer(&r, &to, 2));
    CHECK(p2_server_in_use(&server, image.id, 2, 1000000));
    CHECK(!p2_server_in_use(&server, image.id, 2000000, 1000000));
    CHECK(!p2_server_in_use(&server, (const uint8_t *)"another!", 2, 1000000));
    image_here = false;
    CHECK(!answer(&r, &to, 2));
    say(&m, &a, 3);
    CHECK(answer(&r, &to, 3), r.type == P2_ERROR, r.error.code == P2_ERROR_NO_TAG);
    image_here = true;
    say(&m, &a, 4);
    CHECK(answer(&r, &to, 4), r.type == P2_DATA);
    image.payload_size = 50; // replaced by a shorter one under the same tag: nothing outside it is touched
    while (answer(&r, &to, 4))
        CHECK(r.data.offset + r.data.length <= 50);
    image.payload_size = PAYLOAD_BYTES;
    CHECK_EQ(p2_server_deadline(&server), UINT64_MAX);
}

TEST(only_clients_are_answered)
{
    setup();
    struct net_addr a = host(1, 1000);
    static const uint8_t kinds[] = { P2_OFFER, P2_DATA, P2_FINISHED_ACK, P2_ERROR, P2_RESET };
    for (size_t i = 0; i < sizeof kinds; i++) {
        struct p2_message m = message(kinds[i], 5);
        m.data.bytes = kinds[i] == P2_DATA ? payload : m.data.bytes;
        m.data.length = kinds[i] == P2_DATA ? 10 : m.data.length;
        say(&m, &a, 1);
        CHECK_EQ(drain(1), 0);
    }
    CHECK_EQ(server.stats.malformed, sizeof kinds);
}

TEST(init_refuses_missing_tables)
{
    struct p2_server_config config = config_make(1);
    config.peers = NULL;
    CHECK_EQ(p2_server_init(&server, &config), ERR_INVALID);
    config = config_make(1);
    config.job_count = 0;
    CHECK_EQ(p2_server_init(&server, &config), ERR_INVALID);
    config = config_make(1);
    config.images.by_tag = NULL;
    CHECK_EQ(p2_server_init(&server, &config), ERR_INVALID);
    config = config_make(1); // the smallest server serves
    config.peer_count = config.job_count = 1;
    CHECK_EQ(p2_server_init(&server, &config), 0);
    image_here = true;
    struct net_addr a = host(1, 1000), to;
    uint8_t cookie[P2_COOKIE_SIZE];
    struct p2_message r;
    CHECK(hello(5, &a, 1, cookie));
    struct p2_message m = read_of(5, cookie, P2_SPACE_PAYLOAD, 0, 100);
    say(&m, &a, 1);
    CHECK(answer(&r, &to, 1), r.type == P2_DATA);
}

TEST_MAIN(T(offer_says_what_there_is), T(names_and_tags), T(choice_is_told_where_there_is_no_default), T(events_tell_a_boot),
          T(image_that_goes_away), T(only_clients_are_answered), T(init_refuses_missing_tables))
