// SPDX-License-Identifier: MPL-2.0
#include "seal_walk.h"

#include "base/test.h"
#include <stdio.h>
#include <stdlib.h>

static struct walk_result result;
static const char *const *there; // names of files, and texts of scripts that begin with "#!ipxe"

static int find(void *ctx, const char *uri, const char **ret_text, size_t *ret_len)
{
    for (const char *const *p = there; *p; p += 2)
        if (strcmp(uri, *p) == 0) {
            *ret_text = p[1];
            *ret_len = p[1] ? strlen(p[1]) : 0;
            return 0;
        }
    return ERR_NOT_FOUND;
}

static const char *const boot[] = { "http://s/b/vmlinuz", NULL, "http://s/b/initrd.img", NULL, "http://s/b/extra.img", NULL,
                                    "http://s/b/next.ipxe", "#!ipxe\nkernel vmlinuz next\nboot\n", NULL };

// All that was started: "kernel|arguments|initrd rest|..." with a newline behind each.
static char *walk(const char *text, const char *const *sets)
{
    static char all[8000];
    struct uri base;
    struct opt_list list = { 0 };
    const struct walk_ops ops = { find };
    char *to = all;
    *to = '\0';
    there = boot;
    for (; sets && *sets; sets++)
        opt_list_add(&list, *sets);
    if (uri_parse("http://s/b/boot.ipxe", &base) != 0)
        __builtin_trap();
    int r = walk_script(text, strlen(text), &base, &list, &ops, NULL, &result);
    for (size_t i = 0; r == 0 && i < result.count; i++) {
        const struct walk_start *s = &result.starts[i];
        if (*s->seal)
            to += sprintf(to, "(%s)", s->seal);
        to += sprintf(to, "%s|%s", strrchr(s->kernel, '/') + 1, s->arguments);
        for (uint32_t k = 0; k < s->initrd_count; k++)
            to += sprintf(to, "|%s%s%s", strrchr(s->initrds[k].uri, '/') + 1, *s->initrds[k].rest ? " " : "", s->initrds[k].rest);
        to += sprintf(to, "\n");
    }
    free(list.items);
    return r == 0 ? all : NULL;
}

static bool noted(const char *what)
{
    for (size_t i = 0; i < result.notes.count; i++)
        if (strstr(result.notes.items[i], what))
            return true;
    for (size_t i = 0; i < result.notes.count; i++)
        printf("  note: %s\n", result.notes.items[i]);
    return false;
}

TEST(straight)
{
    CHECK_STR(walk("#!ipxe\nset a quiet\nkernel --timeout 9 http://s/b/vmlinuz ${a}  x=1\ninitrd --name i initrd.img\n"
                   "initrd extra.img /opt/x mode=755\nboot || reboot\n", NULL),
              "vmlinuz|quiet x=1|initrd.img|extra.img /opt/x mode=755\n");
    CHECK_EQ(result.notes.count, 0);
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nkernel vmlinuz a\nmodule initrd.img\nimgargs vmlinuz b ${c}\nimgargs nothing d ||\n"
                   "imgargs vmlinuz m=${mac}\nboot vmlinuz\n", NULL),
              "vmlinuz|m=\376mac\377|initrd.img\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nkernel --name k vmlinuz old\ninitrd extra.img\nimgfree\ninitrd initrd.img\nkernel --name k vmlinuz\nimgexec k new args\n",
                   NULL), "vmlinuz|new args|initrd.img\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\ninitrd initrd.img\ninitrd extra.img\nimgfree initrd.img\nchain vmlinuz y\nkernel vmlinuz never\nboot", NULL),
              "vmlinuz|y|extra.img\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nseal s/other.seal\nprompt && seal http://t/x.seal ||\nkernel vmlinuz\ninitrd initrd.img\nboot\n", NULL),
              "(http://t/x.seal)vmlinuz||initrd.img\n(http://s/b/s/other.seal)vmlinuz||initrd.img\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nseal other.seal\nkernel vmlinuz a\nkernel vmlinuz b\nboot\n", NULL), "vmlinuz|b\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nkernel vmlinuz never-started\n", NULL), "");
    walk_free(&result);
}

TEST(what_is_not_there)
{
    CHECK_STR(walk("#!ipxe\nkernel x86/vmlinuz a || kernel vmlinuz b\nboot\n", NULL), "vmlinuz|b\n");
    CHECK(noted("x86/vmlinuz is not followed: not found (G04)"));
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\n:again\nkernel gone || goto again\nboot\n", NULL), "");
    CHECK_EQ(result.notes.count, 1);
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nkernel vmlinuz.${uuid}\nboot\n", NULL), "");
    CHECK(noted("vmlinuz.${uuid} is not followed: uuid is not known here (--set uuid=VALUE)"));
    CHECK(noted("line 2"));
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nnonsense\n", NULL), "");
    CHECK(noted("line 2"));
    walk_free(&result);
}

TEST(every_way)
{
    static const char menu[] = "#!ipxe\n:top\nmenu Systems\nitem --gap -- Group\nitem --key l linux Linux\nitem rescue Rescue\nitem conf Config\n"
                               "choose --default linux --timeout 8 t || goto out\ngoto ${t}\n:linux\nkernel vmlinuz a\ninitrd initrd.img\nboot\n"
                               ":rescue\nkernel vmlinuz b\ninitrd initrd.img\nboot\n:conf\nconfig\ngoto top\n:out\nchain next.ipxe\n";
    CHECK_STR(walk(menu, NULL), "vmlinuz|a|initrd.img\nvmlinuz|b|initrd.img\nvmlinuz|next\n");
    CHECK_EQ(result.notes.count, 0);
    CHECK(!result.cut);
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\nprompt --key x Press && kernel vmlinuz pressed || kernel vmlinuz not\nboot\n", NULL), "vmlinuz|pressed\nvmlinuz|not\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\niseq ${platform} efi && set p e || set p b\nisset ${x} && set p ${p}x ||\nkernel vmlinuz ${p}\nboot\n", NULL),
              "vmlinuz|ex\nvmlinuz|e\nvmlinuz|bx\nvmlinuz|b\n");
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\ngoto boot_${platform}\n:boot_efi\nkernel vmlinuz e\nboot\n:boot_pcbios && echo x\n:other\nkernel vmlinuz b\n"
                   "boot\n", NULL), "vmlinuz|e\nvmlinuz|b\n");
    CHECK(!noted("label"));
    walk_free(&result);
    CHECK_STR(walk("#!ipxe\ngoto ${nothing}\n:a\nkernel vmlinuz\nboot\n", NULL), "");
    CHECK(noted("no label :${nothing}"));
    walk_free(&result);
    // Ways that never end, and too many of them.
    CHECK_STR(walk("#!ipxe\n:a\nprompt || goto a\ngoto a\n", NULL), "");
    walk_free(&result);
    char many[2000] = "#!ipxe\n";
    for (int i = 0; i < 20; i++)
        strcat(many, "prompt && set x y ||\n");
    CHECK(walk(many, NULL) != NULL);
    CHECK(result.cut);
    walk_free(&result);
}

TEST(settings)
{
    static const char script[] = "#!ipxe\nset a:int32 0\ninc a\ninc fresh\nset m ${net0/mac:hexhyp}\nset n:ipv4 ${ip}\nclear gone\nkernel vmlinuz "
                                 "${a} ${fresh} x${gone}y m=${m} n=${n} s=${site}${empty}\nboot\n";
    static const char *const sets[] = { "site=lab", "empty=", NULL };
    CHECK_STR(walk(script, sets), "vmlinuz|1 1 xy m=\376net0/mac:hexhyp\377 n=\376ip\377 s=lab\n");
    walk_free(&result);
    static const char *const bad[] = { "=x", NULL }, *const bare[] = { "x", NULL };
    CHECK(!walk(script, bad));
    walk_free(&result);
    CHECK(!walk(script, bare));
    walk_free(&result);
}

TEST_MAIN(T(straight), T(what_is_not_there), T(every_way), T(settings))
