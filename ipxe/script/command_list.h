// SPDX-License-Identifier: MPL-2.0
// The commands with effects, in one place: core/conf.c makes its table of this list, and script_check.c judges scripts by it
// where no firmware is (`signet embed`).
#pragma once

// Columns: name, function (command_... in core/), least and most arguments (-1: any number), usage.
#define SCRIPT_COMMAND_LIST(X)                                                                                         \
    X("autoboot", elsewhere, 0, -1, "(not here)")                                                                      \
    X("boot", boot, 0, -1, "[--name NAME] [NAME|URI [ARG...]]")                                                        \
    X("cat", cat, 1, 1, "URI")                                                                                         \
    X("chain", boot, 1, -1, "[--autofree] [--replace] [--name NAME] [--timeout MS] NAME|URI [ARG...]")                 \
    X("choose", choose, 1, -1, "[--menu NAME] [--default LABEL] [--timeout MS] [--retimeout MS] [--keep] SETTING")     \
    X("colour", colour, 1, -1, "[--basic N] [--rgb 0xRRGGBB] COLOUR")                                                  \
    X("config", config, 0, 1, "[SCOPE]")                                                                               \
    X("console", console, 0, -1, "[--x N] [--y N] [--picture URI] [--keep]")                                           \
    X("cpair", cpair, 1, -1, "[--foreground COLOUR] [--background COLOUR] PAIR")                                       \
    X("cpuid", cpuid, 1, -1, "[--ext] [--ecx] BIT")                                                                    \
    X("dhcp", dhcp, 0, -1, "[--force] [--configurator dhcp|ipv6] [--timeout MS] [netN]...")                            \
    X("floor", floor, 0, 2, "[--clear [PRODUCT]]")                                                                     \
    X("form", form, 0, -1, "[--name NAME] [--delete] [TITLE]...")                                                      \
    X("ifclose", ifclose, 0, 1, "[netN]")                                                                              \
    X("ifconf", dhcp, 0, -1, "[--force] [--configurator dhcp|ipv6] [--timeout MS] [netN]...")                          \
    X("iflinkwait", iflinkwait, 0, -1, "[--timeout MS] [netN]...")                                                     \
    X("ifopen", ifopen, 0, 1, "[netN]")                                                                                \
    X("ifstat", ifstat, 0, 1, "[netN]")                                                                                \
    X("imgargs", imgargs, 1, -1, "NAME [ARG...]")                                                                      \
    X("imgexec", boot, 0, -1, "[--name NAME] [NAME|URI [ARG...]]")                                                     \
    X("imgfetch", imgfetch, 1, -1, "[--name NAME] [--timeout MS] URI")                                                 \
    X("imgfree", imgfree, 0, 1, "[NAME]")                                                                              \
    X("imgselect", imgselect, 1, 1, "NAME")                                                                            \
    X("imgstat", imgstat, 0, 0, "")                                                                                    \
    X("imgtrust", imgtrust, 0, -1, "[--permanent]")                                                                    \
    X("imgverify", imgverify, 0, -1, "(not here)")                                                                     \
    X("initrd", initrd, 1, -1, "[--name NAME] [--timeout MS] URI [PATH]")                                              \
    X("item", item, 0, -1, "[--menu NAME] [--key KEY] [--default] [--gap] [--secret] [LABEL [TEXT]...]")               \
    X("kernel", kernel, 1, -1, "[--name NAME] [--timeout MS] URI [ARG...]")                                            \
    X("login", login, 0, 0, "")                                                                                        \
    X("ls", ls, 0, 1, "[URI]")                                                                                         \
    X("menu", menu, 0, -1, "[--name NAME] [--delete] [TITLE]...")                                                      \
    X("module", initrd, 1, -1, "[--name NAME] [--timeout MS] URI [PATH]")                                              \
    X("nslookup", nslookup, 2, 2, "SETTING NAME")                                                                      \
    X("param", param, 1, -1, "[--params NAME] [--header] KEY [VALUE]...")                                              \
    X("params", params, 0, -1, "[--name NAME] [--delete]")                                                             \
    X("poweroff", poweroff, 0, 0, "")                                                                                  \
    X("present", present, 0, -1, "[--form NAME] [--keep]")                                                             \
    X("prompt", prompt, 0, -1, "[--key KEY] [--timeout MS] [TEXT]...")                                                 \
    X("read", read, 1, -1, "[--timeout MS] SETTING")                                                                   \
    X("reboot", reboot, 0, 0, "")                                                                                      \
    X("route", route, 0, 0, "")                                                                                        \
    X("sanboot", elsewhere, 0, -1, "(not here)")                                                                       \
    X("sanhook", elsewhere, 0, -1, "(not here)")                                                                       \
    X("sanunhook", elsewhere, 0, -1, "(not here)")                                                                     \
    X("seal", seal, 1, -1, "[--name NAME] URI")                                                                        \
    X("shell", shell, 0, 0, "")                                                                                        \
    X("sleep", sleep, 1, 1, "SECONDS")                                                                                 \
    X("sync", sync, 0, -1, "[--timeout MS]")                                                                           \
    X("time", time, 1, -1, "COMMAND...")
