// SPDX-License-Identifier: MPL-2.0
// The images that a boot server offers: files and folders named on the command line, mapped, looked at again
// from time to time. A file that is renamed over is loaded beside the old one, and the old mapping is kept
// while boots under way read it.
#pragma once
#include "opts.h"
#include "phase2/server.h"
#include <sys/types.h>
#include <time.h>

#define IMAGES_MAX 4096 // files of all folders together

// Where a mapping came from: tells a replaced file from a changed one.
struct image_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

// One version of an image file.
struct image {
    struct image *next;
    struct p2_image p2; // what the protocol machine sees; its handle is this struct
    char *path;
    const char *file_name; // in path
    char name[64];         // from the seal
    uint64_t counter;
    uint32_t signatures;
    struct image_stamp stamp;
    const uint8_t *map;
    size_t map_len;
    uint64_t list_offset, payload_offset;
    bool broken;       // its bytes could not be read: no longer served
    unsigned rests;    // scans since then
    bool seen;         // scratch of a scan
};

// A file that could not be loaded, so that it is complained about once a version.
struct image_reject {
    struct image_reject *next;
    char *path;
    struct image_stamp stamp;
    bool passing; // the file itself may be good: it is tried again
    bool seen;
};

// What happens to images, for the log. `reason` is a phrase or NULL.
enum image_change {
    IMAGE_LOADED,
    IMAGE_REPLACED,
    IMAGE_CHANGED_IN_PLACE,
    IMAGE_GONE,
    IMAGE_REFUSED,
    IMAGE_RELEASED,
    FOLDER_UNREADABLE,
};
typedef void image_notice(void *ctx, enum image_change change, const char *path, const struct image *image,
                          const char *reason);

// Names of images that fit into one answer.
struct image_piece {
    const struct image *first;
    char text[P2_ERROR_TEXT];
};

struct images {
    struct opt_list sources; // as on the command line
    bool *folder, *unreadable; // for each: is it a folder? One that could not be read at the last look?
    struct image *current;   // offered
    struct image *retired;   // replaced or gone, kept for boots under way
    struct image_reject *rejects;
    size_t count;            // of current
    const struct image *last; // found by tag the last time
    // What a client that names no image gets: one, or a choice. Strangers ask for it at will, so it is worked out once for a set.
    bool unnamed_known;
    const struct image *unnamed;
    struct image_piece *pieces;
    uint32_t piece_count, piece_room;
    image_notice *notice;
    void *notice_ctx;
};

// Loads everything. A named file that is no image is an error (a message on standard error); one in a folder
// is only noticed. 0, or -1.
int images_open(struct images *images, const struct opt_list *sources, image_notice *notice, void *ctx);

// Looks for files that were added, replaced, changed or removed.
void images_rescan(struct images *images);

// Unmaps retired images that no client reads any more.
void images_release(struct images *images, const struct p2_server *server, uint64_t now, uint64_t idle);

void images_close(struct images *images);

// For the protocol machine.
struct p2_images images_interface(struct images *images);

// Why a client that names no image gets none although there are some, with the names to choose from. False when it gets one,
// or there is none.
bool images_choice(const struct images *images, char *text, size_t cap);

// The bytes behind a p2_send, in the mapping.
const uint8_t *image_bytes(const struct p2_image *p2, uint8_t space, uint64_t offset);

// Says that the kernel could not read a mapping (a file was cut short in place).
void image_break(struct images *images, const struct p2_image *p2);
