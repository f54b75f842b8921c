// SPDX-License-Identifier: MPL-2.0
// The interpreter of `#!ipxe` scripts and of lines typed into the shell (doc/scripts.md). Pure: settings,
// output and every command with an effect come from the caller.
//
// A line is cut into tokens first and each token is expanded afterwards, so what a setting holds is never
// read as an operator or as further arguments. A line is `command arg... [|| command...] [&& command...]`,
// evaluated from left to right on the last status; an empty command succeeds (`dhcp ||` ignores a failure).
//
// Memory: a struct script is about 10 KiB and lives wherever the caller puts it (not on a small stack). What
// a command starts from within run() -- a nested script, the shell -- needs a struct of its own, for argv and the
// rest of the line lie in the running one.
//
// Quotes and backslashes only act where an iPXE script would hardly have them: see script_lex.h.
#pragma once
#include "base/err.h"

#define SCRIPT_LINE_MAX 4608   // one logical line, continuations joined, with NUL: a URI of 4 KiB and more
#define SCRIPT_EXPAND_MAX 4608 // all arguments of one command after expansion, each with its NUL
#define SCRIPT_ARGS_MAX 64     // arguments of one command, its name included
#define SCRIPT_NEST_MAX 8      // ${${x}} inside each other
#define SCRIPT_NAME_MAX 128    // name of a setting or a label, with NUL
#define SCRIPT_MESSAGE_MAX 192

struct script;

// One row of a command table. min and max count the arguments after the name (options are arguments);
// max < 0: any number. `usage` is what stands after the name, "" without arguments. run() returns 0 or a negative
// ERR_*; argv[0] is the name, argv[argc] is NULL, and the texts may be changed in place.
struct script_command {
    const char *name;
    int min_args, max_args;
    const char *usage;
    int (*run)(struct script *s, int argc, char **argv);
};

// What the interpreter asks of its caller. `ctx` is the pointer given to script_init.
struct script_ops {
    // Text of the setting `name` ("ip", "net0/mac:hexhyp", "175.6") into buf, NUL-terminated: its length,
    // or a negative error (ERR_NOT_FOUND: expands to nothing).
    int (*get)(void *ctx, const char *name, char *buf, size_t cap);
    int (*set)(void *ctx, const char *name, const char *text);
    int (*clear)(void *ctx, const char *name);
    // For `show`: "net0.dhcp/filename:string = boot.ipxe", as settings_show gives it. NULL: get is used.
    int (*show)(void *ctx, const char *name, char *buf, size_t cap);
    // Console output, '\n' for a new line.
    void (*print)(void *ctx, const char *text, size_t len);
    // Called before each line: 0 to go on, or an error that ends the script (ERR_CANCELLED for ctrl-C).
    // This is what keeps an endless loop of a script from hanging silently. May be NULL.
    int (*poll)(void *ctx);
    // As set, for a value that is changed: by the type that it has. NULL: set is used.
    int (*update)(void *ctx, const char *name, const char *text);
    // Does the console show this error's sentence already, from the command that failed? NULL: it never does.
    bool (*said)(void *ctx, int err);
    // A command has failed: for the setting `errno`. NULL: nobody keeps it.
    void (*failed)(void *ctx, int err);
};

struct script {
    // Given by the caller through script_init.
    const struct script_command *commands;
    size_t command_count;
    const struct script_ops *ops;
    void *ctx;
    const char *name; // where the script comes from, for messages; NULL: not said

    // For commands to read and set.
    const char *text; // the running script, NULL in the shell
    size_t len, pos;  // pos: the next line
    bool exiting;     // `exit` was run: ends script or shell
    int exit_code;    // its argument
    bool jumped;      // `goto` moved pos: the rest of this line is dropped
    bool replaced;    // `chain --replace` ran another one: this one ends with the status of that command, of which all is said
    unsigned line_number; // of the line that runs (first of a continued one), from 1

    // The interpreter's own.
    const struct script_command *running;
    unsigned next_line; // number of the line at pos
    char line[SCRIPT_LINE_MAX];
    char args[SCRIPT_EXPAND_MAX];
    size_t args_used;
    char *argv[SCRIPT_ARGS_MAX + 1];
};

// `commands` are the caller's; the built-in ones (see script_builtins) are looked up after them.
void script_init(struct script *s, const struct script_command *commands, size_t count, const struct script_ops *ops,
                 void *ctx);

// True when the text begins with a line `#!ipxe` (or `#!gpxe`).
bool script_is_script(const char *text, size_t len);

// Runs a whole script from the caller's buffer, which must stay unchanged meanwhile. Returns 0 when it came to
// its end or to `exit` / `exit 0`; ERR_SCRIPT_EXIT for `exit N`; otherwise the error of the command that ended
// it, after a message "script: line 12 of NAME: ..." was printed. ERR_SCRIPT_NOT_SCRIPT without the first line.
int script_run(struct script *s, const char *text, size_t len);

// Runs one line (the shell's, or a test's). Returns its last status; a message is printed on an error. After
// `exit`, s->exiting is true.
int script_line(struct script *s, const char *line, size_t len);

// Runs argv[first..argc) of the command that runs as a command of its own (`time`). Its status.
int script_execute(struct script *s, int argc, int first);

// Expands ${...} in `text` into buf, NUL-terminated: length, or ERR_SCRIPT_LIMIT (does not fit, nested too
// deep). A `${` without its `}` is plain text.
int script_expand(struct script *s, const char *text, size_t len, char *buf, size_t cap);

// Formatted output through ops->print (cut at SCRIPT_MESSAGE_MAX).
void script_printf(struct script *s, const char *format, ...) PRINTF_LIKE(2, 3);

// Prints "name: why" and the usage line of the command that runs; returns ERR_SCRIPT_USAGE. For commands that check more.
int script_usage(struct script *s, const char *why);

// --- for commands ---

// An option of a command: `--name value`, `--name=value`, `-x value`, `-xvalue`. *value is set to the value, or
// for one without a value (has_value false) to "" when it is there; untouched otherwise.
struct script_option {
    char letter; // 0: none
    const char *name;
    bool has_value;
    const char **value;
};

// Reads the options in front of the operands (`--` ends them; a lone `-` is an operand). Returns the index of the
// first operand in argv when between min and max (max < 0: any) operands follow, else ERR_SCRIPT_USAGE with a
// message printed.
int script_options(struct script *s, int argc, char **argv, const struct script_option *options, size_t count,
                   int min, int max);

// A number, decimal or 0x hex, whole text. ERR_SCRIPT_USAGE with a message otherwise.
int script_number(struct script *s, const char *text, uint32_t *ret);

// A key for `prompt --key`: a number (0x02), `ctrl-b`, `^B`, `esc`, `enter`, `space` or one character. -1 otherwise.
int script_key(const char *text);

// argv[first..argc) joined by single spaces, in place: returns argv[first], or "" when there is none.
// Only valid inside run(), whose argv lies end to end in one buffer.
const char *script_join(int argc, char **argv, int first);

// echo, set, clear, show, inc, goto, isset, iseq, isuri, exit, help: the lexical commands every script has.
extern const struct script_command script_builtins[];
extern const size_t script_builtin_count;
