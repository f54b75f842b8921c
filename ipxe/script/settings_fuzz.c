// SPDX-License-Identifier: MPL-2.0
// Names and values of settings: lines `NAME=TEXT` are set, shown and found again; formatting and reading must agree.
#include "base/base.h"
#include "base/fuzz.h"
#include "script/settings.h"

// What was read from a text of some type must come out as bytes that give the same text again.
static void there_and_back(enum setting_type type, const char *text)
{
    static uint8_t bytes[SETTINGS_VALUE_MAX], again[SETTINGS_VALUE_MAX];
    static char out[8 * SETTINGS_VALUE_MAX], twice[8 * SETTINGS_VALUE_MAX];
    int n = setting_parse(type, text, bytes, sizeof bytes);
    if (n <= 0)
        return;
    int len = setting_format(type, bytes, (size_t)n, out, sizeof out);
    if (len < 0 || strlen(out) != (size_t)len)
        __builtin_trap();
    int m = setting_parse(type, out, again, sizeof again);
    if (m <= 0)
        return; // a string of NULs
    if (setting_format(type, again, (size_t)m, twice, sizeof twice) != len || strcmp(out, twice) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings s;
    static uint8_t arena[4096];
    char line[256], buf[512];
    settings_init(&s, arena, sizeof arena);
    settings_use(&s, "net0");
    for (size_t at = 0; at < size;) {
        size_t n = 0;
        while (at < size && data[at] != '\n' && n < sizeof line - 1)
            line[n++] = (char)data[at++];
        at++;
        line[n] = 0;
        char *equal = strchr(line, '=');
        if (equal)
            *equal = 0;
        const char *text = equal ? equal + 1 : "";
        int rc = settings_set(&s, line, text);
        if (rc == 0 && *text && settings_show(&s, line, buf, sizeof buf) == ERR_NOT_FOUND)
            __builtin_trap();
        (void)settings_put(&s, "net0.dhcp", line, SETTING_STRING, text, strlen(text));
        (void)settings_get(&s, line, buf, 7);
        for (int type = 0; type < SETTING_TYPES; type++)
            there_and_back((enum setting_type)type, text);
    }
    size_t pos = 0, len;
    enum setting_type type;
    const uint8_t *value;
    char name[SETTINGS_NAME_MAX];
    while (settings_next(&s, &pos, name, &type, &value, &len))
        if (len > SETTINGS_VALUE_MAX || strlen(name) >= SETTINGS_NAME_MAX)
            __builtin_trap();
    return 0;
}
