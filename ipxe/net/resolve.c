// SPDX-License-Identifier: MPL-2.0
// Host names to addresses, by lwIP's DNS client. One look-up at a time; one that was given up may still be answered.
#include "net/port.h"

#include "base/fmt.h"
#include "lwip/dns.h"
#include "lwip/prot/dns.h"
#include "lwip/udp.h"

#define RCODE_REFUSED 5

_Static_assert(NET_ADDRESSES_MAX == DNS_MAX_FOUND, "what lwIP keeps of an answer");

static struct {
    char name[DNS_MAX_NAME_LENGTH]; // "": none
    bool v6;
    uintptr_t number; // what an answer has to bring: late ones for other names have an older one
    bool busy, refused;
    bool refusing; // lwIP hears just now that a server refuses
    unsigned count;
    struct net_addr addrs[NET_ADDRESSES_MAX];
} lookup;

// lwIP, whose port this is, hears it as the server's own refusal (RFC 1035 4.1.1, RCODE 5), for it knows no ICMP: it compares number,
// server and name with what it asked for and turns to the next server. A quote without the question says too little.
static void refused(const struct net_addr *to, uint16_t port, const uint8_t *sent, size_t len)
{
    struct udp_pcb *pcb = udp_pcbs;
    while (pcb && pcb->local_port != port)
        pcb = pcb->next;
    struct pbuf *p = pcb && to->port == DNS_SERVER_PORT && len > SIZEOF_DNS_HDR ? pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM) : NULL;
    if (!p)
        return;
    uint8_t *answer = p->payload;
    memcpy(answer, sent, len);
    answer[2] |= DNS_FLAG1_RESPONSE;
    answer[3] = RCODE_REFUSED;
    ip_addr_t server;
    net_to_lwip(to, &server);
    lookup.refusing = true;
    pcb->recv(pcb->recv_arg, pcb, p, &server, to->port);
    lookup.refusing = false;
}

void net_forget_lookup(void)
{
    lookup.name[0] = 0;
    net_udp_on_lwip_refusal(refused);
}

// Behind the last address is one that is "any" (patches/lwip).
static void resolved(const char *name, const ip_addr_t *ip, void *number)
{
    if ((uintptr_t)number != lookup.number)
        return;
    lookup.busy = false;
    net_port_ended();
    lookup.refused = lookup.refusing;
    lookup.count = 0;
    for (; ip && lookup.count < NET_ADDRESSES_MAX && !ip_addr_isany(ip); ip++)
        lookup.addrs[lookup.count++] = net_from_lwip(ip, 0, NULL);
}

static void look_up(const char *name, bool v6)
{
    ip_addr_t ip[2] = { 0 };
    net_forget_closed_dns();
    void *number = (void *)++lookup.number;
    fmt_snprintf(lookup.name, sizeof lookup.name, "%s", name);
    lookup.v6 = v6;
    lookup.busy = true;
    err_t err = dns_gethostbyname_addrtype(lookup.name, ip, resolved, number, v6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4);
    if (err != ERR_INPROGRESS)
        resolved(name, err == ERR_OK ? ip : NULL, number);
}

int net_resolve(const char *name, bool v6, struct net_addr ret[NET_ADDRESSES_MAX])
{
    if (strlen(name) >= sizeof lookup.name)
        return ERR_DNS_FAILED;
    if (!lookup.name[0] || strcmp(lookup.name, name) != 0 || lookup.v6 != v6)
        look_up(name, v6);
    if (lookup.busy)
        return PENDING;
    lookup.name[0] = 0;
    memcpy(ret, lookup.addrs, lookup.count * sizeof *ret);
    return lookup.count ? (int)lookup.count : lookup.refused ? ERR_CONN_REFUSED : ERR_DNS_FAILED;
}
