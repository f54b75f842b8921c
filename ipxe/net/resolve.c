// SPDX-License-Identifier: MPL-2.0
// Host names to addresses, by lwIP's DNS client. One look-up at a time; one that was given up may still be answered.
#include "net/port.h"

#include "base/fmt.h"
#include "lwip/dns.h"

static struct {
    char name[DNS_MAX_NAME_LENGTH]; // "": none
    uintptr_t number; // what an answer has to bring: late ones for other names have an older one
    bool busy, found;
    struct net_addr addr;
} lookup;

void net_set_dns(const struct net_addr *servers, unsigned count)
{
    lookup.name[0] = 0;
    for (unsigned i = 0; i < DNS_MAX_SERVERS; i++) {
        ip_addr_t ip;
        if (i < count)
            net_to_lwip(&servers[i], &ip);
        dns_setserver((u8_t)i, i < count ? &ip : NULL);
    }
}

static void resolved(const char *name, const ip_addr_t *ip, void *number)
{
    if ((uintptr_t)number != lookup.number)
        return;
    lookup.busy = false;
    lookup.found = ip != NULL;
    if (ip)
        lookup.addr = net_from_lwip(ip, 0, NULL);
}

int net_resolve(const char *name, struct net_addr *ret)
{
    if (strlen(name) >= sizeof lookup.name)
        return ERR_DNS_FAILED;
    if (!lookup.name[0] || strcmp(lookup.name, name) != 0) {
        ip_addr_t ip;
        void *number = (void *)++lookup.number;
        fmt_snprintf(lookup.name, sizeof lookup.name, "%s", name);
        lookup.busy = true;
        err_t err = dns_gethostbyname_addrtype(lookup.name, &ip, resolved, number, LWIP_DNS_ADDRTYPE_IPV4_IPV6);
        if (err != ERR_INPROGRESS)
            resolved(name, err == ERR_OK ? &ip : NULL, number);
    }
    if (lookup.busy)
        return ERR_TIMED_OUT;
    lookup.name[0] = 0;
    if (!lookup.found)
        return ERR_DNS_FAILED;
    lookup.addr.port = ret->port;
    *ret = lookup.addr;
    return 0;
}
