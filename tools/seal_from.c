// SPDX-License-Identifier: MPL-2.0
// See seal_from.h.
#include "seal_from.h"
#include "image/pe.h"
#include "image/arm64.h"
#include "image/bzimage.h"
#include "phase2/seal.h"
#include "seal_files.h"
#include "seal_walk.h"
#include "seal_words.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// What is made of one kernel.
struct made {
    const struct seal_file *kernel;
    struct mkimage options;
    struct sealed_words words;
    char *output;
};

struct run {
    const struct seal_from *from;
    struct seal_files files;
    struct walk_result walk;
    struct made *made;
    size_t made_count;
};

static const char *shown(const struct seal_file *file)
{
    return file->local ? file->local : file->uri;
}

// A Linux kernel's initrd= is for boot loaders; an EFI application that is no kernel is sealed as one.
static void judge_kind(struct made *made, bool *ret_linux)
{
    uint8_t *head = tool_alloc(PE_HEADERS_MAX);
    ssize_t n = pread(made->kernel->fd, head, PE_HEADERS_MAX, 0);
    size_t len = n < 0 ? 0 : (size_t)n;
    off_t size = lseek(made->kernel->fd, 0, SEEK_END);
    struct bzimage bzimage;
    struct arm64_image arm64;
    struct pe_image pe;
    *ret_linux = bzimage_parse(head, len, (uint64_t)size, &bzimage) == 0 || arm64_parse(head, len, (uint64_t)size, &arm64) == 0;
    bool application = !*ret_linux && pe_parse(head, len, (uint64_t)size, &pe) == 0 && !pe.unified;
    made->options.kernel = application ? NULL : made->kernel->path;
    made->options.efi = application ? made->kernel->path : NULL;
    free(head);
}

static bool same_files(const struct walk_start *a, const struct walk_start *b)
{
    if (a->initrd_count != b->initrd_count)
        return false;
    for (uint32_t i = 0; i < a->initrd_count; i++)
        if (strcmp(a->initrds[i].uri, b->initrds[i].uri) != 0 || strcmp(a->initrds[i].rest, b->initrds[i].rest) != 0)
            return false;
    return true;
}

// The files' names, for a message. free()
static char *list_of(const struct walk_start *start)
{
    char *text = tool_strdup(start->initrd_count ? "" : "none");
    for (uint32_t i = 0; i < start->initrd_count; i++) {
        const struct walk_initrd *initrd = &start->initrds[i];
        char *longer = tool_format("%s%s%s%s%s", text, i ? ", " : "", initrd->uri, *initrd->rest ? " " : "", initrd->rest);
        free(text);
        text = longer;
    }
    char *clean = words_shown(text, strlen(text));
    free(text);
    return clean;
}

static int add_initrds(struct run *run, struct made *made, const struct walk_start *start)
{
    for (uint32_t i = 0; i < start->initrd_count; i++) {
        const struct walk_initrd *initrd = &start->initrds[i];
        if (words_unknown(initrd->rest)) {
            char *text = words_shown(initrd->rest, strlen(initrd->rest));
            tool_error(initrd->uri, "its place in the initial file system, %s, hangs on a setting that is not known here: say --set NAME=VALUE",
                       text);
            free(text);
            return -1;
        }
        opt_list_add(&made->options.initrds, tool_format("%s%s%s", seal_files_at(&run->files, initrd->uri)->path, *initrd->rest ? " " : "",
                                                         initrd->rest));
    }
    return 0;
}

// Where the seal goes: its own place when the script names it, else beside the kernel.
static char *output_of(const struct run *run, const struct walk_start *start, const struct seal_file *kernel)
{
    const char *folder = run->from->folder, *end = *start->seal ? "" : ".seal", *from = *start->seal ? start->seal : shown(kernel);
    char *path = folder ? NULL : *start->seal ? seal_files_path(&run->files, start->seal) : kernel->local ? tool_strdup(kernel->local) : NULL;
    const char *name = strrchr(from, '/') + 1;
    char *output = path ? tool_format("%s%s", path, end) :
                          tool_format("%s%s%.*s%s", folder ? folder : "", folder ? "/" : "", (int)strcspn(name, "?"), name, end);
    free(path);
    return output;
}

static bool same_seal(const struct walk_start *a, const struct walk_start *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && strcmp(a->seal, b->seal) == 0;
}

// Everything about one kernel but the writing: from the first of its starts on.
static int prepare(struct run *run, size_t first)
{
    const struct walk_start *starts = run->walk.starts;
    struct made *made = &run->made[run->made_count++];
    struct opt_list cmdlines = { 0 };
    bool is_linux;
    *made = (struct made){ .kernel = seal_files_at(&run->files, starts[first].kernel), .options = *run->from->options };
    made->output = output_of(run, &starts[first], made->kernel);
    made->options.initrds = made->options.allow = (struct opt_list){ 0 };
    judge_kind(made, &is_linux);
    for (size_t i = first; i < run->walk.count; i++) {
        if (!same_seal(&starts[i], &starts[first]))
            continue;
        opt_list_add(&cmdlines, starts[i].arguments);
        if (!same_files(&starts[i], &starts[first])) {
            char *a = list_of(&starts[first]), *b = list_of(&starts[i]);
            tool_error(shown(made->kernel), "is started with different initrds (%s; %s), and one seal covers one list: seal each by "
                       "`signet seal -o NAME`, and name it in the script by `seal URI` in front of `kernel`", a, b);
            free(a);
            free(b);
            free(cmdlines.items);
            return -1;
        }
    }
    int r = sealed_words(shown(made->kernel), &cmdlines, is_linux, &made->words);
    free(cmdlines.items);
    if (r != 0 || add_initrds(run, made, &starts[first]) != 0)
        return -1;
    made->options.cmdline = *made->words.cmdline ? made->words.cmdline : NULL;
    made->options.output = made->output;
    if (*made->words.patterns)
        opt_list_add(&made->options.allow, made->words.patterns);
    for (size_t i = 0; i < run->from->options->allow.count; i++)
        opt_list_add(&made->options.allow, run->from->options->allow.items[i]);
    for (size_t i = 0; i + 1 < run->made_count; i++)
        if (strcmp(run->made[i].output, made->output) == 0)
            return -tool_error(made->output, "is the seal of two kernels, %s and %s: --root DIR puts each beside its own", shown(run->made[i].kernel),
                               shown(made->kernel));
    return mkimage_check(&made->options) < 0 ? 0 : -1;
}

static int write_seal(const struct made *made)
{
    printf("seal = %s\n", made->output);
    printf("command line = %s\n", made->words.cmdline);
    for (uint32_t i = 0; i < made->words.reasons.count; i++)
        printf("allowed = %s\n", made->words.reasons.items[i]);
    return mkimage_seal(&made->options);
}

static int seal_all(struct run *run)
{
    const struct walk_result *walk = &run->walk;
    run->made = tool_alloc(walk->count * sizeof *run->made);
    for (size_t i = 0; i < walk->count; i++) {
        bool first = true;
        for (size_t k = 0; k < i; k++)
            first = first && !same_seal(&walk->starts[k], &walk->starts[i]);
        if (first && prepare(run, i) != 0)
            return EXIT_FAIL;
    }
    int status = EXIT_OK;
    for (size_t i = 0; i < run->made_count && status == EXIT_OK; i++)
        status = write_seal(&run->made[i]);
    return status;
}

static int follow(struct run *run)
{
    const struct seal_from *from = run->from;
    char *uri = strstr(from->script, "://") ? tool_strdup(from->script) : seal_files_local(from->script);
    const struct walk_ops ops = { seal_files_find };
    static const char nothing[] = "starts no kernel that can be found (`boot` behind `kernel`); --set NAME=VALUE gives it settings, --root DIR the "
                                  "files of its servers";
    struct uri *base = tool_alloc(sizeof *base);
    const char *text;
    size_t len;
    int status = EXIT_FAIL, r = seal_files_find(&run->files, uri, &text, &len);
    if (r == 0 && !text)
        r = ERR_SCRIPT_NOT_SCRIPT;
    if (r == 0)
        r = uri_parse(uri, base);
    free(uri);
    if (r < 0) {
        tool_error(from->script, "%s (%s)", err_text(r), err_code(r));
    } else if (walk_script(text, len, base, &from->sets, &ops, &run->files, &run->walk) != 0) {
        status = EXIT_USAGE;
    } else {
        for (size_t i = 0; i < run->walk.notes.count; i++)
            printf("note = %s\n", run->walk.notes.items[i]);
        if (run->walk.cut)
            printf("note = only the first %d ways through the script were followed\n", WALK_WAYS_MAX);
        status = run->walk.count ? seal_all(run) : tool_error(from->script, "%s", nothing);
    }
    free(base);
    return status;
}

int seal_from_script(const struct seal_from *from)
{
    struct run run = { .from = from, .files = { .root = from->root } };
    int status = follow(&run);
    for (size_t i = 0; i < run.made_count; i++) {
        struct made *made = &run.made[i];
        for (size_t k = 0; k < made->options.initrds.count; k++)
            free((char *)made->options.initrds.items[k]);
        free(made->options.initrds.items);
        free(made->options.allow.items);
        sealed_words_free(&made->words);
        free(made->output);
    }
    free(run.made);
    walk_free(&run.walk);
    seal_files_close(&run.files);
    return status == EXIT_OK ? tool_flush() : status;
}
