// SPDX-License-Identifier: MPL-2.0
// The stack as a whole: what starts it, and what keeps it going.
#include "net/port.h"

#include "base/div.h"

#include "lwip/init.h"
#include "lwip/timeouts.h"

#define FRAMES_PER_POLL 64 // then timers get their turn

// Nothing is open and nothing is known, whatever there was.
static void begin(void)
{
    lwip_init(); // begins from nothing, too (patches/lwip)
    net_frames_init();
    net_answer_to(NULL);
    net_udp_init();
    net_tcp_init();
    net_ether_init();
    net_routes_init();
    net_dns_init();
    net_set_search("");
}

int net_start(const struct platform *platform)
{
    net_port_init(platform);
    begin();
    return net_netif_init(platform) ? 0 : ERR_NET_NO_CARD;
}

void net_close_all(void)
{
    net_tcp_end();
    for (unsigned i = 0; i < net_nic_count(); i++)
        net_close(i);
}

void net_stop(void)
{
    net_close_all();
    begin();
    net_netif_init(NULL);
}

uint64_t net_deadline(void)
{
    const struct platform *p = net_port_platform();
    uint32_t ms = sys_timeouts_sleeptime(), into; // of a millisecond, which lwIP counts
    uint64_t now = p->now_us(p->ctx);
    (void)div64_32(now, 1000, &into);
    return ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? UINT64_MAX : now - into + (uint64_t)ms * 1000;
}

unsigned net_poll(void)
{
    unsigned taken = 0;
    struct netif *netif;
    for (unsigned nic = 0; nic < net_nic_count(); nic++)
        for (unsigned i = 0; i < FRAMES_PER_POLL && (netif = net_netif(nic)) && net_take_frame(netif, net_card(nic)); i++)
            taken++;
    sys_check_timeouts();
    return taken + net_port_take_ended();
}
