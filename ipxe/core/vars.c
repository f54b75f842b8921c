// SPDX-License-Identifier: MPL-2.0
// Settings as scripts see them: the store, filled with what the platform, the cards and DHCP know.
#include "core/network.h"
#include "core/vars.h"

#include "base/fmt.h"
#include "base/version.h"
#include "image/smbios.h"
#include "net/net.h"

// Of a card's MTU and the lease's the one counts that was stored first, and what a person sets (net0/mtu) before both.
static void put_mtu(struct core *core, unsigned nic, uint16_t mtu)
{
    char scope[16];
    const uint8_t value[2] = { (uint8_t)(mtu >> 8), (uint8_t)mtu };
    fmt_snprintf(scope, sizeof scope, "net%u.card", nic);
    (void)settings_put(&core->settings, scope, "mtu", SETTING_INT16, value, sizeof value);
}

static void put_card(struct core *core, unsigned nic)
{
    char scope[16];
    const struct card_info *info = net_nic(nic);
    fmt_snprintf(scope, sizeof scope, "net%u", nic);
    (void)settings_put(&core->settings, scope, "mac", SETTING_HEX, info->mac, sizeof info->mac);
    (void)settings_put_text(&core->settings, scope, "chip", info->chip);
    (void)settings_put_text(&core->settings, scope, "driver", info->driver);
    (void)settings_put_text(&core->settings, scope, "linktype", "Ethernet");
    (void)settings_put_text(&core->settings, scope, "ifname", scope);
    put_mtu(core, nic, info->mtu);
}

#define SMBIOS_UUID_FIELD "1.8.16"

// Facts that are worked out when somebody asks: the running script's own URI, a field of the SMBIOS tables by its number.
static void look(struct core *core, const char *name)
{
    static char text[URI_TEXT_MAX];
    const struct platform *p = core->platform;
    char bare[SETTINGS_NAME_MAX];
    const char *colon = strchr(name, ':');
    size_t table_len, len = colon ? (size_t)(colon - name) : strlen(name);
    if (strncmp(name, "cwuri", 5) == 0 || strncmp(name, "builtin/cwuri", 13) == 0)
        (void)settings_put_text(&core->settings, "builtin", "cwuri", core->base && uri_format(core->base, text, sizeof text) > 0 ? text : NULL);
    if (strncmp(name, "smbios/", 7) != 0 || len <= 7 || len >= sizeof bare || !p->smbios_table)
        return;
    fmt_snprintf(bare, sizeof bare, "%.*s", (int)(len - 7), name + 7);
    const uint8_t *table = p->smbios_table(p->ctx, &table_len), *field;
    int n = table ? smbios_field(table, table_len, bare, &field) : ERR_NOT_FOUND;
    uint8_t uuid[16];
    enum setting_type type;
    size_t uuid_len;
    const uint8_t *found;
    if (n == sizeof uuid && strcmp(bare, SMBIOS_UUID_FIELD) == 0 && settings_find(&core->settings, "smbios/uuid", &found, &uuid_len, &type) == 0 &&
        uuid_len == sizeof uuid)
        field = memcpy(uuid, found, sizeof uuid); // in network order, as iPXE gives it
    if (n > 0)
        (void)settings_put(&core->settings, "smbios", bare, SETTING_STRING, field, (size_t)n);
}

static int get(void *ctx, const char *name, char *buf, size_t cap)
{
    look(ctx, name);
    return settings_get(&((struct core *)ctx)->settings, name, buf, cap);
}

// What the machine says of itself is not to be set, as in iPXE.
static bool is_fact(const char *name)
{
    return strncmp(name, "builtin/", 8) == 0 || strncmp(name, "smbios/", 7) == 0;
}

static int set(void *ctx, const char *name, const char *text)
{
    int err = is_fact(name) ? ERR_UNSUPPORTED : settings_set(&((struct core *)ctx)->settings, name, text);
    core_apply_addresses(ctx);
    return err;
}

static int update(void *ctx, const char *name, const char *text)
{
    return settings_update(&((struct core *)ctx)->settings, name, text);
}

static int clear(void *ctx, const char *name)
{
    int err = is_fact(name) ? ERR_UNSUPPORTED : settings_clear(&((struct core *)ctx)->settings, name);
    for (unsigned nic = 0; nic < net_nic_count() && strchr(name, '/'); nic++)
        put_card(ctx, nic); // `clear net0/` takes what was set and what was leased, and the card stays what it is
    core_apply_addresses(ctx);
    return err;
}

static int show(void *ctx, const char *name, char *buf, size_t cap)
{
    look(ctx, name);
    return settings_show(&((struct core *)ctx)->settings, name, buf, cap);
}

static void print(void *ctx, const char *text, size_t len)
{
    console_write(text, len);
}

static bool said(void *ctx, int err)
{
    return console_said(err);
}

static void failed(void *ctx, int err)
{
    (void)settings_put_text(&((struct core *)ctx)->settings, "builtin", "errno", err_code(err));
}

// Between two lines of a script: ctrl-C must end an endless loop, and the network must not starve in it.
static int poll(void *ctx)
{
    struct core *core = ctx;
    console_forget();
    net_poll();
    uint64_t now = core_now(core);
    return now >= core->next_key_us ? core_turn(core, 0) : 0;
}

const struct script_ops core_script_ops = { .get = get, .set = set, .update = update, .clear = clear, .show = show,
                                             .print = print, .said = said, .poll = poll,
                                             .failed = failed };

static void put_smbios(struct core *core, const char *name)
{
    const struct platform *p = core->platform;
    const char *text = p->smbios ? p->smbios(p->ctx, name) : NULL;
    if (text && *text)
        (void)settings_put_text(&core->settings, "smbios", name, text);
}

void core_settings_init(struct core *core)
{
    static uint8_t arena[SETTINGS_ARENA_DEFAULT];
    settings_init(&core->settings, arena, sizeof arena);
    settings_use(&core->settings, "net0");
    (void)settings_put_text(&core->settings, "builtin", "version", signet_version);
    (void)settings_put_text(&core->settings, "builtin", "platform", core->platform->name);
    (void)settings_put_text(&core->settings, "builtin", "buildarch", core->platform->buildarch);
    static const char *const smbios[] = { "manufacturer", "product", "serial", "asset", "board-serial" };
    for (size_t i = 0; i < ARRAY_SIZE(smbios); i++)
        put_smbios(core, smbios[i]);
    const struct platform *p = core->platform;
    const char *uuid = p->smbios ? p->smbios(p->ctx, "uuid") : NULL;
    uint8_t bytes[16];
    if (uuid && setting_parse(SETTING_UUID, uuid, bytes, sizeof bytes) == (int)sizeof bytes)
        (void)settings_put(&core->settings, "smbios", "uuid", SETTING_UUID, bytes, sizeof bytes);
    for (unsigned nic = 0; nic < net_nic_count(); nic++)
        put_card(core, nic);
}

// Every option of the answer by its number, with its natural type; pieces joined, empty ones left out.
static void put_options(struct core *core, const char *scope, const struct dhcp_lease *lease)
{
    uint8_t value[DHCP_OPTION_MAX], code;
    bool done[256] = { false };
    size_t pos = 0, piece_len;
    const uint8_t *piece;
    while (dhcp_option_next(lease->packet, lease->packet_len, &pos, &code, &piece, &piece_len)) {
        int len = done[code] ? 0 : dhcp_option(lease->packet, lease->packet_len, code, -1, value, sizeof value);
        done[code] = true;
        if (len <= 0)
            continue;
        char name[8];
        enum setting_type type;
        fmt_snprintf(name, sizeof name, "%u", code);
        (void)setting_dhcp_number(name, &type);
        (void)settings_put(&core->settings, scope, name, type, value, (size_t)len);
    }
}

// What an answer says, under `scope`.
static void put_answer(struct core *core, const char *scope, const struct dhcp_lease *answer)
{
    put_options(core, scope, answer);
    const struct {
        const char *name;
        const uint8_t *ip;
    } addresses[] = { { "ip", answer->ip },
                      { "netmask", answer->mask },
                      { "gateway", answer->gateway },
                      { "next-server", answer->next_server },
                      { "dhcp-server", answer->server_id } };
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        if (!net_ip4_is_none(addresses[i].ip))
            (void)settings_put(&core->settings, scope, addresses[i].name, SETTING_IPV4, addresses[i].ip, 4);
        else
            (void)settings_put_text(&core->settings, scope, addresses[i].name, NULL);
    }
    (void)settings_put_text(&core->settings, scope, "search", answer->search);
    (void)settings_put_text(&core->settings, scope, "filename", answer->filename);
    (void)settings_put_text(&core->settings, scope, "root-path", answer->root_path);
}

void core_settings_forget(struct core *core, unsigned nic)
{
    char scope[16];
    fmt_snprintf(scope, sizeof scope, "net%u.dhcp/", nic);
    (void)settings_clear(&core->settings, scope);
    fmt_snprintf(scope, sizeof scope, "net%u.dhcp6/", nic);
    (void)settings_clear(&core->settings, scope);
}

void core_settings_lease(struct core *core, unsigned nic, const struct dhcp_lease *lease, const struct dhcp_lease *proxy)
{
    char card[8], scope[16];
    uint16_t most = net_nic(nic)->mtu;
    core_settings_forget(core, nic); // nothing of an earlier lease stays
    (void)settings_clear(&core->settings, "proxydhcp/");
    fmt_snprintf(card, sizeof card, "net%u", nic);
    fmt_snprintf(scope, sizeof scope, "%s.dhcp", card);
    put_answer(core, scope, lease);
    if (proxy && proxy->packet_len)
        put_answer(core, "proxydhcp", proxy);
    if (!lease->mtu || lease->mtu > most)
        (void)settings_put_text(&core->settings, scope, "mtu", NULL); // one that no link has, or not this card
    put_mtu(core, nic, most); // behind the lease's
    settings_use(&core->settings, card);
    core_apply_addresses(core);
}
