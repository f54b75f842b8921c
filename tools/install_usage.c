// SPDX-License-Identifier: MPL-2.0
// Which options of `signet install` go together.
#include "install_look.h"

#define DISKS_MAX 256

static int check_esp_usage(const struct install_wanted *w, bool install)
{
    if (w->mbr || w->slot || w->pool || w->refresh)
        return tool_usage("--esp", "takes no --mbr, --slot, --pool or --refresh");
    if (w->disks.count + w->folders.count == 0 || w->disks.count + w->folders.count > DISKS_MAX)
        return tool_usage("--esp", w->disks.count ? "too many disks" : "no disk given, and no --esp-path");
    if (install && !w->image)
        return tool_usage("--image", "no ipxe.efi given");
    if (w->image && !install && w->action != INSTALL_DO_VERIFY)
        return tool_usage("--image", "is not for status and remove");
    if (w->no_anchors && !install && w->action != INSTALL_DO_VERIFY)
        return tool_usage("--no-anchors", "is not for status and remove");
    if (w->removable && !install)
        return tool_usage("--removable", "is for an install only");
    if (w->json && w->action != INSTALL_DO_STATUS)
        return tool_usage("--json", "is for status");
    if (w->dry_run && !install && w->action != INSTALL_DO_REMOVE)
        return tool_usage("--dry-run", "nothing is written anyway");
    return -1;
}

int install_check_usage(struct install_wanted *w, const struct opt_list *operands)
{
    static const char *const actions[] = { [INSTALL_DO_STATUS] = "status", [INSTALL_DO_VERIFY] = "verify", [INSTALL_DO_REMOVE] = "remove" };
    unsigned kinds = 0;
    if (operands->count > 1)
        return tool_usage(operands->items[1], "one of status, verify and remove, and nothing else");
    for (unsigned i = INSTALL_DO_STATUS; operands->count && i < ARRAY_SIZE(actions); i++)
        if (strcmp(operands->items[0], actions[i]) == 0)
            w->action = (enum install_action)i;
    if (operands->count && w->action == INSTALL_DO_INSTALL)
        return tool_usage(operands->items[0], "is none of status, verify and remove");
    w->kind = -1;
    for (int i = 0; i < INSTALL_KINDS; i++) {
        kinds += w->kinds[i];
        if (w->kinds[i])
            w->kind = i;
    }
    bool install = w->action == INSTALL_DO_INSTALL;
    w->esp |= w->folders.count > 0;
    if (kinds + w->esp > 1)
        return tool_usage(NULL, "--zfs, --bios-boot, --gap and --esp: one at a time");
    if (w->esp)
        return check_esp_usage(w, install);
    if (w->removable || w->no_nvram)
        return tool_usage(w->removable ? "--removable" : "--no-nvram", "goes with --esp");
    if ((w->disks.count == 0 && !w->pool) || w->disks.count > DISKS_MAX)
        return tool_usage("--disk", w->disks.count ? "too many disks" : "no disk given, and no --pool");
    if (w->no_anchors && !install && w->action != INSTALL_DO_VERIFY)
        return tool_usage("--no-anchors", "is not for status and remove");
    if (!install && (w->slot || w->refresh || w->force))
        return tool_usage(operands->items[0], "takes no --slot, --refresh or --force");
    if (w->action == INSTALL_DO_STATUS || w->action == INSTALL_DO_REMOVE) {
        if (w->image || w->mbr)
            return tool_usage(operands->items[0], "takes no --image or --mbr");
    }
    if (w->mbr && !w->image)
        return tool_usage("--mbr", "goes with --image");
    if (w->dry_run && !install && w->action != INSTALL_DO_REMOVE)
        return tool_usage("--dry-run", "%s writes nothing anyway", operands->items[0]);
    if (w->json && w->action != INSTALL_DO_STATUS)
        return tool_usage("--json", "is for status");
    if (w->slot && strcmp(w->slot, "a") != 0 && strcmp(w->slot, "b") != 0)
        return tool_usage("--slot", "is a or b");
    if (install && w->refresh && w->kind < 0)
        w->kind = INSTALL_ZFS;
    if (w->refresh && (w->image || w->slot))
        return tool_usage("--refresh", "takes what a disk has; no --image or --slot");
    if (install && w->kind < 0)
        return tool_usage(NULL, "where? one of --zfs, --bios-boot, --gap and --esp");
    if (install && !w->refresh && !w->image)
        return tool_usage("--image", "no bootarea.bin given");
    if (w->pool && w->kind >= 0 && w->kind != INSTALL_ZFS)
        return tool_usage("--pool", "goes with --zfs");
    return -1;
}
