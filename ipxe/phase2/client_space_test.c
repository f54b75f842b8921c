// SPDX-License-Identifier: MPL-2.0
// Chunks: those that are there already, and those that arrive wrong.
#include "phase2/testclient.h"

// Whether any READ asked for bytes of a chunk marked here.
static bool local_chunks[200], asked_for_local;
static uint32_t payload_reads;
static bool watch_local(const struct p2_message *m, const struct net_addr *to)
{
    if (m->type != P2_READ || m->read.space != P2_SPACE_PAYLOAD)
        return true;
    payload_reads++;
    for (uint32_t i = 0; i < m->read.range_count; i++) {
        uint64_t first = m->read.ranges[i].offset / CHUNK_SIZE_MIN;
        uint64_t last = (m->read.ranges[i].offset + m->read.ranges[i].length - 1) / CHUNK_SIZE_MIN;
        for (uint64_t chunk = first; chunk <= last; chunk++)
            asked_for_local |= local_chunks[chunk];
    }
    return true;
}

// Brings the client to where chunks may be given.
static bool before_payload(struct testimage *image, const char *name)
{
    testimage_make(image, name, 400000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, image, 1);
    start();
    to_server = watch_local;
    memset(local_chunks, 0, sizeof local_chunks);
    asked_for_local = false;
    payload_reads = 0;
    return run_until(P2_SEALED, now + 5000000) && accept_image() && run_until(P2_PAYLOAD, now + 5000000);
}

static int give(const struct testimage *image, uint32_t chunk)
{
    uint32_t length = seal_chunk_length(&image->seal, chunk);
    memcpy(memory + (size_t)chunk * CHUNK_SIZE_MIN, image->payload + (size_t)chunk * CHUNK_SIZE_MIN, length);
    int rc = p2_client_local(&client, chunk);
    local_chunks[chunk] = rc == 1;
    return rc;
}

TEST(local_chunks_are_not_fetched)
{
    // Every second chunk, the first ten, the last ten, and in descending order.
    for (unsigned pattern = 0; pattern < 4; pattern++) {
        struct testimage image;
        uint64_t bytes = 0;
        CHECK(before_payload(&image, "some"));
        uint32_t count = image.seal.chunk_count;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t chunk = pattern == 3 ? count - 1 - i : i;
            if (pattern == 0 ? chunk % 2 : pattern == 1 ? chunk >= 10 : pattern == 2 ? chunk < count - 10 : chunk % 3)
                continue;
            CHECK_EQ(give(&image, chunk), 1);
            CHECK_EQ(p2_client_local(&client, chunk), 1);
            bytes += seal_chunk_length(&image.seal, chunk);
        }
        CHECK(progress().bytes_local == bytes, progress().bytes_verified == bytes);
        CHECK(run_until(P2_VERIFIED, now + 10000000));
        CHECK(memory_is(&image));
        CHECK(!asked_for_local, payload_reads > 0);
        CHECK(progress().bytes_received == image.seal.payload_size - bytes);
        CHECK(progress().bytes_local == bytes, progress().bytes_verified == image.seal.payload_size);
        cleanup(&image, NULL);
    }
}

TEST(with_all_chunks_local_nothing_is_fetched)
{
    struct testimage image;
    CHECK(before_payload(&image, "all"));
    for (uint32_t i = 0; i < image.seal.chunk_count; i++)
        CHECK_EQ(give(&image, i), 1);
    CHECK(p2_client_deadline(&client) > now); // there is nothing to be asked for
    CHECK(run_until(P2_VERIFIED, now + 1000000));
    CHECK_EQ(payload_reads, 0);
    struct p2_report report = { .outcome = P2_OUTCOME_BOOTING };
    p2_client_finish(&client, &report, now);
    CHECK(run_until(P2_DONE, now + 1000000));
    CHECK_EQ(servers[0].finished, 1);
    cleanup(&image, NULL);
}

TEST(local_chunks_that_are_none)
{
    struct testimage image;
    testimage_make(&image, "none", 400000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    CHECK(run_until(P2_SEALED, now + 5000000));
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    testimage_free(&image);

    CHECK(before_payload(&image, "none"));
    uint32_t count = image.seal.chunk_count;
    CHECK_EQ(p2_client_local(&client, count), ERR_INVALID);
    CHECK_EQ(p2_client_local(&client, UINT32_MAX), ERR_INVALID);
    image.payload[5 * CHUNK_SIZE_MIN + 17] ^= 1; // what is given; the server's bytes are right again below
    CHECK_EQ(give(&image, 5), 0);
    image.payload[5 * CHUNK_SIZE_MIN + 17] ^= 1;
    CHECK_EQ(p2_client_local(&client, count - 1), 0); // zeros
    CHECK_EQ(progress().bytes_local, 0);
    CHECK(turn()); // the first READ
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK_EQ(p2_client_local(&client, 0), ERR_INVALID);
    cleanup(&image, NULL);
}

// A slow disk: no server is dropped, and nothing is said to have stalled.
TEST(time_spent_on_local_chunks_is_nobodys_fault)
{
    struct testimage image;
    CHECK(before_payload(&image, "slow"));
    for (uint32_t i = 0; i < image.seal.chunk_count / 2; i++, now += 2000000)
        CHECK_EQ(give(&image, i), 1);
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    CHECK(!asked_for_local);
    CHECK_EQ(progress().failovers, 0);
    CHECK_EQ(progress().servers_dropped, 0);
    cleanup(&image, NULL);
}

// --- bad bytes ---

// After a mismatch a chunk is taken from one server only, so that it is known whose fault the next one is.
TEST(chunk_that_was_bad_comes_from_one_server)
{
    struct testimage image;
    testimage_make(&image, "only", 300000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    server_start(1, &image, 2);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image(), run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX];
    static uint8_t junk[P2_BLOCK_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0); // asks; the server does not hear it
    uint32_t first = client.servers.current - 1, second = 1 - first;
    for (uint32_t i = 0; i < 2; i++) // the first chunk: two blocks of junk from the first server
        CHECK_EQ(p2_client_input(&client, buf, data_message(client.servers.at[first].nonce, i * 1408, junk, buf),
                                 &client.servers.at[first].addr, now), 0);
    servers[first].alive = false;
    now += P2_FAILOVER_AFTER + 1;
    while (p2_client_output(&client, buf, sizeof buf, &to, now) > 0)
        ;
    CHECK_EQ(client.servers.current, second + 1);
    struct p2_message m;
    size_t n = data_message(client.servers.at[second].nonce, 2816, image.payload + 2816, buf);
    CHECK_EQ(p2_wire_read(buf, n, &m), 0);
    m.data.length = 1280; // the rest of it from the second
    int len = p2_wire_write(&m, buf, sizeof buf);
    CHECK(len < 0 || p2_client_input(&client, buf, (size_t)len, &client.servers.at[second].addr, now) == 0);
    CHECK(p2_client_work(&client, 5000) > 0);
    CHECK_EQ(progress().bad_chunks, 1);
    CHECK_EQ(client.servers.at[0].strikes + client.servers.at[1].strikes, 0); // two had a part in it: no blame
    for (; client.space.ask[client.intake.order[0]].next_new == 0; now += 10000) // until it is asked for again
        while (p2_client_output(&client, buf, sizeof buf, &to, now) > 0)
            ;
    CHECK_EQ(client.servers.current, second + 1);
    memcpy(&copy, &client, sizeof copy);
    CHECK_EQ(p2_client_input(&client, buf, data_message(client.servers.at[first].nonce, 0, junk, buf),
                             &client.servers.at[first].addr, now), ERR_NOT_FOUND);
    CHECK(unchanged());
    CHECK_EQ(p2_client_input(&client, buf, data_message(client.servers.at[second].nonce, 0, image.payload, buf),
                             &client.servers.at[second].addr, now), 0);
    CHECK(run_until(P2_VERIFIED, now + 10000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// A block is written once: a second copy with other bytes changes nothing.
TEST(bytes_that_are_here_are_not_overwritten)
{
    struct testimage image;
    testimage_make(&image, "twice", 20000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image(), run_until(P2_PAYLOAD, now + 5000000));
    uint8_t buf[P2_MESSAGE_MAX];
    struct net_addr to;
    CHECK(p2_client_output(&client, buf, sizeof buf, &to, now) > 0);
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = P2_DATA;
    memcpy(m.nonce, client.servers.at[0].nonce, P2_NONCE_SIZE);
    memcpy(m.data.tag, client.image_id, P2_TAG_SIZE);
    m.data.space = P2_SPACE_PAYLOAD;
    m.data.stamp = client.flow.stamp;
    m.data.length = 1408;
    m.data.bytes = image.payload;
    int n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), 0);
    static uint8_t junk[1408];
    m.data.bytes = junk;
    n = p2_wire_write(&m, buf, sizeof buf);
    CHECK_EQ(p2_client_input(&client, buf, (size_t)n, &servers[0].addr, now), 0);
    CHECK_EQ(progress().duplicates, 1);
    CHECK(memcmp(memory, image.payload, 1408) == 0);
    cleanup(&image, NULL);
}

TEST(bad_chunk_costs_that_chunk_only)
{
    struct testimage image;
    testimage_make(&image, "badchunk", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_PAYLOAD, 5 * 4096 + 100, 1);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    struct p2_progress p = progress();
    CHECK_EQ(p.bad_chunks, 1);
    uint32_t clean = (uint32_t)(image.seal.chunk_count * 3 + 2); // chunks of 3 blocks, seal, list
    CHECK_EQ(p.blocks_received, clean + 3);
    cleanup(&image, NULL);
}

// Bad chunks now and then do not add up: good ones in between make up for them.
static uint32_t spoil_every;
static bool spoil_now_and_then(uint8_t *data, size_t *len, struct net_addr *from)
{
    if (data[5] == P2_DATA && data[32] == P2_SPACE_PAYLOAD && ++spoil_every % 40 == 0)
        data[*len - 1] ^= 4;
    return true;
}
TEST(strikes_are_forgiven)
{
    struct testimage image;
    testimage_make(&image, "forgive", 1000000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    to_client = spoil_now_and_then;
    CHECK(boot(now + 20000000));
    CHECK(memory_is(&image));
    CHECK(progress().bad_chunks >= 15);
    CHECK_EQ(progress().servers_dropped, 0);
    cleanup(&image, NULL);
}

TEST(chunk_that_stays_bad_is_named)
{
    struct testimage image;
    testimage_make(&image, "allbad", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_PAYLOAD, 5 * 4096, UINT32_MAX);
    CHECK(!boot(now + 60000000));
    CHECK_EQ(p2_client_phase(&client), P2_FAILED);
    CHECK_EQ(p2_client_error(&client), ERR_P2_SERVERS_BAD);
    CHECK_EQ(chunk_bits[0] >> 5 & 1, 0);
    p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = p2_client_error(&client) }, now);
    CHECK(run_until(P2_DONE, now + 2000000));
    CHECK_STR(servers[0].last.finished.code, "P04");
    cleanup(&image, NULL);
}

TEST_MAIN(T(local_chunks_are_not_fetched), T(with_all_chunks_local_nothing_is_fetched), T(local_chunks_that_are_none),
          T(time_spent_on_local_chunks_is_nobodys_fault), T(chunk_that_was_bad_comes_from_one_server),
          T(bytes_that_are_here_are_not_overwritten), T(bad_chunk_costs_that_chunk_only), T(strikes_are_forgiven),
          T(chunk_that_stays_bad_is_named))
