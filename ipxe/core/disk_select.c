// SPDX-License-Identifier: MPL-2.0
// See disk_select.h.
#include "core/disk_select.h"

#include "base/fmt.h"

#define SELECTOR_MAX 128

static bool split_value(const char *text, const char *name, const char **ret_value)
{
    size_t len = strlen(name);
    if (strncmp(text, name, len) != 0 || text[len] != '=')
        return false;
    *ret_value = text + len + 1;
    return true;
}

// "FIRST+COUNT", in sectors.
static bool parse_range(const char *value, struct disk_select *s)
{
    const char *plus = strchr(value, '+');
    return plus && fmt_parse_u64(value, (size_t)(plus - value), 0, &s->first) &&
           fmt_parse_u64(plus + 1, strlen(plus + 1), 0, &s->sectors) && s->sectors > 0;
}

static bool parse_type(const char *value, struct disk_select *s)
{
    uint64_t type;
    if (strlen(value) != 2)
        return gpt_guid_parse(value, strlen(value), s->guid);
    if (!fmt_parse_u64(value, 2, 16, &type))
        return false;
    memset(s->guid, 0, sizeof s->guid);
    s->guid[0] = (uint8_t)type;
    return true;
}

int disk_select_parse(const struct uri *uri, struct disk_select *s)
{
    char text[SELECTOR_MAX];
    const char *value;
    int err = uri_path_name(uri, text, sizeof text);
    if (err < 0)
        return err;
    memset(s, 0, sizeof *s);
    bool ok;
    if (text[0] == 0) {
        s->by = DISK_BY_DEFAULT;
        ok = true;
    } else if (split_value(text, "part", &value)) {
        s->by = DISK_BY_NUMBER;
        ok = fmt_parse_u64(value, strlen(value), 10, &s->number);
    } else if (split_value(text, "label", &value)) {
        s->by = DISK_BY_LABEL;
        ok = value[0] && strlen(value) < sizeof s->label;
        if (ok)
            memcpy(s->label, value, strlen(value) + 1);
    } else if (split_value(text, "partuuid", &value)) {
        s->by = DISK_BY_UUID;
        ok = gpt_guid_parse(value, strlen(value), s->guid);
    } else if (split_value(text, "type", &value)) {
        s->by = DISK_BY_TYPE;
        ok = parse_type(value, s);
    } else {
        s->by = DISK_BY_RANGE;
        ok = split_value(text, "range", &value) && parse_range(value, s);
    }
    return ok ? 0 : ERR_URI_MALFORMED;
}

bool disk_select_matches(const struct disk_select *s, const struct partition *p)
{
    switch (s->by) {
    case DISK_BY_DEFAULT:
        return partition_is_image(p);
    case DISK_BY_NUMBER:
        return p->number == s->number;
    case DISK_BY_LABEL:
        return strcmp(p->label, s->label) == 0;
    case DISK_BY_UUID:
        return memcmp(p->uuid, s->guid, GPT_GUID_SIZE) == 0;
    case DISK_BY_TYPE:
        return memcmp(p->type, s->guid, GPT_GUID_SIZE) == 0;
    default:
        return false;
    }
}
