// SPDX-License-Identifier: MPL-2.0
// A fuzz target is `int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)` in NAME_fuzz.c.
// Built with libFuzzer by `make fuzz`; with FUZZ_REPLAY a main() that runs every file named on the
// command line (folders: every file in them), so that `make check` replays ci/corpus/NAME anywhere.
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef FUZZ_REPLAY
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned fuzz_replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    if (S_ISDIR(st.st_mode)) {
        unsigned count = 0;
        DIR *dir = opendir(path);
        for (struct dirent *e; dir && (e = readdir(dir));) {
            if (e->d_name[0] == '.')
                continue;
            char sub[4096];
            snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
            count += fuzz_replay(sub);
        }
        if (dir)
            closedir(dir);
        return count;
    }
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(st.st_size ? (size_t)st.st_size : 1);
    if (!f || !data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    LLVMFuzzerTestOneInput(NULL, 0);
    for (int i = 1; i < argc; i++)
        count += fuzz_replay(argv[i]);
    printf("%s: %u inputs replayed\n", argv[0], count);
    return 0;
}
#endif
