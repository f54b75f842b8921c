// SPDX-License-Identifier: MPL-2.0
// Disk images with Signet in them, such as usb.img: the artefacts inside, and a copy of the image in which they are others.
// They are the Signet of every slot behind the MBR, and \EFI\BOOT\BOOTX64.EFI and BOOTAA64.EFI of the FAT file systems. All
// of them keep their places, so that nothing else in the image changes.
#pragma once
#include "embed_artefact.h"

#define EMBED_USB_PARTS 8

struct embed_usb;

struct embed_usb_part {
    struct artefact artefact;
    uint8_t *made; // what embed_usb_write puts in its place; the caller's
    size_t made_len;
};

// Whether a file begins with Signet's MBR: 1 or 0, or -1 after a message.
int embed_usb_is(const char *path);

// Opens an image; parts[0..*ret_count) get the bytes of its artefacts (at least one), to be parsed. They live as long as the
// image. NULL after a message.
struct embed_usb *embed_usb_open(const char *path, struct embed_usb_part parts[EMBED_USB_PARTS], size_t *ret_count);

// Writes the image as `output` with all parts as they were made. 0, or -1 after a message.
int embed_usb_write(struct embed_usb *usb, const char *output);

void embed_usb_close(struct embed_usb *usb);
