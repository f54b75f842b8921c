// SPDX-License-Identifier: MPL-2.0
// The commands about images: those in memory, by name, and those that are fetched. See commands.h.
#include "core/commands.h"
#include "core/scripts.h"

static struct core *core_of(struct script *s)
{
    return s->ctx;
}

struct options {
    const char *name, *replace; // NULL: not given
    const char *arguments;      // what stands behind the operand, "": nothing
};

// The options are iPXE's; a transport has times of its own, and nothing is kept that --autofree would free. The index of the operand, or
// an error.
static int read_options(struct script *s, int argc, char **argv, int min, struct options *ret)
{
    const char *autofree, *timeout = NULL;
    *ret = (struct options){ .arguments = "" };
    const struct script_option options[] = { { 'a', "autofree", false, &autofree }, { 'r', "replace", false, &ret->replace },
                                             { 'n', "name", true, &ret->name },     { 't', "timeout", true, &timeout } };
    uint32_t milliseconds;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), min, -1);
    if (first >= 0 && timeout && script_number(s, timeout, &milliseconds) < 0)
        return ERR_SCRIPT_USAGE;
    if (first >= 0 && ret->name && !images_name_fits(ret->name))
        return script_usage(s, "a name has 1 to 63 characters of ASCII, and no blank");
    if (first >= 0)
        ret->arguments = script_join(argc, argv, first + 1);
    return first;
}

CORE_COMMAND(imgfetch)
{
    struct options o;
    int first = read_options(s, argc, argv, 1, &o);
    return first < 0 ? first : core_chain(core_of(s), argv[first], o.name, o.arguments, false);
}

// An image in memory comes before a URI: its name may be one, relative to the script.
CORE_COMMAND(boot)
{
    struct core_images *images = &core_of(s)->images;
    struct options o;
    int first = read_options(s, argc, argv, 0, &o);
    if (first < 0)
        return first;
    struct core_image *image = first < argc ? images_find(images, argv[first]) : images_last(images);
    if (image) {
        int err = o.arguments[0] ? core_image_arguments(core_of(s), image, o.arguments) : 0;
        return err ? err : core_image_start(core_of(s), image);
    }
    if (first < argc) {
        unsigned before = core_scripts_run();
        int err = core_chain(core_of(s), argv[first], o.name, o.arguments, true);
        s->replaced = o.replace && core_scripts_run() != before; // where nothing was found to run, this script goes on
        return err;
    }
    console_error("boot", ERR_BOOT_NOTHING, "no verified image is loaded");
    return ERR_BOOT_NOTHING;
}

CORE_COMMAND(kernel)
{
    struct options o;
    int first = read_options(s, argc, argv, 1, &o);
    int err = first < 0 ? first : core_kernel(core_of(s), argv[first], o.name, o.arguments);
    core_of(s)->images.done = NULL;
    return err;
}

// A path behind the URI makes the file one of the initial file system; other words say nothing here.
CORE_COMMAND(initrd)
{
    struct options o;
    int first = read_options(s, argc, argv, 1, &o);
    if (first < 0)
        return first;
    int err = core_part(core_of(s), argv[first], o.arguments[0] == '/' ? o.arguments : NULL);
    core_of(s)->images.done = NULL;
    return err;
}

CORE_COMMAND(imgargs)
{
    struct core_image *image = images_find(&core_of(s)->images, argv[1]);
    if (!image)
        return core_image_unknown(core_of(s), argv[0], argv[1]);
    return core_image_arguments(core_of(s), image, script_join(argc, argv, 2));
}

CORE_COMMAND(seal)
{
    struct options o;
    int first = read_options(s, argc, argv, 1, &o);
    if (first < 0)
        return first;
    if (o.arguments[0])
        return script_usage(s, "arguments come with `kernel`");
    int err = core_seal(core_of(s), argv[first], o.name);
    core_of(s)->images.done = NULL;
    return err;
}

CORE_COMMAND(imgselect)
{
    struct core_images *images = &core_of(s)->images;
    struct core_image *image = images_find(images, argv[1]);
    if (!image)
        return core_image_unknown(core_of(s), argv[0], argv[1]);
    images_select(images, image);
    return 0;
}

CORE_COMMAND(imgfree)
{
    struct core *core = core_of(s);
    struct core_images *images = &core->images;
    struct core_image *image;
    if (argc > 1) {
        image = images_find(images, argv[1]);
        if (!image)
            return core_image_unknown(core, argv[0], argv[1]);
        core_image_free(core, image);
        return 0;
    }
    core_image_free_all(core);
    return 0;
}

static void show(struct script *s, const struct core_image *image)
{
    const struct seal *seal = &image->seal;
    bool other = strcmp(image->name, seal->name) != 0;
    script_printf(s, "%s%s%s%s counter %llu, %llu bytes, %s\n", image->name, other ? " (" : "", other ? seal->name : "",
                  other ? ")" : "", (unsigned long long)seal->counter, (unsigned long long)seal->payload_size,
                  image->missing ? "not complete" : "verified");
    for (uint32_t i = 0; i < seal->part_count; i++)
        script_printf(s, "  %s: %llu bytes at 0x%llx%s\n", seal->parts[i].name, (unsigned long long)seal->parts[i].size,
                      (unsigned long long)image->plan.part_address[i], image->missing >> i & 1 ? ", missing" : "");
    if (image->arguments)
        script_printf(s, "  arguments: %s\n", image->cmdline);
}

CORE_COMMAND(imgstat)
{
    struct core_images *images = &core_of(s)->images;
    for (struct core_image *image = NULL; (image = images_next(images, image));)
        show(s, image);
    if (images_last(images))
        return 0;
    script_printf(s, "no image is loaded\n");
    return ERR_NOT_FOUND;
}
