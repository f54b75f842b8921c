// SPDX-License-Identifier: MPL-2.0
// Gives images to every reader that the firmware has, and prints what each of them says, for ci/check/forged:
//
//     readers FLOOR KEY.der... -- IMAGE...
//
// An IMAGE that is called NAME.seal is brought as the detached seal of the files in its folder as well, by `kernel` and `initrd`.
// A line for each: "IMAGE READER CODE", CODE being "-" for an image that started. The readers are the verifier of streams (by
// single bytes and in blocks) and, in the whole core, the native protocol, TFTP and a disk. IMAGE.layout, where it exists,
// holds the lengths of seal and list by which the native protocol's server cuts the file.
#include "host/testworld.h"

#include "block/testdisk.h"
#include "phase2/stream.h"

#define TFTP_BLOCK 512
#define TFTP_PORT 3000

static struct file {
    uint8_t *data;
    size_t len;
} image;
static size_t seal_len, list_len; // as the server of the native protocol cuts the image
static struct embed_source embedded;
static struct digest_piece keys[TRUST_KEYS_MAX];
static struct testdisk disk;
static bool verbose;

static bool read_file(const char *path, struct file *ret)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return false;
    ret->len = (size_t)ftell(f);
    ret->data = malloc(ret->len + 1);
    rewind(f);
    bool whole = ret->data && fread(ret->data, 1, ret->len, f) == ret->len;
    fclose(f);
    return whole;
}

// --- the verifier of streams alone ---

static int plan(void *ctx, struct intake *in)
{
    const struct seal *seal = &in->seal;
    uint8_t *memory = calloc(1, (size_t)seal->payload_size);
    uint8_t *list = malloc((size_t)seal->chunk_count * SHA256_SIZE), *chunk_bits = malloc((seal->chunk_count + 7) / 8);
    if (!memory || !list || !chunk_bits)
        return ERR_BOOT_NO_ROOM;
    const struct scatter map = { .size = seal->payload_size, .count = 1, .pieces = { { 0, seal->payload_size, memory } } };
    return intake_accept(in, &map, list, chunk_bits);
}

// Its whole life is the child's: nothing is freed.
static void stream(size_t piece)
{
    static uint8_t seal_buf[SEAL_MAX];
    struct trust_store trust = { .threshold = 1, .counter_floor = embedded.counter_floor };
    for (unsigned i = 0; i < embedded.spki_count; i++) {
        struct trust_key key;
        if (trust_key_from_spki(keys[i].data, keys[i].len, &key) != 0 || trust_add(&trust, &key) != 0)
            abort();
    }
    struct stream *s = malloc(sizeof *s);
    stream_init(s, &trust, &(struct stream_ops){ .plan = plan }, seal_buf);
    for (size_t at = 0; at < image.len; at += MIN(piece, image.len - at))
        if (stream_input(s, image.data + at, MIN(piece, image.len - at)) != 0)
            break;
    int err = stream_end(s);
    if (err)
        snprintf(w.out->transcript, sizeof w.out->transcript, "[%s]\n", err_code(err));
    w.out->booted = !err;
}

static void stream_bytes(void)
{
    stream(1);
}
static void stream_blocks(void)
{
    stream(1448);
}

// --- the whole core ---

static void p2(void)
{
    size_t payload = (seal_len + list_len + PAYLOAD_ALIGN - 1) / PAYLOAD_ALIGN * PAYLOAD_ALIGN;
    size_t signed_len = MIN((size_t)SEAL_HEAD_SIZE + load32_le(image.data + HEAD_BODY_SIZE), seal_len);
    uint32_t chunk_size = load32_le(image.data + HEAD_CHUNK_SIZE);
    struct digest_piece message[] = { { SEAL_DOMAIN, sizeof SEAL_DOMAIN }, { image.data, signed_len } };
    bool usable = chunk_size >= CHUNK_SIZE_MIN && chunk_size <= CHUNK_SIZE_MAX && (chunk_size & (chunk_size - 1)) == 0;
    bool detached = image.len == seal_len + list_len; // there is no payload, which nobody asks for
    set_up("img", key_a);
    w.image.list = w.image.file + seal_len;
    testimage_free(&w.image);
    w.image.file = malloc(image.len + PAYLOAD_ALIGN);
    memcpy(w.image.file, image.data, image.len);
    w.image.list = w.image.file + seal_len;
    w.image.payload = w.image.file + payload;
    w.served = (struct p2_image){ .seal_size = (uint32_t)seal_len, .list_size = (uint32_t)list_len, .name = "image",
                                  .payload_size = image.len > payload ? image.len - payload :
                                                  detached            ? load64_le(image.data + HEAD_PAYLOAD_SIZE) : 0,
                                  .chunk_size = usable ? chunk_size : CHUNK_SIZE_DEFAULT };
    sha256_pieces(message, ARRAY_SIZE(message), w.served.id);
    run_embedded(&embedded);
}

// What TFTP sends: the image whatever is asked for, or a file of its folder.
static struct file sent;
static char folder[1024];

// A file over TFTP, in blocks of 512 bytes and without any option.
static void send_block(struct simnet *net, const struct net_addr *to, uint16_t block)
{
    uint8_t reply[4 + TFTP_BLOCK];
    size_t at = (size_t)(block - 1) * TFTP_BLOCK;
    struct net_addr me = w.server_addr;
    me.port = TFTP_PORT;
    if (at > sent.len)
        return;
    size_t n = MIN(sent.len - at, (size_t)TFTP_BLOCK);
    store16_be(reply, 3);
    store16_be(reply + 2, block);
    memcpy(reply + 4, sent.data + at, n);
    simnet_send_udp(net, &me, to, reply, 4 + n);
}

static void begin(struct simnet *net, const struct net_addr *to, const uint8_t *request, size_t len)
{
    static const uint8_t refusal[] = { 0, 5, 0, 1, 'n', 'o', 0 };
    char path[1200];
    struct net_addr me = w.server_addr;
    me.port = TFTP_PORT;
    sent = image;
    if (folder[0]) {
        snprintf(path, sizeof path, "%s%.*s", folder, len > 2 ? (int)strnlen((const char *)request + 2, len - 2) : 0, (const char *)request + 2);
        if (!read_file(path, &sent)) {
            simnet_send_udp(net, &me, to, refusal, sizeof refusal);
            return;
        }
    }
    send_block(net, to, 1);
}

static void tftp_datagram(struct simnet *net, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t len)
{
    if (to->port == 69)
        begin(net, from, data, len);
    else if (to->port == TFTP_PORT && len >= 4 && load16_be(data) == 4)
        send_block(net, from, (uint16_t)(load16_be(data + 2) + 1));
    else
        datagram(net, from, to, data, len);
}

static void tftp(void)
{
    folder[0] = '\0';
    set_up("img", key_a);
    w.net.udp = tftp_datagram;
    run_embedded(&embedded);
}

static void from_files(void)
{
    set_up("img", key_a);
    w.net.udp = tftp_datagram;
    run_embedded(&embedded);
}

static void from_disk(void)
{
    set_up("img", key_a);
    host_disk_add(&w.machine, disk.data, TESTDISK_SIZE, disk.sector_size);
    run_embedded(&embedded);
}

// --- all of them ---

static const struct reader {
    const char *name, *script;
    void (*run)(void);
} readers[] = {
    { "stream-bytes", NULL, stream_bytes },
    { "stream-blocks", NULL, stream_blocks },
    { "p2", "#!ipxe\ndhcp\nchain p2://10.0.0.1/image\n", p2 },
    { "tftp", "#!ipxe\ndhcp\nchain tftp://10.0.0.1/image\n", tftp },
    { "disk", "#!ipxe\nchain disk:\n", from_disk },
    { "files", "#!ipxe\ndhcp\nkernel tftp://10.0.0.1/vmlinuz\ninitrd tftp://10.0.0.1/initrd.img\ninitrd tftp://10.0.0.1/extra.img\nboot\n",
      from_files },
};

// The first code in brackets.
static const char *code_of(const struct outcome *out, char code[4])
{
    if (out->booted)
        return "-";
    for (const char *at = out->transcript; (at = strchr(at, '[')); at++)
        if (strlen(at) > 4 && at[4] == ']') {
            memcpy(code, at + 1, 3);
            code[3] = '\0';
            return code;
        }
    return "?";
}

static void read_layout(const char *path)
{
    char name[1024];
    struct seal_view view;
    snprintf(name, sizeof name, "%s.layout", path);
    FILE *f = fopen(name, "r");
    if (f && fscanf(f, "%zu %zu", &seal_len, &list_len) != 2)
        abort();
    if (f)
        fclose(f);
    else if (seal_view(image.data, image.len, &view) == 0) {
        seal_len = seal_size(&view);
        list_len = (size_t)seal_list_size(&view);
    }
}

// Is it called as a seal that lies beside its files? Then its folder is theirs.
static bool is_detached(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = strlen(path);
    bool detached = len > 5 && strcmp(path + len - 5, ".seal") == 0;
    snprintf(folder, sizeof folder, "%.*s", detached && slash ? (int)(slash - path) + 1 : 0, path);
    return detached;
}

static bool judge(const char *path)
{
    if (!read_file(path, &image)) {
        fprintf(stderr, "readers: %s cannot be read\n", path);
        return false;
    }
    read_layout(path);
    testdisk_make(&disk, 512, TESTDISK_SIZE - TESTDISK_AT - 64 * 1024);
    if (image.len > disk.length) {
        fprintf(stderr, "readers: %s is larger than the disk\n", path);
        return false;
    }
    memcpy(testdisk_partition(&disk), image.data, image.len);
    for (unsigned i = 0; i < ARRAY_SIZE(readers); i++) {
        char code[4];
        if (readers[i].run == from_files && !is_detached(path))
            continue;
        embedded.script = readers[i].script ? readers[i].script : "";
        embedded.script_len = strlen(embedded.script);
        struct outcome *out = in_child(readers[i].run);
        printf("%s %s %s\n", path, readers[i].name, code_of(out, code));
        if (verbose)
            puts(out->transcript);
    }
    free(image.data);
    return true;
}

int main(int argc, char **argv)
{
    int at = 2;
    verbose = getenv("READERS_VERBOSE");
    embedded = (struct embed_source){ .spki = keys, .threshold = 1, .counter_floor = argc > 1 ? strtoull(argv[1], NULL, 10) : 0 };
    for (; at < argc && strcmp(argv[at], "--") != 0 && embedded.spki_count < TRUST_KEYS_MAX; at++) {
        struct file key;
        if (!read_file(argv[at], &key))
            return 2;
        keys[embedded.spki_count++] = (struct digest_piece){ key.data, key.len };
    }
    for (at++; at < argc; at++)
        if (!judge(argv[at]))
            return 2;
    return 0;
}
