// SPDX-License-Identifier: MPL-2.0
// The whole core on a simulated wire: lwIP, DHCP, the native protocol's client against the server machine, memory
// planning and the script, with a fake clock.
#include "host/testworld.h"

#include "proto/dhcp6.h"


static void boot_v4(void)
{
    set_up("img", key_a);
    run(BOOT_V4, &key_a, 0);
}
TEST(boots_from_a_named_server)
{
    struct outcome *out = in_child(boot_v4);
    CHECK(said(out, "seal: img counter 7 verified"));
    CHECK(out->booted && out->memory_right);
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
    CHECK(said(out, "seal: img counter 7 verified") && !out->booted);
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
    CHECK(said(out, "[P02]") && said(out, "next"));
    CHECK(said(out, "p2: none is the default of several; name one of: db, web\n"));
    CHECK(said(out, "p2: and of: rescue\n"));
}

static void boot_cached(void)
{
    set_up("img", key_a);
    static uint8_t ack[300];
    ack[0] = 2, ack[1] = 1, ack[2] = 6;
    memcpy(ack + 16, (const uint8_t[]){ 10, 0, 0, 50 }, 4);
    memcpy(ack + 20, (const uint8_t[]){ 10, 0, 0, 1 }, 4);
    memcpy(ack + 236, (const uint8_t[]){ 0x63, 0x82, 0x53, 0x63, 53, 1, 5, 1, 4, 255, 255, 255, 0, 54, 4, 10, 0, 0, 1, 255 }, 20);
    w.machine.nic.dhcp_ack = ack;
    w.machine.nic.dhcp_ack_len = sizeof ack;
    run("#!ipxe\ndhcp\nchain p2://${next-server}/image\n", &key_a, 0);
}
TEST(cached_dhcpack_means_no_second_dhcp)
{
    struct outcome *out = in_child(boot_cached);
    CHECK(said(out, "no second DHCP"));
    CHECK(out->booted && out->memory_right);
    CHECK_EQ(out->discovers, 0);
}

static void mtus(void)
{
    static const uint8_t options[] = { 26, 2, 0x05, 0x78, 255 };
    set_up("img", key_a);
    w.dhcp_options = options;
    w.dhcp_options_len = sizeof options;
    run("#!ipxe\necho A ${mtu}\nset net0/mtu 1300\ndhcp\necho B ${net0/mtu} ${mtu}\nclear net0/mtu\necho C ${net0/mtu} ${mtu}\n"
        "ifclose\necho D ${net0/mtu}\nset mtu 1200\nifopen\ndhcp\nclear mtu\necho E ${mtu}\nexit\n", &key_a, 0);
}
// What is set comes before a lease's MTU, and that ends with the lease.
TEST(an_mtu_is_set_leased_and_the_cards)
{
    struct outcome *out = in_child(mtus);
    CHECK(said(out, "A 0x5dc\n") && said(out, "B 0x514 0x514\n") && said(out, "C 0x578 0x578\n"));
    CHECK(said(out, "D 0x5dc\n") && said(out, "E 0x578\n"));
}

static void jumbo(void)
{
    static const uint8_t options[] = { 26, 2, 0x23, 0x28, 255 };
    set_up("img", key_a);
    w.dhcp_options = options;
    w.dhcp_options_len = sizeof options;
    run("#!ipxe\ndhcp\necho A ${mtu}\nexit\n", &key_a, 0);
}
TEST(no_mtu_is_larger_than_the_cards)
{
    CHECK(said(in_child(jumbo), "A 0x5dc\n"));
}

#define LINK_US 1500000u // between two DISCOVERs of a client that does not wait
static void boot_late_link(void)
{
    set_up("img", key_a);
    w.machine.link_us = LINK_US;
    run(BOOT_V4, &key_a, 0);
}
TEST(the_first_frame_waits_for_the_link)
{
    struct outcome *out = in_child(boot_late_link);
    CHECK(out->booted && out->memory_right);
    CHECK(out->now_us > LINK_US && out->now_us < LINK_US + 1000000u);
}

static void no_link(void)
{
    set_up("img", key_a);
    w.machine.link_us = UINT64_MAX;
    run("#!ipxe\nifopen\necho opened\ndhcp || echo no address\nexit\n", &key_a, 0);
}
TEST(without_a_link_everything_goes_on)
{
    struct outcome *out = in_child(no_link);
    CHECK(said(out, "opened\n") && said(out, "net0 has no link") && said(out, "[N04]") && said(out, "no address\n"));
    CHECK(out->now_us > 4000000u && out->now_us < 30000000u);
}

// A REPLY with the address fd50::42 and nothing else, as a firmware keeps it: zeros behind it.
static void boot_cached_v6(void)
{
    set_up("img", key_a);
    static uint8_t reply[100] = { DHCP6_REPLY, [5] = DHCP6_IA_NA, [7] = 40, [21] = DHCP6_IA_ADDRESS, [23] = 24,
                                  [24] = 0xfd, [25] = 0x50, [39] = 0x42, [47] = 60 };
    w.machine.nic.dhcp6_reply = reply;
    w.machine.nic.dhcp6_reply_len = sizeof reply;
    w.dhcp = false;
    w.net.ip4 = false;
    run("#!ipxe\ndhcp\nifstat\nchain p2:///image\n", &key_a, 0);
}
TEST(cached_dhcpv6_reply_gives_an_address)
{
    struct outcome *out = in_child(boot_cached_v6);
    CHECK(said(out, "net0 [fd50::42] (the firmware's answer over IPv6") && said(out, "  [fd50::42]\n"));
    CHECK(out->booted && out->memory_right);
    CHECK_EQ(out->discovers, 0);
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
    CHECK(out->booted && out->memory_right);
}

// Another processor that works, or does not, whenever the clock is read.
enum played { NEVER_COMES, WORKS, STANDS_STILL };
enum { JOB_READY = 1, JOB_TAKEN = 2 }; // as hashboard.c has them
static struct hashboard *played_board;
static enum played played;
static bool played_stopped;
static uint64_t (*real_clock)(void *ctx);
static unsigned played_start(void *ctx, struct hashboard *board)
{
    hashboard_open(board, 1);
    played_board = board;
    return 1;
}
static void played_stop(void *ctx)
{
    played_stopped = hashboard_closed(played_board);
    played_board = NULL;
}
static uint64_t played_clock(void *ctx)
{
    if (played_board && played == WORKS)
        (void)hashboard_work(played_board);
    if (played_board && played == STANDS_STILL && played_board->jobs[0].state == JOB_READY)
        played_board->jobs[0].state = JOB_TAKEN;
    return real_clock(ctx);
}

static void with_helper(enum played how, bool damaged)
{
    set_up("img", key_a);
    w.image.payload[100000] ^= damaged;
    real_clock = w.machine.platform.now_us;
    played = how;
    w.machine.platform.now_us = played_clock;
    w.machine.platform.helpers_start = played_start;
    w.machine.platform.helpers_stop = played_stop;
    run(BOOT_V4, &key_a, 0);
    if (!played_stopped)
        w.out->booted = false;
}
static void helper_that_works(void)
{
    with_helper(WORKS, false);
}
static void helper_that_never_comes(void)
{
    with_helper(NEVER_COMES, false);
}
static void helper_that_stands_still(void)
{
    with_helper(STANDS_STILL, false);
}
static void helper_and_damage(void)
{
    with_helper(WORKS, true);
}
TEST(another_processor_makes_digests)
{
    struct outcome *out = in_child(helper_that_works);
    CHECK(said(out, "1 more processor hashing"));
    CHECK(strstr(out->transcript, "helped=") && !strstr(out->transcript, "helped=0"));
    CHECK(out->booted && out->memory_right);
    CHECK_EQ(out->live_allocations, 0);
}
TEST(a_processor_that_stands_still_is_done_without)
{
    struct outcome *out = in_child(helper_that_stands_still);
    CHECK(said(out, "do not answer"));
    CHECK(out->booted && out->memory_right);
}
// What nobody has begun is done here.
TEST(a_processor_that_never_comes_costs_nothing)
{
    struct outcome *out = in_child(helper_that_never_comes);
    CHECK(!said(out, "do not answer"));
    CHECK(out->booted && out->memory_right);
}
TEST(another_processor_lets_no_bad_chunk_through)
{
    struct outcome *out = in_child(helper_and_damage);
    CHECK(!out->booted);
    CHECK(strstr(out->transcript, "[S16]") || strstr(out->transcript, "[P04]"));
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
    CHECK(out->booted && out->memory_right);
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

static void no_dhcp(void)
{
    set_up("img", key_a);
    w.dhcp = false;
    run("#!ipxe\ndhcp || echo going on without an address\nchain p2:///image\n", &key_a, 0);
}
TEST(without_dhcp_the_script_goes_on)
{
    struct outcome *out = in_child(no_dhcp);
    CHECK(said(out, "[N04]"));
    CHECK(said(out, "going on without an address"));
    CHECK(out->booted && out->memory_right);
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
    CHECK(out->booted && out->memory_right);
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

static void missing_tftp(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/missing\n", &key_a, 0);
}
static void tftp_script(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\necho from tftp\nchain p2://10.0.0.1/image\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/missing || chain tftp://${next-server}/script.ipxe\n", &key_a, 0);
}
TEST(a_script_from_tftp_runs)
{
    struct outcome *out = in_child(tftp_script);
    CHECK(said(out, "the server says: no such file"));
    CHECK(said(out, "from tftp"));
    CHECK(out->booted && out->memory_right);
}

// Files of any few bytes over a transport for files: run, or named for what they are.
static const char *short_file;
static void short_tftp_file(void)
{
    set_up("img", key_a);
    w.dhcp_file = short_file;
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe && echo RAN || echo NOT-RAN\nexit\n", &key_a, 0);
}
TEST(files_of_a_few_bytes)
{
    static const struct {
        const char *file, *says;
    } cases[] = { { "#!ipxe", "\nRAN\n" }, { "#!ipxe\n", "\nRAN\n" }, { "#!gpxe", "\nRAN\n" }, { "", "the file is empty [G11]" },
                  { "x", "[S01]" }, { "#!", "[S01]" }, { "<html>", "[S01]" }, { "<html></html>", "[S01]" },
                  { "a text that is longer than what a seal begins with, but shorter than its head", "[S01]" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        short_file = cases[i].file;
        CHECK(said(in_child(short_tftp_file), cases[i].says));
    }
}

static void nested_error(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\necho inside\nfrobnicate\n";
    run("#!ipxe\ndhcp\n\nchain tftp://10.0.0.1/script.ipxe\n", &key_a, 0);
}
TEST(an_error_names_its_script_and_is_said_once)
{
    struct outcome *out = in_child(nested_error);
    CHECK(said(out, "script: line 3 of tftp://10.0.0.1/script.ipxe: "));
    CHECK(said(out, "script: line 4 of embedded: "));
    // Not found by TFTP: the sentence once, the code wherever it matters.
    out = in_child(missing_tftp);
    const char *first = strstr(out->transcript, "not found [G04]");
    CHECK(first && !strstr(first + 1, "not found [G04]"));
    CHECK(strstr(first + 1, "[G04]"));
}

static void no_card(void)
{
    set_up("img", key_a);
    w.machine.no_nic = true;
    run(BOOT_V4, &key_a, 0);
}
TEST(no_card_is_said)
{
    struct outcome *out = in_child(no_card);
    CHECK(!out->booted);
    CHECK(said(out, "[N01]"));
}

static void shell(void)
{
    set_up("img", key_a);
    w.machine.keys = "x" "dhcp\rchain p2:///image\r";
    run("#!ipxe\necho at the end\n", &key_a, 0);
}
TEST(a_key_at_the_end_opens_the_shell)
{
    struct outcome *out = in_child(shell);
    CHECK(said(out, "signet> "));
    CHECK(out->booted && out->memory_right);
}

static void exiting(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\nexit\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe\necho back\nexit\n", &key_a, 0);
}
static void exiting_inside(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\nexit\n";
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe\n", &key_a, 0);
}
TEST(exit_of_the_outermost_script_leaves_at_once)
{
    struct outcome *out = in_child(exiting);
    CHECK_EQ(out->err, 0);
    CHECK(said(out, "back\n") && said(out, "leaving Signet"));
    CHECK(out->now_us < 10000000);
    out = in_child(exiting_inside);
    CHECK(said(out, "press a key"));
    CHECK(out->now_us >= 10000000);
}

static unsigned long fail_at;
static void failing(void)
{
    set_up("img", key_a);
    w.dhcp_file = "#!ipxe\nchain p2://10.0.0.1/image\n";
    w.machine.fail_allocation = fail_at;
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe || chain p2://10.0.0.1/image\n", &key_a, 0);
}
TEST(every_allocation_may_fail)
{
    fail_at = 0;
    unsigned long count = in_child(failing)->allocations;
    CHECK(count > 0);
    // Each of them where a process is cheap to make; a sample of them in the 32-bit build.
    for (fail_at = 1; fail_at <= count; fail_at += sizeof(void *) == 8 ? 1 : 13) {
        struct outcome *out = in_child(failing);
        CHECK(out->booted ? out->memory_right : said(out, "[G02]"));
    }
}

TEST_MAIN(T(boots_from_a_named_server), T(the_server_hears_who_starts), T(names_to_choose_from_are_shown),
          T(cached_dhcpack_means_no_second_dhcp), T(an_mtu_is_set_leased_and_the_cards),
          T(no_mtu_is_larger_than_the_cards), T(the_first_frame_waits_for_the_link),
          T(without_a_link_everything_goes_on), T(cached_dhcpv6_reply_gives_an_address),
          T(finds_a_server_by_itself), T(another_processor_makes_digests), T(a_processor_that_stands_still_is_done_without),
          T(a_processor_that_never_comes_costs_nothing),
          T(another_processor_lets_no_bad_chunk_through), T(boots_over_ipv6_link_local_alone),
          T(without_anchors_nothing_boots), T(wrong_key_is_refused_and_named),
          T(counter_below_the_floor_is_refused), T(a_server_with_a_bad_chunk_boots_nothing),
          T(what_does_not_fit_is_refused_before_the_download), T(without_dhcp_the_script_goes_on),
          T(boots_through_ten_percent_loss), T(a_server_that_dies_is_named_and_the_script_goes_on),
          T(a_script_from_tftp_runs), T(files_of_a_few_bytes), T(an_error_names_its_script_and_is_said_once),
          T(no_card_is_said), T(a_key_at_the_end_opens_the_shell),
          T(exit_of_the_outermost_script_leaves_at_once), T(every_allocation_may_fail))
