// SPDX-License-Identifier: MPL-2.0
// signet: the host side of Signet. One program; each subcommand is one line of the table below.
#include "opts.h"
#include "tool.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct tool_command commands[] = {
    { "keygen", "make a signing key", keygen_main },
    { "mkimage", "make a signed phase-2 image (or an unsigned Oxide one)", mkimage_main },
    { "seal", "seal files that stay where they are: kernel, initrds, command line", seal_main },
    { "lookimage", "show an image and check its sums and signatures", lookimage_main },
    { "bootserver", "serve images to machines that boot", bootserver_main },
    { "fetch", "download and verify an image, as a booting machine does", fetch_main },
    { "embed", "put script and trust anchors into a finished artefact", embed_main },
    { "install", "put boot bits onto a disk or an image file", install_main },
    { "keep", "make a partition the place for machines' local copies of their image", keep_main },
};

extern const char licences[], licences_end[]; // licences.S

static int print_commands(void)
{
    printf("Usage: signet COMMAND [OPTION]... (signet COMMAND --help tells more)\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    printf("\n  --version    which build this is\n  --licences   the licences of Signet and of the libraries in it\n");
    return tool_flush();
}

// Without them the first file that is opened becomes standard output, and what is said is written into it: over a disk's first sector.
// A path answers reading and writing as a closed file does.
static bool hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH) != fd) // the lowest free number
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!hold_standard_files())
        return EXIT_FAIL;
    // A file-size limit shall be an error from write(), with its message, not a silent death.
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2)
        return tool_usage(NULL, "no command given");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (strcmp(name, "help") == 0 && argc == 2))
        return print_commands();
    if (strcmp(name, "--version") == 0) {
        opts_print_version();
        return tool_flush();
    }
    if (strcmp(name, "--licences") == 0 || strcmp(name, "--licenses") == 0) {
        fwrite(licences, 1, (size_t)(licences_end - licences), stdout);
        return tool_flush();
    }
    // "signet help mkimage" is "signet mkimage --help".
    char *help_argv[] = { (char *)"--help" };
    bool help = strcmp(name, "help") == 0;
    if (help)
        name = argv[2];
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            tool_set_name(commands[i].name);
            return help ? commands[i].run(1, help_argv) : commands[i].run(argc - 2, argv + 2);
        }
    }
    return tool_usage(name, "command not known");
}
