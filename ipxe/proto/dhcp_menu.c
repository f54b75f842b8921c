// SPDX-License-Identifier: MPL-2.0
// PXE boot menus and who is asked for their items (dhcp.h; PXE 2.1 tables 2-1 and 2-2).
#include "base/cursor.h"
#include "proto/dhcp.h"

enum pxe_option {
    PXE_DISCOVERY = 6, // bits
    PXE_GROUP = 7,     // an address
    PXE_SERVERS = 8,   // type, count, addresses, ...
    PXE_MENU = 9,      // type, length of its text, text, ...
    PXE_PROMPT = 10,   // seconds, text
    PXE_BOOT_ITEM = DHCP_BOOT_ITEM,
};
enum discovery { NO_BROADCAST = 1, NO_MULTICAST = 2, LISTED_ONLY = 4, TAKE_FILE = 8 };

static struct cursor sub_option(const struct dhcp_lease *from, int sub, uint8_t buf[DHCP_OPTION_MAX])
{
    int n = dhcp_option(from->packet, from->packet_len, DHCP_VENDOR_OPTIONS, sub, buf, DHCP_OPTION_MAX);
    return cursor_make(buf, n < 0 ? 0 : (size_t)n);
}

static uint8_t first_byte(const struct dhcp_lease *from, int sub)
{
    uint8_t buf[DHCP_OPTION_MAX];
    struct cursor c = sub_option(from, sub, buf);
    return cursor_u8(&c);
}

bool dhcp_menu_item(const struct dhcp_lease *from, unsigned i, struct dhcp_menu_item *ret)
{
    uint8_t buf[DHCP_OPTION_MAX];
    struct cursor c = sub_option(from, PXE_MENU, buf);
    do {
        ret->type = cursor_u16_be(&c);
        uint8_t len = cursor_u8(&c);
        const uint8_t *text = cursor_bytes(&c, len);
        if (!text)
            return false;
        dhcp_text(ret->text, sizeof ret->text, text, len);
    } while (i--);
    return true;
}

uint8_t dhcp_menu_prompt(const struct dhcp_lease *from, char text[DHCP_MENU_TEXT_MAX])
{
    uint8_t buf[DHCP_OPTION_MAX];
    struct cursor c = sub_option(from, PXE_PROMPT, buf);
    uint8_t seconds = cursor_u8(&c);
    dhcp_text(text, DHCP_MENU_TEXT_MAX, c.data, c.len);
    return cursor_ok(&c) ? seconds : DHCP_MENU_WAITS;
}

bool dhcp_menu_is_there(const struct dhcp_lease *from)
{
    struct dhcp_menu_item item;
    bool takes_file = from->filename[0] && (first_byte(from, PXE_DISCOVERY) & TAKE_FILE);
    return from->pxe && !takes_file && dhcp_menu_item(from, 0, &item);
}

// The servers that are listed for a type: their addresses in *ret, and their number. NULL: the type is not in the list.
static unsigned listed(const struct dhcp_lease *from, uint16_t type, uint8_t buf[DHCP_OPTION_MAX], const uint8_t **ret)
{
    struct cursor c = sub_option(from, PXE_SERVERS, buf);
    while (c.len) {
        uint16_t found = cursor_u16_be(&c);
        uint8_t count = cursor_u8(&c);
        *ret = cursor_bytes(&c, 4u * count);
        if (*ret && found == type)
            return count;
    }
    *ret = NULL;
    return 0;
}

bool dhcp_menu_peer(const struct dhcp_lease *from, uint16_t type, unsigned try, unsigned i, uint8_t ret[4])
{
    uint8_t buf[DHCP_OPTION_MAX], control = first_byte(from, PXE_DISCOVERY);
    const uint8_t *servers;
    unsigned count = listed(from, type, buf, &servers);
    if (i < count) {
        memcpy(ret, servers + 4 * i, 4);
        return true;
    }
    i -= count;
    if ((count && try == 0) || (!servers && (control & LISTED_ONLY)))
        return false;
    struct cursor c = sub_option(from, PXE_GROUP, buf);
    uint32_t group = cursor_u32_be(&c);
    if (!(control & NO_MULTICAST) && group >> 28 == 14 && i-- == 0) { // 224.0.0.0/4
        store32_be(ret, group);
        return true;
    }
    memset(ret, 0xff, 4);
    return !(control & NO_BROADCAST) && i == 0;
}

bool dhcp_menu_accepts(const struct dhcp_lease *from, uint16_t type, const struct dhcp_lease *answer, const uint8_t at[4])
{
    uint8_t buf[DHCP_OPTION_MAX];
    struct cursor c = sub_option(answer, PXE_BOOT_ITEM, buf);
    bool typed = c.len != 0;
    if (!answer->pxe || !answer->filename[0] || (typed && cursor_u32_be(&c) != (uint32_t)type << 16))
        return false;
    const uint8_t *servers;
    unsigned count = listed(from, type, buf, &servers);
    bool is_listed = typed && (count == 0 || !(first_byte(from, PXE_DISCOVERY) & LISTED_ONLY));
    while (count--)
        is_listed |= memcmp(servers + 4 * count, at, 4) == 0 || memcmp(servers + 4 * count, answer->server_id, 4) == 0;
    return is_listed;
}
