// SPDX-License-Identifier: MPL-2.0
// Any bytes as an event: reading ends. Any text as a value: it is read back exactly.
#include "phase2/event.h"

#include "base/fuzz.h"

#define MUST(x) ((x) ? (void)0 : __builtin_trap())
#define TEXT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event event;
    static char text[TEXT_MAX], value[TEXT_MAX];
    if (size == 0 || size >= TEXT_MAX)
        return 0;
    const char *bytes = (const char *)data;
    (void)event_value(bytes, size, "text", value, sizeof value);
    (void)event_value(bytes, size, "size", value, sizeof value);
    (void)event_is(bytes, size, "line");

    memcpy(text, data, size);
    text[size] = 0;
    MUST(event_text(&event, "line", text) == 0);
    MUST(event_is(event.text, event.len, "line"));
    MUST(event_value(event.text, event.len, "text", value, sizeof value) == (int)strlen(text) && strcmp(value, text) == 0);

    struct seal seal = { .counter = size };
    memcpy(seal.product, data, size < sizeof seal.product ? size : sizeof seal.product - 1);
    MUST(event_decision(&event, "refused", &seal, 1) == 0);
    MUST(event_value(event.text, event.len, "product", value, sizeof value) >= 0 && strcmp(value, seal.product) == 0);
    return 0;
}
