// SPDX-License-Identifier: MPL-2.0
// See install_nvram.h.
#include "install_nvram.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "efibootmgr"
#define ARGUMENTS_MAX 16

bool install_nvram_running(void)
{
    return access("/sys/firmware/efi", F_OK) == 0;
}

// Its path (free()), or NULL. `su` leaves people without the sbin folders in their PATH.
static char *find_program(void)
{
    const char *path = getenv("PATH");
    char *folders = tool_format("%s:/usr/sbin:/sbin", path ? path : ""), *rest = folders, *folder, *found = NULL;
    while (!found && (folder = strsep(&rest, ":"))) {
        char *file = tool_format("%s/" PROGRAM, folder);
        if (*folder && access(file, X_OK) == 0)
            found = file;
        else
            free(file);
    }
    free(folders);
    return found;
}

bool install_nvram_tool(void)
{
    char *program = find_program();
    free(program);
    return program != NULL;
}

// ---- running it ----------------------------------------------------------------------------------------

// Runs efibootmgr with arguments (NULL at the end); what it prints goes to *ret_text (free()). 0, or -1 after a message, to which
// its own on standard error belongs.
static int run(const char *const *arguments, char **ret_text)
{
    char *program = find_program(), *argv[ARGUMENTS_MAX] = { (char *)(uintptr_t)PROGRAM }, *text = NULL;
    size_t size = 0;
    int ends[2], status = 0, err = 0;
    for (size_t i = 0; arguments[i] && i + 2 < ARGUMENTS_MAX; i++)
        argv[i + 1] = (char *)(uintptr_t)arguments[i];
    if (!program || pipe(ends) != 0) {
        tool_error(PROGRAM, "%s", program ? strerror(errno) : "is not installed");
        return -1;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program, argv);
        _exit(127);
    }
    err = child < 0 ? errno : 0;
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    if (!err && out && getdelim(&text, &size, '\0', out) < 0 && ferror(out))
        err = errno;
    if (out)
        fclose(out);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    free(program);
    if (err || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        free(text);
        tool_error(PROGRAM, "%s", err ? strerror(err) : "failed; what it said is above");
        return -1;
    }
    *ret_text = text ? text : tool_strdup("");
    return 0;
}

// One that changes something: its list of entries is of no interest.
static int change(const char *const *arguments, bool dry_run)
{
    char *text;
    if (dry_run) {
        printf(PROGRAM);
        for (size_t i = 0; arguments[i]; i++)
            printf(strchr(arguments[i], '\\') ? " '%s'" : " %s", arguments[i]);
        printf("\n");
        return 0;
    }
    if (run(arguments, &text) != 0)
        return -1;
    free(text);
    return 0;
}

// ---- entries -------------------------------------------------------------------------------------------

// "Boot0003* Signet\tHD(1,GPT,<guid>,0x800,0x100000)/File(\EFI\signet\ipxe.efi)"; version 18 writes no "File(".
bool install_nvram_match(const char *line, const struct install_nvram_file *file, char ret_number[INSTALL_NVRAM_NUMBER_MAX])
{
    if (strncmp(line, "Boot", 4) != 0)
        return false;
    for (unsigned i = 4; i < 8; i++)
        if (!isxdigit((unsigned char)line[i]))
            return false;
    char *device = tool_format("HD(%u,%s,", file->partition, file->signature);
    const char *end = strchrnul(line, '\n');
    char *entry = tool_format("%.*s", (int)(end - line), line);
    const char *at = strcasestr(entry, device), *path = at ? strcasestr(at, file->path) : NULL;
    // Not "ipxe.efi.old".
    bool match = path && path[strlen(file->path)] != '.';
    if (match)
        snprintf(ret_number, INSTALL_NVRAM_NUMBER_MAX, "%.4s", line + 4);
    free(entry);
    free(device);
    return match;
}

int install_nvram_find(const struct install_nvram_file *file, char ret_number[INSTALL_NVRAM_NUMBER_MAX])
{
    static const char *const list[] = { "-v", NULL };
    char *text;
    if (run(list, &text) != 0)
        return -1;
    bool found = false;
    for (const char *line = text; line && !found; line = strchr(line, '\n')) {
        line += *line == '\n';
        found = install_nvram_match(line, file, ret_number);
    }
    free(text);
    return found ? 0 : 1;
}

int install_nvram_create(const struct install_nvram_file *file, bool dry_run)
{
    char number[16];
    snprintf(number, sizeof number, "%u", file->partition);
    const char *const arguments[] = { "--create", "--disk", file->disk, "--part", number, "--label", INSTALL_NVRAM_LABEL,
                                      "--loader", file->path, NULL };
    return change(arguments, dry_run);
}

int install_nvram_delete(const char *number, bool dry_run)
{
    const char *const arguments[] = { "--bootnum", number, "--delete-bootnum", NULL };
    return change(arguments, dry_run);
}
