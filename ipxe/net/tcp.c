// SPDX-License-Identifier: MPL-2.0
// TCP connections over lwIP's raw API, client side only.
#include "net/port.h"

#include "lwip/tcp.h"

#define CONNECTIONS_MAX 4
#define POLL_COARSE 20      // lwIP's coarse timer ticks (500 ms each) between looks at an idle connection
#define IDLE_LOOKS_MAX 3    // looks without a byte before it counts as dead: 30 s

struct net_tcp {
    struct tcp_pcb *pcb;
    net_tcp_receiver *receive;
    void *ctx;
    bool used, connected, busy; // busy: bytes came since the last look
    uint8_t idle_looks;
};

static struct net_tcp connections[CONNECTIONS_MAX];

void net_tcp_init(void)
{
    memset(connections, 0, sizeof connections);
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct net_tcp *tcp = arg;
    tcp->busy = tcp->connected = true;
    // lwIP has just set the window. From here on only what was used up is offered again.
    if (net_rx_limit())
        pcb->rcv_wnd = pcb->rcv_ann_wnd = MIN(pcb->rcv_wnd, net_rx_limit() * TCP_MSS);
    tcp->receive(tcp->ctx, NET_TCP_CONNECTED, NULL, 0, 0);
    return ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct net_tcp *tcp = arg;
    tcp->busy = true;
    if (!p) {
        tcp->receive(tcp->ctx, NET_TCP_CLOSED, NULL, 0, 0);
        return ERR_OK;
    }
    u16_t total = p->tot_len;
    for (struct pbuf *q = p; q && tcp->pcb == pcb; q = q->next) // the receiver may close in the middle
        tcp->receive(tcp->ctx, NET_TCP_DATA, q->payload, q->len, 0);
    if (tcp->pcb == pcb)
        tcp_recved(pcb, total);
    pbuf_free(p);
    return ERR_OK;
}

// lwIP has freed the pcb already.
static void failed(void *arg, err_t err)
{
    struct net_tcp *tcp = arg;
    if (!tcp->used)
        return;
    tcp->pcb = NULL;
    tcp->used = false;
    net_port_ended();
    // lwIP and look() abort what nobody answers.
    tcp->receive(tcp->ctx, NET_TCP_FAILED, NULL, 0, err == ERR_ABRT ? ERR_TIMED_OUT : tcp->connected ? ERR_CONN_RESET : ERR_CONN_REFUSED);
}

static err_t look(void *arg, struct tcp_pcb *pcb)
{
    struct net_tcp *tcp = arg;
    tcp->idle_looks = tcp->busy ? 0 : tcp->idle_looks + 1;
    tcp->busy = false;
    if (tcp->idle_looks < IDLE_LOOKS_MAX)
        return ERR_OK;
    tcp_abort(pcb); // calls failed()
    return ERR_ABRT;
}

int net_tcp_connect(const struct net_addr *to, net_tcp_receiver *receive, void *ctx, struct net_tcp **ret)
{
    struct net_tcp *tcp = NULL;
    ip_addr_t ip;
    *ret = NULL;
    net_to_lwip(to, &ip);
    if (!net_has_source(&ip))
        return ERR_NET_NO_ADDRESS; // lwIP would send from one that gets no answer
    for (unsigned i = 0; i < CONNECTIONS_MAX && !tcp; i++)
        if (!connections[i].used)
            tcp = &connections[i];
    struct tcp_pcb *pcb = tcp ? tcp_new_ip_type(IPADDR_TYPE_ANY) : NULL;
    if (!pcb)
        return ERR_NO_MEMORY;
    *tcp = (struct net_tcp){ .pcb = pcb, .receive = receive, .ctx = ctx, .used = true };
    tcp_arg(pcb, tcp);
    tcp_recv(pcb, received);
    tcp_err(pcb, failed);
    tcp_poll(pcb, look, POLL_COARSE);
    err_t err = tcp_connect(pcb, &ip, to->port, connected);
    bool begun = err == ERR_OK;
    if (begun)
        err = tcp_output(pcb); // tcp_connect does not tell whether the SYN found a way. What else failed is sent again.
    if (!begun || err == ERR_RTE) {
        tcp->used = false;
        tcp_abort(pcb);
        return err == ERR_RTE ? net_route_error(&ip) : net_error(err);
    }
    *ret = tcp;
    return 0;
}

int net_tcp_send(struct net_tcp *tcp, const void *data, size_t len)
{
    // Before, the peer may still name a segment size that is smaller than what lwIP has cut already, which it does not bear.
    if (!tcp->pcb || !tcp->connected || len > UINT16_MAX)
        return ERR_INVALID;
    tcp->busy = true; // a look at a connection that was kept waits for the answer
    err_t err = tcp_write(tcp->pcb, data, (u16_t)len, TCP_WRITE_FLAG_COPY);
    if (err == ERR_OK)
        err = tcp_output(tcp->pcb);
    return net_error(err);
}

void net_tcp_end(void)
{
    for (struct net_tcp *tcp = connections; tcp < connections + CONNECTIONS_MAX; tcp++)
        if (tcp->used) {
            net_tcp_close(tcp);
            tcp->receive(tcp->ctx, NET_TCP_FAILED, NULL, 0, ERR_CONN_RESET);
        }
}

void net_tcp_close(struct net_tcp *tcp)
{
    if (!tcp || !tcp->used)
        return;
    struct tcp_pcb *pcb = tcp->pcb;
    tcp->used = false;
    tcp->pcb = NULL;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    // A peer that does not take the farewell keeps it for minutes: the next connection may have its place.
    tcp_setprio(pcb, TCP_PRIO_MIN);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
}
