// SPDX-License-Identifier: MPL-2.0
// What commands need to read their arguments: options, numbers, keys (script.h).
#include "base/fmt.h"
#include "script/script.h"

static int bad_option(struct script *s, const char *text, const char *what)
{
    char why[SCRIPT_MESSAGE_MAX];
    fmt_snprintf(why, sizeof why, "%s %s", text, what);
    return script_usage(s, why);
}

// Splits "--name=value" / "-xvalue"; *ret_inline is the value inside the argument, or NULL.
static const struct script_option *find_option(const char *arg, const struct script_option *options, size_t count,
                                               const char **ret_inline)
{
    bool is_long = arg[1] == '-';
    const char *name = arg + (is_long ? 2 : 1);
    const char *equal = is_long ? strchr(name, '=') : NULL;
    size_t len = equal ? (size_t)(equal - name) : strlen(name);
    for (size_t i = 0; i < count; i++) {
        const struct script_option *o = &options[i];
        if (is_long ? o->name && strlen(o->name) == len && memcmp(o->name, name, len) == 0 : o->letter == name[0]) {
            *ret_inline = is_long ? (equal ? equal + 1 : NULL) : (name[1] ? name + 1 : NULL);
            return o;
        }
    }
    return NULL;
}

int script_options(struct script *s, int argc, char **argv, const struct script_option *options, size_t count, int min,
                   int max)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        const char *value = NULL;
        const struct script_option *o = find_option(argv[i], options, count, &value);
        if (!o)
            return bad_option(s, argv[i], "is not an option of this command");
        if (!o->has_value && value && argv[i][1] != '-') { // -ar: the rest is options, too
            *o->value = "";
            *++argv[i] = '-';
            i--;
            continue;
        }
        if (!o->has_value && value)
            return bad_option(s, argv[i], "takes no value");
        if (o->has_value && !value) {
            if (i + 1 >= argc)
                return bad_option(s, argv[i], "needs a value");
            value = argv[++i];
        }
        *o->value = o->has_value ? value : "";
    }
    if (argc - i < min)
        return script_usage(s, "an argument is missing");
    if (max >= 0 && argc - i > max)
        return script_usage(s, "too many arguments");
    return i;
}

int script_number(struct script *s, const char *text, uint32_t *ret)
{
    uint64_t v;
    if (!fmt_parse_u64(text, strlen(text), 0, &v) || v > UINT32_MAX)
        return bad_option(s, text, "is not a number");
    *ret = (uint32_t)v;
    return 0;
}

int script_key(const char *text)
{
    static const struct {
        const char *name;
        int key;
    } names[] = { { "esc", 0x1b }, { "enter", '\r' }, { "space", ' ' }, { "tab", '\t' }, { "backspace", '\b' } };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i].name, text) == 0)
            return names[i].key;
    size_t len = strlen(text);
    bool spelled = len == 6 && memcmp(text, "ctrl-", 5) == 0;
    if (spelled || (len == 2 && text[0] == '^')) {
        char c = text[len - 1];
        if ((c >= 'a' && c <= 'z') || (c >= '@' && c <= '_'))
            return c & 0x1f;
        return -1;
    }
    // One character is itself, also a digit; longer texts are numbers as in iPXE (0x02, 167).
    if (len == 1 && text[0] > ' ' && text[0] < 0x7f)
        return text[0];
    uint64_t v;
    return len > 1 && fmt_parse_u64(text, len, 0, &v) && v > 0 && v <= 0xff ? (int)v : -1;
}
