// SPDX-License-Identifier: MPL-2.0
// Measured boot in the whole core: what is measured, into which PCR, in which order, and what a failing TPM leads to.
#include "host/testworld.h"

#include "phase2/event.h"

#define SCRIPT "#!ipxe\ndhcp\nchain tftp://10.0.0.1/script.ipxe || shell\n"
#define CHAINED "#!ipxe\nchain p2://10.0.0.1/image\n"
#define OUTSIDE "#!ipxe\necho outside\nexit 1\n"
#define CMDLINE "console=ttyS0 panic=1 signet.name=img signet.counter=7"

static unsigned fail_measurement;
static bool vouches;
static const char *keys, *script = SCRIPT;

static void measured(void)
{
    set_up("img", key_a);
    w.machine.tpm = true;
    w.machine.fail_measurement = fail_measurement;
    w.machine.platform.vouches = vouches;
    w.machine.keys = keys;
    w.dhcp_file = CHAINED;
    run(script, &key_a, 3);
}

// The log as it must be, line by line.
struct wanted {
    char text[8192];
};

static void add(struct wanted *wanted, int err, struct event *event)
{
    size_t used = strlen(wanted->text);
    if (err)
        abort();
    snprintf(wanted->text + used, sizeof wanted->text - used, "%u %.*s\n", event->pcr, (int)event->len, event->text);
}

static void add_policy(struct wanted *wanted)
{
    static struct event e;
    struct trust_store trust = { .counter_floor = 3 };
    struct trust_key key = testkey_public(key_a);
    (void)trust_add(&trust, &key);
    add(wanted, event_policy(&e, &trust), &e);
}

static void add_script(struct wanted *wanted, const char *from, const char *text)
{
    static struct event e;
    add(wanted, event_script(&e, from, text, strlen(text)), &e);
}

static void add_line(struct wanted *wanted, const char *kind, const char *text)
{
    static struct event e;
    add(wanted, event_text(&e, kind, text), &e);
}

static void add_start(struct wanted *wanted)
{
    static struct event e;
    set_up("img", key_a); // the same image as in the child
    add(wanted, event_decision(&e, "accepted", &w.image.seal, 0), &e);
    if (vouches)
        add(wanted, event_decision(&e, "vouched", &w.image.seal, 0), &e);
    add_line(wanted, "cmdline", CMDLINE);
    add(wanted, event_image(&e, &w.image.seal), &e);
    tear_down();
}

TEST(policy_scripts_and_image_in_order)
{
    struct wanted wanted = { "" };
    w.outside = OUTSIDE;
    struct outcome *out = in_child(measured);
    w.outside = NULL;
    CHECK(out->booted, said(out, "measured into PCRs 8, 9 and 14"));
    add_policy(&wanted);
    add_script(&wanted, "the test", OUTSIDE);
    add_script(&wanted, "embedded", SCRIPT);
    add_script(&wanted, "tftp://10.0.0.1/script.ipxe", CHAINED);
    add_start(&wanted);
    CHECK_STR(out->measured, wanted.text);
}

TEST(typed_lines_and_the_vouching)
{
    struct wanted wanted = { "" };
    script = "#!ipxe\nshell\n";
    keys = "dhcp\rchain p2:///image\r";
    vouches = true;
    struct outcome *out = in_child(measured);
    CHECK(out->booted);
    add_policy(&wanted);
    add_script(&wanted, "embedded", script);
    add_line(&wanted, "line", "dhcp");
    add_line(&wanted, "line", "chain p2:///image");
    add_start(&wanted);
    script = SCRIPT, keys = NULL, vouches = false;
    CHECK_STR(out->measured, wanted.text);
}

// Neither the PCR of the image nor any other may then be taken for a sound boot's, and the machine boots all the same.
TEST(after_a_failure_nothing_looks_measured)
{
    fail_measurement = 0;
    char sound[sizeof w.machine.measured];
    memcpy(sound, in_child(measured)->measured, sizeof sound);
    unsigned count = 0;
    for (const char *c = sound; (c = strchr(c, '\n')) != NULL; c++)
        count++;
    CHECK_EQ(count, 6);
    for (fail_measurement = 1; fail_measurement <= count; fail_measurement++) {
        struct outcome *out = in_child(measured);
        CHECK(out->booted, said(out, "[T01]"));
        CHECK(!strstr(out->measured, "9 signet image"));
        const char *broken = strstr(out->measured, "8 signet broken\n9 signet broken\n14 signet broken\n");
        CHECK(broken, strlen(broken) == 49);
        CHECK(strncmp(out->measured, sound, (size_t)(broken - out->measured)) == 0);
    }
    fail_measurement = 0;
}

// An image was started and came back; then the TPM takes nothing any more, so that PCR 9 goes on saying "that image".
static int comes_back(void *ctx, const struct platform_boot *boot)
{
    ((struct host_machine *)ctx)->booted = true;
    return ERR_BOOT_RETURNED;
}

static unsigned dead_from;
static void two_starts(void)
{
    set_up("img", key_a);
    w.machine.tpm = true;
    w.machine.tpm_dead_from = dead_from;
    w.machine.platform.boot = comes_back;
    run("#!ipxe\ndhcp\nchain p2:///image ||\nchain p2:///image || echo ENDED\n", &key_a, 0);
}
TEST(a_dead_tpm_cannot_pass_a_second_image_for_the_first)
{
    // Policy, script, and three for each start.
    for (dead_from = 1; dead_from <= 9; dead_from++) {
        struct outcome *out = in_child(two_starts);
        unsigned starts = 0;
        for (const char *c = out->transcript; (c = strstr(c, "starting img")) != NULL; c++)
            starts++;
        CHECK(out->booted, said(out, "ENDED"));
        bool one_image = dead_from > 5 && dead_from <= 8;
        CHECK_EQ(starts, one_image ? 1 : 2);
        CHECK(!one_image || said(out, "the machine must be restarted"));
    }
}

static void without(void)
{
    set_up("img", key_a);
    w.dhcp_file = CHAINED;
    run(SCRIPT, &key_a, 0);
}
TEST(without_a_tpm_nothing_is_said)
{
    struct outcome *out = in_child(without);
    CHECK(out->booted);
    CHECK(!strstr(out->transcript, "tpm:"));
    CHECK_STR(out->measured, "");
}

TEST_MAIN(T(policy_scripts_and_image_in_order), T(typed_lines_and_the_vouching), T(after_a_failure_nothing_looks_measured),
          T(a_dead_tpm_cannot_pass_a_second_image_for_the_first),
          T(without_a_tpm_nothing_is_said))
