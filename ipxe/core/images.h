// SPDX-License-Identifier: MPL-2.0
// The images in memory, by name: what is there, what is on its way, whose turn it is at `boot`. Lists alone: memory is planned, given
// back and started in image.c.
#pragma once
#include "base/err.h"
#include "image/place.h"
#include "proto/pxe_packets.h"

#define IMAGES_MAX 8 // that are verified at a time
#define IMAGES_TEXT_MAX 256

// Nothing of an image is used before it is verified.
struct core_image {
    char name[SEAL_NAME_MAX]; // what scripts call it
    uint32_t order;      // it is verified, or of a detached seal: the higher, the later; 0: it is not, or nothing is here
    uint32_t missing;    // of a detached seal: one bit for each part that has not been verified
    uint32_t stale;      // and for each whose bytes may lie there from before
    bool sealed_first;   // its seal was named before its files
    bool arguments;      // `cmdline` is used, and not the sealed one
    char cmdline[SEAL_CMDLINE_MAX]; // judged by the seal
    struct seal seal;
    struct place_plan plan;
    struct scatter map;
    uint8_t *list;       // chunk list, in the plan's memory
    uint8_t *chunk_bits; // one bit a verified chunk, in the plan's work memory, and behind it
    uint8_t *seal_bytes; // the seal as it was verified
    size_t seal_len;
    bool remote;         // it comes from the network
    struct pxe_origin origin; // known if it came over TFTP
    enum { KEEP_UNSOUGHT, KEEP_OPEN, KEEP_NONE } keep; // the place for its copy on a disk (keep.c), which is sought once
};

struct core_images {
    struct core_image slots[IMAGES_MAX + 1]; // one more, since an image of the same name is replaced when the new one is verified
    uint32_t order;            // the last one that was given out
    struct core_image *coming; // its memory is planned, its bytes are on their way; NULL: none
    struct core_image *partial; // its source failed: what it brought lies in its memory, for the next one if it has the same image
    struct core_image *done;   // what the fetch that ended well has brought; NULL: a script, or nothing
    bool unknown;              // what it has brought is neither an image nor a script: a seal may lie beside it
    // What the fetch under way was asked for.
    char asked_name[SEAL_NAME_MAX]; // "": as the seal has it
    enum { ASKED_FILE, ASKED_SEAL, ASKED_PART } asked; // an image or a script; a detached seal; a part of `asked_image`
    struct core_image *asked_image;
    uint32_t asked_part;
    bool asked_beside;         // where a seal may lie beside a file
    bool asked_remote;         // from the network
    bool asked_start;          // to be started at once
    struct pxe_origin asked_origin; // as its transport says
    uint8_t seal[SEAL_MAX];    // of the fetch under way, while it is not known whose it is
    char text[IMAGES_TEXT_MAX]; // of images_names
};

// Can an image be called so? 1 to 63 characters of printable ASCII without a blank, as in a seal.
bool images_name_fits(const char *name);

// The images, the one that came (or was selected) first first: NULL gives that one, the last one gives NULL.
struct core_image *images_next(struct core_images *images, const struct core_image *image);
struct core_image *images_last(struct core_images *images);
struct core_image *images_find(struct core_images *images, const char *name);

// May there be one more that is called `name`, or are there IMAGES_MAX others? And a place for it.
bool images_have_room(struct core_images *images, const char *name);
struct core_image *images_spare(struct core_images *images);

// Of all images the last one from now on; it is verified.
void images_select(struct core_images *images, struct core_image *image);

// The one of that seal, detached, or NULL.
struct core_image *images_of_seal(struct core_images *images, const struct seal *seal);

// The part that is missing and comes first, or -1.
int images_missing(const struct core_image *image);

// Nothing is here any more. What memory it had is the caller's to give back.
void images_drop(struct core_images *images, struct core_image *image);

// The names for messages: "web, rescue" or "none", cut after IMAGES_TEXT_MAX characters. The text stays until the next call.
const char *images_names(struct core_images *images);
