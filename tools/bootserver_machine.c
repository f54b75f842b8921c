// SPDX-License-Identifier: MPL-2.0
#include "bootserver_machine.h"

bool machine_same(const struct p2_peer *a, const struct p2_peer *b)
{
    static const uint8_t none[sizeof a->facts.mac];
    return memcmp(a->facts.mac, none, sizeof none) != 0 && memcmp(a->facts.mac, b->facts.mac, sizeof a->facts.mac) == 0 &&
           memcmp(a->facts.uuid, b->facts.uuid, sizeof a->facts.uuid) == 0;
}

bool machine_was_served(const struct p2_server *server, const struct p2_event *event, const struct p2_image *image, bool good)
{
    uint64_t seal = event->peer.sent_seal, payload = event->peer.sent_payload;
    for (uint32_t i = 0; i < server->config.peer_count; i++) {
        const struct p2_peer *p = &server->config.peers[i];
        if (!p->used || !p->validated || p->serial == event->peer.serial || !machine_same(p, &event->peer) ||
            memcmp(p->tag, event->peer.tag, P2_TAG_SIZE) != 0)
            continue;
        seal += p->sent_seal;
        payload += p->sent_payload;
    }
    return good ? payload >= MIN(image->payload_size, (uint64_t)image->chunk_size) : seal >= image->seal_size;
}
