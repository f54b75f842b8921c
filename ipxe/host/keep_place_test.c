// SPDX-License-Identifier: MPL-2.0
// Where a local copy may go, and where not a byte is written whatever the setting says, which DHCP can make: partitions that
// carry no mark of Signet's.
#include "host/testkeep.h"

// The boot goes on, the console says why, once, and nothing was written.
static bool refused(const char *script, const char *code)
{
    memcpy(before, disk.data, TESTDISK_SIZE);
    struct outcome *out = run_machine(script, 1);
    const char *keep = strstr(out->transcript, "keep: ");
    return out->booted && out->memory_right && said(out, "keep: ") && !strstr(keep + 1, "keep: ") && said(out, code) && !changed();
}

TEST(wrong_places)
{
    make(512, PARTITION);
    CHECK(refused("#!ipxe\nset keep disk:part=2\ndhcp\nchain p2:///\n", "[D02]"));
    CHECK(refused("#!ipxe\nset keep disk:range=512+2048\ndhcp\nchain p2:///\n", "[D02]"));
    CHECK(refused("#!ipxe\nset keep disk://3/\ndhcp\nchain p2:///\n", "[D01]"));
    CHECK(refused("#!ipxe\nset keep http://10.0.0.1/\ndhcp\nchain p2:///\n", "[N08]"));
    CHECK(refused("#!ipxe\nset keep disk:label\ndhcp\nchain p2:///\n", "[N07]"));
    // Another type of partition is not written to, even when it is named.
    testdisk_gpt(&disk, GPT_TYPE_ZFS);
    CHECK(refused("#!ipxe\nset keep disk:part=1\ndhcp\nchain p2:///\n", "[D02]"));
    make(512, 72 * 1024); // halves of 36 KiB: the image has 32, and its slot's header 4 with its zeros
    CHECK(kept(network(1), "slot A"));
    make(512, 64 * 1024);
    CHECK(refused(NETWORK, "[D08]"));
    make(512, 512); // a single sector
    CHECK(refused(NETWORK, "[D08]"));
}

TEST(raw_image_in_the_way)
{
    make(512, 72 * 1024);
    CHECK(network(1)->booted);
    memmove(testdisk_partition(&disk), testdisk_partition(&disk) + IMGSLOT_IMAGE, 32 * 1024);
    CHECK(kept(network(2), "slot B")); // it ends before the second slot begins
    make(512, 60 * 1024);
    CHECK(refused(NETWORK, "[D08]"));
}

// --- an MBR: the type alone says nothing ---

static void make_mbr(uint32_t sector_size)
{
    make(sector_size, PARTITION);
    memset(disk.data, 0, TESTDISK_AT);
    testdisk_mbr(&disk, 0xda);
}

TEST(partition_of_an_mbr)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make_mbr(sector_sizes[i]);
        CHECK(refused(NETWORK, "[D07]")); // zeros are no mark
        testdisk_mark(&disk);
        CHECK(kept(network(1), "slot A"));
        CHECK(kept(network(2), "slot B"));
        CHECK(kept(network(3), "slot A"));
        CHECK(disk_boots(3));
        memset(testdisk_partition(&disk), 0, PARTITION);
        testdisk_partition(&disk)[100] = 1; // someone's
        CHECK(refused(NETWORK, "[D07]"));
    }
}

// Others in a partition of type da: a few bytes of their labels, and from `data` on what they hold. `front`: the label lies where
// it shows that a place which was Signet's before is so no more.
struct label {
    uint32_t at, size;
    const char *bytes;
};
#define LABEL(at, bytes) { at, sizeof bytes - 1, bytes }
static const struct stranger {
    const char *name;
    struct label labels[2];
    uint32_t data;
    bool front;
} strangers[] = {
    { "md RAID 1.2", { LABEL(4096, "\xfc\x4e\x2b\xa9\1\0\0\0") }, 16384, true },
    { "md RAID 1.1", { LABEL(0, "\xfc\x4e\x2b\xa9\1\0\0\0") }, 16384, true },
    { "md RAID 1.0, still empty", { LABEL(PARTITION - 8192, "\xfc\x4e\x2b\xa9\1\0\0\0") }, PARTITION, false },
    { "ext4", { LABEL(1024, "\0\1\0\0\0\4"), LABEL(1080, "\x53\xef") }, 4096, true },
    { "LVM", { LABEL(512, "LABELONE\1"), LABEL(536, "LVM2 001") }, 8192, true },
    { "swap", { LABEL(1024, "\1\0\0\0\xff"), LABEL(4086, "SWAPSPACE2") }, PARTITION, true },
    { "ZFS", { LABEL(16384, "\1\1\0\0\0\0\0\0\0\1"), LABEL(131072, "\x0c\xb1\xba") }, 262144, false },
    { "LUKS 2", { LABEL(0, "LUKS\xba\xbe\0\2"), LABEL(4096, "{\"keyslots\"") }, 32768, true },
    { "XFS", { LABEL(0, "XFSB"), LABEL(512, "XAGF") }, 4096, true },
    { "btrfs", { LABEL(65536 + 64, "_BHRfS_M") }, 262144, false },
    { "data far behind zeros", { LABEL(0, "") }, PARTITION / 2 + 65536, false },
    { "nothing yet", { LABEL(0, "") }, PARTITION, false },
};

static void add_stranger(const struct stranger *s)
{
    uint8_t *p = testdisk_partition(&disk);
    for (unsigned i = 0; i < ARRAY_SIZE(s->labels); i++)
        if (s->labels[i].size)
            memcpy(p + s->labels[i].at, s->labels[i].bytes, s->labels[i].size);
    for (uint32_t at = s->data; at < PARTITION; at++)
        p[at] = (uint8_t)(at * 7 + at / 251 + 1);
}

// Not a byte changes, whatever DHCP says.
TEST(of_others_not_a_byte_is_written)
{
    static const char *const settings[] = { "disk:", "disk:part=1", "disk:type=da", "disk://0/", "disk://boot/part=1",
                                            "disk:range=512+2048" };
    for (unsigned i = 0; i < ARRAY_SIZE(strangers); i++)
        for (unsigned n = 0; n < (i ? 2 : ARRAY_SIZE(settings)); n++) {
            char text[128];
            snprintf(text, sizeof text, "#!ipxe\nset keep %s\ndhcp\nchain p2:///\n", settings[n]);
            make_mbr(sector_sizes[(i + n) % 2]);
            add_stranger(&strangers[i]);
            if (!refused(text, strstr(settings[n], "range") ? "[D02]" : "[D07]")) {
                printf("  %s by %s\n", strangers[i].name, settings[n]);
                CHECK(false);
            }
        }
}

// Everything in a DHCP answer that can name a place on a disk, and what a stranger's script says behind it. Of a script of the
// machine's owner there are the lines that ask for what DHCP named.
TEST(nothing_that_dhcp_brings_begins_a_write)
{
    static const char lines[] = "#!ipxe\ndhcp\nchain ${filename} || echo next\n"
                                "isset ${root-path} && chain ${root-path} ||\n"
                                "chain p2://10.0.0.1/${p2-name:uristring} || echo no network\nchain disk: || echo ROW-FAILED\n";
    static const char script[] = "#!ipxe\nset keep disk:\nset net0/keep disk:part=1\nset 175.83 disk:\nchain p2://10.0.0.1/image\n";
    static const struct { const char *options, *boot_file, *script; bool refused; } answers[] = {
        { "\x43\5disk:\xff", NULL, NULL, false },                              // 67, alone
        { "\x43\x0b" "disk:part=1\xff", NULL, NULL, false },
        { "\x43\x0d" "disk:label=md\xff", NULL, NULL, false },
        { "\x43\x13" "disk:range=512+2048\xff", NULL, NULL, false },
        { "\xff", "disk:", NULL, false },                                       // the field `file`
        { "\xff", "disk://0/part=1", NULL, false },
        { "\x11\5disk:\xff", NULL, NULL, false },                              // 17, the root path
        { "\xaf\7\x53\5disk:\xff", NULL, NULL, true },                        // 175.83
        { "\xaf\7\x53\5disk:\x43\5disk:\xff", "disk:", NULL, true },         // all of them
        { "\xaf\x0d\x53\x0b" "disk:part=1\x43\5disk:\xff", NULL, NULL, true },
        { "\x43\x1btftp://10.0.0.1/script.ipxe\xff", NULL, script, true },     // a script that the network brings
        { "\xaf\7\x53\5disk:\x43\x1btftp://10.0.0.1/script.ipxe\xff", NULL, "#!ipxe\nchain p2://10.0.0.1/image\n", true },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(answers); i++)
        for (unsigned n = 0; n < ARRAY_SIZE(strangers); n += i % 3 + 1) {
            make_mbr(sector_sizes[(i + n) % 2]);
            add_stranger(&strangers[n]);
            memcpy(before, disk.data, TESTDISK_SIZE);
            next.options = answers[i].options;
            next.boot_file = answers[i].boot_file;
            next.dhcp_file = answers[i].script;
            struct outcome *out = run_machine(lines, 1);
            bool good = out->booted && out->memory_right && out->storage.writes == 0 && !changed() &&
                        strstr(out->transcript, answers[i].refused ? "[D07]" : "\ndisk: ") != NULL;
            if (!good) {
                printf("  answer %u, %s: %s\n", i, strangers[n].name, out->transcript);
                CHECK(false);
            }
        }
}

// The place was Signet's; then somebody made something else there, which left a header of Signet's standing.
TEST(of_others_over_a_former_place_neither)
{
    for (unsigned i = 0; i < ARRAY_SIZE(strangers); i++) {
        if (!strangers[i].front)
            continue;
        make_mbr(sector_sizes[i % 2]);
        testdisk_mark(&disk);
        CHECK(network(1)->booted, (i % 3 == 0 || network(2)->booted));
        struct stranger fresh = strangers[i];
        fresh.data = PARTITION; // nothing but its label yet
        add_stranger(&fresh);
        if (!refused(NETWORK, "[D07]")) {
            printf("  %s\n", fresh.name);
            CHECK(false);
        }
    }
}

// An image that a person put there by dd is one to boot. Nobody said that it may be overwritten.
TEST(raw_image_is_no_mark)
{
    make_mbr(512);
    testdisk_mark(&disk);
    CHECK(network(1)->booted);
    uint8_t *p = testdisk_partition(&disk);
    memmove(p, p + IMGSLOT_IMAGE, PARTITION / 2 - IMGSLOT_IMAGE);
    memset(p + PARTITION / 2, 0, SLOTHEAD_SIZE);
    CHECK(disk_boots(1));
    CHECK(refused("#!ipxe\nset keep disk:\ndhcp\nchain p2:///\n", "[D07]"));
}

// One header that a power cut or a bad sector took leaves the other's mark.
TEST(one_mark_is_enough)
{
    for (unsigned i = 0; i < IMGSLOT_COUNT; i++) {
        make_mbr(512);
        testdisk_mark(&disk);
        testdisk_partition(&disk)[i * (PARTITION / 2) + 70] ^= 1;
        CHECK(kept(network(1), "slot A"));
        CHECK(disk_boots(1));
    }
    memset(testdisk_partition(&disk) + PARTITION / 2, 0, SLOTHEAD_SIZE);
    CHECK(kept(network(2), "slot B"));
}

// The mark stands at every moment of the first write, too: no power cut takes a place away.
TEST(a_power_cut_leaves_a_mark)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
        make_mbr(sector_sizes[i]);
        testdisk_mark(&disk);
        memcpy(before, disk.data, TESTDISK_SIZE);
        unsigned long count = network(1)->storage.sectors_written;
        CHECK(count >= 3);
        for (unsigned long cut = 1; cut <= count; cut += cut == 2 ? count - 3 : 1) {
            memcpy(disk.data, before, TESTDISK_SIZE);
            next.faults.cut_at = cut;
            next.faults.torn = true;
            CHECK(network(1)->storage.cut);
            CHECK(network(1)->booted);
            CHECK(disk_boots(1));
        }
    }
}

TEST_MAIN(T(wrong_places), T(raw_image_in_the_way), T(partition_of_an_mbr), T(of_others_not_a_byte_is_written),
          T(nothing_that_dhcp_brings_begins_a_write),
          T(of_others_over_a_former_place_neither), T(raw_image_is_no_mark), T(one_mark_is_enough), T(a_power_cut_leaves_a_mark))
