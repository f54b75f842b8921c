// SPDX-License-Identifier: MPL-2.0
// See install_scan.h. Disks are those that the kernel has a device for: no loop devices, no RAID or LVM volumes, no zvols.
#include "install_scan.h"
#include "install_place.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SYS_BLOCK "/sys/block"

static int is_disk(const struct dirent *entry)
{
    char path[sizeof SYS_BLOCK + sizeof entry->d_name + 16];
    unsigned long long sectors = 0;
    snprintf(path, sizeof path, SYS_BLOCK "/%s/device", entry->d_name);
    if (entry->d_name[0] == '.' || access(path, F_OK) != 0)
        return 0;
    snprintf(path, sizeof path, SYS_BLOCK "/%s/size", entry->d_name);
    FILE *f = fopen(path, "re");
    int got = f ? fscanf(f, "%llu", &sectors) : 0;
    if (f)
        fclose(f);
    return got == 1 && sectors > 0; // a drive without a medium has none
}

static bool has_vdev(const char *path, const char *pool)
{
    struct install_dev dev;
    struct install_table table;
    struct install_area area;
    const char *why;
    if (install_dev_open(&dev, path, INSTALL_DEV_READ) != 0)
        return false;
    bool found = install_table_read(&dev, &table) == 0 && install_area_find(&dev, &table, INSTALL_ZFS, pool, &area, &why) == 0;
    install_dev_close(&dev);
    return found;
}

int install_scan(const char *pool, struct opt_list *disks)
{
    struct dirent **entries;
    int count = scandir(SYS_BLOCK, &entries, is_disk, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = tool_format("/dev/%s", entries[i]->d_name);
        if (has_vdev(path, pool))
            opt_list_add(disks, path); // kept to the end of the process, as its arguments are
        else
            free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (disks->count > 0)
        return 0;
    tool_error(NULL, "no disk of this machine holds a vdev of pool %s", pool);
    return -1;
}
