// SPDX-License-Identifier: MPL-2.0
// Any bytes as an address and as a number; what is read is written, and read back the same.
#include "base/addr.h"
#include "base/fmt.h"
#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size ? (const char *)data : "";
    struct net_addr a = { 0 }, b = { 0 };
    char written[NET_ADDR_TEXT_MAX];
    if (net_addr_parse(text, size, &a)) {
        net_addr_format(&a, written);
        if (!net_addr_parse(written, strlen(written), &b) || memcmp(&a, &b, sizeof a) != 0)
            __builtin_trap();
    }
    uint64_t v, w;
    if (fmt_parse_u64(text, size, 0, &v)) {
        fmt_snprintf(written, sizeof written, "%llu", (unsigned long long)v);
        if (!fmt_parse_u64(written, strlen(written), 10, &w) || v != w)
            __builtin_trap();
    }
    return 0;
}
