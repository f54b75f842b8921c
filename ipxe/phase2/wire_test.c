// SPDX-License-Identifier: MPL-2.0
#include "phase2/wire.h"

#include "base/test.h"

static const uint8_t nonce[P2_NONCE_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static uint8_t block[P2_BLOCK_MAX];

static const uint8_t types[] = { P2_HELLO, P2_OFFER, P2_READ, P2_DATA, P2_FINISHED, P2_FINISHED_ACK, P2_ERROR, P2_RESET };

// A message of each type with every field set to something that shows where it went.
static struct p2_message sample(uint8_t type)
{
    struct p2_message m;
    memset(&m, 0, sizeof m);
    m.type = type;
    memcpy(m.nonce, nonce, sizeof nonce);
    switch (type) {
    case P2_HELLO:
        memset(m.hello.tag, 0x11, sizeof m.hello.tag);
        p2_wire_text(m.hello.name, sizeof m.hello.name, "debian-13");
        memset(m.hello.facts.mac, 0x22, 6);
        memset(m.hello.facts.uuid, 0x33, 16);
        p2_wire_text(m.hello.facts.arch, sizeof m.hello.facts.arch, "i386-pcbios");
        p2_wire_text(m.hello.facts.version, sizeof m.hello.facts.version, "0.1.0");
        m.hello.window_max = 0x4455;
        m.hello.block_max = 0x5566;
        break;
    case P2_OFFER:
        memset(m.offer.cookie, 0x66, sizeof m.offer.cookie);
        memset(m.offer.image_id, 0x77, sizeof m.offer.image_id);
        m.offer.seal_size = 0x01020304;
        m.offer.list_size = 0x05060708;
        m.offer.payload_size = 0x1112131415161718;
        m.offer.block_max = 1408;
        m.offer.window_max = 1024;
        memset(m.offer.instance, 0x88, sizeof m.offer.instance);
        memset(m.offer.group_nonce, 0x99, sizeof m.offer.group_nonce);
        memset(m.offer.group_ip, 0xaa, sizeof m.offer.group_ip);
        m.offer.group_port = 0xbbcc;
        p2_wire_text(m.offer.server, sizeof m.offer.server, "boot-1");
        break;
    case P2_READ:
        memset(m.read.cookie, 0x66, sizeof m.read.cookie);
        memset(m.read.tag, 0x77, sizeof m.read.tag);
        m.read.verified = 0x100000002;
        m.read.lost = 3;
        m.read.stamp = 0x0405;
        m.read.block_size = 1408;
        m.read.flags = P2_READ_CANCEL;
        m.read.space = P2_SPACE_PAYLOAD;
        m.read.range_count = 2;
        m.read.ranges[0] = (struct p2_range){ .offset = 0x0102030405060708, .length = 0x0a0b0c0d };
        m.read.ranges[1] = (struct p2_range){ .offset = 1408, .length = 1 };
        break;
    case P2_DATA:
        memset(m.data.tag, 0x77, sizeof m.data.tag);
        m.data.offset = 0x0102030405060708;
        m.data.space = P2_SPACE_LIST;
        m.data.stamp = 0x0a0b;
        m.data.serial = 0x0c0d0e0f;
        m.data.bytes = block;
        m.data.length = 100;
        break;
    case P2_FINISHED:
        memset(m.finished.cookie, 0x66, sizeof m.finished.cookie);
        memset(m.finished.tag, 0x77, sizeof m.finished.tag);
        m.finished.bytes = 0x0102030405060708;
        m.finished.transport_ms = 1;
        m.finished.digest_ms = 2;
        m.finished.lost = 3;
        m.finished.duplicates = 4;
        m.finished.outcome = P2_OUTCOME_FAILED;
        p2_wire_text(m.finished.code, sizeof m.finished.code, "S07");
        p2_wire_text(m.finished.text, sizeof m.finished.text, "signed by no trusted key");
        break;
    case P2_ERROR:
        memset(m.error.tag, 0x77, sizeof m.error.tag);
        m.error.code = P2_ERROR_NO_TAG;
        p2_wire_text(m.error.text, sizeof m.error.text, "gone");
        break;
    case P2_RESET: m.reset_reason = P2_RESET_COOKIE; break;
    default: break;
    }
    return m;
}

TEST(every_message_comes_back_as_it_went)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        uint8_t buf[P2_MESSAGE_MAX], again[P2_MESSAGE_MAX];
        struct p2_message m = sample(types[i]), r;
        int n = p2_wire_write(&m, buf, sizeof buf);
        CHECK(n > 0);
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), 0);
        CHECK_EQ(r.type, types[i]);
        CHECK(memcmp(r.nonce, nonce, sizeof nonce) == 0);
        if (r.type == P2_DATA) {
            CHECK(r.data.bytes == buf + P2_DATA_FIXED);
            CHECK_EQ(r.data.offset, m.data.offset);
            CHECK_EQ(r.data.serial, m.data.serial);
        }
        CHECK_EQ(p2_wire_write(&r, again, sizeof again), n);
        CHECK(memcmp(buf, again, (size_t)n) == 0);
    }
}

TEST(sizes_are_what_the_header_says)
{
    static const int sizes[] = { P2_HELLO_SIZE, P2_OFFER_SIZE, P2_READ_FIXED + 2 * P2_RANGE_SIZE, P2_DATA_FIXED + 100,
                                 P2_FINISHED_SIZE, P2_FINISHED_ACK_SIZE, P2_ERROR_SIZE, P2_RESET_SIZE };
    uint8_t buf[P2_MESSAGE_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct p2_message m = sample(types[i]);
        CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), sizes[i]);
    }
}

// Byte for byte as doc/phase2-protocol.md says: a change here is another version of the protocol.
TEST(layout_is_fixed)
{
    uint8_t buf[P2_MESSAGE_MAX];
    struct p2_message m = sample(P2_READ);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), 88);
    static const uint8_t head[] = { 'S', 'g', 'P', '2', 1, 3, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
    CHECK(memcmp(buf, head, sizeof head) == 0);
    CHECK_EQ(buf[16], 0x66);
    CHECK_EQ(buf[32], 0x77);
    CHECK_EQ(load64_le(buf + 40), 0x100000002);
    CHECK_EQ(load32_le(buf + 48), 3);
    CHECK_EQ(load16_le(buf + 52), 0x0405);
    CHECK_EQ(load16_le(buf + 54), 1408);
    CHECK_EQ(load16_le(buf + 56), 1);
    CHECK_EQ(buf[58], 2);
    CHECK_EQ(buf[59], 2);
    CHECK_EQ(load64_le(buf + 64), 0x0102030405060708);
    CHECK_EQ(load32_le(buf + 72), 0x0a0b0c0d);

    m = sample(P2_OFFER);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), 160);
    CHECK_EQ(load32_le(buf + 64), 0x01020304);
    CHECK_EQ(load64_le(buf + 72), 0x1112131415161718);
    CHECK_EQ(load16_le(buf + 80), 1408);
    CHECK_EQ(buf[88], 0x88);
    CHECK_EQ(buf[96], 0x99);
    CHECK_EQ(buf[104], 0xaa);
    CHECK_EQ(load16_le(buf + 120), 0xbbcc);
    CHECK_STR((char *)buf + 128, "boot-1");

    m = sample(P2_DATA);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), 140);
    CHECK_EQ(load64_le(buf + 24), 0x0102030405060708);
    CHECK_EQ(buf[32], 1);
    CHECK_EQ(load16_le(buf + 34), 0x0a0b);
    CHECK_EQ(load32_le(buf + 36), 0x0c0d0e0f);

    m = sample(P2_HELLO);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), 256);
    CHECK_STR((char *)buf + 24, "debian-13");
    CHECK_EQ(buf[88], 0x22);
    CHECK_EQ(load16_le(buf + 94), 0x4455);
    CHECK_EQ(buf[96], 0x33);
    CHECK_STR((char *)buf + 112, "i386-pcbios");
    CHECK_STR((char *)buf + 128, "0.1.0");

    m = sample(P2_FINISHED);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), 168);
    CHECK_EQ(load32_le(buf + 48), 1);
    CHECK_EQ(load32_le(buf + 60), 4);
    CHECK_EQ(buf[64], P2_OUTCOME_FAILED);
    CHECK_STR((char *)buf + 72, "S07");
    m = sample(P2_HELLO);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), 256);
    CHECK_EQ(load16_le(buf + 94), 0x4455);
    CHECK_EQ(load16_le(buf + 160), 0x5566);
}

TEST(every_other_length_is_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct p2_message m = sample(types[i]), r;
        uint8_t buf[P2_MESSAGE_LARGE + 1] = { 0 };
        int n = p2_wire_write(&m, buf, P2_MESSAGE_LARGE);
        for (int len = 0; len < n; len++) {
            uint8_t *exact = malloc((size_t)len + 1); // so that a read beyond the end is caught
            memcpy(exact, buf, (size_t)len);
            int rc = p2_wire_read(exact, (size_t)len, &r);
            free(exact);
            if (types[i] == P2_DATA && len > P2_DATA_FIXED)
                CHECK_EQ(rc, 0); // a shorter block is a block
            else
                CHECK_EQ(rc, ERR_P2_MALFORMED);
        }
        CHECK_EQ(p2_wire_read(buf, types[i] == P2_DATA ? P2_MESSAGE_LARGE + 1 : (size_t)n + 1, &r), ERR_P2_MALFORMED);
    }
}

TEST(head_must_be_ours)
{
    uint8_t buf[P2_RESET_SIZE];
    struct p2_message m = sample(P2_RESET), r;
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), P2_RESET_SIZE);
    for (int i = 0; i < 8; i++) {
        buf[i] ^= 0x40;
        CHECK_EQ(p2_wire_read(buf, sizeof buf, &r), ERR_P2_MALFORMED);
        buf[i] ^= 0x40;
    }
    CHECK_EQ(p2_wire_read(buf, sizeof buf, &r), 0);
    for (int type = 0; type < 256; type++) {
        buf[5] = (uint8_t)type;
        if (type != P2_RESET)
            CHECK_EQ(p2_wire_read(buf, sizeof buf, &r), ERR_P2_MALFORMED);
    }
}

TEST(reserved_bytes_must_be_zero)
{
    static const struct { uint8_t type; uint16_t at; } reserved[] = {
        { P2_HELLO, 162 }, { P2_HELLO, 255 }, { P2_OFFER, 84 }, { P2_OFFER, 87 }, { P2_OFFER, 122 }, { P2_OFFER, 127 },
        { P2_READ, 60 }, { P2_READ, 63 }, { P2_DATA, 33 }, { P2_FINISHED, 65 }, { P2_FINISHED, 71 }, { P2_ERROR, 26 },
        { P2_ERROR, 31 }, { P2_RESET, 18 }, { P2_RESET, 23 }, { P2_FINISHED_ACK, 16 }, { P2_FINISHED_ACK, 23 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        uint8_t buf[P2_MESSAGE_MAX];
        struct p2_message m = sample(reserved[i].type), r;
        int n = p2_wire_write(&m, buf, sizeof buf);
        CHECK(n > reserved[i].at);
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), 0);
        CHECK_EQ(buf[reserved[i].at], 0);
        buf[reserved[i].at] = 1;
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), ERR_P2_MALFORMED);
    }
}

TEST(text_must_be_text)
{
    static const struct { uint8_t type; uint16_t at, size; } fields[] = {
        { P2_HELLO, 24, 64 }, { P2_HELLO, 112, 16 }, { P2_HELLO, 128, 32 }, { P2_OFFER, 128, 32 },
        { P2_FINISHED, 72, 8 }, { P2_FINISHED, 80, 88 }, { P2_ERROR, 32, 24 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        uint8_t buf[P2_MESSAGE_MAX];
        struct p2_message m = sample(fields[i].type), r;
        int n = p2_wire_write(&m, buf, sizeof buf);
        uint8_t *field = buf + fields[i].at;
        memset(field, 'a', fields[i].size);
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), ERR_P2_MALFORMED); // no NUL
        field[fields[i].size - 1] = 0;
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), 0);
        field[1] = 0;
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), ERR_P2_MALFORMED); // something behind the NUL
        memset(field, 0, fields[i].size);
        CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), 0);
        static const uint8_t controls[] = { 0x1b, '\n', 0x7f, 0x80, 0xff };
        for (size_t k = 0; k < sizeof controls; k++) {
            field[0] = controls[k];
            CHECK_EQ(p2_wire_read(buf, (size_t)n, &r), ERR_P2_MALFORMED);
        }
    }
}

static int read_with(struct p2_read read)
{
    uint8_t buf[P2_READ_MAX];
    struct p2_message m = sample(P2_READ), r;
    m.read = read;
    int written = p2_wire_write(&m, buf, sizeof buf);
    // What the writer refuses the reader must refuse as well: build it by hand.
    struct p2_message base = sample(P2_READ);
    int n = p2_wire_write(&base, buf, sizeof buf);
    store16_le(buf + 52, read.stamp);
    store16_le(buf + 54, read.block_size);
    store16_le(buf + 56, read.flags);
    buf[58] = read.space;
    buf[59] = read.range_count;
    store64_le(buf + 64, read.ranges[0].offset);
    store32_le(buf + 72, read.ranges[0].length);
    int rc = p2_wire_read(buf, (size_t)n, &r);
    if ((written < 0) != (rc < 0))
        return ERR_INTERNAL;
    return rc;
}

TEST(read_bounds)
{
    struct p2_read good = sample(P2_READ).read, bad = good;
    CHECK_EQ(read_with(good), 0);
#define BAD(change)                                                                                                    \
    bad = good;                                                                                                        \
    bad.change;                                                                                                        \
    CHECK_EQ(read_with(bad), ERR_P2_MALFORMED)
    BAD(block_size = P2_BLOCK_MIN - 1);
    BAD(block_size = P2_BLOCK_LARGE + 1);
    BAD(block_size = 0);
    BAD(flags = 2);
    BAD(space = 3);
    BAD(range_count = 0);
    BAD(stamp = 0); // multicast's
    BAD(range_count = P2_RANGES_MAX + 1);
    BAD(ranges[0].length = 0);
    BAD(ranges[0] = ((struct p2_range){ .offset = UINT64_MAX, .length = 1 }));
    BAD(ranges[0] = ((struct p2_range){ .offset = UINT64_MAX - 9, .length = 10 }));
#undef BAD
    good.block_size = P2_BLOCK_LARGE; // whether it was offered is not the datagram's to say
    CHECK_EQ(read_with(good), 0);
    good.ranges[0] = (struct p2_range){ .offset = UINT64_MAX - 10, .length = 10 };
    CHECK_EQ(read_with(good), 0);

    struct p2_message m = sample(P2_READ), r;
    uint8_t buf[P2_READ_MAX];
    m.read.range_count = P2_RANGES_MAX;
    for (uint32_t i = 0; i < P2_RANGES_MAX; i++)
        m.read.ranges[i] = (struct p2_range){ .offset = i * 5000, .length = 1 + i };
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), P2_READ_MAX);
    CHECK_EQ(p2_wire_read(buf, sizeof buf, &r), 0);
    CHECK_EQ(r.read.ranges[63].length, 64);
}

TEST(writer_refuses)
{
    uint8_t buf[P2_MESSAGE_MAX];
    struct p2_message m = sample(P2_DATA);
    m.data.length = 0;
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), ERR_INVALID);
    m.data.length = P2_BLOCK_LARGE + 1;
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), ERR_INVALID);
    m = sample(P2_DATA);
    m.data.space = P2_SPACES;
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), ERR_INVALID);
    m = sample(P2_FINISHED);
    m.finished.outcome = 0;
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), ERR_INVALID);
    m.type = 0;
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), ERR_INVALID);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        m = sample(types[i]);
        int n = p2_wire_write(&m, buf, sizeof buf);
        for (int cap = 0; cap < n; cap++) {
            uint8_t *small = malloc((size_t)cap + 1);
            int rc = p2_wire_write(&m, small, (size_t)cap);
            free(small);
            CHECK_EQ(rc, ERR_TOO_LARGE);
        }
    }
}

TEST(data_head_alone_is_the_same)
{
    uint8_t buf[P2_MESSAGE_MAX], head[P2_DATA_FIXED];
    struct p2_message m = sample(P2_DATA);
    p2_wire_write(&m, buf, sizeof buf);
    p2_wire_data_head(head, nonce, &m.data);
    CHECK(memcmp(head, buf, sizeof head) == 0);
}

TEST(text_fields)
{
    char field[8];
    p2_wire_text(field, sizeof field, "abc");
    CHECK(memcmp(field, "abc\0\0\0\0", 8) == 0);
    p2_wire_text(field, sizeof field, "longer than that");
    CHECK_STR(field, "longer ");
    p2_wire_text(field, sizeof field, "a\x1b\xff" "b");
    CHECK_STR(field, "a??b");
    p2_wire_text(field, sizeof field, NULL);
    CHECK_STR(field, "");
}

// What lies behind a text's NUL in memory must not leave the machine.
TEST(nothing_leaks_behind_text)
{
    uint8_t buf[P2_MESSAGE_MAX];
    struct p2_message m = sample(P2_HELLO);
    memset(m.hello.name, 'x', sizeof m.hello.name);
    memcpy(m.hello.name, "a\0secret", 8);
    CHECK_EQ(p2_wire_write(&m, buf, sizeof buf), P2_HELLO_SIZE);
    for (int i = 25; i < 88; i++)
        CHECK_EQ(buf[i], 0);
}

TEST(names)
{
    CHECK_STR(p2_type_name(P2_HELLO), "HELLO");
    CHECK_STR(p2_type_name(P2_RESET), "RESET");
    CHECK_STR(p2_type_name(0), "?");
    CHECK_STR(p2_type_name(9), "?");
}

TEST_MAIN(T(every_message_comes_back_as_it_went), T(sizes_are_what_the_header_says), T(layout_is_fixed),
          T(every_other_length_is_refused), T(head_must_be_ours), T(reserved_bytes_must_be_zero), T(text_must_be_text),
          T(read_bounds), T(writer_refuses), T(data_head_alone_is_the_same), T(text_fields), T(nothing_leaks_behind_text),
          T(names))
