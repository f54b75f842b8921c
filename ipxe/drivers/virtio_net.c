// SPDX-License-Identifier: MPL-2.0
// See virtio_net.h. Receiving is what a boot is made of: it reads ring memory, and touches a register only when the card has
// asked to be told of new buffers, at most once for a batch of them. In a virtual machine each such write leaves the guest. Answers
// to what is received (TCP has one for every two frames) are told of together, too.
#include "drivers/virtio_net.h"

#include "base/bytes.h"
#include "drivers/virtio_pci.h"

#define DEVICE_TRANSITIONAL 0x1000u
#define DEVICE_MODERN 0x1041u

// Features (section 5.1.3). None that leaves a checksum to be made, cuts frames apart or spreads one over several buffers:
// frames are whole and complete in both directions.
#define FEATURE_MTU (1ull << 3)
#define FEATURE_MAC (1ull << 5)
#define FEATURE_STATUS (1ull << 16)
#define FEATURE_CTRL_VQ (1ull << 17)
#define FEATURE_CTRL_RX (1ull << 18)
#define FEATURES_CTRL (FEATURE_CTRL_VQ | FEATURE_CTRL_RX)

// The device's configuration (section 5.1.4).
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MTU = 10 };
enum { CONFIG_SIZE = 8, CONFIG_SIZE_MTU = 12 };
#define STATUS_LINK_UP 1u
#define MTU_MIN 68u
#define MTU_MAX 1500u

enum { QUEUE_RX = 0, QUEUE_TX = 1, QUEUE_CONTROL = 2 };
#define RX_BUFFERS 1024u // or as many as the card offers
#define RX_BATCH 64u     // buffers that go back together, unless there are few
#define TX_BUFFERS 64u
#define TX_BATCH 16u       // answers that are told of together
#define TX_WAIT_US 2000u   // for a buffer to come back before a frame is dropped
#define TX_FLUSH_US 50000u // for all of them before the card is stopped
#define CONTROL_DESCRIPTORS 2u
#define NONE UINT32_MAX // no descriptor

// A frame has this header in front (section 5.1.6), all zeros when we send. Ours says nothing on receiving, either, without
// the features that it is for.
#define HEADER 12u
#define HEADER_LEGACY 10u // without the number of buffers
// Where the frame is in its buffer: room for the header, and the IP header behind the Ethernet header on a multiple of 16.
#define FRAME_AT 18u
#define FRAME_MIN 14u // an Ethernet header
#define BUFFER_SIZE 1536u
_Static_assert(FRAME_AT + FRAME_RECEIVE_MAX <= BUFFER_SIZE, "a frame has room");

// Commands of the control queue (section 5.1.6.5): class, command, data; the card answers with one byte.
enum { CLASS_RX = 0, RX_PROMISCUOUS = 0, RX_ALL_MULTICAST = 1, CLASS_MAC = 1, MAC_TABLE_SET = 0 };
#define ANSWER_OK 0u
#define ANSWER_AT (BUFFER_SIZE - 1)
#define GROUPS_MAX 64u // that a card is asked to tell apart

struct queue {
    struct virtqueue ring;
    struct virtio_bell bell;
    uint16_t count;   // buffers
    uint8_t *buffers; // behind the rings; NULL: there is no such queue
    uint64_t bus;     // of the first buffer
    void *memory;     // all of it
    size_t length;
};

struct virtio_net {
    struct nic base;
    struct virtio_pci device;
    struct queue rx, tx, control;
    uint32_t header;     // bytes in front of a frame
    unsigned chain;      // log2 of a buffer's descriptors: the legacy interface wants one for the header alone
    bool has_status;
    bool control_stuck;  // the last command was never answered: its buffer is the card's for ever
    uint16_t rx_mask;    // buffers are shown to the card when `offered` has none of these bits
    uint32_t rx_held;    // first descriptor of the buffer that is the caller's until the next receive
    uint16_t tx_fresh;   // buffers that were never used; after them, those that have come back
    uint16_t tx_untold;  // frames that the card wants to be told of
};

static struct virtio_net *virtio_of(struct card *card)
{
    return container_of(card, struct virtio_net, base.card);
}

static bool net_knows(uint16_t vendor, uint16_t device)
{
    return vendor == VIRTIO_VENDOR && (device == DEVICE_TRANSITIONAL || device == DEVICE_MODERN);
}

static int read_mac(const struct virtio_pci *device, uint8_t ret[6])
{
    static const uint8_t none[6];
    uint8_t mac[6];
    if (device->config.length < CONFIG_SIZE)
        return ERR_NET_LINK;
    virtio_pci_config_bytes(device, CONFIG_MAC, mac, sizeof mac);
    if ((mac[0] & 1) || memcmp(mac, none, sizeof mac) == 0)
        return ERR_NET_LINK;
    memcpy(ret, mac, sizeof mac);
    return 0;
}

static int net_probe(const struct pci_function *pci, uint8_t ret_mac[6])
{
    struct virtio_pci device;
    int err = virtio_pci_find(&device, pci);
    if (err)
        return err;
    virtio_pci_enable(&device, false);
    err = read_mac(&device, ret_mac);
    virtio_pci_restore(&device, false);
    return err;
}

// Buffer `i` of a queue with a frame of `length` bytes in it, or room for one.
static void describe(struct virtio_net *n, struct queue *q, uint16_t i, uint32_t length, uint16_t flags)
{
    uint64_t frame = q->bus + i * BUFFER_SIZE + FRAME_AT;
    if (n->chain) {
        uint16_t first = (uint16_t)(2 * i), second = (uint16_t)(first + 1);
        virtqueue_describe(&q->ring, first, frame - n->header, n->header, flags | VRING_NEXT, second);
        virtqueue_describe(&q->ring, second, frame, length, flags, 0);
    } else {
        virtqueue_describe(&q->ring, i, frame - n->header, n->header + length, flags, 0);
    }
}

static void publish(struct virtio_net *n, struct queue *q)
{
    if (virtqueue_publish(&q->ring))
        virtio_pci_notify(&n->device, &q->bell);
}

// One queue with up to `wanted` descriptors and a buffer for each frame that fits in. Its memory is the caller's to free,
// after an error as well.
static int queue_open(struct virtio_net *n, struct queue *q, uint16_t index, uint16_t wanted)
{
    const struct pci_function *pci = n->device.pci;
    uint16_t size = virtio_pci_queue_size(&n->device, index, wanted);
    q->count = (uint16_t)MIN(size >> n->chain, wanted);
    if (!q->count)
        return ERR_NET_LINK;
    uint64_t bus;
    size_t rings = virtqueue_bytes(size);
    q->length = rings + q->count * BUFFER_SIZE;
    q->memory = pci->ops->dma_alloc(pci->ctx, q->length, &bus);
    if (!q->memory)
        return ERR_NO_MEMORY;
    virtqueue_init(&q->ring, q->memory, size);
    q->buffers = (uint8_t *)q->memory + rings;
    q->bus = bus + rings;
    return virtio_pci_queue_start(&n->device, index, size, bus, &q->bell);
}

static void queue_free(struct virtio_net *n, struct queue *q)
{
    const struct pci_function *pci = n->device.pci;
    if (q->memory)
        pci->ops->dma_free(pci->ctx, q->memory, q->length);
    *q = (struct queue){ 0 };
}

static void tell_of_sent(struct virtio_net *n)
{
    if (n->tx_untold)
        virtio_pci_notify(&n->device, &n->tx.bell);
    n->tx_untold = 0;
}

// What was sent leaves the card before it is stopped: it may be what tells a server how the boot went.
static void flush(struct virtio_net *n)
{
    const struct pci_function *pci = n->device.pci;
    uint64_t end = pci->ops->now_us(pci->ctx) + TX_FLUSH_US;
    tell_of_sent(n);
    while (n->tx.buffers && !virtqueue_is_done(&n->tx.ring) && pci->ops->now_us(pci->ctx) < end)
        ;
}

static void net_close(struct card *card)
{
    struct virtio_net *n = virtio_of(card);
    flush(n);
    // A card that does not answer has its way to memory taken.
    bool deaf = virtio_pci_reset(&n->device) != 0;
    virtio_pci_restore(&n->device, deaf);
    queue_free(n, &n->control);
    queue_free(n, &n->tx);
    queue_free(n, &n->rx);
}

// A command with `len` bytes of data, which are in the control buffer already, behind class and command.
static int command(struct virtio_net *n, uint8_t class, uint8_t code, uint32_t len)
{
    struct queue *q = &n->control;
    const struct pci_function *pci = n->device.pci;
    volatile uint8_t *answer = q->buffers + ANSWER_AT;
    uint32_t id, length;
    if (n->control_stuck)
        return ERR_NET_LINK;
    q->buffers[0] = class;
    q->buffers[1] = code;
    *answer = (uint8_t)~ANSWER_OK;
    virtqueue_describe(&q->ring, 0, q->bus, 2 + len, VRING_NEXT, 1);
    virtqueue_describe(&q->ring, 1, q->bus + ANSWER_AT, 1, VRING_DEVICE_WRITES, 0);
    virtqueue_offer(&q->ring, 0);
    publish(n, q);
    uint64_t end = pci->ops->now_us(pci->ctx) + NIC_WAIT_US;
    while (!virtqueue_take(&q->ring, &id, &length))
        if (pci->ops->now_us(pci->ctx) > end) {
            n->control_stuck = true;
            return ERR_NET_LINK;
        }
    return *answer == ANSWER_OK ? 0 : ERR_NET_LINK;
}
static int switch_mode(struct virtio_net *n, uint8_t mode, bool on)
{
    n->control.buffers[2] = on;
    return command(n, CLASS_RX, mode, 1);
}

static int net_multicast(struct card *card, const uint8_t (*macs)[6], unsigned count)
{
    struct virtio_net *n = virtio_of(card);
    if (!n->control.buffers)
        return 0; // a card that cannot be told lets everything through
    unsigned groups = count <= GROUPS_MAX ? count : 0;
    uint8_t *data = n->control.buffers + 2;
    store32_le(data, 0); // further addresses of our own
    store32_le(data + 4, groups);
    for (unsigned i = 0; i < groups; i++)
        memcpy(data + 8 + 6 * i, macs[i], 6);
    // All groups where the card cannot tell so many apart, and everything where it cannot do that.
    bool exact = command(n, CLASS_MAC, MAC_TABLE_SET, 8 + 6 * groups) == 0 && groups == count;
    int err = switch_mode(n, RX_ALL_MULTICAST, !exact);
    return switch_mode(n, RX_PROMISCUOUS, err != 0);
}

// A card that cannot be told lets everything through.
static int net_promiscuous(struct card *card, bool on)
{
    struct virtio_net *n = virtio_of(card);
    return n->control.buffers ? switch_mode(n, RX_PROMISCUOUS, on) : 0;
}

// The features to take of those that there are; 0: this driver does not work with the card.
static uint64_t choose_features(struct virtio_net *n, uint16_t *ret_mtu)
{
    uint64_t offered = virtio_pci_features(&n->device), features = offered & (FEATURE_MAC | FEATURE_STATUS);
    *ret_mtu = MTU_MAX;
    // To take this one means to receive frames of that size, so not where they are longer than ours.
    if ((offered & FEATURE_MTU) && n->device.config.length >= CONFIG_SIZE_MTU) {
        uint16_t mtu = (uint16_t)virtio_pci_config(&n->device, CONFIG_MTU, 2);
        if (mtu >= MTU_MIN && mtu <= MTU_MAX) {
            features |= FEATURE_MTU;
            *ret_mtu = mtu;
        }
    }
    if (!n->device.legacy) {
        if (!(offered & VIRTIO_VERSION_1))
            return 0;
        features |= offered & (VIRTIO_VERSION_1 | VIRTIO_ACCESS_PLATFORM | VIRTIO_ORDER_PLATFORM);
        if ((offered & FEATURES_CTRL) == FEATURES_CTRL)
            features |= FEATURES_CTRL;
    }
    return features & FEATURE_MAC ? features : 0;
}

static void fill_receive_queue(struct virtio_net *n)
{
    struct queue *q = &n->rx;
    for (uint16_t i = 0; i < q->count; i++) {
        describe(n, q, i, FRAME_RECEIVE_MAX, VRING_DEVICE_WRITES);
        virtqueue_offer(&q->ring, (uint16_t)(i << n->chain));
    }
    n->rx_mask = (uint16_t)(MIN(RX_BATCH, MAX(q->count / 4u, 1u)) - 1); // powers of two, all of them
}

static int start(struct virtio_net *n, struct card_info *ret)
{
    int err = virtio_pci_begin(&n->device);
    if (err)
        return err;
    virtio_pci_enable(&n->device, true); // not before: it may have been left with queues of others
    uint64_t features = choose_features(n, &ret->mtu);
    if (!features)
        return ERR_NET_LINK;
    n->has_status = features & FEATURE_STATUS;
    n->header = n->device.legacy ? HEADER_LEGACY : HEADER;
    n->chain = n->device.legacy;
    err = virtio_pci_accept(&n->device, features);
    if (!err)
        err = read_mac(&n->device, ret->mac);
    if (!err)
        err = queue_open(n, &n->rx, QUEUE_RX, RX_BUFFERS);
    if (!err)
        err = queue_open(n, &n->tx, QUEUE_TX, TX_BUFFERS);
    if (!err && (features & FEATURE_CTRL_VQ))
        err = queue_open(n, &n->control, QUEUE_CONTROL, CONTROL_DESCRIPTORS);
    if (err)
        return err;
    if ((features & FEATURE_CTRL_VQ) && n->control.ring.size < CONTROL_DESCRIPTORS)
        return ERR_NET_LINK;
    fill_receive_queue(n);
    n->tx_fresh = n->tx.count;
    n->rx_held = NONE;
    virtio_pci_run(&n->device);
    publish(n, &n->rx);
    (void)net_multicast(&n->base.card, NULL, 0); // a card that refuses lets more through
    ret->rx_buffers = n->rx.count;
    return 0;
}

static int net_open(struct card *card)
{
    struct virtio_net *n = virtio_of(card);
    struct card_info info = card->info;
    *n = (struct virtio_net){ .base = n->base };
    int err = virtio_pci_find(&n->device, n->base.pci);
    if (err)
        return err;
    virtio_pci_enable(&n->device, false);
    err = start(n, &info);
    if (err)
        net_close(card);
    else
        card->info = info;
    return err;
}

static bool net_link(struct card *card)
{
    struct virtio_net *n = virtio_of(card);
    return virtio_pci_runs(&n->device) && (!n->has_status || (virtio_pci_config(&n->device, CONFIG_STATUS, 2) & STATUS_LINK_UP));
}

// A buffer to send from; false: all of them are the card's. One that a broken card gives back twice is sent from twice.
static bool find_free(struct virtio_net *n, uint32_t *ret)
{
    uint32_t id, length;
    if (n->tx_fresh) {
        *ret = --n->tx_fresh;
        return true;
    }
    while (virtqueue_take(&n->tx.ring, &id, &length)) {
        *ret = id >> n->chain;
        if (*ret < n->tx.count)
            return true;
    }
    return false;
}

static int net_send(struct card *card, const void *frame, size_t len)
{
    struct virtio_net *n = virtio_of(card);
    const struct pci_function *pci = n->device.pci;
    struct queue *q = &n->tx;
    uint32_t i;
    if (len > FRAME_MAX)
        return ERR_NET_LINK;
    if (!find_free(n, &i)) {
        tell_of_sent(n);
        uint64_t end = pci->ops->now_us(pci->ctx) + TX_WAIT_US;
        while (!find_free(n, &i))
            if (pci->ops->now_us(pci->ctx) > end)
                return 0; // dropped, as a wire does
    }
    memcpy(q->buffers + i * BUFFER_SIZE + FRAME_AT, frame, len);
    describe(n, q, (uint16_t)i, (uint32_t)len, 0);
    virtqueue_offer(&q->ring, (uint16_t)(i << n->chain));
    // While the caller has a frame in its hands, it will ask for the next one soon.
    if (virtqueue_publish(&q->ring) && (++n->tx_untold == TX_BATCH || n->rx_held == NONE))
        tell_of_sent(n);
    return 0;
}

static inline void give_back(struct virtio_net *n, uint32_t descriptor)
{
    virtqueue_offer(&n->rx.ring, (uint16_t)descriptor);
    if (n->rx.ring.offered & n->rx_mask)
        return;
    publish(n, &n->rx);
    tell_of_sent(n);
}

// A batch is at most a quarter of the buffers, so that the card never waits for what is held back here.
static int net_receive(struct card *card, uint8_t **ret_frame)
{
    struct virtio_net *n = virtio_of(card);
    uint32_t id, length;
    if (n->rx_held != NONE)
        give_back(n, n->rx_held);
    n->rx_held = NONE;
    while (virtqueue_take(&n->rx.ring, &id, &length)) {
        uint32_t buffer = id >> n->chain;
        if (buffer >= n->rx.count)
            continue; // whichever it was, the card has lost it
        length -= n->header;
        if (length - FRAME_MIN > FRAME_RECEIVE_MAX - FRAME_MIN) { // also what has become negative
            give_back(n, id);
            continue;
        }
        n->rx_held = id;
        *ret_frame = n->rx.buffers + buffer * BUFFER_SIZE + FRAME_AT;
        return (int)length;
    }
    tell_of_sent(n);
    return 0;
}

const struct nic_driver virtio_net_driver = {
    .name = "virtio-net",
    .size = sizeof(struct virtio_net),
    .knows = net_knows,
    .probe = net_probe,
    .ops = { net_open, net_close, net_link, net_multicast, net_send, net_receive, net_promiscuous },
};
