// SPDX-License-Identifier: MPL-2.0
// What the subcommands of `signet` share: exit statuses, messages, and the list of subcommands.
#pragma once
#include "base/base.h"
#include "base/err.h"

enum tool_exit {
    EXIT_OK = 0,
    EXIT_FAIL = 1,  // it was asked correctly and did not work
    EXIT_USAGE = 2, // it was asked wrongly (lookimage: also "not readable")
};

// A subcommand. `run` gets what follows the subcommand's name and returns an exit status; it frees or
// closes nothing that the end of the process does anyway, but leaves no half-written file.
struct tool_command {
    const char *name;
    const char *summary; // one line for `signet help`
    int (*run)(int argc, char **argv);
};

int keygen_main(int argc, char **argv);
int mkimage_main(int argc, char **argv);
int seal_main(int argc, char **argv);
int lookimage_main(int argc, char **argv);
int bootserver_main(int argc, char **argv);
int fetch_main(int argc, char **argv);
int embed_main(int argc, char **argv);
int install_main(int argc, char **argv);
int keep_main(int argc, char **argv);

// The name that messages begin with: "mkimage" gives "signet mkimage: ". NULL gives "signet: ".
void tool_set_name(const char *name);
const char *tool_name(void);

// One line on standard error: "signet NAME: SUBJECT: text". The subject (a file, an option) may be NULL.
// Returns EXIT_FAIL, so that `return tool_error(...)` reads well.
int tool_error(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);
// The same with strerror(err) as its text.
int tool_errno(const char *subject, int err);
// The same for wrong usage: points to --help and returns EXIT_USAGE.
int tool_usage(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);

// Messages show another subject in this one's place, and seals another name: for a descriptor's path that stands for a file from elsewhere.
void tool_alias(const char *subject, const char *shown, const char *name);
// The name that was given for it, or NULL.
const char *tool_alias_name(const char *subject);

// What goes on, in the terminal's last line (the caller knows that standard error is one). The next text takes its place, and so
// does a message. "": no line any more, which is due before anything is said on standard output.
void tool_progress(const char *text);

// Memory that a host program may take for granted: a message and exit status 1 when there is none.
void *tool_alloc(size_t len); // zeroed
void *tool_realloc(void *old, size_t len);
char *tool_strdup(const char *text);
char *tool_format(const char *format, ...) PRINTF_LIKE(1, 2); // like asprintf

// A path as a shell takes it, for a command that a message prints: quoted where it has to be, never taken for an option. FILE
// stands for one that is longer than a message, or not printable. free().
char *tool_quoted(const char *path);

// Lower-case hex of `len` bytes into text (2 * len + 1 bytes); returns text.
char *tool_hex(const void *data, size_t len, char *text);

// What a firmware artefact calls itself, "0.1.0 (1234567)", found in its bytes (base/version.h). False: nothing of the kind.
#define TOOL_BUILD_MAX 48
bool tool_find_build(const uint8_t *data, size_t len, char ret[TOOL_BUILD_MAX]);

// Microseconds of a clock that only goes forward.
uint64_t tool_now_us(void);

// Flushes standard output and reports when that failed (a full disk, a closed pipe). EXIT_OK or EXIT_FAIL.
int tool_flush(void);
