// SPDX-License-Identifier: MPL-2.0
// EFI applications in the whole core: on a machine that can run them, whose application comes back with a result that the
// test chooses, and on one that cannot.
#include "host/testworld.h"

static const uint8_t application_bytes[5000] = "MZ, and whatever an application is made of";
static int application_result;

static int run_application(void *ctx, const struct platform_boot *boot)
{
    struct host_machine *m = ctx;
    const uint8_t *file = m->platform.map(m, boot->kernel, boot->kernel_len);
    w.out->memory_right = boot->application && boot->kernel_len == sizeof application_bytes && file &&
                          memcmp(file, application_bytes, sizeof application_bytes) == 0 && boot->setup == file &&
                          strcmp(boot->cmdline, "load options") == 0;
    return application_result;
}

static void set_up_application(uint32_t targets, int result)
{
    const struct testpart part = { .kind = PART_APPLICATION, .name = "app.efi", .data = application_bytes,
                                   .size = sizeof application_bytes, .memory = 20000 };
    set_up("img", key_a);
    testimage_free(&w.image);
    struct seal fields = testimage_fields("app");
    fields.target = TARGET_EFI_X64;
    strcpy(fields.cmdline, "load options");
    build_image(&fields, &part, 1, key_a);
    w.machine.platform.targets = targets;
    w.machine.platform.whole_kernel = true;
    w.machine.platform.boot = run_application;
    application_result = result;
}
#define RUN_TWICE "#!ipxe\ndhcp\nchain p2://10.0.0.1/image\necho FIRST\nchain p2://10.0.0.1/image\necho SECOND\n"

static void application_ends(void)
{
    set_up_application(1u << TARGET_EFI_X64, 0);
    run(RUN_TWICE, &key_a, 0);
}
TEST(an_application_that_ends_lets_the_script_go_on)
{
    struct outcome *out = in_child(application_ends);
    CHECK(out->memory_right);
    CHECK(said(out, "app has ended"), said(out, "SECOND"));
    CHECK_EQ(out->live_allocations, 0);
}

static void application_fails(void)
{
    set_up_application(1u << TARGET_EFI_X64, ERR_BOOT_STATUS);
    run(RUN_TWICE, &key_a, 0);
}
TEST(an_application_that_fails_fails_the_command)
{
    struct outcome *out = in_child(application_fails);
    CHECK(out->memory_right);
    CHECK(said(out, "app failed: the application ended with an error [B09]"), !strstr(out->transcript, "FIRST"));
}

static void application_elsewhere(void)
{
    set_up_application(1u << TARGET_LINUX_X86 | 1u << TARGET_EFI_ARM64, 0);
    run(RUN_TWICE, &key_a, 0);
}
TEST(an_image_for_another_machine_is_refused_before_the_download)
{
    struct outcome *out = in_child(application_elsewhere);
    CHECK(said(out, "app is for efi-x64, which this machine does not start; refused before the download"), said(out, "[B07]"));
    CHECK(!out->memory_right);
    CHECK_EQ(out->server_finished, 0);
}

TEST_MAIN(T(an_application_that_ends_lets_the_script_go_on), T(an_application_that_fails_fails_the_command),
          T(an_image_for_another_machine_is_refused_before_the_download))
