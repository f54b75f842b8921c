// SPDX-License-Identifier: MPL-2.0
// Letters and digits of protocol text: ASCII only, whatever the locale.
#pragma once
#include "base/base.h"

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

// The value of a hexadecimal digit of either case, or -1.
static inline int ascii_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 3986 section 2.3: what never needs an escape in a URI.
static inline bool ascii_is_unreserved(char c)
{
    return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}
