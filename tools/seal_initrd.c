// SPDX-License-Identifier: MPL-2.0
// See seal_initrd.h.
#include "seal_initrd.h"
#include "base/fmt.h"
#include "image/cpio.h"
#include <stdlib.h>
#include <unistd.h>

#define MODE "mode="
#define MKDIR "mkdir="
#define FOLDERS_MAX 1000

static bool parse_octal(const char *text, uint32_t *ret)
{
    uint32_t mode = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '7' || mode > CPIO_MODE_MAX)
            return false;
        mode = mode * 8 + (uint32_t)(text[i] - '0');
    }
    *ret = mode;
    return len && mode <= CPIO_MODE_MAX;
}

static bool parse_folders(const char *text, int *ret)
{
    uint64_t n = 0;
    bool all = strcmp(text, "-1") == 0;
    if (!all && (!fmt_parse_u64(text, strlen(text), 10, &n) || n > FOLDERS_MAX))
        return false;
    *ret = all ? CPIO_FOLDERS_ALL : (int)n;
    return true;
}

bool sealed_initrd_parse(const char *text, struct sealed_initrd *ret)
{
    char *words = tool_strdup(text), *state, *word = strtok_r(words, " ", &state);
    const char *bad = word ? NULL : text;
    *ret = (struct sealed_initrd){ .file = tool_strdup(word ? word : ""), .mode = CPIO_MODE };
    word = word ? strtok_r(NULL, " ", &state) : NULL;
    ret->path = word ? tool_strdup(word) : NULL;
    while (word && !bad && (word = strtok_r(NULL, " ", &state))) {
        bool mode = strncmp(word, MODE, strlen(MODE)) == 0, folders = strncmp(word, MKDIR, strlen(MKDIR)) == 0;
        if (!(mode && parse_octal(word + strlen(MODE), &ret->mode)) && !(folders && parse_folders(word + strlen(MKDIR), &ret->folders)))
            bad = word;
    }
    if (bad) {
        tool_usage("--initrd", "\"%s\" is not understood: FILE, or FILE PATH [mode=OCTAL] [mkdir=N]", bad);
        free(ret->file);
        free(ret->path);
    }
    free(words);
    return !bad;
}

static int add_front(struct payload *p, const struct sealed_initrd *initrd, uint64_t size)
{
    uint8_t head[SEAL_FRONT_MAX];
    int len = cpio_head(&(struct cpio_file){ initrd->path, initrd->mode, initrd->folders, size }, head, sizeof head);
    if (len == ERR_INVALID)
        return -tool_error(initrd->path, "is no path of a file in an initial file system: its steps are printable ASCII, and none is . or ..");
    if (len < 0 && size > UINT32_MAX)
        return -tool_error(initrd->file, "is too large for a file of an initial file system (4 GiB)");
    if (len < 0)
        return -tool_error(initrd->path, "is too long: its heads have more than %d bytes", SEAL_FRONT_MAX);
    payload_front(p, head, (uint32_t)len);
    return 0;
}

int sealed_initrd(struct payload *p, const char *text)
{
    struct sealed_initrd initrd;
    if (!strchr(text, ' ') || access(text, F_OK) == 0)
        return payload_add(p, PART_INITRD, text) ? 0 : -1;
    if (!sealed_initrd_parse(text, &initrd))
        return -1;
    struct seal_part *part = payload_add(p, PART_INITRD, initrd.file);
    int r = !part ? -1 : initrd.path ? add_front(p, &initrd, part->size) : 0;
    free(initrd.file);
    free(initrd.path);
    return r;
}
