// SPDX-License-Identifier: MPL-2.0
// The settings store and the types.
#include "base/test.h"
#include "script/settings.h"

static struct settings s;
static uint8_t arena[SETTINGS_ARENA_DEFAULT];
static char buf[4200];

static void fresh(void)
{
    settings_init(&s, arena, sizeof arena);
    settings_use(&s, "net0");
}
static const char *get(const char *name)
{
    int n = settings_get(&s, name, buf, sizeof buf);
    return n >= 0 ? buf : n == ERR_NOT_FOUND ? "(none)" : "(bad)";
}
static int put(const char *scope, const char *name, const char *text)
{
    return settings_put_text(&s, scope, name, text);
}

TEST(scopes)
{
    fresh();
    CHECK_EQ(put("net1.dhcp", "filename", "one"), 0);
    CHECK_STR(get("filename"), "one"); // no other has it
    CHECK_EQ(put("net0.proxydhcp", "filename", "proxy"), 0);
    CHECK_STR(get("filename"), "proxy"); // the current card's first
    CHECK_EQ(put("net0", "filename", "card"), 0);
    CHECK_STR(get("filename"), "card");
    CHECK_EQ(put("", "filename", "script"), 0);
    CHECK_STR(get("filename"), "script");
    CHECK_STR(get("net0/filename"), "card");
    CHECK_STR(get("net1/filename"), "one");
    CHECK_STR(get("netX/filename"), "card");
    CHECK_STR(get("net0.proxydhcp/filename"), "proxy");
    CHECK_STR(get("net/filename"), "(none)"); // no scope by half a name
    settings_use(&s, "net1");
    CHECK_STR(get("netX/filename"), "one");
    CHECK_EQ(settings_set(&s, "netX/filename", "new"), 0);
    CHECK_STR(get("net1/filename"), "new");
    CHECK_STR(get("net1.dhcp/filename"), "one");
    CHECK_EQ(settings_show(&s, "net1/67", buf, sizeof buf), 26);
    CHECK_STR(buf, "net1/filename:string = new");
    CHECK_EQ(settings_clear(&s, "net1/"), 0); // with all below
    CHECK_STR(get("net1/filename"), "(none)");
    CHECK_EQ(settings_clear(&s, "net1/"), ERR_NOT_FOUND);
    CHECK_EQ(settings_clear(&s, "filename"), 0);
    CHECK_STR(get("filename"), "card");
    CHECK_EQ(settings_clear(&s, "filename"), ERR_NOT_FOUND); // the script's own is gone already
}

TEST(names)
{
    fresh();
    static const char *const bad[] = { "a b", "a/b/c", "x:nonsense", "a:b:hex", "${x}", "a\n", "", "/", "net0/" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int rc = settings_set(&s, bad[i], "1");
        if (rc != ERR_INVALID)
            printf("  '%s': %d\n", bad[i], rc);
        CHECK_EQ(rc, ERR_INVALID);
    }
    char longer[100];
    memset(longer, 'x', 99);
    longer[99] = 0;
    CHECK_EQ(settings_set(&s, longer, "1"), ERR_INVALID);
    CHECK_EQ(put(longer, "a", "1"), ERR_INVALID);
    CHECK_EQ(settings_put(&s, "", "", SETTING_STRING, "x", 1), ERR_INVALID);
    CHECK_EQ(settings_put(&s, "", "a", SETTING_TYPES, "x", 1), ERR_INVALID);
    CHECK_STR(get(""), "(none)");
    CHECK_STR(get(longer), "(bad)");
}

TEST(dhcp_options)
{
    fresh();
    CHECK_EQ(settings_put(&s, "net0.dhcp", "67", SETTING_STRING, "boot\0", 5), 0);
    CHECK_STR(get("filename"), "boot");
    CHECK_STR(get("67"), "boot");
    CHECK_STR(get("67:hex"), "62:6f:6f:74:00");
    const uint8_t encapsulated[] = { 6, 2, 0xab, 0xcd, 0,
                                     80, 8, '1', '0', '.', '9', '.', '8', '.', '7',
                                     82, 5, '2', '0', '5', '3', '0', 255, 9, 1, 1 };
    CHECK_EQ(settings_put(&s, "net0.dhcp", "175", SETTING_STRING, encapsulated, sizeof encapsulated), 0);
    CHECK_STR(get("175.6:hexraw"), "abcd");
    CHECK_STR(get("net0/175.6:uint16"), "0xabcd");
    CHECK_STR(get("p2-server"), "10.9.8.7");
    CHECK_STR(get("net0/175.80"), "10.9.8.7");
    CHECK_STR(get("p2-port"), "20530");
    CHECK_STR(get("p2-name"), "(none)");
    CHECK_STR(get("175.9:hex"), "(none)"); // behind the end
    CHECK_STR(get("175.7"), "(none)");
    CHECK_EQ(settings_put(&s, "net0.dhcp", "175", SETTING_STRING, "\x50\x04\x0a\x00\x00\x09\x51\x04host", 12), 0);
    CHECK_STR(get("p2-server"), "10.0.0.9"); // an address in four bytes
    CHECK_STR(get("p2-name"), "host");
    CHECK_EQ(settings_put(&s, "net0.dhcp", "175", SETTING_STRING, "\x50\x04host", 6), 0);
    CHECK_STR(get("p2-server"), "host");
    CHECK_EQ(settings_set(&s, "p2-server", "here"), 0);
    CHECK_STR(get("p2-server"), "here");
    CHECK_STR(get("175.80"), "here");
    CHECK_EQ(settings_put(&s, "net0.dhcp", "175", SETTING_STRING, "\x06\x09x", 3), 0); // cut off
    CHECK_STR(get("175.6"), "(none)");
    enum setting_type type;
    CHECK_EQ(setting_dhcp_number("filename", &type), 67);
    CHECK_EQ(setting_dhcp_number("1", &type), 1);
    CHECK_EQ(type, SETTING_IPV4);
    CHECK_EQ(setting_dhcp_number("209", &type), 209);
    CHECK_EQ(type, SETTING_STRING);
    CHECK_EQ(setting_dhcp_number("mac", &type), -1);
    CHECK_EQ(type, SETTING_HEX);
    CHECK_EQ(setting_dhcp_number("255", &type), -1);
    CHECK_EQ(setting_dhcp_number("p2-port", &type), -1);
    CHECK_EQ(setting_dhcp_number("26", &type), 26);
    CHECK_EQ(type, SETTING_INT16);
    CHECK_EQ(settings_put_text(&s, "net0.dhcp", "67", ""), 0);
    CHECK_STR(get("filename"), "(none)");
}

TEST(set_reads_by_type)
{
    fresh();
    CHECK_EQ(settings_set(&s, "net0/ip", "10.0.0.5"), 0);
    CHECK_STR(get("ip:hex"), "0a:00:00:05");
    CHECK_STR(get("net0/ip"), "10.0.0.5");
    CHECK_EQ(settings_set(&s, "net0/ip", "10.0.0.256"), ERR_INVALID);
    CHECK_STR(get("net0/ip"), "10.0.0.5");
    CHECK_EQ(settings_set(&s, "n:int32", "7"), 0);
    CHECK_EQ(settings_update(&s, "n", "-8"), 0); // stays a number
    CHECK_STR(get("n:hex"), "ff:ff:ff:f8");
    CHECK_STR(get("n"), "-8");
    CHECK_EQ(settings_update(&s, "n", "eight"), ERR_INVALID);
    // Without a type it is a text again, as in iPXE (measured: int32 13362, hex 34:32).
    CHECK_EQ(settings_set(&s, "n", "42"), 0);
    CHECK_STR(get("n"), "42");
    CHECK_STR(get("n:int32"), "13362");
    CHECK_STR(get("n:hex"), "34:32");
    CHECK_EQ(settings_set(&s, "n:int32", "7"), 0);
    CHECK_EQ(settings_set(&s, "n", "abc"), 0);
    CHECK_STR(get("n"), "abc");
    CHECK_EQ(settings_set(&s, "n", ""), 0);
    CHECK_STR(get("n"), "(none)");
    CHECK_EQ(settings_set(&s, "n", "eight"), 0);
    CHECK_STR(get("n"), "eight");
    CHECK_EQ(settings_set(&s, "x:nonsense", "1"), ERR_INVALID);
    const uint8_t *data;
    size_t len;
    enum setting_type type;
    CHECK_EQ(settings_find(&s, "net0/ip", &data, &len, &type), 0);
    CHECK(len == 4, type == SETTING_IPV4, data[3] == 5);
}

static const char *formatted(enum setting_type type, const void *data, size_t len)
{
    int n = setting_format(type, data, len, buf, sizeof buf);
    return n == (int)strlen(buf) ? buf : "(bad)";
}

// Text and bytes of each type, there and back.
TEST(types)
{
    static const struct {
        const char *type, *text, *bytes;
        size_t len;
    } table[] = {
        { "string", "a b", "a b", 3 },
        { "uristring", "a%20b%2F%FF", "a b/\xff", 5 },
        { "ipv4", "192.0.2.1", "\xc0\x00\x02\x01", 4 },
        { "ipv6", "2001:db8::1", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16 },
        { "hex", "52:54:00", "\x52\x54\x00", 3 },
        { "hexhyp", "52-54-ff", "\x52\x54\xff", 3 },
        { "hexraw", "5254ff", "\x52\x54\xff", 3 },
        { "base64", "YWJjZA==", "abcd", 4 },
        { "base64", "YWJjZGU=", "abcde", 5 },
        { "base64", "YWJj", "abc", 3 },
        { "int8", "-5", "\xfb", 1 },
        { "int16", "-2", "\xff\xfe", 2 },
        { "int32", "-2147483648", "\x80\x00\x00\x00", 4 },
        { "uint8", "0xff", "\xff", 1 },
        { "uint16", "0xffff", "\xff\xff", 2 },
        { "uint32", "0xffffffff", "\xff\xff\xff\xff", 4 },
        { "uuid", "00112233-4455-6677-8899-aabbccddeeff", "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16 },
        { "guid", "33221100-5544-7766-8899-aabbccddeeff", "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        enum setting_type type;
        uint8_t bytes[64];
        CHECK_EQ(setting_type_by_name(table[i].type, strlen(table[i].type), &type), 0);
        CHECK_STR(setting_type_name(type), table[i].type);
        CHECK_STR(formatted(type, table[i].bytes, table[i].len), table[i].text);
        CHECK_EQ(setting_parse(type, table[i].text, bytes, sizeof bytes), table[i].len);
        CHECK(memcmp(bytes, table[i].bytes, table[i].len) == 0);
        // Room for one byte less, in both directions.
        CHECK_EQ(setting_parse(type, table[i].text, bytes, table[i].len - 1), ERR_TOO_LARGE);
        CHECK_EQ(setting_format(type, (const uint8_t *)table[i].bytes, table[i].len, buf, strlen(table[i].text)), ERR_TOO_LARGE);
    }
    enum setting_type type;
    CHECK_EQ(setting_type_by_name("hexx", 4, &type), ERR_NOT_FOUND);
    CHECK_STR(setting_type_name((enum setting_type)77), "?");
}

TEST(odd_values)
{
    CHECK_STR(formatted(SETTING_STRING, "a\nb\x1b[c\0\0", 8), "a?b?[c");
    CHECK_STR(formatted(SETTING_INT32, "\xff", 1), "-1"); // a short one keeps its sign
    CHECK_STR(formatted(SETTING_UINT32, "\xff", 1), "0xff");
    CHECK_STR(formatted(SETTING_UINT8, "\x01\x02\x03", 3), "0x10203"); // all bytes, as in iPXE
    CHECK_STR(formatted(SETTING_INT8, "\xff\xfe", 2), "-2");
    CHECK_EQ(setting_format(SETTING_INT32, (const uint8_t *)"12345", 5, buf, sizeof buf), ERR_INVALID);
    CHECK_STR(formatted(SETTING_STRING, "ab\0cd", 5), "ab");
    CHECK_STR(formatted(SETTING_URISTRING, "a b/c?d=e&f#g%h+i~j\"k\0l", 24), "a%20b%2Fc%3Fd%3De%26f%23g%25h+i~j\"k");
    CHECK_STR(formatted(SETTING_BUSDEVFN, "\x00\x18", 2), "0000:00:03.0");
    CHECK_STR(formatted(SETTING_BUSDEVFN, "\x00\x01\x12\x34", 4), "0001:12:06.4");
    CHECK_EQ(setting_format(SETTING_BUSDEVFN, (const uint8_t *)"12345", 5, buf, sizeof buf), ERR_INVALID);
    CHECK_STR(formatted(SETTING_HEX, "", 0), "");
    CHECK_STR(formatted(SETTING_IPV4, "\x01\x02\x03\x04\x05\x06\x07\x08", 8), "1.2.3.4");
    CHECK_EQ(setting_format(SETTING_IPV4, (const uint8_t *)"abc", 3, buf, sizeof buf), ERR_INVALID);
    CHECK_EQ(setting_format(SETTING_UUID, (const uint8_t *)"abc", 3, buf, sizeof buf), ERR_INVALID);
    CHECK_EQ(setting_format(SETTING_INT8, (const uint8_t *)"", 0, buf, sizeof buf), ERR_INVALID);
    CHECK_EQ(setting_format(SETTING_STRING, (const uint8_t *)"", 0, buf, 0), ERR_TOO_LARGE);
    static const struct {
        enum setting_type type;
        const char *text;
    } bad[] = {
        { SETTING_INT8, "" }, { SETTING_INT8, "-" }, { SETTING_INT8, "1x" }, { SETTING_HEX, "0:1:a" }, { SETTING_BUSDEVFN, "0000:00:03.0" },
        { SETTING_HEX, "5" "2:5g" }, { SETTING_HEX, "52:" }, { SETTING_HEX, ":52" }, { SETTING_HEX, "5254" },
        { SETTING_HEXRAW, "525" }, { SETTING_HEXRAW, "52:54" }, { SETTING_BASE64, "YWJ" }, { SETTING_BASE64, "YW=J" },
        { SETTING_BASE64, "Y!==" }, { SETTING_UUID, "00112233-4455-6677-8899-aabbccddeef" },
        { SETTING_UUID, "00112233-4455-6677-8899-aabbccddeeff0" }, { SETTING_UUID, "0011223344556677-8899-aabbccddeeff" },
        { SETTING_UUID, "" }, { SETTING_IPV4, "::1" }, { SETTING_IPV6, "1.2.3.4" }, { SETTING_IPV4, "1.2.3" },
        { SETTING_TYPES, "1" },
    };
    uint8_t bytes[64];
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int rc = setting_parse(bad[i].type, bad[i].text, bytes, sizeof bytes);
        if (rc != ERR_INVALID)
            printf("  %s %s: %d\n", setting_type_name(bad[i].type), bad[i].text, rc);
        CHECK_EQ(rc, ERR_INVALID);
    }
    // Numbers that are too large lose what does not fit, as in iPXE.
    CHECK_EQ(setting_parse(SETTING_UINT8, "258", bytes, sizeof bytes), 1);
    CHECK_EQ(bytes[0], 2);
    CHECK_EQ(setting_parse(SETTING_INT16, "-65537", bytes, sizeof bytes), 2);
    CHECK(bytes[0] == 0xff, bytes[1] == 0xff);
    CHECK_EQ(setting_parse(SETTING_URISTRING, "a%zz%4", bytes, sizeof bytes), 6);
    CHECK(memcmp(bytes, "a%zz%4", 6) == 0);
}

TEST(a_full_store)
{
    fresh();
    static uint8_t value[SETTINGS_VALUE_MAX + 1];
    char name[16];
    unsigned n = 0;
    CHECK_EQ(settings_put(&s, "", "big", SETTING_HEX, value, SETTINGS_VALUE_MAX + 1), ERR_TOO_LARGE);
    for (int rc = 0; rc == 0; n++) {
        snprintf(name, sizeof name, "v%u", n);
        value[0] = (uint8_t)n;
        rc = settings_put(&s, "net0", name, SETTING_HEX, value, SETTINGS_VALUE_MAX);
        CHECK(rc == 0 || rc == ERR_NO_MEMORY);
    }
    CHECK_EQ(n, SETTINGS_ARENA_DEFAULT / (8 + 4 + 2 + SETTINGS_VALUE_MAX) + 1);
    // A longer value for what is there: refused, and the old one stays.
    CHECK_EQ(settings_put(&s, "net0", "v0", SETTING_HEX, value, 1), 0);
    CHECK_EQ(settings_put(&s, "net0", "w", SETTING_HEX, value, SETTINGS_VALUE_MAX), 0);
    CHECK_EQ(settings_put(&s, "", "pad", SETTING_HEX, value, MIN(s.cap - s.used - 8 - 3, (size_t)900)), 0);
    CHECK_EQ(settings_put(&s, "net0", "v0", SETTING_HEX, value, SETTINGS_VALUE_MAX), ERR_NO_MEMORY);
    CHECK_STR(get("net0/v0"), "0f");
    // Walking finds each once.
    size_t pos = 0, len, count = 0;
    char found[SETTINGS_NAME_MAX];
    enum setting_type type;
    const uint8_t *data;
    while (settings_next(&s, &pos, found, &type, &data, &len))
        count++;
    CHECK(count >= n);
    CHECK_EQ(settings_clear(&s, "net0/"), 0);
    CHECK_EQ(settings_clear(&s, "pad"), 0);
    CHECK_EQ(s.used, 0);
}

TEST_MAIN(T(scopes), T(names), T(dhcp_options), T(set_reads_by_type), T(types), T(odd_values), T(a_full_store))
