// SPDX-License-Identifier: MPL-2.0
// A caller that does not hold the payload: what it is given, and in which memory.
#include "phase2/testclient.h"

static uint8_t *room;
static size_t room_size;
static uint32_t given, given_twice;
static uint8_t *given_bits;
static bool given_inside;

static void take(void *ctx, uint64_t offset, const uint8_t *chunk, size_t len)
{
    const struct seal *seal = p2_client_seal(&client);
    uint32_t number = (uint32_t)(offset / seal->chunk_size);
    given_inside &= offset % seal->chunk_size == 0 && chunk >= room && chunk + len <= room + room_size;
    given_twice += given_bits[number]++ != 0;
    given++;
    memcpy(memory + offset, chunk, len);
}

static bool accept_passing(bool kept)
{
    const struct seal *seal = p2_client_seal(&client);
    free(room);
    free(memory);
    free(given_bits);
    room_size = p2_client_room(&client);
    room = malloc(room_size); // exactly: a write beyond it is caught
    memory = calloc(1, seal->payload_size);
    given_bits = calloc(1, seal->chunk_count);
    given = given_twice = 0;
    given_inside = true;
    struct intake_passing passing = { .room = room, .take = kept ? take : NULL };
    return p2_client_accept_passing(&client, &passing, list_buf, chunk_bits) == 0;
}

static bool boot_passing(bool kept)
{
    return run_until(P2_SEALED, now + 5000000) && accept_passing(kept) && run_until(P2_VERIFIED, now + 60000000);
}

static void begin(struct testimage *image, const char *name, uint64_t size)
{
    testimage_make(image, name, size, 1, TESTKEY_P256_A);
    setup();
    server_start(0, image, 1);
    start();
}

static void end(struct testimage *image)
{
    free(room);
    free(given_bits);
    room = given_bits = NULL;
    cleanup(image, NULL);
}

TEST(each_good_chunk_is_given_once)
{
    struct testimage image;
    begin(&image, "passing", 1000000);
    CHECK(boot_passing(true));
    CHECK(room_size < image.seal.payload_size, room_size <= P2_CLIENT_ROOM_MAX);
    CHECK(memory_is(&image));
    CHECK(given_inside);
    CHECK_EQ(given, image.seal.chunk_count);
    CHECK_EQ(given_twice, 0);
    end(&image);
}

TEST(what_does_not_match_is_not_given)
{
    struct testimage image;
    begin(&image, "passingbad", 300000);
    spoil(P2_SPACE_PAYLOAD, 5 * 4096 + 100, 1);
    CHECK(boot_passing(true));
    CHECK_EQ(progress().bad_chunks, 1);
    CHECK(memory_is(&image));
    CHECK_EQ(given, image.seal.chunk_count);
    CHECK_EQ(given_twice, 0);
    end(&image);
}

static uint32_t seen;
static bool every_seventh_is_lost(uint8_t *data, size_t *len, struct net_addr *from)
{
    return data[5] != P2_DATA || ++seen % 7;
}

TEST(losses_mix_no_chunks)
{
    struct testimage image;
    begin(&image, "passingloss", 1000000);
    to_client = every_seventh_is_lost;
    CHECK(boot_passing(true));
    CHECK(progress().lost > 0);
    CHECK_EQ(progress().bad_chunks, 0);
    CHECK(memory_is(&image));
    end(&image);
}

static struct hash_job job;
static bool job_out;
static bool one_elsewhere(void)
{
    if (!job_out)
        return job_out = intake_job(&client.intake, &job);
    hash_job_run(&job);
    intake_job_done(&client.intake, &job);
    job_out = false;
    return true;
}

TEST(digests_elsewhere)
{
    struct testimage image;
    begin(&image, "passingjob", 300000);
    elsewhere = one_elsewhere;
    CHECK(boot_passing(true));
    CHECK(memory_is(&image));
    CHECK_EQ(given, image.seal.chunk_count);
    end(&image);
}

TEST(only_verified_and_small)
{
    struct testimage image;
    begin(&image, "passingnone", 5000);
    CHECK(boot_passing(false));
    CHECK_EQ(room_size, image.seal.chunk_count * 4096);
    CHECK_EQ(progress().bytes_verified, image.seal.payload_size);
    CHECK_EQ(given, 0);
    end(&image);
}

TEST(what_cannot_be_accepted)
{
    struct testimage image;
    begin(&image, "passingwrong", 20000);
    static uint8_t byte[1];
    struct intake_passing good = { .room = byte }, none = { 0 };
    CHECK_EQ(p2_client_accept_passing(&client, &good, list_buf, chunk_bits), ERR_INVALID); // too early
    CHECK(run_until(P2_SEALED, now + 5000000));
    CHECK_EQ(p2_client_accept_passing(&client, &none, list_buf, chunk_bits), ERR_INVALID);
    CHECK_EQ(p2_client_accept_passing(&client, &good, NULL, chunk_bits), ERR_INVALID);
    CHECK_EQ(p2_client_accept_passing(&client, &good, list_buf, NULL), ERR_INVALID);
    CHECK(accept_passing(true), run_until(P2_PAYLOAD, now + 5000000));
    CHECK_EQ(p2_client_local(&client, 3), ERR_INVALID); // there is no memory that it could lie in
    end(&image);
}

TEST_MAIN(T(each_good_chunk_is_given_once), T(what_does_not_match_is_not_given), T(losses_mix_no_chunks), T(digests_elsewhere),
          T(only_verified_and_small), T(what_cannot_be_accepted))
