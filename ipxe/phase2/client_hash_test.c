// SPDX-License-Identifier: MPL-2.0
// Digests that are computed elsewhere, and come back in any order.
#include "phase2/testclient.h"

#define OUT_MAX 8
static struct hash_job out[OUT_MAX];
static uint32_t out_count, out_taken, out_wrong; // wrong: so many of the next digests are
static uint64_t out_held;                        // nothing is brought back before

static void bring_back(uint32_t i)
{
    struct hash_job *job = &out[i];
    hash_job_run(job);
    job->digest[0] ^= out_wrong > 0;
    out_wrong -= out_wrong > 0;
    intake_job_done(&client.intake, job);
    *job = out[--out_count];
}

// Takes all that it can carry, then brings the latest back.
static bool latest_first(void)
{
    if (out_count < OUT_MAX && intake_job(&client.intake, &out[out_count])) {
        out_count++;
        out_taken++;
        return true;
    }
    if (out_count == 0 || now < out_held)
        return false;
    bring_back(out_count - 1);
    return true;
}

static void setup_elsewhere(const struct testimage *image)
{
    setup();
    server_start(0, image, 1);
    start();
    elsewhere = latest_first;
    out_count = out_taken = out_wrong = 0;
    out_held = 0;
}

TEST(digests_in_any_order)
{
    struct testimage image;
    testimage_make(&image, "order", 300000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(out_taken, image.seal.chunk_count);
    cleanup(&image, NULL);
}

TEST(not_verified_before_the_last_digest_is_back)
{
    struct testimage image;
    testimage_make(&image, "held", OUT_MAX * 4096 - 30000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    CHECK(image.seal.chunk_count <= OUT_MAX);
    out_held = now + 3600000000ull;
    CHECK(run_until(P2_SEALED, out_held), accept_image());
    CHECK(!run_until(P2_VERIFIED, now + 10000000));
    CHECK_EQ(client.phase, P2_PAYLOAD);
    CHECK_EQ(out_count, image.seal.chunk_count); // all of them are out
    CHECK_EQ(progress().bytes_verified, 0);
    CHECK(memory_is(&image));
    while (out_count > 1) {
        bring_back(0);
        CHECK_EQ(p2_client_work(&client, 16384), 0);
        CHECK_EQ(client.phase, P2_PAYLOAD);
    }
    bring_back(0);
    CHECK_EQ(p2_client_work(&client, 16384), 0);
    CHECK_EQ(client.phase, P2_VERIFIED);
    cleanup(&image, NULL);
}

// A processor that errs costs its own chunk's time: no server is blamed, and nothing is fetched again.
TEST(wrong_digest_is_made_again_here)
{
    struct testimage image;
    testimage_make(&image, "errs", 300000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    out_wrong = 20;
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(out_wrong, 0);
    CHECK_EQ(progress().bad_chunks, 0);
    CHECK_EQ(client.servers.at[0].strikes, 0);
    CHECK_EQ(progress().duplicates + progress().lost, 0);
    cleanup(&image, NULL);
}

TEST(bad_chunk_is_found_elsewhere_as_well)
{
    struct testimage image;
    testimage_make(&image, "badelse", 100000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    spoil(P2_SPACE_PAYLOAD, 5 * 4096 + 100, 1);
    CHECK(boot(now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(progress().bad_chunks, 1);
    cleanup(&image, NULL);
}

// Nobody can vouch for a chunk that was not given out, or not any more.
TEST(digests_that_nobody_asked_for)
{
    struct testimage image;
    testimage_make(&image, "unasked", 100000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    elsewhere = NULL;
    CHECK(!intake_job(&client.intake, &out[0]));
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image(), run_until(P2_PAYLOAD, now + 5000000));
    CHECK(!intake_job(&client.intake, &out[0])); // nothing is whole
    memcpy(&copy, &client, sizeof copy);
    for (uint32_t chunk = 0; chunk <= image.seal.chunk_count; chunk++) {
        struct hash_job job = { .number = chunk };
        memcpy(job.digest, image.list + (size_t)MIN(chunk, image.seal.chunk_count - 1) * 32, 32);
        intake_job_done(&client.intake, &job);
        CHECK(unchanged());
    }
    while (!intake_job(&client.intake, &out[0])) // until one is
        CHECK(p2_client_phase(&client) == P2_PAYLOAD, (turn() || (now = MAX(now + 1, p2_client_deadline(&client)))));
    out_count = 1;
    intake_jobs_lost(&client.intake);
    memcpy(&copy, &client, sizeof copy);
    struct hash_job late = out[0];
    memcpy(late.digest, image.list + (size_t)late.number * 32, 32);
    intake_job_done(&client.intake, &late);
    CHECK(unchanged());
    CHECK(run_until(P2_VERIFIED, now + 5000000)); // all of it hashed here
    CHECK(memory_is(&image));
    memcpy(&copy, &client, sizeof copy);
    intake_job_done(&client.intake, &late);
    CHECK(unchanged());
    CHECK(!intake_job(&client.intake, &out[0]));
    cleanup(&image, NULL);
}

// More pieces of memory than a job holds: hashed here.
TEST(chunk_in_many_pieces_stays_here)
{
    struct testimage image;
    testimage_make(&image, "pieces", 20000, 1, TESTKEY_P256_A);
    setup_elsewhere(&image);
    CHECK(run_until(P2_SEALED, now + 5000000), accept_image());
    // The first chunk in one piece more than fits, the second in as many as fit.
    uint32_t n = 0;
    for (uint64_t offset = 0; offset < 2 * 4096;) {
        uint64_t length = offset < 4096 ? 4096 / (HASH_JOB_PIECES + 1) : 4096 / HASH_JOB_PIECES;
        if (offset < 4096 && 4096 - offset < 2 * length)
            length = 4096 - offset;
        map.pieces[n++] = (struct scatter_piece){ .offset = offset, .length = length, .memory = memory + offset };
        offset += length;
    }
    map.pieces[n++] = (struct scatter_piece){ .offset = 8192, .length = image.seal.payload_size - 8192, .memory = memory + 8192 };
    map.count = n;
    client.phase = P2_SEALED;
    CHECK_EQ(p2_client_accept(&client, &map, list_buf, chunk_bits), 0);
    CHECK(run_until(P2_VERIFIED, now + 5000000));
    CHECK(memory_is(&image));
    CHECK_EQ(out_taken, image.seal.chunk_count - 1);
    cleanup(&image, NULL);
}

TEST_MAIN(T(digests_in_any_order), T(not_verified_before_the_last_digest_is_back), T(wrong_digest_is_made_again_here),
          T(bad_chunk_is_found_elsewhere_as_well), T(digests_that_nobody_asked_for),
          T(chunk_in_many_pieces_stays_here))
