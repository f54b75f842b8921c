// SPDX-License-Identifier: MPL-2.0
// The commands by which a person types something: forms, lines, keys (doc/menus.md).
#include "core/commands.h"
#include "core/menus.h"

#include "base/fmt.h"

#define CONFIG_MENU "\x01" // no script can name it
#define CONFIG_NEW ""      // the label of the line for a setting that is not there yet
#define CONFIG_NAME_WIDTH 24

static struct form form;

static int one_form_step(void *machine, int byte, uint64_t now_us, uint64_t *wake)
{
    return form_step(machine, byte, now_us, wake);
}

static void one_form_draw(void *machine)
{
    form_draw(machine);
}

// What a setting holds, as a line of it can be edited.
static void current(struct script *s, const char *name, char value[LINEEDIT_MAX])
{
    static char whole[SETTINGS_VALUE_MAX + 1];
    value[0] = 0;
    if (*name && s->ops->get(s->ctx, name, whole, sizeof whole) >= 0)
        fmt_snprintf(value, LINEEDIT_MAX, "%s", whole);
}

static int add_field(struct script *s, const char *name, const char *text, bool secret)
{
    char value[LINEEDIT_MAX];
    current(s, name, value);
    return form_add(&form, name, text, secret, false, value);
}

static int set_or_clear(struct script *s, const char *name, const char *value)
{
    int err = *value ? s->ops->set(s->ctx, name, value) : s->ops->clear(s->ctx, name);
    if (err && err != ERR_NOT_FOUND)
        console_error("form", err, "%s cannot be set to this", name);
    return err == ERR_NOT_FOUND ? 0 : err;
}

// Shows it. ERR_CANCELLED: a person has left it.
static int fill_in(struct script *s)
{
    struct screen screen = core_screen(s->ctx, SCREEN_ROWS);
    int err = form_start(&form, &screen);
    return err ? err : core_dialogue_run(s->ctx, &screen, &(struct core_dialogue){ one_form_step, one_form_draw, &form });
}

// The settings are what was filled in: those of which something was changed, since a long one may not have fitted.
static int keep_fields(struct script *s)
{
    int err = 0;
    for (unsigned i = 0; i < form.count && !err; i++) {
        char value[LINEEDIT_MAX];
        current(s, form.fields[i].name, value);
        if (!form.fields[i].gap && strcmp(value, form.fields[i].value) != 0)
            err = set_or_clear(s, form.fields[i].name, form.fields[i].value);
    }
    return err;
}

CORE_COMMAND(present)
{
    const char *option = NULL, *keep = NULL;
    const struct script_option options[] = { { 'f', "form", true, &option }, { 'k', "keep", false, &keep } };
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, 0);
    if (first < 0)
        return first;
    const char *name = option ? option : "";
    struct menu_line line;
    const char *title = menus_title(&core_menus, name);
    int err = title ? 0 : ERR_NOT_FOUND;
    form_init(&form, title);
    for (unsigned i = 0; !err && menus_line(&core_menus, name, i, &line); i++)
        err = line.gap ? form_add(&form, "", line.text, false, true, "") : add_field(s, line.label, line.text, line.secret);
    if (err == ERR_TOO_LARGE)
        console_error("present", err, "a form has %u lines at the most", FORM_FIELDS_MAX);
    if (!err)
        err = fill_in(s);
    if (err == ERR_NOT_FOUND)
        console_error("present", err, "%s%s%s", title ? "the form has no item" : "there is no form", option ? ": " : "", name);
    if (!err)
        err = keep_fields(s);
    if (!keep)
        (void)menus_delete(&core_menus, name);
    return err;
}

CORE_COMMAND(login)
{
    form_init(&form, "Login");
    (void)add_field(s, "username", "User name", false);
    (void)add_field(s, "password", "Password", true);
    int err = fill_in(s);
    return err ? err : keep_fields(s);
}

CORE_COMMAND(read)
{
    static struct lineedit edit;
    const char *timeout = NULL;
    char value[LINEEDIT_MAX], echo[LINEEDIT_ECHO_MAX];
    const struct script_option options[] = { { 't', "timeout", true, &timeout } };
    uint32_t timeout_ms = 0;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 1, 1);
    int err = first < 0 ? first : timeout ? script_number(s, timeout, &timeout_ms) : 0;
    if (err)
        return err;
    struct core *core = s->ctx;
    uint64_t end = timeout_ms ? core_now(core) + (uint64_t)timeout_ms * 1000 : UINT64_MAX;
    current(s, argv[first], value);
    lineedit_init(&edit);
    lineedit_start(&edit, value);
    console_print("%s", edit.line);
    enum lineedit_event event = LINEEDIT_MORE;
    while (event == LINEEDIT_MORE) {
        size_t echo_len;
        int byte = core_key_byte(core, end);
        if (byte < 0 && core_now(core) >= end) {
            console_print("\n");
            return ERR_TIMED_OUT;
        }
        if (byte < 0)
            continue;
        end = UINT64_MAX; // somebody is there
        event = lineedit_key(&edit, byte, echo, &echo_len);
        console_write(echo, echo_len);
    }
    return event == LINEEDIT_DONE ? set_or_clear(s, argv[first], edit.line) : ERR_CANCELLED;
}

// Waits for a key. Succeeds when the wanted key (any without --key) is pressed in time.
CORE_COMMAND(prompt)
{
    const char *key_text = NULL, *timeout = NULL;
    const struct script_option options[] = { { 'k', "key", true, &key_text }, { 't', "timeout", true, &timeout } };
    uint32_t timeout_ms = 0;
    int first = script_options(s, argc, argv, options, ARRAY_SIZE(options), 0, -1);
    int err = first < 0 ? first : timeout ? script_number(s, timeout, &timeout_ms) : 0;
    if (err)
        return err;
    int wanted = key_text ? script_key(key_text) : KEY_NONE;
    if (key_text && wanted < 0)
        return script_usage(s, "no such key");
    struct core *core = s->ctx;
    struct keys keys = { 0 };
    uint64_t end = timeout_ms ? core_now(core) + (uint64_t)timeout_ms * 1000 : UINT64_MAX;
    console_print("%s", script_join(argc, argv, first));
    core->key = -1;
    int key = KEY_NONE, byte;
    while (key == KEY_NONE && core_now(core) < MIN(end, keys_deadline(&keys))) {
        byte = core_key_byte(core, MIN(end, keys_deadline(&keys)));
        key = byte < 0 ? KEY_NONE : keys_take(&keys, byte, core_now(core));
    }
    if (key == KEY_NONE)
        key = keys_take(&keys, -1, UINT64_MAX); // the time that a sequence has may be over
    console_print("\n");
    if (key == KEY_CTRL('C') && wanted != key)
        return ERR_CANCELLED;
    return key == KEY_NONE ? ERR_TIMED_OUT : wanted == KEY_NONE || key == wanted ? 0 : ERR_SCRIPT_FALSE;
}

// --- config: a menu of the settings, and a form for the one that is chosen ---

static bool in_scope(const char *name, const char *scope)
{
    size_t len = strlen(scope);
    return len == 0 || (strncmp(name, scope, len) == 0 && name[len] == '/');
}

// As many as there is room for. A value that no line holds is shown, and not to be changed.
static int list_settings(struct core *core, const char *scope)
{
    static char value[SETTINGS_VALUE_MAX + 1];
    char name[SETTINGS_NAME_MAX], text[160];
    const uint8_t *data;
    size_t pos = 0, len;
    enum setting_type type;
    int err = menus_begin(&core_menus, CONFIG_MENU, "Settings");
    if (!err)
        err = menus_add(&core_menus, CONFIG_MENU, &(struct menu_line){ .label = CONFIG_NEW, .text = "(another setting)", .key = -1 });
    if (err)
        console_error("config", err, "scripts keep too many menus");
    for (int room = err; room == 0 && settings_next(&core->settings, &pos, name, &type, &data, &len);) {
        int n = settings_get(&core->settings, name, value, sizeof value);
        if (!in_scope(name, scope))
            continue;
        fmt_snprintf(text, sizeof text, "%-*s %s", CONFIG_NAME_WIDTH, name, n < 0 ? "" : value);
        room = menus_add(&core_menus, CONFIG_MENU, &(struct menu_line){ .label = name, .text = text, .key = -1, .gap = n < 0 || n >= LINEEDIT_MAX });
    }
    return err;
}

// One setting is changed, or a new one is made. Nothing is when a person leaves the form.
static void change(struct script *s, const char *label)
{
    char name[SETTINGS_NAME_MAX];
    fmt_snprintf(name, sizeof name, "%s", label); // the menu goes
    form_init(&form, *name ? name : "A setting");
    if (!*name)
        (void)form_add(&form, "", "Name", false, false, "");
    (void)add_field(s, name, "Value (empty: clears)", false);
    if (fill_in(s) != 0)
        return;
    if (!*name)
        fmt_snprintf(name, sizeof name, "%s", form.fields[0].value);
    if (*name)
        (void)set_or_clear(s, name, form.fields[form.count - 1].value);
}

CORE_COMMAND(config)
{
    const char *label;
    char last[SETTINGS_NAME_MAX] = "";
    int err;
    do {
        err = list_settings(s->ctx, argc > 1 ? argv[1] : "");
        if (!err)
            err = core_menu_run(s->ctx, CONFIG_MENU, last, 0, 0, &label);
        if (!err) {
            fmt_snprintf(last, sizeof last, "%s", label);
            change(s, last);
        }
    } while (!err);
    (void)menus_delete(&core_menus, CONFIG_MENU);
    return err == ERR_CANCELLED ? 0 : err;
}
