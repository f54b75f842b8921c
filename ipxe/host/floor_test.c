// SPDX-License-Identifier: MPL-2.0
// The kept anti-rollback floor in the whole core, over many starts of one machine: what raises it, what does not, what it
// refuses, how a person takes it away, and what failing variables lead to.
#include "host/testworld.h"

#include "phase2/floor.h"

#define CHAIN "#!ipxe\ndhcp\nchain p2://10.0.0.1/image\n"

static struct host_value variables[HOST_VALUES]; // of the machine, from start to start
static const char *script = CHAIN, *keys;
static unsigned fail_store;
static bool tpm;
static uint64_t starts; // no two with the same random numbers

static void machine(void)
{
    set_up("img", key_a);
    w.machine.random_state = starts;
    w.machine.nvram = true;
    w.machine.tpm = tpm;
    w.machine.keys = keys;
    w.machine.fail_store = fail_store;
    w.dhcp_file = "#!ipxe\nfloor --clear && echo A-SCRIPT-CLEARED\n";
    memcpy(w.machine.values, variables, sizeof variables);
    run(script, &key_a, 0);
}

static struct host_value *variable(const char *name)
{
    for (unsigned i = 0; i < HOST_VALUES; i++)
        if (strcmp(variables[i].name, name) == 0)
            return &variables[i];
    return NULL;
}

// One start of Signet with an image of this counter. Afterwards the system has or has not reported success.
static struct outcome *start(uint64_t counter, bool report)
{
    w.counter = counter;
    starts++;
    struct outcome *out = in_child(machine);
    memcpy(variables, out->values, sizeof variables);
    struct host_value *token = variable("SignetBootToken");
    if (token && report)
        snprintf(token->name, sizeof token->name, "SignetBootSuccess"); // as the system would copy it
    else if (token)
        memset(token, 0, sizeof *token); // it does not outlive the power
    return out;
}

static uint64_t kept(const char *product)
{
    struct floor floor;
    const struct host_value *value = variable("SignetFloor");
    return value && floor_read(value->data, value->len, &floor) == 0 ? floor_of(&floor, product) : 0;
}

static void forget_all(void)
{
    memset(variables, 0, sizeof variables);
    w.product = NULL;
}

TEST(a_reported_boot_raises_and_older_images_are_refused)
{
    forget_all();
    CHECK(start(8, true)->booted);
    CHECK_EQ(kept(""), 0); // only the next start raises it
    tpm = true;
    struct outcome *out = start(7, false);
    tpm = false;
    CHECK_EQ(kept(""), 8);
    CHECK(said(out, "product (none) is at 8 from now on"));
    CHECK(!out->booted, said(out, "[S18]"), !strstr(out->transcript, " % of "));
    CHECK(strstr(out->measured, "8 signet raised floor=8 product=\n"));
    CHECK(strstr(out->measured, "8 signet refused floor=8 id="));
    CHECK(!strstr(out->measured, "accepted"), !strstr(out->measured, "9 signet image"));
    CHECK(!variable("SignetPending"), !variable("SignetBootSuccess"));
    out = start(8, false);
    CHECK(out->booted);
    CHECK_EQ(out->stores, 0); // nothing can rise: nothing is written
    CHECK(start(9, false)->booted);
}

TEST(without_a_report_it_stays)
{
    forget_all();
    CHECK(start(8, false)->booted);
    CHECK(variable("SignetPending"));
    CHECK(start(7, false)->booted);
    CHECK_EQ(kept(""), 0);
}

TEST(a_report_raises_to_what_was_booted_and_no_other_does)
{
    forget_all();
    CHECK(start(8, true)->booted);
    variable("SignetBootSuccess")->data[3] ^= 1;
    CHECK(start(7, false)->booted);
    CHECK_EQ(kept(""), 0);
    // A report that was left behind does not count for a later boot.
    CHECK(start(8, true)->booted);
    struct host_value old = *variable("SignetBootSuccess");
    (void)start(9, false);
    CHECK_EQ(kept(""), 8);
    *variable("") = old;
    (void)start(10, false);
    CHECK_EQ(kept(""), 8);
}

TEST(each_product_has_its_own)
{
    forget_all();
    w.product = "web";
    CHECK(start(8, true)->booted);
    w.product = "db";
    CHECK(start(3, true)->booted);
    CHECK_EQ(kept("web"), 8);
    CHECK(start(3, false)->booted);
    CHECK_EQ(kept("db"), 3);
    w.product = "web";
    CHECK(!start(7, false)->booted);
    w.product = NULL;
    CHECK(start(1, false)->booted);
}

static void kept_at_8(void)
{
    forget_all();
    (void)start(8, true);
    (void)start(8, false);
}

TEST(only_a_typed_line_clears)
{
    kept_at_8();
    script = "#!ipxe\nfloor --clear && echo A-SCRIPT-CLEARED || floor\n";
    struct outcome *out = start(7, false);
    CHECK(said(out, "[C10]"), said(out, "product (none): 8\n"));
    CHECK(!strstr(out->transcript, "A-SCRIPT-CLEARED"));
    // Nor does a script that a person starts, or that starts the shell.
    script = "#!ipxe\ndhcp\nshell\n";
    keys = "chain tftp://10.0.0.1/script.ipxe\rexit\r";
    out = start(7, false);
    CHECK(said(out, "[C10]"), !strstr(out->transcript, "A-SCRIPT-CLEARED"));
    CHECK_EQ(kept(""), 8);
    keys = "floor --clear other\rfloor --clear\rfloor\rchain p2://10.0.0.1/image\r";
    tpm = true;
    out = start(7, false);
    tpm = false;
    CHECK(said(out, "[G04]"), said(out, "no floor is kept"));
    CHECK(out->booted);
    CHECK(!variable("SignetFloor"));
    CHECK(strstr(out->measured, "8 signet line text=floor --clear\n8 signet cleared floor=8 product=\n"));
    script = CHAIN, keys = NULL;
}

// Whatever store is the last one: the floor is the old or the new one, no report raises it to anything else, and every
// start boots.
TEST(stores_may_fail_from_any_one_on)
{
    for (unsigned n = 1; n <= 6; n++) {
        kept_at_8();
        fail_store = n;
        CHECK(start(9, true)->booted);
        CHECK(start(9, true)->booted);
        CHECK(kept("") == 8 || kept("") == 9);
        fail_store = 0;
        CHECK(start(9, true)->booted);
        CHECK(start(9, false)->booted);
        CHECK_EQ(kept(""), 9);
    }
    kept_at_8();
    fail_store = 1;
    struct outcome *out = start(9, true);
    CHECK(out->booted, said(out, "this boot cannot report success"), said(out, "[T02]"));
    fail_store = 0;
    CHECK(start(9, true)->booted);
    fail_store = 1;
    out = start(9, false);
    CHECK(out->booted, said(out, "cannot be raised to 9"));
    fail_store = 0;
    CHECK(said(start(9, false), "is at 9 from now on")); // tried again
}

TEST(what_cannot_be_read_is_said_and_kept)
{
    kept_at_8();
    variable("SignetFloor")->data[0] ^= 1;
    struct host_value damaged = *variable("SignetFloor");
    tpm = true;
    struct outcome *out = start(9, true);
    tpm = false;
    CHECK(out->booted, said(out, "what is kept cannot be read"));
    CHECK(strstr(out->measured, "8 signet unreadable text=SignetFloor\n"));
    CHECK(memcmp(variable("SignetFloor"), &damaged, sizeof damaged) == 0);
    script = "#!ipxe\nshell\n";
    keys = "floor\rfloor --clear\rfloor\rexit\r";
    out = start(7, false);
    script = CHAIN, keys = NULL;
    CHECK(said(out, "no floor is kept"), !variable("SignetFloor"));
    CHECK(start(9, true)->booted);
    (void)start(9, false);
    CHECK_EQ(kept(""), 9);
}

static void no_variables(void)
{
    set_up("img", key_a);
    run("#!ipxe\nfloor || echo no such thing here\ndhcp\nchain p2://10.0.0.1/image\n", &key_a, 0);
}
TEST(without_variables_images_boot)
{
    w.counter = 0;
    struct outcome *out = in_child(no_variables);
    CHECK(out->booted, said(out, "[G05]"), said(out, "no such thing here"));
}

TEST_MAIN(T(a_reported_boot_raises_and_older_images_are_refused), T(without_a_report_it_stays),
          T(a_report_raises_to_what_was_booted_and_no_other_does), T(each_product_has_its_own), T(only_a_typed_line_clears),
          T(stores_may_fail_from_any_one_on), T(what_cannot_be_read_is_said_and_kept), T(without_variables_images_boot))
