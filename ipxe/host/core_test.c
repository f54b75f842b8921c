// SPDX-License-Identifier: MPL-2.0
// The whole core on a simulated wire: lwIP, DHCP, the native protocol's client against the server machine, memory
// planning and the script, with a fake clock.
#include "host/testworld.h"

static void boot_v4(void)
{
    set_up("img", key_a);
    run(BOOT_V4, &key_a, 0);
}
TEST(boots_from_a_named_server)
{
    struct outcome *out = in_child(boot_v4);
    CHECK(said(out, "seal: img counter 7 verified"));
    CHECK(out->booted, out->memory_right);
    CHECK_EQ(out->server_finished, 1);
    CHECK_EQ(out->live_allocations, 0);
}

static void fetch_alone(void)
{
    set_up("img", key_a);
    run("#!ipxe\ndhcp\nimgfetch p2://10.0.0.1/image\nexit\n", &key_a, 0);
}
TEST(the_server_hears_who_starts)
{
    struct outcome *out = in_child(fetch_alone); // `imgfetch` has it and starts nothing
    CHECK(said(out, "seal: img counter 7 verified"), !out->booted);
    CHECK_EQ(out->server_finished, 0);
    CHECK_EQ(out->server_verified, 1);
    out = in_child(boot_v4);
    CHECK(out->booted);
    CHECK_EQ(out->server_finished, 1);
    CHECK_EQ(out->server_verified, 0);
}

static const struct p2_image *two_names(void *ctx, uint32_t turn, char text[P2_ERROR_TEXT])
{
    snprintf(text, P2_ERROR_TEXT, "%s", turn % 2 ? "rescue" : "db, web");
    return &w.served;
}
static const struct p2_image *none_by_name(void *ctx, const char *name)
{
    return NULL;
}
static void no_default(void)
{
    set_up("img", key_a);
    w.server.config.images.choice = two_names;
    w.server.config.images.by_name = none_by_name;
    run("#!ipxe\ndhcp\nchain p2://10.0.0.1/ || echo next\nexit\n", &key_a, 0);
}
TEST(names_to_choose_from_are_shown)
{
    struct outcome *out = in_child(no_default);
    CHECK(said(out, "[P02]"), said(out, "next"));
    CHECK(said(out, "p2: none is the default of several; name one of: db, web\n"));
    CHECK(said(out, "p2: and of: rescue\n"));
}

static void boot_discovery(void)
{
    set_up("img", key_a);
    run("#!ipxe\ndhcp\nchain p2:///\n", &key_a, 0);
}
TEST(finds_a_server_by_itself)
{
    struct outcome *out = in_child(boot_discovery);
    CHECK(said(out, "looking for a server"));
    CHECK(out->booted, out->memory_right);
}

static void boot_v6(void)
{
    set_up("img", key_a);
    w.dhcp = false;
    w.net.ip4 = false;
    run("#!ipxe\nifopen\nchain p2:///image\n", &key_a, 0);
}
TEST(boots_over_ipv6_link_local_alone)
{
    struct outcome *out = in_child(boot_v6);
    CHECK(said(out, "fe80::1"));
    CHECK(out->booted, out->memory_right);
    CHECK_EQ(out->discovers, 0);
}

static void no_trust(void)
{
    set_up("img", key_a);
    run(BOOT_V4, NULL, 0);
}
TEST(without_anchors_nothing_boots)
{
    struct outcome *out = in_child(no_trust);
    CHECK(said(out, "[S11]"));
    CHECK(!out->booted);
}

static void wrong_key(void)
{
    set_up("img", key_b);
    run(BOOT_V4, &key_a, 0);
}
TEST(wrong_key_is_refused_and_named)
{
    struct outcome *out = in_child(wrong_key);
    CHECK(said(out, "[S07]"));
    CHECK(!out->booted);
    CHECK_EQ(out->server_finished, 0);
}

static void old_counter(void)
{
    set_up("img", key_a);
    run(BOOT_V4, &key_a, 8);
}
TEST(counter_below_the_floor_is_refused)
{
    struct outcome *out = in_child(old_counter);
    CHECK(said(out, "[S13]"));
    CHECK(!out->booted);
}

static void damaged_chunk(void)
{
    set_up("img", key_a);
    w.image.payload[100000] ^= 1;
    run(BOOT_V4, &key_a, 0);
}
TEST(a_server_with_a_bad_chunk_boots_nothing)
{
    struct outcome *out = in_child(damaged_chunk);
    CHECK(!out->booted);
    CHECK(strstr(out->transcript, "[S16]") || strstr(out->transcript, "[P04]"));
}

static void too_large(void)
{
    set_up("img", key_a);
    testimage_free(&w.image);
    make_image("huge", key_a, 3 * GIB);
    run(BOOT_V4, &key_a, 0);
}
TEST(what_does_not_fit_is_refused_before_the_download)
{
    struct outcome *out = in_child(too_large);
    CHECK(said(out, "[B03]"));
    CHECK(said(out, "3072 MiB"));
    CHECK(!strstr(out->transcript, " % of "));
    CHECK(!out->booted);
}

static void lossy(void)
{
    set_up("img", key_a);
    w.net.loss_per_64k = 65536 / 10;
    run("#!ipxe\n:again\ndhcp || goto again\nchain p2://10.0.0.1/image || goto again\n", &key_a, 0);
}
TEST(boots_through_ten_percent_loss)
{
    struct outcome *out = in_child(lossy);
    CHECK(out->booted, out->memory_right);
}

static void dead_server(void)
{
    set_up("img", key_a);
    w.dead_after_data = 60;
    run("#!ipxe\ndhcp\nchain p2://10.0.0.1/image || echo next source\n", &key_a, 0);
}
TEST(a_server_that_dies_is_named_and_the_script_goes_on)
{
    struct outcome *out = in_child(dead_server);
    CHECK(!out->booted);
    CHECK(said(out, "[P03]"));
    CHECK(said(out, "next source"));
}

TEST_MAIN(T(boots_from_a_named_server), T(the_server_hears_who_starts), T(names_to_choose_from_are_shown),
          T(finds_a_server_by_itself), T(boots_over_ipv6_link_local_alone), T(without_anchors_nothing_boots),
          T(wrong_key_is_refused_and_named), T(counter_below_the_floor_is_refused), T(a_server_with_a_bad_chunk_boots_nothing),
          T(what_does_not_fit_is_refused_before_the_download), T(boots_through_ten_percent_loss),
          T(a_server_that_dies_is_named_and_the_script_goes_on))
