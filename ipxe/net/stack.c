// SPDX-License-Identifier: MPL-2.0
// The stack as a whole: what starts it, and what keeps it going.
#include "net/port.h"

#include "lwip/init.h"
#include "lwip/timeouts.h"

#define FRAMES_PER_POLL 64 // then timers get their turn

int net_start(const struct platform *platform)
{
    net_port_init(platform);
    lwip_init();
    net_frames_init();
    return net_netif_init(platform) ? 0 : ERR_NET_NO_CARD;
}

unsigned net_poll(void)
{
    unsigned taken = 0;
    struct netif *netif;
    for (unsigned nic = 0; nic < net_nic_count(); nic++)
        for (unsigned i = 0; i < FRAMES_PER_POLL && (netif = net_netif(nic)) && net_take_frame(netif, net_card(nic)); i++)
            taken++;
    sys_check_timeouts();
    return taken;
}
