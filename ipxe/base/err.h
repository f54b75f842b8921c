// SPDX-License-Identifier: MPL-2.0
// Every error Signet can name. A function returns 0 or one of these (negative). The short code is stable
// for ever, is printed on the console, and has a paragraph in doc/errors.md (ci/check compares the two).
//
// Columns: name, short code, what it says. Append within a group; never renumber a short code.
#pragma once
#include "base/base.h"

#define PENDING 0x7fffffff // not yet: neither an error, nor done, nor how many

#define ERR_LIST(X)                                                                                                    \
    /* general */                                                                                                      \
    X(INVALID, "G01", "invalid argument")                                                                              \
    X(NO_MEMORY, "G02", "out of memory")                                                                               \
    X(TIMED_OUT, "G03", "timed out")                                                                                     \
    X(NOT_FOUND, "G04", "not found")                                                                                   \
    X(UNSUPPORTED, "G05", "not supported")                                                                             \
    X(CANCELLED, "G06", "cancelled at the keyboard")                                                                   \
    X(TOO_LARGE, "G07", "larger than the limit")                                                                       \
    X(IO, "G08", "input/output error")                                                                                 \
    X(TRUNCATED, "G09", "ends too early")                                                                              \
    X(INTERNAL, "G10", "internal fault")                                                                               \
    X(EMPTY, "G11", "the file is empty")                                                                               \
    /* seal and image */                                                                                               \
    X(SEAL_MAGIC, "S01", "not a phase-2 image")                                                                        \
    X(SEAL_VERSION, "S02", "image format version not known")                                                           \
    X(SEAL_LENGTH, "S03", "a length in the seal is out of bounds")                                                     \
    X(SEAL_TABLE, "S04", "signature table malformed")                                                                  \
    X(SEAL_REPEATED, "S05", "signature table names a key twice")                                                       \
    X(SEAL_UNSIGNED, "S06", "image carries no signature")                                                              \
    X(SEAL_UNTRUSTED, "S07", "signed by no trusted key")                                                               \
    X(SEAL_ALGORITHM, "S08", "signature algorithm is not the key's")                                                   \
    X(SEAL_SIGNATURE, "S09", "signature does not match")                                                               \
    X(SEAL_THRESHOLD, "S10", "too few trusted signatures")                                                             \
    X(SEAL_NO_TRUST, "S11", "no trust anchor: this Signet boots nothing")                                              \
    X(SEAL_BODY, "S12", "signed body malformed")                                                                       \
    X(SEAL_COUNTER, "S13", "security counter below the floor")                                                         \
    X(SEAL_PRODUCT, "S14", "image is for another product")                                                             \
    X(SEAL_LIST, "S15", "chunk list does not match the seal")                                                          \
    X(SEAL_CHUNK, "S16", "chunk does not match its digest")                                                            \
    X(SEAL_PADDING, "S17", "padding is not zero")                                                                      \
    X(SEAL_ROLLED_BACK, "S18", "older than what has run on this machine")                                              \
    X(SEAL_TRAILING, "S19", "bytes follow the end of the image")                                                       \
    X(SEAL_DETACHED, "S20", "a detached seal, whose files lie elsewhere")                                              \
    X(SEAL_ATTACHED, "S21", "no detached seal")                                                                        \
    X(SEAL_PART, "S22", "no part of this seal")                                                                        \
    X(SEAL_ARGUMENT, "S23", "an argument that the seal does not allow")                                                \
    X(SEAL_NONE, "S24", "neither signed nor sealed")                                                                   \
    /* keys and trust anchors */                                                                                       \
    X(KEY_FORMAT, "K01", "not a public key")                                                                           \
    X(KEY_KIND, "K02", "key type not supported")                                                                       \
    X(TRUST_FULL, "K03", "too many trust anchors")                                                                     \
    X(EMBED_DAMAGED, "K04", "embedded script or trust anchors are damaged")                                            \
    /* native protocol */                                                                                              \
    X(P2_NO_SERVER, "P01", "no server answered")                                                                       \
    X(P2_NO_IMAGE, "P02", "no server has this image")                                                                  \
    X(P2_STALLED, "P03", "servers stopped answering")                                                                  \
    X(P2_SERVERS_BAD, "P04", "every server sent wrong data")                                                           \
    X(P2_MALFORMED, "P05", "malformed message")                                                                        \
    X(P2_BUSY, "P06", "the servers are busy")                                                                          \
    /* network */                                                                                                      \
    X(NET_NO_CARD, "N01", "no network card")                                                                           \
    X(NET_LINK, "N02", "network card fault")                                                                           \
    X(NET_NO_ADDRESS, "N03", "no address configured")                                                                  \
    X(DHCP_NO_OFFER, "N04", "no DHCP server answered")                                                                 \
    X(DHCP_MALFORMED, "N05", "malformed DHCP message")                                                                 \
    X(DNS_FAILED, "N06", "name not found")                                                                             \
    X(URI_MALFORMED, "N07", "malformed URI")                                                                           \
    X(URI_SCHEME, "N08", "no transport for this URI scheme")                                                           \
    X(TFTP_ERROR, "N09", "TFTP server refused")                                                                        \
    X(HTTP_ERROR, "N10", "HTTP server refused")                                                                        \
    X(UNDI_CALL, "N11", "PXE ROM call failed")                                                                         \
    X(CONN_RESET, "N12", "connection reset")                                                                           \
    X(TOO_SLOW, "N13", "the server is too slow")                                                                       \
    X(HTTP_MALFORMED, "N14", "not an HTTP answer")                                                                     \
    X(HTTP_REDIRECTS, "N15", "too many redirections")                                                                  \
    X(CONN_REFUSED, "N16", "connection refused")                                                                       \
    X(NET_NO_ROUTE, "N17", "no route to this address")                                                                 \
    X(DHCP_REFUSED, "N18", "the DHCP server took its offer back")                                                      \
    X(DHCP_NO_ACK, "N19", "the DHCP server did not confirm its offer")                                                 \
    X(PXE_NO_SERVER, "N20", "no boot server answered for the menu's item")                                             \
    X(PXE_LOCAL, "N21", "the PXE menu says to start locally")                                                          \
    /* starting */                                                                                                     \
    X(BOOT_FORMAT, "B01", "kernel format not known")                                                                   \
    X(BOOT_TOO_OLD, "B02", "kernel boot protocol too old")                                                             \
    X(BOOT_NO_ROOM, "B03", "image does not fit into memory")                                                           \
    X(BOOT_NOTHING, "B04", "nothing loaded to boot")                                                                   \
    X(BOOT_RETURNED, "B05", "kernel returned")                                                                         \
    X(BOOT_CMDLINE, "B06", "command line too long")                                                                    \
    X(BOOT_TARGET, "B07", "image is for another kind of machine")                                                      \
    X(BOOT_DENIED, "B08", "the firmware refuses the kernel")                                                           \
    X(BOOT_STATUS, "B09", "the application ended with an error")                                                       \
    X(BOOT_PLAN, "B10", "kernel asks for other memory than its seal plans")                                            \
    X(BOOT_NO_STUB, "B11", "kernel has no EFI stub")                                                                   \
    X(BOOT_NO_IMAGE, "B12", "no image of this name")                                                                   \
    X(BOOT_IMAGES, "B13", "too many images in memory")                                                                 \
    X(BOOT_NO_PXE, "B14", "no PXE services on this card for a boot program")                                           \
    X(BOOT_PARTS, "B15", "parts of the image are missing")                                                             \
    /* scripts */                                                                                                      \
    X(SCRIPT_SYNTAX, "C01", "syntax error")                                                                            \
    X(SCRIPT_COMMAND, "C02", "command not known")                                                                      \
    X(SCRIPT_USAGE, "C03", "wrong usage")                                                                              \
    X(SCRIPT_LABEL, "C04", "label not found")                                                                          \
    X(SCRIPT_NOT_SCRIPT, "C05", "not a script")                                                                        \
    X(SCRIPT_FALSE, "C06", "condition is false")                                                                       \
    X(SCRIPT_DEPTH, "C07", "scripts nested too deep")                                                                  \
    X(SCRIPT_EXIT, "C08", "script ended")                                                                              \
    X(SCRIPT_LIMIT, "C09", "script exceeds a limit")                                                                   \
    X(SCRIPT_TYPED, "C10", "only a person at the shell may do this")                                                   \
    /* disks */                                                                                                        \
    X(DISK_NONE, "D01", "no disk can be read")                                                                         \
    X(DISK_PARTITION, "D02", "no such partition")                                                                      \
    X(DISK_TABLE, "D03", "partition table is damaged")                                                                 \
    X(DISK_READ, "D04", "disk cannot be read")                                                                         \
    X(DISK_WRITE, "D05", "disk cannot be written")                                                                     \
    X(DISK_FILES, "D06", "file system is damaged")                                                                     \
    X(DISK_FOREIGN, "D07", "the partition holds something else")                                                       \
    X(DISK_ROOM, "D08", "no room on the disk")                                                                         \
    /* TPM and firmware variables */                                                                                   \
    X(TPM, "T01", "the TPM did not take a measurement")                                                                \
    X(NVRAM, "T02", "the firmware's variable store failed")                                                            \
    /* Oxide header, version 2 */                                                                                      \
    X(OXIDE_MAGIC, "O01", "not an Oxide boot image")                                                                   \
    X(OXIDE_FIELD, "O02", "Oxide header field out of bounds")                                                          \
    X(OXIDE_DIGEST, "O03", "Oxide image does not match its SHA-256")

enum err_ordinal {
#define X(name, code, text) ERR_ORDINAL_##name,
    ERR_ORDINAL_OK,
    ERR_LIST(X)
#undef X
        ERR_ORDINAL_COUNT
};
enum err {
#define X(name, code, text) ERR_##name = -(int)ERR_ORDINAL_##name,
    ERR_LIST(X)
#undef X
};

// The stable short code ("S09") and the sentence for an error; "G10" and its text for a number not listed.
const char *err_code(int err);
const char *err_text(int err);
// The letter of its code: which part of doc/errors.md it belongs to.
char err_group(int err);
