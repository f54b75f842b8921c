// SPDX-License-Identifier: MPL-2.0
// The settings that Signet knows by name (setting_names.h, settings.h).
#include "script/setting_names.h"

#include "base/fmt.h"

static const struct setting_name known[] = {
    { "netmask", SETTING_IPV4, 1, 0 },
    { "gateway", SETTING_IPV4, 3, 0 },
    { "dns", SETTING_IPV4, 6, 0 },
    { "hostname", SETTING_STRING, 12, 0 },
    { "domain", SETTING_STRING, 15, 0 },
    { "root-path", SETTING_STRING, 17, 0 },
    { "mtu", SETTING_INT16, 26, 0 },
    { "ntp-server", SETTING_IPV4, 42, 0 },
    { "lease-time", SETTING_UINT32, 51, 0 },
    { "dhcp-server", SETTING_IPV4, 54, 0 },
    { "vendor-class", SETTING_STRING, 60, 0 },
    { "tftp-server-name", SETTING_STRING, 66, 0 },
    { "filename", SETTING_STRING, 67, 0 },
    { "user-class", SETTING_STRING, 77, 0 },
    { "search", SETTING_STRING, 119, 0 },
    { "p2-server", SETTING_STRING, 175, 80 },
    { "p2-name", SETTING_STRING, 175, 81 },
    { "p2-port", SETTING_STRING, 175, 82 },
    { "keep", SETTING_STRING, 175, 83 },
    { "ip", SETTING_IPV4, 0, 0 },
    { "next-server", SETTING_IPV4, 0, 0 },
    { "mac", SETTING_HEX, 0, 0 },
    { "ip6", SETTING_IPV6, 0, 0 },
    { "uuid", SETTING_UUID, 0, 0 },
};

bool setting_option_number(const char *name, int *option, int *sub)
{
    uint64_t v;
    const char *dot = strchr(name, '.');
    size_t len = dot ? (size_t)(dot - name) : strlen(name);
    if (!fmt_parse_u64(name, len, 10, &v) || v == 0 || v >= 255)
        return false;
    *option = (int)v;
    *sub = -1;
    if (dot) {
        if (!fmt_parse_u64(dot + 1, strlen(dot + 1), 10, &v) || v == 0 || v >= 255)
            return false;
        *sub = (int)v;
    }
    return true;
}

const struct setting_name *setting_name_find(const char *name)
{
    int option, sub;
    bool number = setting_option_number(name, &option, &sub);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const struct setting_name *k = &known[i];
        if (number ? k->option == option && k->sub == MAX(sub, 0) : strcmp(k->name, name) == 0)
            return k;
    }
    return NULL;
}

int setting_dhcp_number(const char *name, enum setting_type *ret_type)
{
    const struct setting_name *k = setting_name_find(name);
    *ret_type = k ? (enum setting_type)k->type : SETTING_STRING;
    if (k)
        return k->option && !k->sub ? k->option : -1;
    int option, sub;
    return setting_option_number(name, &option, &sub) && sub < 0 ? option : -1;
}
