// SPDX-License-Identifier: MPL-2.0
// UDP functions of the PXE API (section 3.4). A local port is heard from the first call on that names it. The datagrams that come wait
// here, a few of them: programs that have no more than this poll for each.
#include "proto/pxe_api_parts.h"

unsigned pxe_api_udp_close(struct pxe_api *a, void *block)
{
    for (unsigned i = 0; i < PXE_API_PORTS; i++) {
        pxe_api_world.close(i);
        a->ports[i] = 0;
    }
    a->datagram_count = 0;
    a->udp_open = false;
    return PXE_SUCCESS;
}

// Is it the firmware's address, or none named?
static bool is_ours(const struct pxe_api *a, const uint8_t ip[4])
{
    return !load32_le(ip) || load32_le(ip) == load32_le(a->self.ip);
}

// A program cannot have another address. Whoever finds it open begins anew.
unsigned pxe_api_udp_open(struct pxe_api *a, void *block)
{
    if (!is_ours(a, ((const struct pxe_udp_open *)block)->ip))
        return PXE_UNSUPPORTED;
    (void)pxe_api_udp_close(a, NULL);
    a->udp_open = true;
    return PXE_SUCCESS;
}

// The socket of a local port: 0, or why there is none.
static unsigned find_socket(struct pxe_api *a, uint16_t port, unsigned *ret)
{
    if (!a->udp_open)
        return PXE_UDP_CLOSED;
    for (*ret = 0; *ret < PXE_API_PORTS; (*ret)++)
        if (a->ports[*ret] == port)
            return PXE_SUCCESS;
    *ret = a->port_next++ % PXE_API_PORTS;
    a->ports[*ret] = port;
    if (pxe_api_world.listen(*ret, port))
        return PXE_SUCCESS;
    a->ports[*ret] = 0;
    return PXE_OUT_OF_RESOURCES;
}

unsigned pxe_api_udp_write(struct pxe_api *a, void *block)
{
    const struct pxe_udp_write *b = block;
    uint16_t port = load16_be(b->from_port);
    unsigned socket;
    unsigned status = find_socket(a, port ? port : PXE_UDP_PORT, &socket);
    if (status)
        return status;
    struct net_addr to = net_addr_v4(b->ip, load16_be(b->to_port));
    return b->size > sizeof a->out || pxe_api_copy(pxe_api_address(&b->buffer), a->out, b->size, false) ||
                   pxe_api_world.send(socket, &to, a->out, b->size)
               ? PXE_FAILURE
               : PXE_SUCCESS;
}

static void drop(struct pxe_api *a, unsigned i)
{
    a->datagram_count--;
    memmove(&a->datagrams[i], &a->datagrams[i + 1], (a->datagram_count - i) * sizeof a->datagrams[0]);
}

void pxe_api_datagram(struct pxe_api *a, unsigned socket, const struct net_addr *from, const uint8_t *data, size_t len)
{
    if (socket == PXE_API_TFTP) {
        tftp_input(&a->tftp, from, data, len, pxe_api_world.now());
        return;
    }
    if (len > PXE_API_DATAGRAM_MAX)
        return;
    if (a->datagram_count == PXE_API_DATAGRAMS)
        drop(a, 0);
    struct pxe_api_datagram *d = &a->datagrams[a->datagram_count++];
    d->port = a->ports[socket];
    d->from = *from;
    d->len = (uint16_t)len;
    memcpy(d->data, data, len);
}

// The oldest datagram to that port (0: to any).
static unsigned read_datagram(struct pxe_api *a, struct pxe_udp_read *b, uint16_t port)
{
    unsigned i = 0;
    while (i < a->datagram_count && port && a->datagrams[i].port != port)
        i++;
    if (i == a->datagram_count)
        return PXE_FAILURE;
    struct pxe_api_datagram *d = &a->datagrams[i];
    b->size = MIN(b->size, d->len);
    memcpy(b->from_ip, d->from.ip + 12, 4);
    memcpy(b->to_ip, a->self.ip, 4);
    store16_be(b->from_port, d->from.port);
    store16_be(b->to_port, d->port);
    unsigned status = pxe_api_put(&b->buffer, d->data, b->size);
    drop(a, i);
    return status;
}

// The stack does not tell where a datagram was sent to: what came counts as sent to our address.
unsigned pxe_api_udp_read(struct pxe_api *a, void *block)
{
    struct pxe_udp_read *b = block;
    uint16_t port = load16_be(b->to_port);
    unsigned socket;
    unsigned status = port ? find_socket(a, port, &socket) : a->udp_open ? PXE_SUCCESS : PXE_UDP_CLOSED;
    if (!status && !is_ours(a, b->to_ip))
        status = PXE_FAILURE;
    if (status || !read_datagram(a, b, port))
        return status;
    pxe_api_world.turn();
    return read_datagram(a, b, port);
}
