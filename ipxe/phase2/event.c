// SPDX-License-Identifier: MPL-2.0
// See event.h.
#include "phase2/event.h"

#include "base/fmt.h"
#include "base/text.h"

#define PREFIX "signet "
#define PREFIX_LEN (sizeof PREFIX - 1)
#define U64_DIGITS 21 // with NUL

// --- writing ---

static struct text begin(struct event *event, enum event_pcr pcr, const char *kind)
{
    event->pcr = pcr;
    event->len = 0;
    struct text t = { event->text, sizeof event->text, 0, false };
    text_string(&t, PREFIX);
    text_string(&t, kind);
    return t;
}

static int end(struct event *event, struct text *t)
{
    int len = text_finish(t);
    if (len < 0)
        return len;
    event->len = (size_t)len;
    return 0;
}

static void put_key(struct text *t, const char *key)
{
    text_char(t, ' ');
    text_string(t, key);
    text_char(t, '=');
}

static void put_bytes(struct text *t, const char *key, const char *value, char lowest)
{
    put_key(t, key);
    for (const char *c = value; *c; c++)
        if (*c < lowest || *c > '~' || *c == '%')
            text_percent(t, (uint8_t)*c);
        else
            text_char(t, *c);
}

static void put_word(struct text *t, const char *key, const char *value)
{
    put_bytes(t, key, value, '!');
}

static void put_rest(struct text *t, const char *key, const char *value)
{
    put_bytes(t, key, value, ' ');
}

static void put_number(struct text *t, const char *key, uint64_t value)
{
    char digits[U64_DIGITS];
    fmt_snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_word(t, key, digits);
}

static void put_hex(struct text *t, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_hex(t, bytes[i]);
}

static void put_image(struct text *t, const struct seal *seal)
{
    put_key(t, "id");
    put_hex(t, seal->image_id, sizeof seal->image_id);
    put_number(t, "counter", seal->counter);
    put_word(t, "product", seal->product);
    put_word(t, "name", seal->name);
}

// The smallest id above `previous` (NULL: of all), NULL when there is none: a trust store holds no key twice.
static const uint8_t *next_id(const struct trust_store *trust, const uint8_t *previous)
{
    const uint8_t *best = NULL;
    for (uint32_t i = 0; i < trust->key_count; i++) {
        const uint8_t *id = trust->keys[i].id;
        if ((!previous || memcmp(id, previous, KEY_ID_SIZE) > 0) && (!best || memcmp(id, best, KEY_ID_SIZE) < 0))
            best = id;
    }
    return best;
}

int event_policy(struct event *ret, const struct trust_store *trust)
{
    struct text t = begin(ret, EVENT_PCR_POLICY, "policy");
    put_number(&t, "threshold", MAX(trust->threshold, 1u));
    put_number(&t, "floor", trust->counter_floor);
    put_word(&t, "product", trust->product);
    put_key(&t, "keys");
    for (const uint8_t *id = next_id(trust, NULL); id;) {
        put_hex(&t, id, KEY_ID_SIZE);
        id = next_id(trust, id);
        if (id)
            text_char(&t, ',');
    }
    return end(ret, &t);
}

int event_script(struct event *ret, const char *from, const char *text, size_t len)
{
    uint8_t digest[SHA256_SIZE];
    sha256(text, len, digest);
    struct text t = begin(ret, EVENT_PCR_STEPS, "script");
    put_number(&t, "size", len);
    put_key(&t, "sha256");
    put_hex(&t, digest, sizeof digest);
    put_rest(&t, "from", from);
    return end(ret, &t);
}

int event_text(struct event *ret, const char *kind, const char *text)
{
    struct text t = begin(ret, EVENT_PCR_STEPS, kind);
    put_rest(&t, "text", text);
    return end(ret, &t);
}

int event_decision(struct event *ret, const char *kind, const struct seal *seal, uint64_t floor)
{
    struct text t = begin(ret, EVENT_PCR_STEPS, kind);
    put_number(&t, "floor", floor);
    put_image(&t, seal);
    return end(ret, &t);
}

int event_floor(struct event *ret, const char *kind, const char *product, uint64_t floor)
{
    struct text t = begin(ret, EVENT_PCR_STEPS, kind);
    put_number(&t, "floor", floor);
    put_word(&t, "product", product);
    return end(ret, &t);
}

int event_image(struct event *ret, const struct seal *seal)
{
    struct text t = begin(ret, EVENT_PCR_IMAGE, "image");
    put_image(&t, seal);
    return end(ret, &t);
}

void event_broken(struct event *ret, uint32_t pcr)
{
    struct text t = begin(ret, pcr, "broken");
    (void)end(ret, &t); // two words fit
}

// --- reading ---

// The fields behind the kind, from the first " key=" on; NULL when the event does not begin as one of this kind
// (NULL: of any).
static const char *fields(const char *event, size_t len, const char *kind)
{
    if (len <= PREFIX_LEN || memcmp(event, PREFIX, PREFIX_LEN) != 0)
        return NULL;
    const char *at = event + PREFIX_LEN, *last = event + len;
    const char *behind = memchr(at, ' ', (size_t)(last - at));
    if (!behind)
        behind = last;
    size_t kind_len = (size_t)(behind - at);
    if (kind_len == 0 || (kind && (strlen(kind) != kind_len || memcmp(at, kind, kind_len) != 0)))
        return NULL;
    return behind;
}

// One field: the cursor stands on its leading blank.
struct field {
    const char *key, *value;
    size_t key_len, value_len;
};

static bool next_field(const char **at, const char *last, struct field *ret)
{
    if (*at == last || **at != ' ')
        return false;
    const char *key = *at + 1, *equals = memchr(key, '=', (size_t)(last - key));
    if (!equals || equals == key || memchr(key, ' ', (size_t)(equals - key)))
        return false;
    *ret = (struct field){ key, equals + 1, (size_t)(equals - key), (size_t)(last - equals - 1) };
    bool rest = ret->key_len == 4 && (memcmp(key, "from", 4) == 0 || memcmp(key, "text", 4) == 0);
    const char *blank = rest ? NULL : memchr(ret->value, ' ', ret->value_len);
    if (blank)
        ret->value_len = (size_t)(blank - ret->value);
    *at = ret->value + ret->value_len;
    return true;
}

// False for what the writer would have written otherwise: then two texts would mean the same.
static bool decode(const struct field *field, struct text *out)
{
    for (size_t i = 0; i < field->value_len; i++) {
        char c = field->value[i];
        if (c < ' ' || c > '~')
            return false;
        if (c == '%') {
            if (field->value_len - i < 3)
                return false;
            const char *digits = field->value + i + 1;
            int high = ascii_hex_value(digits[0]), low = ascii_hex_value(digits[1]);
            char byte = (char)(high * 16 + low);
            bool lower = digits[0] > 'F' || digits[1] > 'F', needless = byte > ' ' && byte <= '~' && byte != '%';
            if (high < 0 || low < 0 || lower || needless || byte == 0)
                return false;
            c = byte;
            i += 2;
        }
        text_char(out, c);
    }
    return true;
}

bool event_is(const char *event, size_t len, const char *kind)
{
    const char *at = fields(event, len, kind), *last = event + len;
    struct field field;
    char nowhere[1];
    while (at && at != last) {
        struct text sink = { nowhere, sizeof nowhere, 0, false };
        if (!next_field(&at, last, &field) || !decode(&field, &sink))
            return false;
    }
    return at != NULL;
}

int event_value(const char *event, size_t len, const char *key, char *value, size_t cap)
{
    if (!event_is(event, len, NULL))
        return ERR_INVALID;
    const char *at = fields(event, len, NULL), *last = event + len;
    struct field field;
    while (next_field(&at, last, &field)) {
        if (strlen(key) != field.key_len || memcmp(field.key, key, field.key_len) != 0)
            continue;
        struct text out = { value, cap, 0, false };
        (void)decode(&field, &out);
        return text_finish(&out);
    }
    return ERR_NOT_FOUND;
}
