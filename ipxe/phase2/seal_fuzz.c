// SPDX-License-Identifier: MPL-2.0
// Any bytes as a seal: view, signatures and body, each also when the one before it refused.
#include "base/fuzz.h"
#include "crypto/testkeys.h"
#include "phase2/seal.h"

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            __builtin_trap();                                                                                          \
    } while (0)

static struct seal seal, again;
static uint8_t rebuilt[SEAL_MAX];

// What a body means does not depend on how it was spelled.
static void check_rebuild(const struct seal_view *view)
{
    int n = seal_build(&seal, rebuilt, sizeof rebuilt);
    MUST(n > 0);
    struct seal_view twin = *view;
    twin.head = rebuilt;
    twin.body = rebuilt + SEAL_HEAD_SIZE;
    twin.body_size = (uint32_t)n - SEAL_HEAD_SIZE;
    MUST(seal_parse_body(&twin, &again) == 0);
    memcpy(again.image_id, seal.image_id, sizeof again.image_id);
    // What stands in front of files is the same, and may lie elsewhere.
    for (uint32_t i = 0; i < seal.part_count; i++) {
        struct seal_part *part = &again.parts[i];
        MUST(part->front_len == seal.parts[i].front_len);
        MUST(part->front_len == 0 || memcmp(again.bytes + part->front_at, seal.bytes + seal.parts[i].front_at, part->front_len) == 0);
        part->front_at = seal.parts[i].front_at;
    }
    again.bytes = seal.bytes;
    MUST(memcmp(&seal, &again, sizeof seal) == 0);
}

static void check_body(const struct seal_view *view)
{
    if (seal_parse_body(view, &seal) != 0) {
        MUST(seal.part_count == 0 && seal.name[0] == '\0');
        return;
    }
    MUST(seal.part_count >= 1 && seal.part_count <= SEAL_PARTS_MAX);
    const struct seal_part *last = &seal.parts[seal.part_count - 1];
    MUST(last->offset < seal.payload_size && last->size <= seal.payload_size - last->offset);
    MUST(seal_chunk_length(&seal, seal.chunk_count - 1) > 0 && seal_chunk_length(&seal, seal.chunk_count) == 0);
    check_rebuild(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust_store trust;
    if (trust.key_count == 0) {
        trust.threshold = 1;
        testkey_trust(&trust, TESTKEY_P256_A);
        testkey_trust(&trust, TESTKEY_P384_A);
    }
    struct seal_view view;
    if (seal_view(data, size, &view) != 0)
        return 0;
    size_t seal_len = seal_size(&view);
    MUST(seal_len <= size && view.signature_count <= SEAL_SIGNATURES_MAX);
    MUST(seal_payload_offset(&view) >= seal_list_offset(&view) + seal_list_size(&view));
    for (uint32_t i = 0; i < view.signature_count; i++) {
        struct seal_signature s = seal_signature_at(&view, i);
        MUST(s.bytes >= data && s.size <= size && s.bytes + s.size <= data + seal_len);
    }
    check_body(&view);
    // A verification takes as long as hundreds of parses, so that one input in eight gets it, and the whole
    // judgement only those where it can say yes.
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    if (sum % 8 == 0 && seal_verify_signatures(&view, &trust) == 0) {
        int err = seal_parse_body(&view, &again);
        bool detached = again.detached;
        MUST((detached ? seal_open_detached : seal_open)(data, seal_len, &trust, &seal) == err);
        MUST(memcmp(&seal, &again, sizeof seal) == 0);
        MUST(err || (detached ? seal_open : seal_open_detached)(data, seal_len, &trust, &seal) == (detached ? ERR_SEAL_DETACHED : ERR_SEAL_ATTACHED));
        MUST(size == seal_len || seal_open(data, size, &trust, &seal) == ERR_SEAL_LENGTH);
    }
    return 0;
}
