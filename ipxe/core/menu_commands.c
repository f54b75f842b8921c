// SPDX-License-Identifier: MPL-2.0
// The commands that describe menus and show them (doc/menus.md).
#include "core/commands.h"
#include "core/menus.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

// `menu` and `form` are the same but for who shows them.
static int begin(struct script *s, int argc, char **argv)
{
    const char *name = NULL, *gone = NULL;
    const struct script_option options[] = { { 'n', "name", true, &name }, { 'd', "delete", false, &gone } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    if (first < 0)
        return first;
    if (gone) {
        (void)menus_delete(&core_menus, or_empty(name)); // as it shall be
        return 0;
    }
    int err = menus_begin(&core_menus, or_empty(name), script_join(argc, argv, first));
    if (err)
        console_error(argv[0], err, "all menus together have room for %u bytes, a text for %u", MENUS_ARENA, MENUS_TEXT_MAX - 1);
    return err;
}

CORE_COMMAND(menu)
{
    return begin(s, argc, argv);
}

CORE_COMMAND(form)
{
    return begin(s, argc, argv);
}

CORE_COMMAND(item)
{
    const char *menu = NULL, *key = NULL, *preset = NULL, *gap = NULL, *secret = NULL;
    const struct script_option options[] = { { 'm', "menu", true, &menu },      { 'f', "form", true, &menu }, { 'k', "key", true, &key },
                                             { 'd', "default", false, &preset }, { 'g', "gap", false, &gap },  { 's', "secret", false, &secret } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    if (first < 0)
        return first;
    struct menu_line line = { .key = key ? script_key(key) : -1, .gap = gap || first == argc, .preset = preset, .secret = secret };
    if (key && line.key < 0)
        return script_usage(s, "no such key");
    line.label = line.gap ? "" : argv[first];
    line.text = script_join(argc, argv, line.gap ? first : first + 1);
    int err = menus_add(&core_menus, or_empty(menu), &line);
    if (err == ERR_NOT_FOUND)
        console_error("item", err, "no menu%s%s", menu ? " is called " : "", or_empty(menu));
    else if (err)
        console_error("item", err, "all menus together have room for %u bytes, a text for %u", MENUS_ARENA, MENUS_TEXT_MAX - 1);
    return err;
}

CORE_COMMAND(choose)
{
    const char *menu = NULL, *preset = NULL, *timeout = NULL, *again = NULL, *keep = NULL, *label;
    const struct script_option options[] = { { 'm', "menu", true, &menu },       { 'd', "default", true, &preset },
                                             { 't', "timeout", true, &timeout }, { 'r', "retimeout", true, &again },
                                             { 'k', "keep", false, &keep } };
    uint32_t timeout_ms = 0, again_ms = 0;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, 1);
    int err = first < 0 ? first : timeout ? script_number(s, timeout, &timeout_ms) : 0;
    if (!err && again)
        err = script_number(s, again, &again_ms);
    if (err)
        return err;
    err = core_menu_run(s->ctx, or_empty(menu), preset, timeout_ms, again_ms, &label);
    if (!err) {
        err = s->ops->set(s->ctx, argv[first], label);
    } else if (err == ERR_NOT_FOUND) {
        const char *what = menus_title(&core_menus, or_empty(menu)) ? "the menu has no item" : "there is no menu";
        console_error("choose", err, "%s%s%s", what, menu ? ": " : "", or_empty(menu));
    }
    if (!keep)
        (void)menus_delete(&core_menus, or_empty(menu));
    return err;
}

// A number below `end`. ERR_SCRIPT_USAGE, said.
static int small_number(struct script *s, const char *text, uint32_t end, uint32_t *ret)
{
    int err = script_number(s, text, ret);
    return err || *ret < end ? err : script_usage(s, "a number is too large");
}

CORE_COMMAND(colour)
{
    const char *basic_text = NULL, *rgb_text = NULL;
    const struct script_option options[] = { { 'b', "basic", true, &basic_text }, { 'r', "rgb", true, &rgb_text } };
    uint32_t number, basic = 0, rgb;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, 1);
    int err = first < 0 ? first : small_number(s, argv[first], SCREEN_COLOURS, &number);
    if (!err && rgb_text) {
        err = script_number(s, rgb_text, &rgb);
        basic = err ? 0 : screen_basic(rgb);
    }
    if (!err && basic_text)
        err = small_number(s, basic_text, SCREEN_BASIC_DEFAULT + 1, &basic);
    if (!err && (rgb_text || basic_text))
        core_colours()->basic[number] = basic == 8 ? SCREEN_BASIC_DEFAULT : (uint8_t)basic;
    return err;
}

CORE_COMMAND(cpair)
{
    const char *foreground_text = NULL, *background_text = NULL;
    const struct script_option options[] = { { 'f', "foreground", true, &foreground_text }, { 'b', "background", true, &background_text } };
    uint32_t pair, foreground, background;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, 1);
    int err = first < 0 ? first : small_number(s, argv[first], SCREEN_PAIRS, &pair);
    if (!err && foreground_text)
        err = small_number(s, foreground_text, SCREEN_COLOURS, &foreground);
    if (!err && background_text)
        err = small_number(s, background_text, SCREEN_COLOURS, &background);
    if (!err && foreground_text)
        core_colours()->pairs[pair].foreground = (uint8_t)foreground;
    if (!err && background_text)
        core_colours()->pairs[pair].background = (uint8_t)background;
    return err;
}

// A text console stays one: scripts that ask for pixels and a picture, whatever else they say of them, go on with what there is.
CORE_COMMAND(console)
{
    return 0;
}
