// SPDX-License-Identifier: MPL-2.0
// Servers that are absent, fall silent, restart, or have another image by now.
#include "phase2/testclient.h"

TEST(no_server_in_bounded_time)
{
    setup();
    start();
    to_server = count_hellos;
    hellos = 0;
    uint64_t began = now;
    CHECK(!run_until(P2_SEALED, now + 60000000));
    CHECK_EQ(p2_client_error(&client), ERR_P2_NO_SERVER);
    CHECK(now - began >= P2_DISCOVER_DEFAULT, now - began < P2_DISCOVER_DEFAULT + 10000);
    CHECK(hellos >= 5, hellos <= 12);
    p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = ERR_P2_NO_SERVER }, now);
    CHECK_EQ(p2_client_phase(&client), P2_DONE); // nobody to tell
}

TEST(no_image_is_named_but_not_believed_at_once)
{
    struct testimage image;
    testimage_make(&image, "late", 30000, 1, TESTKEY_P256_A);
    for (int fixed = 0; fixed < 2; fixed++) {
        setup();
        server_start(0, &image, 1);
        servers[0].no_image = true;
        struct p2_client_config config = config_make(fixed ? &servers[0].addr : NULL, fixed ? 1 : 0);
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        uint64_t began = now;
        CHECK(!run_until(P2_SEALED, now + 60000000));
        CHECK_EQ(p2_client_error(&client), ERR_P2_NO_IMAGE);
        CHECK(now - began >= P2_DECIDE_AFTER, now - began < P2_DISCOVER_DEFAULT);
        // A server that has it and comes a second later is found.
        setup();
        server_start(0, &image, 1);
        server_start(1, &image, 1);
        servers[0].no_image = true;
        servers[1].alive = false;
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        if (fixed)
            config.servers = (struct net_addr[]){ servers[0].addr, servers[1].addr }, config.server_count = 2;
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        CHECK(!run_until(P2_SEALED, now + 1000000));
        servers[1].alive = true;
        CHECK(boot(now + 5000000));
        CHECK(memory_is(&image));
    }
    cleanup(&image, NULL);
}

TEST(names_to_choose_from_are_kept)
{
    static const char *const lists[][7] = { { NULL }, { "db, web" }, { "db, web", "rescue" }, { "a", "b", "c", "d", "e", "f" } };
    struct testimage image;
    testimage_make(&image, "choice", 30000, 1, TESTKEY_P256_A);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(lists); i++) {
        bool named = i % 2;
        setup();
        server_start(0, &image, 1);
        servers[0].no_image = true;
        choices = lists[i / 2];
        struct p2_client_config config = config_make(&servers[0].addr, 1);
        config.image = named ? "wbe" : "";
        CHECK_EQ(p2_client_init(&client, &config, now), 0);
        CHECK(!run_until(P2_SEALED, now + 60000000));
        CHECK_EQ(p2_client_error(&client), ERR_P2_NO_IMAGE);
        uint32_t n = 0;
        for (; p2_client_choice(&client, n); n++)
            CHECK(strcmp(p2_client_choice(&client, n), choices[n]) == 0);
        uint32_t all = 0;
        while (choices[all])
            all++;
        CHECK_EQ(n, named ? 0 : MIN(all, (uint32_t)P2_CHOICES_MAX));
    }
    cleanup(&image, NULL);
}

TEST(stalled_server_is_named)
{
    struct testimage image;
    testimage_make(&image, "stall", 300000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    struct p2_client_config config = config_make(NULL, 0);
    config.stall_us = 10000000;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image(), run_until(P2_PAYLOAD, now + 5000000));
    servers[0].alive = false;
    uint64_t began = now;
    CHECK(!run_until(P2_VERIFIED, now + 60000000));
    CHECK_EQ(p2_client_error(&client), ERR_P2_STALLED);
    CHECK(now - began >= 9000000, now - began <= 11000000);
    cleanup(&image, NULL);
}

// A server that has the image and no time for us.
static uint64_t busy_until;
static uint16_t busy_code;
static bool busy(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] != P2_DATA || now >= busy_until)
        return true;
    memset(data + P2_HEAD_SIZE + P2_TAG_SIZE, 0, P2_ERROR_SIZE - P2_HEAD_SIZE - P2_TAG_SIZE);
    data[5] = P2_ERROR;
    store16_le(data + 24, busy_code);
    *len = P2_ERROR_SIZE;
    return true;
}
TEST(busy_server_is_named_as_that)
{
    struct testimage image;
    testimage_make(&image, "busy", 300000, 1, TESTKEY_P256_A);
    static const struct { uint16_t code; int error; } says[] = { { P2_ERROR_BUSY, ERR_P2_BUSY }, { P2_ERROR_NO_TAG, ERR_P2_NO_IMAGE },
                                                                { P2_ERROR_BAD_READ, ERR_P2_STALLED }, { 77, ERR_P2_STALLED } };
    for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
        setup();
        server_start(0, &image, 1);
        start();
        busy_until = UINT64_MAX;
        busy_code = says[i].code;
        to_client = busy;
        CHECK(!run_until(P2_SEALED, now + 60000000));
        CHECK_EQ(p2_client_error(&client), says[i].error);
    }
    // It gets free, and what it said is no reason to think ill of the way.
    setup();
    server_start(0, &image, 1);
    start();
    busy_code = P2_ERROR_BUSY;
    busy_until = now + 20000000;
    to_client = busy;
    CHECK(boot(now + 25000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().block_size, P2_BLOCK_MAX);
    cleanup(&image, NULL);
}

TEST(failover_keeps_progress)
{
    struct testimage image;
    testimage_make(&image, "failover", 2000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    while (progress().bytes_verified < 1000000)
        turn();
    uint64_t verified = progress().bytes_verified, began = now;
    uint32_t blocks = progress().blocks_received;
    CHECK(progress().has_server);
    servers[at_first_server() ? 0 : 1].alive = false;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK(now - began < P2_FAILOVER_AFTER + 2000000);
    CHECK_EQ(progress().failovers, 1);
    CHECK(progress().blocks_received - blocks <= (image.seal.payload_size - verified) / 4096 * 3 + 3);
    cleanup(&image, NULL);
}

TEST(server_that_restarts_goes_on)
{
    struct testimage image;
    testimage_make(&image, "restart", 2000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    while (progress().bytes_verified < 1000000)
        turn();
    server_start(0, &image, 99); // another secret: the cookie is worth nothing
    uint64_t began = now;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK(now - began < 1000000); // a RESET tells at once
    CHECK(servers[0].machine.stats.cookies_bad >= 1);
    cleanup(&image, NULL);
}

TEST(cookie_is_renewed_before_it_dies)
{
    struct testimage image;
    testimage_make(&image, "renew", 200000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    struct p2_client_config config = config_make(NULL, 0);
    config.window_initial = config.window_max = 4;
    CHECK_EQ(p2_client_init(&client, &config, now), 0);
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    while (p2_client_phase(&client) == P2_LIST || p2_client_phase(&client) == P2_PAYLOAD) {
        for (int i = 0; i < 4 && turn(); i++)
            ;
        now += 2000000; // a very slow machine
    }
    CHECK_EQ(p2_client_phase(&client), P2_VERIFIED);
    CHECK(memory_is(&image));
    CHECK_EQ(servers[0].machine.stats.cookies_bad, 0);
    cleanup(&image, NULL);
}

TEST(image_replaced_at_the_other_server)
{
    struct testimage image, newer;
    testimage_make(&image, "old", 2000000, 1, TESTKEY_P256_A);
    testimage_make(&newer, "new", 500000, 2, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &newer, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    bool first = at_first_server();
    while (progress().bytes_verified < 300000)
        turn();
    servers[first ? 0 : 1].alive = false;
    // The other one is no help: its image is another. The first comes back, and the boot ends well.
    CHECK(!run_until(P2_VERIFIED, now + 5000000));
    CHECK_EQ(p2_client_phase(&client), P2_PAYLOAD);
    CHECK_EQ(progress().failovers, 0);
    servers[first ? 0 : 1].alive = true;
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(first ? &image : &newer));
    cleanup(&image, &newer);
}

// Replaced after its OFFER, before its seal was read: the new one is booted.
static const struct testimage *replacement;
static bool replace_at_first_read(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type == P2_READ && replacement) {
        servers[0].image = replacement;
        servers[0].view.seal_size = (uint32_t)replacement->seal_len;
        servers[0].view.list_size = replacement->seal.chunk_count * 32;
        servers[0].view.payload_size = replacement->seal.payload_size;
        memcpy(servers[0].view.id, replacement->seal.image_id, P2_IMAGE_ID_SIZE);
        replacement = NULL;
    }
    return true;
}
TEST(image_replaced_before_its_seal)
{
    struct testimage image, newer;
    testimage_make(&image, "old", 30000, 1, TESTKEY_P256_A);
    testimage_make(&newer, "new", 50000, 2, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    replacement = &newer;
    to_server = replace_at_first_read;
    CHECK(boot(now + 3000000));
    CHECK_STR(p2_client_seal(&client)->name, "new");
    CHECK(memory_is(&newer));
    cleanup(&image, &newer);
}

TEST_MAIN(T(no_server_in_bounded_time), T(no_image_is_named_but_not_believed_at_once), T(names_to_choose_from_are_kept),
          T(stalled_server_is_named), T(busy_server_is_named_as_that),
          T(failover_keeps_progress), T(server_that_restarts_goes_on), T(cookie_is_renewed_before_it_dies),
          T(image_replaced_at_the_other_server), T(image_replaced_before_its_seal))
