// SPDX-License-Identifier: MPL-2.0
// Names of the errors listed in err.h.
#include "base/err.h"

static const struct {
    char code[4];
    const char *text;
} names[ERR_ORDINAL_COUNT] = {
    [ERR_ORDINAL_OK] = { "OK", "no error" },
#define X(name, short_code, sentence) [ERR_ORDINAL_##name] = { short_code, sentence },
    ERR_LIST(X)
#undef X
};

static unsigned ordinal(int err)
{
    return err > 0 || err <= -(int)ERR_ORDINAL_COUNT ? (unsigned)ERR_ORDINAL_INTERNAL : (unsigned)-err;
}

const char *err_code(int err)
{
    return names[ordinal(err)].code;
}

char err_group(int err)
{
    return names[ordinal(err)].code[0];
}

const char *err_text(int err)
{
    return names[ordinal(err)].text;
}
