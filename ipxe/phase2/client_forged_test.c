// SPDX-License-Identifier: MPL-2.0
// Datagrams of those who were not asked, and invented servers: they change nothing.
#include "phase2/testclient.h"

static const uint8_t kinds[] = { P2_HELLO, P2_OFFER, P2_READ, P2_DATA, P2_FINISHED, P2_FINISHED_ACK, P2_ERROR, P2_RESET };

// A message that would matter if it were real: the right image, blocks that are wanted.
static size_t forged(uint8_t type, const uint8_t *nonce, uint32_t variant, uint8_t *buf)
{
    static uint8_t junk[P2_BLOCK_MAX];
    struct p2_message m;
    memset(&m, 0, sizeof m);
    memset(junk, 0xee, sizeof junk);
    m.type = type;
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    switch (type) {
    case P2_OFFER:
        memcpy(m.offer.image_id, client.image_id, P2_IMAGE_ID_SIZE);
        m.offer = client.servers.at[0].offer;
        m.offer.cookie[0] ^= 1;
        m.offer.seal_size += variant;
        break;
    case P2_READ:
        m.read.block_size = P2_BLOCK_MAX;
        m.read.range_count = 1;
        m.read.ranges[0].length = 1;
        break;
    case P2_DATA:
        memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
        m.data.space = client.intake.space;
        m.data.stamp = client.flow.stamp;
        m.data.offset = variant * (uint64_t)P2_BLOCK_MAX;
        m.data.bytes = junk;
        m.data.length = P2_BLOCK_MAX;
        if (client.intake.size && m.data.offset + m.data.length > client.intake.size)
            m.data.length = (uint32_t)(client.intake.size > m.data.offset ? client.intake.size - m.data.offset : 1);
        break;
    case P2_FINISHED: m.finished.outcome = P2_OUTCOME_BOOTING; break;
    case P2_ERROR:
        memcpy(m.error.tag, client.image_id, P2_TAG_SIZE);
        m.error.code = (uint16_t)(1 + variant % 4);
        break;
    case P2_RESET: m.reset_reason = P2_RESET_COOKIE; break;
    default: break;
    }
    int n = p2_wire_write(&m, buf, P2_MESSAGE_MAX);
    return n > 0 ? (size_t)n : 0;
}

// Every kind of message, from the right address with a wrong nonce, and from a wrong address with any nonce
// but discovery's: nothing in the machine may change.
static bool forgeries_have_no_effect(void)
{
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr stranger = servers[0].addr;
    stranger.ip[15] ^= 0x80;
    struct net_addr other_port = servers[0].addr;
    other_port.port++;
    memcpy(&copy, &client, sizeof copy);
    for (size_t k = 0; k < sizeof kinds; k++)
        for (uint32_t variant = 0; variant < 20; variant++) {
            uint8_t wrong[P2_NONCE_SIZE];
            memcpy(wrong, client.servers.at[0].nonce, sizeof wrong);
            wrong[variant % 8] ^= (uint8_t)(1u << (variant % 7));
            size_t n = forged(kinds[k], wrong, variant, buf);
            p2_client_input(&client, buf, n, &servers[0].addr, now);
            memset(wrong, 0, sizeof wrong);
            n = forged(kinds[k], wrong, variant, buf);
            p2_client_input(&client, buf, n, &servers[0].addr, now);
            n = forged(kinds[k], client.servers.at[0].nonce, variant, buf);
            p2_client_input(&client, buf, n, &stranger, now);
            p2_client_input(&client, buf, n, &other_port, now);
            // With discovery's nonce, which the whole link knows, from a server that is known: nothing new.
            n = forged(kinds[k], client.hello.nonce, variant, buf);
            if (kinds[k] != P2_ERROR)
                p2_client_input(&client, buf, n, &servers[0].addr, now);
            if (!unchanged()) {
                printf("  %s variant %u changed the machine in phase %s\n", p2_type_name(kinds[k]), variant,
                       p2_phase_name(client.phase));
                return false;
            }
        }
    return true;
}

TEST(without_the_nonce_nothing_happens)
{
    struct testimage image;
    testimage_make(&image, "forged", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    bool seen[P2_DONE + 1] = { false };
    for (int i = 0; i < 5000 && p2_client_phase(&client) != P2_DONE; i++) {
        enum p2_phase phase = p2_client_phase(&client);
        if (client.servers.at[0].state != P2S_FREE && (!seen[phase] || i % 16 == 0)) {
            CHECK(forgeries_have_no_effect());
            seen[phase] = true;
        }
        if (phase == P2_SEALED)
            CHECK(accept_image());
        if (phase == P2_VERIFIED)
            p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_BOOTING }, now);
        // One datagram at a time, so that every phase is seen from within.
        if (!turn())
            now = p2_client_deadline(&client) == UINT64_MAX ? now : MAX(now, p2_client_deadline(&client));
    }
    CHECK_EQ(p2_client_phase(&client), P2_DONE);
    CHECK(memory_is(&image));
    CHECK(seen[P2_SEAL], seen[P2_SEALED], seen[P2_LIST], seen[P2_PAYLOAD], seen[P2_VERIFIED]);
    cleanup(&image, NULL);
}

// Even with the nonce: what was not asked for is not taken, whatever it claims.
TEST(blocks_that_were_not_asked_for)
{
    struct testimage image;
    testimage_make(&image, "unasked", 400000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    struct p2_client_config config = config_make(NULL, 0);
    config.window_initial = config.window_max = 4;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image(), run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX], junk[P2_BLOCK_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0); // asks for 4 blocks = the first chunk and one more
    memset(junk, 0xee, sizeof junk);
    memcpy(&copy, &client, sizeof copy);
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_DATA;
    memcpy(m.nonce, client.servers.at[0].nonce, P2_NONCE_SIZE);
    memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
    m.data.bytes = junk;
    const struct { uint8_t space; uint64_t offset; uint32_t length; } unasked[] = {
        { P2_SPACE_PAYLOAD, 4096 + 1408, 1408 }, { P2_SPACE_PAYLOAD, 8192, 1408 }, { P2_SPACE_PAYLOAD, 1, 1408 },
        { P2_SPACE_PAYLOAD, 0, 1407 }, { P2_SPACE_PAYLOAD, 2816, 1408 }, { P2_SPACE_PAYLOAD, 0, 512 },
        { P2_SPACE_SEAL, 0, 512 }, { P2_SPACE_LIST, 0, 1408 }, { P2_SPACE_PAYLOAD, 400000, 1408 },
        { P2_SPACE_PAYLOAD, (uint64_t)1 << 32, 1408 }, { P2_SPACE_PAYLOAD, (uint64_t)1 << 44, 1408 },
        { P2_SPACE_PAYLOAD, UINT64_MAX - 1408, 1408 }, { P2_SPACE_PAYLOAD, image.seal.payload_size - 1, 1 },
        { P2_SPACE_PAYLOAD, image.seal.payload_size, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(unasked); i++) {
        m.data.space = unasked[i].space;
        m.data.offset = unasked[i].offset;
        m.data.length = unasked[i].length;
        int n = p2_wire_write(&m, buf, sizeof buf);
        CHECK(n > 0);
        CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), ERR_NOT_FOUND);
        CHECK(unchanged());
    }
    m.data.space = P2_SPACE_PAYLOAD; // another image, or a group's stream
    m.data.offset = 0;
    m.data.length = 1408;
    m.data.tag[7] ^= 1;
    int n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), ERR_NOT_FOUND);
    m.data.tag[7] ^= 1;
    m.data.serial = 1;
    n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), ERR_NOT_FOUND);
    CHECK(unchanged());
    for (uint64_t i = 0; i < image.seal.payload_size; i++)
        CHECK_EQ(memory[i], 0);
    cleanup(&image, NULL);
}

// A server that is known but was never asked may send what it likes; and an OFFER that answers no HELLO of
// ours is nothing, even with the right nonce.
TEST(nothing_from_who_was_not_asked)
{
    struct testimage image;
    testimage_make(&image, "unasked2", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image(), run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    while (p2_client_output(&client, buf, sizeof buf, &to, now) > 0)
        ;
    uint32_t other = client.servers.current == 1 ? 1 : 0;
    CHECK_EQ(client.servers.at[other].state, P2S_BOUND);
    memcpy(&copy, &client, sizeof copy);
    size_t n = data_message(client.servers.at[other].nonce, 0, image.payload, buf);
    CHECK_EQ(p2_client_input(&client, buf, n, &client.servers.at[other].addr, now), ERR_NOT_FOUND);
    CHECK(unchanged());
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t variant = 0; variant < 2; variant++) {
            n = forged(P2_OFFER, client.servers.at[i].nonce, variant, buf);
            CHECK_EQ(p2_client_input(&client, buf, n, &client.servers.at[i].addr, now), ERR_NOT_FOUND);
            CHECK(unchanged());
        }
    cleanup(&image, NULL);
}

// RESET and ERROR with the right nonce from the right address, again and again: the boot goes on, and HELLOs
// stay few.
static uint64_t flood_next;
static bool flood(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (now >= flood_next && client.servers.current) {
        uint8_t buf[P2_MESSAGE_MAX];
        flood_next = now + 300;
        for (uint32_t i = 0; i < 3; i++) {
            p2_client_input(&client, buf, forged(P2_RESET, client.servers.at[0].nonce, i, buf), &servers[0].addr, now);
            p2_client_input(&client, buf, forged(P2_ERROR, client.servers.at[0].nonce, i, buf), &servers[0].addr, now);
            p2_client_input(&client, buf, forged(P2_FINISHED_ACK, client.servers.at[0].nonce, i, buf), &servers[0].addr, now);
        }
    }
    return true;
}

TEST(reset_and_error_alone_end_nothing)
{
    struct testimage image;
    testimage_make(&image, "flood", 600000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_client = flood;
    to_server = count_hellos;
    hellos = 0;
    flood_next = 0;
    uint64_t began = now;
    CHECK(boot(now + 20000000));
    CHECK(memory_is(&image));
    CHECK(hellos <= 3 + (now - began) / P2_HINT_PAUSE);
    cleanup(&image, NULL);
}

// A forged OFFER in answer to a HELLO that is out spoils the cookie; the RESET that follows heals it.
static bool spoiled;
static bool spoil_offer(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] == P2_OFFER && !spoiled && memcmp(data + 8, client.hello.nonce, 8) != 0) {
        data[16] ^= 0xff;
        spoiled = true;
    }
    return true;
}
TEST(bad_cookie_heals)
{
    struct testimage image;
    testimage_make(&image, "cookie", 50000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_client = spoil_offer;
    spoiled = false;
    CHECK(boot(now + 3000000));
    CHECK(spoiled, servers[0].machine.stats.cookies_bad >= 1);
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// Discovery's nonce is known to the whole link; it must buy no more than "ask me".
TEST(invented_servers_do_not_crowd_out_the_real_one)
{
    struct testimage image;
    testimage_make(&image, "crowd", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0);
    CHECK(net_addr_equal(&to, &group));
    for (uint32_t i = 0; i < 1000; i++) {
        struct net_addr nobody = { .ip = { 0xfe, 0x80, [13] = 9, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i }, .port = P2_PORT, .zone = 1 };
        p2_client_input(&client, buf, forged(P2_OFFER, client.hello.nonce, i, buf), &nobody, now);
    }
    CHECK(boot(now + 1000000)); // one more round of discovery, not until the crowd was asked in vain
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// The same, and they never stop coming.
static uint32_t nobody_count;
static bool crowd_on(const struct p2_message *m, const struct net_addr *to)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t buf[P2_MESSAGE_MAX];
        uint32_t k = nobody_count++;
        struct net_addr nobody = { .ip = { 0xfe, 0x80, [12] = 9, [13] = (uint8_t)(k >> 16), [14] = (uint8_t)(k >> 8), [15] = (uint8_t)k },
                                   .port = P2_PORT, .zone = 1 };
        p2_client_input(&client, buf, forged(P2_OFFER, client.hello.nonce, 0, buf), &nobody, now);
    }
    return true;
}
TEST(invented_servers_that_never_stop)
{
    struct testimage image;
    testimage_make(&image, "crowd2", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_server = crowd_on;
    nobody_count = 0;
    CHECK(boot(now + 6000000));
    CHECK(memory_is(&image));
    CHECK(nobody_count > 100);
    cleanup(&image, NULL);
}

// Everyone on the link can answer discovery with "no such image"; a server that comes late is still waited for.
TEST(forged_no_image_does_not_shorten_the_wait)
{
    struct testimage image;
    testimage_make(&image, "patient", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    servers[0].alive = false;
    start();
    CHECK(!run_until(P2_SEALED, now + 200000));
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t buf[P2_MESSAGE_MAX];
        struct net_addr nobody = { .ip = { 0xfe, 0x80, [13] = 9, [15] = (uint8_t)i }, .port = P2_PORT, .zone = 1 };
        p2_client_input(&client, buf, forged(P2_ERROR, client.hello.nonce, 0, buf), &nobody, now);
        p2_client_input(&client, buf, forged(P2_ERROR, client.hello.nonce, 0, buf), &servers[0].addr, now);
    }
    CHECK(!run_until(P2_SEALED, now + 4500000));
    CHECK_EQ(p2_client_phase(&client), P2_DISCOVER);
    servers[0].alive = true;
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// A second server that is known but not read from cannot use up the attention that RESETs get.
static bool rival_noise(uint8_t *data, size_t *len, struct net_addr *from)
{
    for (uint32_t i = 0; i < P2_CLIENT_SERVERS; i++)
        if (client.servers.at[i].state == P2S_BOUND && i + 1 != client.servers.current) {
            uint8_t buf[P2_MESSAGE_MAX];
            p2_client_input(&client, buf, forged(P2_RESET, client.servers.at[i].nonce, 0, buf), &client.servers.at[i].addr, now);
        }
    return true;
}
TEST(reset_of_a_rival_is_not_heeded)
{
    struct testimage image;
    testimage_make(&image, "rival", 1000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    to_client = rival_noise;
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    while (progress().bytes_verified < 500000)
        turn();
    uint32_t current = at_first_server() ? 0 : 1;
    server_start(current, &image, 99);
    uint64_t began = now;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(now - began < 1000000);
    CHECK_EQ(progress().failovers, 0);
    cleanup(&image, NULL);
}

TEST_MAIN(T(without_the_nonce_nothing_happens), T(blocks_that_were_not_asked_for), T(nothing_from_who_was_not_asked),
          T(reset_and_error_alone_end_nothing), T(bad_cookie_heals),
          T(invented_servers_do_not_crowd_out_the_real_one), T(invented_servers_that_never_stop),
          T(forged_no_image_does_not_shorten_the_wait), T(reset_of_a_rival_is_not_heeded))
