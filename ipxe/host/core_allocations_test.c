// SPDX-License-Identifier: MPL-2.0
// The whole core, of whose allocations each fails once.
#include "host/testworld.h"

static unsigned long fail_at;
static void failing(void)
{
    w.machine.fail_allocation = fail_at;
    run("#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe || chain p2://10.0.0.1/image\n", &key_a, 0);
}
TEST(every_allocation_may_fail)
{
    set_up("img", key_a); // once for all children: what is signed there takes as long as a boot
    w.dhcp_file = "#!ipxe\nchain p2://10.0.0.1/image\n";
    fail_at = 0;
    unsigned long count = in_child(failing)->allocations;
    CHECK(count > 0);
    // Each of them where a process is cheap to make; a sample of them in the 32-bit build.
    for (fail_at = 1; fail_at <= count; fail_at += sizeof(void *) == 8 ? 1 : 13) {
        struct outcome *out = in_child(failing);
        CHECK(out->booted ? out->memory_right : said(out, "[G02]"));
    }
    tear_down();
}

TEST_MAIN(T(every_allocation_may_fail))
