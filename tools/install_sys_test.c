// SPDX-License-Identifier: MPL-2.0
// Disks, partitions and mounts of a made-up system: a folder with the /sys and /proc of one.
#include "base/test.h"
#include "install_place.h"
#include "install_sys.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char root[] = "/tmp/signet-sys.XXXXXX";

static void put(const char *name, const char *text)
{
    char *path = tool_format("%s/%s", root, name);
    for (char *c = path + sizeof root; *c; c++)
        if (*c == '/') {
            *c = '\0';
            mkdir(path, 0755);
            *c = '/';
        }
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
    free(path);
}

static void device(const char *number, const char *folder)
{
    char *path = tool_format("%s/sys/dev/block/%s", root, number), *target = tool_format("../../devices/%s", folder);
    if (symlink(target, path) != 0)
        abort();
    free(path);
    free(target);
}

static void link_to(const char *name, const char *target)
{
    char *path = tool_format("%s/%s", root, name);
    if (symlink(target, path) != 0)
        abort();
    free(path);
}

// /dev/null plays the disk sdz (1:3); nvme9n1 has a name that ends in a digit.
static void set_up(void)
{
    if (install_sys_root == root)
        return;
    if (!mkdtemp(root))
        abort();
    install_sys_root = root;
    put("sys/dev/block/none", "");
    put("sys/devices/sdz/sdz1/dev", "8:1\n");
    put("sys/devices/sdz/sdz1/partition", "1\n");
    put("sys/devices/sdz/sdz2/dev", "8:2\n");
    put("sys/devices/nvme9n1/nvme9n1p3/dev", "259:7\n");
    put("sys/devices/nvme9n1/nvme9n1p3/partition", "3\n");
    put("sys/devices/cciss!c0d0/cciss!c0d0p1/partition", "1\n");
    device("1:3", "sdz");
    device("8:1", "sdz/sdz1");
    device("259:5", "nvme9n1");
    device("259:7", "nvme9n1/nvme9n1p3");
    device("104:1", "cciss!c0d0/cciss!c0d0p1");
    // sdz1 and an NVMe disk's partition mirror each other.
    put("sys/devices/virtual/block/md127/dev", "9:127\n");
    put("sys/devices/virtual/block/md127/md/level", "raid1\n");
    put("sys/devices/virtual/block/md127/md/metadata_version", "1.0\n");
    put("sys/devices/virtual/block/md127/slaves/none", "");
    put("sys/devices/sdz/sdz1/holders/none", "");
    link_to("sys/devices/virtual/block/md127/slaves/sdz1", "../../../../sdz/sdz1");
    link_to("sys/devices/virtual/block/md127/slaves/nvme9n1p3", "../../../../nvme9n1/nvme9n1p3");
    link_to("sys/devices/sdz/sdz1/holders/md127", "../../../virtual/block/md127");
    device("9:127", "virtual/block/md127");
    put("proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n"
                               "not a line\n"
                               "30 1 8:2 /sub /srv/part rw - ext4 /dev/sdz2 rw\n"
                               "31 1 8:1 / /boot/my\\040efi rw shared:1 - vfat /dev/sdz1 rw\n");
}

TEST(partitions_and_their_disks)
{
    dev_t number;
    char *disk;
    unsigned partition;
    set_up();
    CHECK(install_sys_partition(makedev(1, 3), 2, &number), number == makedev(8, 2));
    CHECK(install_sys_partition(makedev(1, 3), 0, &number), number == makedev(1, 3));
    CHECK(install_sys_partition(makedev(259, 5), 3, &number), number == makedev(259, 7));
    CHECK_STR((disk = install_sys_file(makedev(259, 7))) + strlen(root), "/dev/nvme9n1p3");
    free(disk);
    CHECK(install_sys_file(makedev(9, 9)) == NULL);
    CHECK(!install_sys_partition(makedev(1, 3), 3, &number));
    CHECK(!install_sys_partition(makedev(9, 9), 1, &number));
    CHECK(install_sys_disk(makedev(259, 7), &disk, &partition));
    CHECK_STR(disk + strlen(root), "/dev/nvme9n1");
    CHECK_EQ(partition, 3);
    free(disk);
    CHECK(install_sys_disk(makedev(104, 1), &disk, &partition));
    CHECK_STR(disk + strlen(root), "/dev/cciss/c0d0");
    free(disk);
    CHECK(!install_sys_disk(makedev(259, 5), &disk, &partition)); // a whole disk
    CHECK(!install_sys_disk(makedev(9, 9), &disk, &partition));
}

TEST(arrays)
{
    struct install_sys_array array;
    dev_t members[4];
    set_up();
    CHECK(!install_sys_array(makedev(8, 2), &array), !install_sys_array(makedev(9, 9), &array), !install_sys_is_array(makedev(8, 1), &array));
    CHECK(install_sys_array(makedev(8, 1), &array), array.number == makedev(9, 127), array.plain);
    CHECK_STR(array.file + strlen(root), "/dev/md127");
    free(array.file);
    CHECK_EQ(install_sys_members(makedev(9, 127), members, 4), 2);
    CHECK(members[0] == makedev(259, 7), members[1] == makedev(8, 1));
    CHECK_EQ(install_sys_members(makedev(9, 127), members, 1), 2);
    CHECK_EQ(install_sys_members(makedev(8, 1), members, 4), 0);
    // The members of others do not begin with what the array begins with.
    static const char *const others[][2] = { { "raid1", "1.2" }, { "raid1", "1.1" }, { "raid0", "1.0" }, { "raid5", "0.90" } };
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        put("sys/devices/virtual/block/md127/md/level", others[i][0]);
        put("sys/devices/virtual/block/md127/md/metadata_version", others[i][1]);
        CHECK(install_sys_is_array(makedev(9, 127), &array), !array.plain);
        free(array.file);
    }
    CHECK(install_sys_holder(makedev(8, 2)) == NULL);
    char *holder = install_sys_holder(makedev(8, 1));
    CHECK(holder, strcmp(holder + strlen(root), "/dev/md127") == 0);
    free(holder);
}

TEST(mounts_on_demand)
{
    set_up();
    CHECK(!install_sys_automount());
    put("efi/file", "");
    put("proc/self/mountinfo", "40 1 0:50 / /net rw - autofs auto.net rw\n"
                               "41 1 0:51 / /efi rw,relatime shared:9 - autofs systemd-1 rw,fd=41,direct\n");
    CHECK(install_sys_automount());
}

TEST(mounts)
{
    set_up();
    char *where = install_sys_mounted(makedev(8, 1), true);
    CHECK(where != NULL);
    CHECK_STR(where, "/boot/my efi");
    free(where);
    CHECK(install_sys_mounted(makedev(8, 2), true) == NULL); // only a folder of it
    CHECK_STR(where = install_sys_mounted(makedev(8, 2), false), "/srv/part");
    free(where);
    CHECK(install_sys_mounted(makedev(8, 3), false) == NULL);
}

TEST(a_mounted_partition_is_not_written)
{
    struct install_dev dev = { .path = "sdz", .block = true };
    struct install_area area = { .kind = INSTALL_BIOS_BOOT, .partition = { .number = 2 } };
    set_up();
    dev.fd = open("/dev/null", O_RDWR);
    CHECK(install_area_allowed(&dev, &area) != 0);
    area.kind = INSTALL_ZFS;
    CHECK(install_area_allowed(&dev, &area) != 0);
    area.partition.number = 3;
    CHECK_EQ(install_area_allowed(&dev, &area), 0);
    dev.block = false; // an image file's partitions are mounted by nobody
    area.partition.number = 2;
    CHECK_EQ(install_area_allowed(&dev, &area), 0);
    close(dev.fd);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

TEST(nothing_is_left)
{
    set_up();
    install_sys_root = "";
    CHECK_EQ(nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TEST_MAIN(T(partitions_and_their_disks), T(arrays), T(mounts), T(a_mounted_partition_is_not_written), T(mounts_on_demand),
          T(nothing_is_left))
