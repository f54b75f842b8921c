// SPDX-License-Identifier: MPL-2.0
// See wire.h.
#include "bios/doortest/wire.h"

#include "base/bytes.h"
#include "base/fmt.h"

#define ARP_WAIT_US 3000000

const struct platform *pl;
struct card *card;
uint8_t own_ip[4], server_ip[4], own_mac[6];

void say(const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    fmt_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pl->console_write(pl->ctx, text, strlen(text));
}

static uint8_t server_mac[6];

static void ethernet(uint8_t *f, const uint8_t *to, uint16_t type)
{
    memcpy(f, to, 6);
    memcpy(f + 6, own_mac, 6);
    store16_be(f + 12, type);
}

bool arp(void)
{
    uint8_t f[FRAME_MAX] = { 0 };
    static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
    uint64_t start = pl->now_us(NULL), sent = 0;
    bool first = true;
    while (pl->now_us(NULL) - start < ARP_WAIT_US) {
        if (first || pl->now_us(NULL) - sent > 500000) {
            memset(f, 0, 64);
            ethernet(f, all, 0x0806);
            store16_be(f + 14, 1);
            store16_be(f + 16, 0x0800);
            store16_be(f + 18, 0x0604);
            store16_be(f + 20, 1);
            memcpy(f + 22, own_mac, 6);
            memcpy(f + 28, own_ip, 4);
            memcpy(f + 38, server_ip, 4);
            if (card_send(card, f, 60) != 0)
                say("arp: send failed\n");
            sent = pl->now_us(NULL);
            first = false;
        }
        uint8_t *in;
        int n = card_receive(card, &in);
        if (n >= 42 && load16_be(in + 12) == 0x0806 && load16_be(in + 20) == 2 && memcmp(in + 28, server_ip, 4) == 0) {
            memcpy(server_mac, in + 22, 6);
            say("arp: answered after %u us\n", (uint32_t)(pl->now_us(NULL) - sent));
            return true;
        }
        if (n == 0)
            pl->idle(NULL, UINT64_MAX);
    }
    return false;
}

static uint16_t ip_sum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i += 2)
        sum += load16_be(p + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

int send_udp(const char *text)
{
    uint8_t f[128] = { 0 };
    size_t len = strlen(text);
    ethernet(f, server_mac, 0x0800);
    uint8_t *ip = f + 14, *udp = ip + 20;
    ip[0] = 0x45;
    store16_be(ip + 2, (uint16_t)(28 + len));
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, own_ip, 4);
    memcpy(ip + 16, server_ip, 4);
    store16_be(ip + 10, ip_sum(ip, 20));
    store16_be(udp, 4444);
    store16_be(udp + 2, FLOOD_PORT);
    store16_be(udp + 4, (uint16_t)(8 + len));
    memcpy(udp + 8, text, len);
    return card_send(card, f, MAX(14 + 28 + len, (size_t)60));
}
