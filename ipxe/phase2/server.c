// SPDX-License-Identifier: MPL-2.0
// See server.h. Input is judged here; what it leaves to be done lies in server_peers.c's queue and in a
// short ring of answers.
#include "phase2/server.h"

#include "base/range.h"
#include "phase2/server_cookie.h"
#include "phase2/server_peers.h"

#define SEAL_PIECE_SHIFT 31 // the seal is one piece; it is far smaller
#define LIST_PIECE_SHIFT 20
_Static_assert(1u << LIST_PIECE_SHIFT == P2_LIST_PIECE, "a piece of the list");
#define PROGRESS_PAUSE 1000000u // us between PROGRESS events of a client
#define NO_IMAGE_PAUSE 1000000u

static const uint8_t no_tag[P2_TAG_SIZE];

int p2_server_init(struct p2_server *s, const struct p2_server_config *config)
{
    if (!config->peers || !config->peer_count || !config->jobs || !config->job_count || !config->images.by_name ||
        !config->images.by_tag)
        return ERR_INVALID;
    memset(s, 0, sizeof *s);
    s->config = *config;
    if (s->config.block_max < P2_BLOCK_MIN || s->config.block_max > P2_BLOCK_MAX)
        s->config.block_max = P2_BLOCK_MAX;
    p2_wire_text(s->name, sizeof s->name, config->name);
    memset(config->peers, 0, config->peer_count * sizeof *config->peers);
    for (uint32_t i = 0; i < config->job_count; i++)
        config->jobs[i] = (struct p2_job){ .next = i + 1 < config->job_count ? i + 2 : 0 };
    s->job_free = 1;
    p2_turns_init(s);
    return 0;
}

// ---- answers and events --------------------------------------------------------------------------------

// A source may have as many answers wait as are left for others.
static bool reply_fits(const struct p2_server *s, const struct net_addr *to)
{
    struct net_addr source = p2_server_source(to);
    uint32_t left = P2_SERVER_REPLIES - s->reply_count, own = 0;
    for (uint32_t i = 0; i < s->reply_count && s->reply_count >= left; i++) {
        struct net_addr other = p2_server_source(&s->replies[(s->reply_head + i) % P2_SERVER_REPLIES].to);
        own += net_addr_equal(&source, &other);
    }
    return own < left;
}

// Queues a short answer, unless it is longer than what it answers: the one place that holds the promise
// not to amplify.
static void reply(struct p2_server *s, const struct p2_message *m, const struct net_addr *to, size_t request_len)
{
    if (!reply_fits(s, to)) {
        s->stats.replies_dropped++;
        return;
    }
    struct p2_server_reply *r = &s->replies[(s->reply_head + s->reply_count) % P2_SERVER_REPLIES];
    int n = p2_wire_write(m, r->bytes, sizeof r->bytes);
    if (n <= 0 || (size_t)n > request_len)
        return;
    r->to = *to;
    r->length = (uint16_t)n;
    s->reply_count++;
}

static struct p2_message answer(uint8_t type, const uint8_t nonce[P2_NONCE_SIZE])
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = type;
    memcpy(m.nonce, nonce, P2_NONCE_SIZE);
    return m;
}

static void reply_error(struct p2_server *s, const uint8_t *nonce, const uint8_t *tag, uint16_t code, const char *text,
                        const struct net_addr *to, size_t request_len)
{
    struct p2_message m = answer(P2_ERROR, nonce);
    memcpy(m.error.tag, tag, P2_TAG_SIZE);
    m.error.code = code;
    p2_wire_text(m.error.text, sizeof m.error.text, text);
    reply(s, &m, to, request_len);
}

// Room for an event. PROGRESS leaves half of the ring to the events that come once.
static struct p2_event *event_add(struct p2_server *s, uint8_t type, const struct p2_peer *peer)
{
    uint32_t limit = type == P2_EVENT_PROGRESS ? P2_SERVER_EVENTS / 2 : P2_SERVER_EVENTS;
    if (s->event_count >= limit) {
        s->stats.events_dropped++;
        return NULL;
    }
    struct p2_event *e = &s->events[(s->event_head + s->event_count++) % P2_SERVER_EVENTS];
    memset(e, 0, sizeof *e);
    e->type = type;
    e->peer = *peer;
    e->index = (uint32_t)(peer - s->config.peers);
    return e;
}

bool p2_server_event(struct p2_server *s, struct p2_event *ret)
{
    if (s->event_count == 0)
        return false;
    *ret = s->events[s->event_head];
    s->event_head = (s->event_head + 1) % P2_SERVER_EVENTS;
    s->event_count--;
    return true;
}

// ---- input ---------------------------------------------------------------------------------------------

// True when a source's question is to be told of: one that asks without end keeps no other from being heard.
static bool stranger_is_news(struct p2_server *s, const struct net_addr *from, uint64_t now)
{
    struct net_addr source = p2_server_source(from);
    struct p2_stranger *room = NULL;
    for (uint32_t i = 0; i < P2_SERVER_STRANGERS; i++) {
        struct p2_stranger *stranger = &s->strangers[i];
        if (stranger->until <= now)
            room = stranger;
        else if (net_addr_equal(&stranger->addr, &source))
            return false;
    }
    if (room)
        *room = (struct p2_stranger){ source, now + NO_IMAGE_PAUSE };
    return room != NULL;
}

static void event_no_image(struct p2_server *s, const struct p2_hello *hello, const struct net_addr *from, uint64_t now)
{
    if (!stranger_is_news(s, from, now))
        return;
    struct p2_peer stranger = { .addr = *from, .facts = hello->facts, .first_seen = now, .last_seen = now };
    struct p2_event *e = event_add(s, P2_EVENT_NO_IMAGE, &stranger);
    if (!e)
        return;
    e->index = UINT32_MAX;
    memcpy(e->name, hello->name, sizeof e->name);
}

static void reply_no_image(struct p2_server *s, const struct p2_message *m, size_t len, const struct net_addr *from)
{
    const struct p2_images *images = &s->config.images;
    char text[P2_ERROR_TEXT] = "no image of that name";
    bool any = !m->hello.name[0] && equal8(m->hello.tag, no_tag) && images->choice && reply_fits(s, from);
    const struct p2_image *first = any ? images->choice(images->ctx, s->choice_turn++, text) : NULL;
    reply_error(s, m->nonce, first ? first->id : m->hello.tag, P2_ERROR_NO_IMAGE, text, from, len);
}

// More than everybody takes only to who asks for it, and as far as the way carries it.
static uint16_t block_offered(const struct p2_server *s, const struct p2_hello *hello, const struct net_addr *from)
{
    uint16_t most = s->config.block_max;
    if (hello->block_max <= most || hello->block_max <= P2_BLOCK_MAX || !s->config.path_block)
        return most;
    uint16_t carried = s->config.path_block(s->config.path_ctx, from);
    return MAX(most, MIN(MIN(carried, (uint16_t)P2_BLOCK_LARGE), hello->block_max));
}

static void input_hello(struct p2_server *s, const struct p2_message *m, size_t len, const struct net_addr *from,
                        uint64_t now)
{
    const struct p2_image *image = NULL;
    s->stats.hellos++;
    if (!equal8(m->hello.tag, no_tag))
        image = s->config.images.by_tag(s->config.images.ctx, m->hello.tag);
    if (!image)
        image = s->config.images.by_name(s->config.images.ctx, m->hello.name);
    if (!image) {
        event_no_image(s, &m->hello, from, now);
        reply_no_image(s, m, len, from);
        return;
    }
    // The entry only remembers facts for logs; without room for it the client is served all the same.
    struct p2_peer *peer = p2_peer_get(s, from, m->nonce, false, now);
    if (peer)
        peer->facts = m->hello.facts;

    struct p2_message o = answer(P2_OFFER, m->nonce);
    o.offer.block_max = block_offered(s, &m->hello, from);
    p2_cookie_make(s, from, m->nonce, o.offer.block_max, now, o.offer.cookie);
    memcpy(o.offer.image_id, image->id, P2_IMAGE_ID_SIZE);
    o.offer.seal_size = image->seal_size;
    o.offer.list_size = image->list_size;
    o.offer.payload_size = image->payload_size;
    o.offer.window_max = P2_READ_BLOCKS_MAX;
    memcpy(o.offer.instance, s->config.instance, sizeof o.offer.instance);
    memcpy(o.offer.server, s->name, sizeof o.offer.server);
    reply(s, &o, from, len);
}

static void reply_reset(struct p2_server *s, const struct p2_message *m, size_t len, const struct net_addr *from)
{
    struct p2_message r = answer(P2_RESET, m->nonce);
    s->stats.cookies_bad++;
    r.reset_reason = P2_RESET_COOKIE;
    reply(s, &r, from, len);
}

static uint32_t piece_shift_of(uint8_t space, const struct p2_image *image)
{
    switch (space) {
    case P2_SPACE_SEAL: return SEAL_PIECE_SHIFT;
    case P2_SPACE_LIST: return LIST_PIECE_SHIFT;
    default: return (uint32_t)__builtin_ctz(image->chunk_size | 1u << 31);
    }
}

static uint64_t space_size(uint8_t space, const struct p2_image *image)
{
    switch (space) {
    case P2_SPACE_SEAL: return image->seal_size;
    case P2_SPACE_LIST: return image->list_size;
    default: return image->payload_size;
    }
}

// What the READ tells about the client: its stage and progress, as events.
static void note_progress(struct p2_server *s, struct p2_peer *peer, const struct p2_read *read,
                          const struct p2_image *image, uint64_t now)
{
    static const uint8_t stages[P2_SPACES] = { P2_STAGE_SEAL, P2_STAGE_LIST, P2_STAGE_PAYLOAD };
    uint8_t before = peer->stage, stage = stages[read->space];
    memcpy(peer->tag, read->tag, P2_TAG_SIZE);
    peer->payload_size = image->payload_size;
    peer->verified = MIN(read->verified, image->payload_size);
    peer->lost = read->lost;
    peer->stage = stage;
    if (peer->reads++ == 0)
        event_add(s, P2_EVENT_CLIENT, peer);
    if (before < P2_STAGE_LIST && stage >= P2_STAGE_LIST)
        event_add(s, P2_EVENT_SEAL, peer);
    if (stage == P2_STAGE_PAYLOAD && now - peer->progress_shown >= PROGRESS_PAUSE) {
        peer->progress_shown = now;
        event_add(s, P2_EVENT_PROGRESS, peer);
    }
}

static bool read_inside(const struct p2_read *read, uint32_t block_max, uint64_t size)
{
    for (uint32_t i = 0; i < read->range_count; i++)
        if (!range_fits(read->ranges[i].offset, read->ranges[i].length, size))
            return false;
    return read->block_size <= block_max;
}

static void input_read(struct p2_server *s, const struct p2_message *m, size_t len, const struct net_addr *from,
                       uint64_t now)
{
    const struct p2_read *read = &m->read;
    s->stats.reads++;
    uint32_t block_max = p2_cookie_block(s, from, m->nonce, read->cookie, now);
    if (!block_max) {
        reply_reset(s, m, len, from);
        return;
    }
    struct p2_peer *peer = p2_peer_get(s, from, m->nonce, true, now);
    if (peer->stage == P2_STAGE_FINISHED)
        return; // an old copy that came late: this client reads no more
    if (read->flags & P2_READ_CANCEL)
        p2_peer_cancel(s, peer);
    const struct p2_image *image = s->config.images.by_tag(s->config.images.ctx, read->tag);
    if (!image) {
        reply_error(s, m->nonce, read->tag, P2_ERROR_NO_TAG, "image is not here", from, len);
        return;
    }
    if (!read_inside(read, block_max, space_size(read->space, image))) {
        reply_error(s, m->nonce, read->tag, P2_ERROR_BAD_READ, "range outside image", from, len);
        return;
    }
    note_progress(s, peer, read, image, now);
    p2_peer_replace(s, peer, read);
    uint32_t budget = P2_READ_BLOCKS_MAX;
    for (uint32_t i = 0; i < read->range_count; i++)
        if (!p2_peer_queue(s, peer, read, &read->ranges[i], piece_shift_of(read->space, image), &budget)) {
            s->stats.jobs_dropped += read->range_count - i;
            if (i > 0)
                break;
            s->stats.busy++;
            reply_error(s, m->nonce, read->tag, P2_ERROR_BUSY, "busy", from, len);
            break;
        }
}

static void input_finished(struct p2_server *s, const struct p2_message *m, size_t len, const struct net_addr *from,
                           uint64_t now)
{
    if (!p2_cookie_block(s, from, m->nonce, m->finished.cookie, now)) {
        reply_reset(s, m, len, from);
        return;
    }
    struct p2_peer *peer = p2_peer_get(s, from, m->nonce, true, now);
    if (peer->stage != P2_STAGE_FINISHED) { // a repetition is answered, but told once
        p2_peer_cancel(s, peer);
        peer->stage = P2_STAGE_FINISHED;
        peer->outcome = m->finished.outcome;
        peer->verified = m->finished.bytes;
        memcpy(peer->tag, m->finished.tag, P2_TAG_SIZE);
        struct p2_event *e = event_add(s, P2_EVENT_FINISHED, peer);
        if (e)
            e->finished = m->finished;
    }
    struct p2_message ack = answer(P2_FINISHED_ACK, m->nonce);
    reply(s, &ack, from, len);
}

int p2_server_input(struct p2_server *s, const uint8_t *data, size_t len, const struct net_addr *from, uint64_t now)
{
    struct p2_message m;
    s->stats.in_messages++;
    if (p2_wire_read(data, len, &m) != 0) {
        s->stats.malformed++;
        return ERR_P2_MALFORMED;
    }
    switch (m.type) {
    case P2_HELLO: input_hello(s, &m, len, from, now); return 0;
    case P2_READ: input_read(s, &m, len, from, now); return 0;
    case P2_FINISHED: input_finished(s, &m, len, from, now); return 0;
    default:
        // From another server: its multicast, or a reflection. Answering could make a loop.
        s->stats.malformed++;
        return ERR_P2_MALFORMED;
    }
}

// ---- output --------------------------------------------------------------------------------------------

void p2_send_head(const struct p2_send *send, uint64_t offset, uint8_t head[P2_DATA_FIXED])
{
    memcpy(head, send->head, P2_DATA_FIXED);
    store64_le(head + P2_DATA_OFFSET, offset);
}

// Blocks from the front of a range, all of one size but the last: as many as are wanted, and up to the end of a piece.
static void send_blocks(struct p2_server *s, struct p2_peer *peer, const struct p2_job *job, const struct p2_image *image,
                        uint32_t blocks, struct p2_send *ret)
{
    uint64_t piece = (uint64_t)1 << piece_shift_of(job->space, image);
    uint64_t length = MIN((uint64_t)job->length, piece - (job->offset & (piece - 1)));
    uint32_t frames = p2_block_frames(job->block_size);
    length = MIN(length, (uint64_t)MIN(blocks, s->quantum / frames) * job->block_size);
    struct p2_data data = { .offset = job->offset, .space = job->space, .stamp = job->stamp, .length = job->block_size };
    memcpy(data.tag, job->tag, P2_TAG_SIZE);
    *ret = (struct p2_send){ .to = peer->addr, .head_len = P2_DATA_FIXED, .image = image, .space = job->space,
                             .offset = job->offset, .length = (uint32_t)length, .block_size = job->block_size };
    p2_wire_data_head(ret->head, peer->nonce, &data);
    blocks = (ret->length + job->block_size - 1) / job->block_size;
    peer->sent_blocks += blocks;
    peer->sent_bytes += length;
    peer->sent_seal += job->space == P2_SPACE_SEAL ? length : 0;
    peer->sent_payload += job->space == P2_SPACE_PAYLOAD ? length : 0;
    s->stats.data_messages += blocks;
    s->stats.data_bytes += length;
    p2_peer_took(s, peer, ret->length, blocks * frames);
}

bool p2_server_output(struct p2_server *s, struct p2_send *ret, uint32_t blocks, uint64_t now)
{
    if (s->reply_count) {
        const struct p2_server_reply *r = &s->replies[s->reply_head];
        *ret = (struct p2_send){ .to = r->to, .head_len = r->length };
        memcpy(ret->head, r->bytes, r->length);
        s->reply_head = (s->reply_head + 1) % P2_SERVER_REPLIES;
        s->reply_count--;
        return true;
    }
    struct p2_peer *peer;
    for (const struct p2_job *job; (job = p2_peer_turn(s, &peer));) {
        // The image may have gone since the READ was taken: what waits for it goes too, and the client
        // will hear so at its next READ.
        const struct p2_image *image = s->config.images.by_tag(s->config.images.ctx, job->tag);
        if (!image || !range_fits(job->offset, job->length, space_size(job->space, image))) {
            p2_peer_cancel(s, peer);
            continue;
        }
        send_blocks(s, peer, job, image, blocks, ret);
        return true;
    }
    return false;
}

int p2_server_output_flat(struct p2_server *s, uint8_t *buf, size_t cap, struct net_addr *ret_to, uint64_t now)
{
    struct p2_send send;
    if (cap < (s->config.path_block ? P2_MESSAGE_LARGE : P2_MESSAGE_MAX) || !s->config.images.bytes)
        return ERR_TOO_LARGE;
    while (p2_server_output(s, &send, 1, now)) {
        memcpy(buf, send.head, send.head_len);
        if (send.length) {
            const uint8_t *bytes =
                s->config.images.bytes(s->config.images.ctx, send.image, send.space, send.offset, send.length);
            if (!bytes)
                continue; // cannot be read now: for the client it is a lost datagram
            memcpy(buf + send.head_len, bytes, send.length);
        }
        *ret_to = send.to;
        return (int)(send.head_len + send.length);
    }
    return 0;
}

uint64_t p2_server_deadline(const struct p2_server *s)
{
    return s->reply_count || s->root.jobs ? 0 : UINT64_MAX;
}

bool p2_server_in_use(const struct p2_server *s, const uint8_t tag[P2_TAG_SIZE], uint64_t now, uint64_t idle)
{
    for (uint32_t i = 0; i < s->config.peer_count; i++) {
        const struct p2_peer *p = &s->config.peers[i];
        if (p->used && p->validated && p->stage != P2_STAGE_FINISHED && memcmp(p->tag, tag, P2_TAG_SIZE) == 0 &&
            now - p->last_seen < idle)
            return true;
    }
    return false;
}
