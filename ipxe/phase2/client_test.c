// SPDX-License-Identifier: MPL-2.0
// The client machine, datagram by datagram: the boot, what it accepts and refuses, what it reports. What bad networks do
// to whole boots is client_sim.c's.
#include "phase2/testclient.h"

TEST(plain_boot_and_report)
{
    struct testimage image;
    testimage_make(&image, "plain", 100000, 3, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_STR(p2_client_seal(&client)->name, "plain");
    struct p2_progress p = progress();
    CHECK_EQ(p.bytes_verified, image.seal.payload_size);
    CHECK_EQ(p.duplicates, 0);
    CHECK_EQ(p.lost, 0);
    CHECK_EQ(p.bad_chunks, 0);
    CHECK_STR(p.server_name, "s");
    for (uint32_t i = 0; i < image.seal.chunk_count; i++)
        CHECK(chunk_bits[i / 8] >> (i % 8) & 1);
    struct p2_report report = { .outcome = P2_OUTCOME_BOOTING, .transport_ms = 12, .digest_ms = 34 };
    p2_client_finish(&client, &report, now);
    CHECK(run_until(P2_DONE, now + 1000000));
    CHECK_EQ(servers[0].finished, 1);
    CHECK_EQ(servers[0].last.finished.outcome, P2_OUTCOME_BOOTING);
    CHECK_EQ(servers[0].last.finished.transport_ms, 12);
    CHECK_EQ(servers[0].last.finished.digest_ms, 34);
    CHECK_EQ(servers[0].last.finished.bytes, image.seal.payload_size);
    CHECK_EQ(p2_client_deadline(&client), UINT64_MAX);
    cleanup(&image, NULL);
}

TEST(init_refuses)
{
    setup();
    struct net_addr many[P2_CLIENT_SERVERS + 1];
    memset(many, 0, sizeof many);
    struct p2_client_config good = config_make(NULL, 0), bad;
    CHECK_EQ(p2_client_init(&client, &good, 0), 0);
#define BAD(change)                                                                                                    \
    bad = good;                                                                                                        \
    bad.change;                                                                                                        \
    CHECK_EQ(p2_client_init(&client, &bad, 0), ERR_INVALID)
    BAD(trust = NULL);
    BAD(seed = NULL);
    BAD(seed_len = 15);
    BAD(seed_len = 65);
    BAD(seal_buf = NULL);
    BAD(seal_cap = SEAL_MAX - 1);
    BAD(target_count = 0);
    BAD(target_count = P2_CLIENT_TARGETS + 1);
    bad = good;
    bad.servers = many;
    bad.server_count = P2_CLIENT_SERVERS + 1;
    CHECK_EQ(p2_client_init(&client, &bad, 0), ERR_INVALID);
    char name[P2_NAME_MAX + 1];
    memset(name, 'n', P2_NAME_MAX);
    name[P2_NAME_MAX] = 0;
    BAD(image = name);
#undef BAD
}

TEST(accept_refuses_wrong_maps)
{
    struct testimage image;
    testimage_make(&image, "maps", 20000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    struct scatter m = { .size = 1 };
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID); // too early
    CHECK(run_until(P2_SEALED, now + 5000000));
    uint64_t size = image.seal.payload_size;
    memory = malloc(size);
    struct scatter good = { .size = size, .count = 2, .pieces = { { 0, 100, memory }, { 100, size - 100, memory + 100 } } };
    m = good;
    m.size--;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.pieces[1].offset = 101;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.pieces[1].length--;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.pieces[1].length = UINT64_MAX;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    m = good;
    m.count = SCATTER_PIECES_MAX + 1;
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), ERR_INVALID);
    CHECK_EQ(p2_client_accept(&client, &good, NULL, chunk_bits), ERR_INVALID);
    CHECK_EQ(p2_client_accept(&client, &good, list_buf, chunk_bits), 0);
    CHECK_EQ(p2_client_accept(&client, &good, list_buf, chunk_bits), ERR_INVALID); // twice
    CHECK(run_until(P2_VERIFIED, now + 5000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

TEST(list_that_is_bad)
{
    struct testimage image;
    testimage_make(&image, "badlist", 100000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_LIST, 33, 2);
    CHECK(boot(now + 5000000)); // twice: asked for again
    CHECK(memory_is(&image));
    setup();
    server_start(0, &image, 1);
    start();
    spoil(P2_SPACE_LIST, 33, UINT32_MAX);
    CHECK(!boot(now + 60000000)); // always: named
    CHECK_EQ(p2_client_error(&client), ERR_SEAL_LIST);
    cleanup(&image, NULL);
}

TEST(seal_that_is_damaged_on_the_way)
{
    struct testimage image;
    testimage_make(&image, "badseal", 30000, 1, TESTKEY_P256_A);
    static const uint16_t places[] = { 0, 9, 12, 20, 24, 40, 70, 200 };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        setup();
        server_start(0, &image, 1);
        start();
        spoil(P2_SPACE_SEAL, places[i], 2);
        CHECK(boot(now + 5000000));
        CHECK(memory_is(&image));
        setup();
        server_start(0, &image, 1);
        start();
        spoil(P2_SPACE_SEAL, places[i], UINT32_MAX);
        CHECK(!boot(now + 20000000));
        CHECK(err_code(p2_client_error(&client))[0] == 'S');
        CHECK(p2_client_seal(&client) == NULL);
    }
    cleanup(&image, NULL);
}

TEST(wrong_key_is_named_and_reported)
{
    struct testimage image;
    testimage_make(&image, "foreign", 30000, 1, TESTKEY_P256_B);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(!boot(now + 20000000));
    CHECK_EQ(p2_client_error(&client), ERR_SEAL_UNTRUSTED);
    p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_FAILED, .error = p2_client_error(&client) }, now);
    CHECK(run_until(P2_DONE, now + 2000000));
    CHECK_EQ(servers[0].finished, 1);
    CHECK_STR(servers[0].last.finished.code, "S07");
    cleanup(&image, NULL);
}

TEST(wrong_key_beside_the_right_one)
{
    struct testimage foreign, image;
    testimage_make(&foreign, "foreign", 30000, 1, TESTKEY_P256_B);
    testimage_make(&image, "right", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &foreign, 1);
    server_start(1, &image, 1);
    start();
    servers[1].alive = false; // the other is the first to answer
    CHECK(run_until(P2_SEAL, now + 1000000));
    servers[1].alive = true;
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().servers_dropped, 1);
    cleanup(&image, &foreign);
}

TEST(no_trust_fails_at_once)
{
    struct testimage image;
    testimage_make(&image, "notrust", 30000, 1, TESTKEY_P256_A);
    setup();
    memset(&trust, 0, sizeof trust);
    server_start(0, &image, 1);
    start();
    uint64_t began = now;
    CHECK(!boot(now + 20000000));
    CHECK_EQ(p2_client_error(&client), ERR_SEAL_NO_TRUST);
    CHECK(now - began < 500000);
    cleanup(&image, NULL);
}

// A seal that is good, but of other sizes than were offered.
TEST(offer_that_lies_about_sizes)
{
    struct testimage image;
    testimage_make(&image, "liar", 30000, 1, TESTKEY_P256_A);
    for (int i = 0; i < 3; i++) {
        setup();
        server_start(0, &image, 1);
        if (i == 0)
            servers[0].view.payload_size += 4096;
        else if (i == 1)
            servers[0].view.list_size += 32;
        else
            servers[0].view.id[31] ^= 1;
        start();
        CHECK(!boot(now + 20000000));
        CHECK_EQ(p2_client_error(&client), ERR_P2_SERVERS_BAD);
    }
    cleanup(&image, NULL);
}

TEST(refusal_is_reported)
{
    struct testimage image;
    testimage_make(&image, "toolarge", 30000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000));
    CHECK_EQ(p2_client_deadline(&client), UINT64_MAX); // waits for its caller, however long
    now += 3600000000ull;
    struct p2_report report = { .outcome = P2_OUTCOME_REFUSED, .error = ERR_BOOT_NO_ROOM, .text = "needs 9 GiB, has 4" };
    p2_client_finish(&client, &report, now);
    CHECK(run_until(P2_DONE, now + 5000000));
    CHECK_EQ(servers[0].finished, 1);
    CHECK_EQ(servers[0].last.finished.outcome, P2_OUTCOME_REFUSED);
    CHECK_STR(servers[0].last.finished.text, "needs 9 GiB, has 4");
    cleanup(&image, NULL);
}

// The caller may take its time in SEALED: cookies grow stale, and the boot goes on.
TEST(long_pause_before_accept)
{
    struct testimage image;
    testimage_make(&image, "pause", 60000, 1, TESTKEY_P256_A);
    setup();
    server_start(0, &image, 1);
    start();
    CHECK(run_until(P2_SEALED, now + 5000000));
    now += 3600000000ull;
    CHECK(accept_image());
    CHECK(run_until(P2_VERIFIED, now + 5000000));
    CHECK(memory_is(&image));
    cleanup(&image, NULL);
}

// FINISHED is repeated when it is lost, and given up when nobody hears it.
static uint32_t finished_seen;
static bool swallow_finished(const struct p2_message *m, const struct net_addr *to)
{
    finished_seen += m->type == P2_FINISHED;
    return m->type != P2_FINISHED || finished_seen > 2;
}
TEST(report_is_repeated)
{
    struct testimage image;
    testimage_make(&image, "report", 30000, 1, TESTKEY_P256_A);
    for (int deaf = 0; deaf < 2; deaf++) {
        setup();
        server_start(0, &image, 1);
        start();
        CHECK(boot(now + 5000000));
        to_server = swallow_finished;
        finished_seen = 0;
        servers[0].alive = !deaf;
        uint64_t began = now;
        p2_client_finish(&client, &(struct p2_report){ .outcome = P2_OUTCOME_BOOTING }, now);
        CHECK(run_until(P2_DONE, now + 5000000));
        CHECK_EQ(servers[0].finished, deaf ? 0 : 1);
        CHECK_EQ(finished_seen, deaf ? P2_FINISH_TRIES : 3);
        CHECK(now - began <= P2_FINISH_TRIES * P2_FINISH_PAUSE + 10000);
    }
    cleanup(&image, NULL);
}

// ---- many gigabytes ------------------------------------------------------------------------------------

// A payload of 5 GiB of which only the last chunk is fetched: offsets beyond 32 bits, and beyond 2^32 blocks
// of nothing.
static uint64_t huge_size;
static uint8_t huge_last[CHUNK_SIZE_MAX], huge_list[4096 * 32];
static struct testimage huge;
static const uint8_t *huge_bytes(void *ctx, const struct p2_image *i, uint8_t space, uint64_t offset, uint32_t length)
{
    if (space == P2_SPACE_SEAL)
        return huge.file + offset;
    if (space == P2_SPACE_LIST)
        return huge_list + offset;
    return offset >= huge_size - sizeof huge_last ? huge_last + (offset - (huge_size - sizeof huge_last)) : NULL;
}
TEST(offsets_beyond_4_gib)
{
    setup();
    struct testkey_stream stream = { .seed = { 5 } };
    CHECK_EQ(testkey_random(&stream, huge_last, sizeof huge_last), 0);
    struct seal fields = testimage_fields("huge");
    fields.chunk_size = CHUNK_SIZE_MAX;
    fields.target = TARGET_DATA;
    fields.payload_size = huge_size = 5 * GIB;
    fields.chunk_count = (uint32_t)(huge_size / CHUNK_SIZE_MAX);
    fields.part_count = 1;
    fields.parts[0] = (struct seal_part){ .kind = PART_RAMDISK, .size = huge_size, .align = 4096, .name = "disk" };
    uint32_t last = fields.chunk_count - 1;
    sha256(huge_last, sizeof huge_last, huge_list + (size_t)last * 32);
    sha256(huge_list, (size_t)fields.chunk_count * 32, fields.list_digest);
    huge.file = calloc(1, SEAL_MAX);
    int n = seal_build(&fields, huge.file, SEAL_MAX);
    CHECK(n > 0);
    enum testkey_name key = TESTKEY_P256_A;
    huge.seal_len = testimage_sign(huge.file, (size_t)n, &key, 1, SEAL_MAX);
    struct seal_view view;
    CHECK_EQ(seal_view(huge.file, huge.seal_len, &view), 0);
    huge.seal = fields;
    seal_image_id(&view, huge.seal.image_id);
    server_start(0, &huge, 1);
    servers[0].machine.config.images.bytes = huge_bytes;
    start();
    CHECK(run_until(P2_SEALED, now + 5000000));
    memory = calloc(1, CHUNK_SIZE_MAX);
    struct scatter m = { .size = huge_size, .count = 2,
                         .pieces = { { 0, huge_size - CHUNK_SIZE_MAX, (uint8_t *)(uintptr_t)64 },
                                     { huge_size - CHUNK_SIZE_MAX, CHUNK_SIZE_MAX, memory } } };
    CHECK_EQ(p2_client_accept(&client, &m, list_buf, chunk_bits), 0);
    CHECK(run_until(P2_PAYLOAD, now + 5000000));
    for (uint32_t i = 0; i < last; i++) // as if all but the last were here
        chunk_bits[i / 8] |= (uint8_t)(1u << (i % 8));
    client.intake.pieces_done = client.space.next = last;
    CHECK(run_until(P2_VERIFIED, now + 60000000));
    CHECK(memcmp(memory, huge_last, sizeof huge_last) == 0);
    cleanup(&huge, NULL);
}

TEST_MAIN(T(plain_boot_and_report), T(init_refuses), T(accept_refuses_wrong_maps), T(list_that_is_bad),
          T(seal_that_is_damaged_on_the_way), T(wrong_key_is_named_and_reported), T(wrong_key_beside_the_right_one),
          T(no_trust_fails_at_once), T(offer_that_lies_about_sizes), T(refusal_is_reported),
          T(long_pause_before_accept), T(report_is_repeated), T(offsets_beyond_4_gib))
