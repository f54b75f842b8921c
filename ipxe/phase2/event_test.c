// SPDX-License-Identifier: MPL-2.0
// The measured texts: exactly what doc/measurements.md says, and read back exactly.
#include "phase2/event.h"

#include "base/test.h"
#include "phase2/testimage.h"

static struct event event;

static const char *text(void)
{
    event.text[event.len] = 0; // the builder kept a byte for it
    return event.text;
}

TEST(policy_names_the_keys_in_order)
{
    struct trust_store trust = { .counter_floor = 5, .product = "web" };
    CHECK_EQ(event_policy(&event, &trust), 0);
    CHECK_STR(text(), "signet policy threshold=1 floor=5 product=web keys=");
    CHECK_EQ(event.pcr, EVENT_PCR_POLICY);

    struct trust_key low = { .id = { 1 } }, high = { .id = { 2 } };
    trust.threshold = 2;
    (void)trust_add(&trust, &high);
    (void)trust_add(&trust, &low);
    CHECK_EQ(event_policy(&event, &trust), 0);
    char keys[200];
    CHECK_EQ(event_value(event.text, event.len, "keys", keys, sizeof keys), 129);
    CHECK(strncmp(keys, "0100", 4) == 0, strncmp(keys + 64, ",0200", 5) == 0);
    CHECK(strstr(text(), " threshold=2 "));
}

TEST(scripts_by_digest_lines_and_command_lines_by_text)
{
    CHECK_EQ(event_script(&event, "the load options", "abc", 3), 0);
    CHECK_STR(text(), "signet script size=3 sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
                      "from=the load options");
    CHECK_EQ(event.pcr, EVENT_PCR_STEPS);
    CHECK_EQ(event_text(&event, "cmdline", "console=ttyS0 quiet"), 0);
    CHECK_STR(text(), "signet cmdline text=console=ttyS0 quiet");
    CHECK_EQ(event_text(&event, "line", "echo 100%\n\xff"), 0);
    CHECK_STR(text(), "signet line text=echo 100%25%0A%FF");
}

TEST(images_and_decisions)
{
    struct seal seal = { .name = "good", .product = "web", .counter = 8, .image_id = { 0xab } };
    static const char image[] = "id=ab00000000000000000000000000000000000000000000000000000000000000 counter=8 product=web name=good";
    char wanted[300];
    CHECK_EQ(event_image(&event, &seal), 0);
    snprintf(wanted, sizeof wanted, "signet image %s", image);
    CHECK_STR(text(), wanted);
    CHECK_EQ(event.pcr, EVENT_PCR_IMAGE);
    CHECK_EQ(event_decision(&event, "refused", &seal, 9), 0);
    snprintf(wanted, sizeof wanted, "signet refused floor=9 %s", image);
    CHECK_STR(text(), wanted);
    CHECK_EQ(event.pcr, EVENT_PCR_STEPS);
    CHECK_EQ(event_floor(&event, "raised", "", UINT64_MAX), 0);
    CHECK_STR(text(), "signet raised floor=18446744073709551615 product=");
    event_broken(&event, EVENT_PCR_IMAGE);
    CHECK_STR(text(), "signet broken");
    CHECK_EQ(event.pcr, EVENT_PCR_IMAGE);
}

TEST(values_come_back_as_they_were)
{
    static const char nasty[] = " a=b %41 from=\x01\x7f\r\n text=\xe4  ";
    char back[100];
    CHECK_EQ(event_script(&event, nasty, "", 0), 0);
    CHECK(event_is(event.text, event.len, "script"));
    CHECK_EQ(event_value(event.text, event.len, "from", back, sizeof back), sizeof nasty - 1);
    CHECK_STR(back, nasty);
    CHECK_EQ(event_value(event.text, event.len, "size", back, sizeof back), 1);
    CHECK_STR(back, "0");
    CHECK_EQ(event_value(event.text, event.len, "from", back, sizeof nasty - 1), ERR_TOO_LARGE);
    CHECK_EQ(event_value(event.text, event.len, "text", back, sizeof back), ERR_NOT_FOUND); // it stands inside a value
    struct seal seal = { .product = "a b" };
    CHECK_EQ(event_image(&event, &seal), 0);
    CHECK_EQ(event_value(event.text, event.len, "product", back, sizeof back), 3);
    CHECK_STR(back, "a b");
}

TEST(what_the_writer_would_not_write_is_refused)
{
    static const char *const bad[] = {
        "", "signet", "signet ", "Signet line", "signet line ", "signet line x", "signet line =x", "signet line  a=b",
        "signet line a=b ", "signet line a=%4", "signet line a=%0a", "signet line a=%41", "signet line a=%00", "signet line a=%zz",
        "signet line a=\n", "signet line a=\xff", "signet line text=a%2G",
    };
    char value[50];
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK(!event_is(bad[i], strlen(bad[i]), NULL));
        CHECK(event_value(bad[i], strlen(bad[i]), "a", value, sizeof value) < 0);
    }
    CHECK(event_is("signet broken", 13, "broken"));
    CHECK(!event_is("signet broken", 13, "broke"));
    CHECK(event_is("signet line text=", 17, "line"));
}

TEST(the_longest_command_line_fits_whatever_is_in_it)
{
    char line[SEAL_CMDLINE_MAX + 512];
    memset(line, '%', sizeof line);
    line[sizeof line - 1] = 0;
    CHECK_EQ(event_text(&event, "cmdline", line), 0);
    char longer[EVENT_MAX / 3 + 1];
    memset(longer, '%', sizeof longer);
    longer[sizeof longer - 1] = 0;
    CHECK_EQ(event_text(&event, "cmdline", longer), ERR_TOO_LARGE);
}

TEST_MAIN(T(policy_names_the_keys_in_order), T(scripts_by_digest_lines_and_command_lines_by_text), T(images_and_decisions),
          T(values_come_back_as_they_were), T(what_the_writer_would_not_write_is_refused),
          T(the_longest_command_line_fits_whatever_is_in_it))
