// SPDX-License-Identifier: MPL-2.0
// See install_sys.h.
#include "install_sys.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const char *install_sys_root = "";

static bool read_number(const char *path, unsigned *ret_first, unsigned *ret_second)
{
    FILE *f = fopen(path, "re");
    bool ok = f && fscanf(f, "%u:%u", ret_first, ret_second) == (ret_second ? 2 : 1);
    if (f)
        fclose(f);
    return ok;
}

// The folder of a device: .../sda or .../sda/sda1. NULL when the system has no such device; else free().
static char *device_folder(dev_t device)
{
    char *link = tool_format("%s/sys/dev/block/%u:%u", install_sys_root, major(device), minor(device));
    char *real = realpath(link, NULL);
    free(link);
    return real;
}

// The folder's last part as the file in /dev.
static char *device_file(const char *folder)
{
    char *path = tool_format("%s/dev%s", install_sys_root, strrchr(folder, '/'));
    for (char *c = strrchr(path, '/'); *c; c++)
        if (*c == '!') // stands for a slash there: cciss!c0d0
            *c = '/';
    return path;
}

char *install_sys_file(dev_t device)
{
    char *folder = device_folder(device), *path = folder ? device_file(folder) : NULL;
    free(folder);
    return path;
}

bool install_sys_partition(dev_t disk, unsigned partition, dev_t *ret)
{
    unsigned ma, mi;
    *ret = disk;
    if (partition == 0)
        return true;
    char *folder = device_folder(disk);
    if (!folder)
        return false;
    // A partition is a folder in the disk's: sda1, nvme0n1p1.
    const char *name = strrchr(folder, '/') + 1;
    bool digit = name[0] && name[strlen(name) - 1] >= '0' && name[strlen(name) - 1] <= '9';
    char *target = tool_format("%s/%s%s%u/dev", folder, name, digit ? "p" : "", partition);
    bool ok = read_number(target, &ma, &mi);
    free(target);
    free(folder);
    if (ok)
        *ret = makedev(ma, mi);
    return ok;
}

bool install_sys_disk(dev_t partition, char **ret_disk, unsigned *ret_number)
{
    char *folder = device_folder(partition);
    if (!folder)
        return false;
    char *file = tool_format("%s/partition", folder);
    bool ok = read_number(file, ret_number, NULL);
    free(file);
    if (ok) {
        *strrchr(folder, '/') = '\0'; // the disk's folder, which is in /sys/devices
        *ret_disk = device_file(folder);
    }
    free(folder);
    return ok;
}

// ---- arrays --------------------------------------------------------------------------------------------

static int is_named(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

// The entry `index`, by name, of a folder of a device's, such as holders/: a link to another device's folder. NULL: there are no
// more; else free().
static char *linked(dev_t device, const char *list, unsigned index)
{
    char *folder = device_folder(device), *path = folder ? tool_format("%s/%s", folder, list) : NULL, *real = NULL;
    struct dirent **entries = NULL;
    int count = path ? scandir(path, &entries, is_named, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        if ((unsigned)i == index) {
            char *name = tool_format("%s/%s", path, entries[i]->d_name);
            real = realpath(name, NULL);
            free(name);
        }
        free(entries[i]);
    }
    free(entries);
    free(path);
    free(folder);
    return real;
}

// Whether a file of a device's folder begins with one of two words.
static bool begins(const char *folder, const char *name, const char *one, const char *other)
{
    char *path = tool_format("%s/%s", folder, name), word[32] = "";
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(word, sizeof word, f);
    if (f)
        fclose(f);
    free(path);
    word[strcspn(word, "\n")] = '\0';
    return ok && (strcmp(word, one) == 0 || strcmp(word, other) == 0);
}

static bool number_of(const char *folder, dev_t *ret)
{
    unsigned ma, mi;
    char *path = tool_format("%s/dev", folder);
    bool ok = read_number(path, &ma, &mi);
    free(path);
    if (ok)
        *ret = makedev(ma, mi);
    return ok;
}

// What the folder of an array says. False when it is none.
static bool read_array(const char *folder, struct install_sys_array *ret)
{
    char *md = tool_format("%s/md", folder);
    bool found = access(md, F_OK) == 0 && number_of(folder, &ret->number);
    if (found) {
        ret->file = device_file(folder);
        ret->plain = begins(md, "level", "raid1", "raid1") && begins(md, "metadata_version", "1.0", "0.90");
    }
    free(md);
    return found;
}

bool install_sys_is_array(dev_t device, struct install_sys_array *ret)
{
    char *folder = device_folder(device);
    bool found = folder && read_array(folder, ret);
    free(folder);
    return found;
}

bool install_sys_array(dev_t member, struct install_sys_array *ret)
{
    bool found = false;
    char *folder;
    for (unsigned i = 0; !found && (folder = linked(member, "holders", i)); i++) {
        found = read_array(folder, ret);
        free(folder);
    }
    return found;
}

size_t install_sys_members(dev_t array, dev_t *ret, size_t max)
{
    size_t count = 0;
    char *folder;
    dev_t number;
    for (unsigned i = 0; (folder = linked(array, "slaves", i)); i++) {
        if (number_of(folder, &number)) {
            if (count < max)
                ret[count] = number;
            count++;
        }
        free(folder);
    }
    return count;
}

char *install_sys_holder(dev_t disk)
{
    char *folder = linked(disk, "holders", 0), *file = folder ? device_file(folder) : NULL;
    free(folder);
    return file;
}

// ---- mounts --------------------------------------------------------------------------------------------

// "\040" and the like, for blanks in paths.
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned c;
        if (from[0] == '\\' && sscanf(from + 1, "%3o", &c) == 1) {
            *to = (char)c;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

bool install_sys_automount(void)
{
    static const char *const usual[] = { "/efi", "/boot/efi", "/boot" };
    char *path = tool_format("%s/proc/self/mountinfo", install_sys_root), *line = NULL;
    size_t size = 0;
    bool found = false;
    FILE *f = fopen(path, "re");
    while (f && getline(&line, &size, f) > 0) {
        char *where = NULL, *tail = strstr(line, " - autofs ");
        bool any = tail && sscanf(line, "%*d %*d %*u:%*u %*s %ms", &where) == 1;
        for (unsigned i = 0; any && i < ARRAY_SIZE(usual); i++) {
            if (strcmp(where, usual[i]) != 0)
                continue;
            char *folder = tool_format("%s%s", install_sys_root, where);
            int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); // this is what mounts it
            if (fd >= 0)
                close(fd);
            free(folder);
            found = true;
        }
        free(where);
    }
    if (f)
        fclose(f);
    free(line);
    free(path);
    return found;
}

char *install_sys_mounted(dev_t device, bool whole)
{
    char *path = tool_format("%s/proc/self/mountinfo", install_sys_root), *line = NULL, *found = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "re");
    while (f && !found && getline(&line, &size, f) > 0) {
        unsigned ma, mi;
        char *root = NULL, *where = NULL, *source = NULL, *tail = strstr(line, " - ");
        struct stat st;
        if (tail && sscanf(line, "%*d %*d %u:%u %ms %ms", &ma, &mi, &root, &where) == 4 && (!whole || strcmp(root, "/") == 0)) {
            // btrfs and others show a number of their own, so the source is looked at as well.
            bool same = makedev(ma, mi) == device || (sscanf(tail, " - %*s %ms", &source) == 1 && source[0] == '/' &&
                                                      stat(source, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == device);
            if (same)
                unescape(found = tool_strdup(where));
        }
        free(root);
        free(where);
        free(source);
    }
    if (f)
        fclose(f);
    free(line);
    free(path);
    return found;
}
