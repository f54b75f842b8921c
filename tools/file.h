// SPDX-License-Identifier: MPL-2.0
// Files in and out. Input: regular files only, with one clear line for everything else. Output: written
// beside its place, synced, then renamed, so that a reader sees the old file or the whole new one, and an
// error, a full disk or a signal leaves nothing behind.
#pragma once
#include "tool.h"
#include <sys/stat.h>
#include <sys/types.h>

// Opens a regular file for reading. The descriptor, or -1 after a message. *ret_stat may be NULL.
int file_open(const char *path, struct stat *ret_stat);

// True when `path` is a file that file_open opened before: an output that would replace an input.
bool file_is_input(const char *path);

// Reads exactly len bytes at the offset; 0, or -1 after a message (also when the file ends before).
int file_read_at(int fd, const char *path, uint64_t offset, void *buf, size_t len);

// What is known of a file's holes; zeros at first.
struct file_extent {
    uint64_t begin, end;
    bool hole;
};

// True when the file system says that all of the range is a hole, so that reading it would give zeros (and would fill
// the page cache with them). `known` remembers the answer for the ranges that follow.
bool file_is_hole(int fd, struct file_extent *known, uint64_t offset, uint64_t len);

// Reads a whole file of at most `max` bytes into allocated memory (a NUL is appended, not counted).
// NULL after a message.
uint8_t *file_read(const char *path, size_t max, size_t *ret_len);

// The path without symbolic links, each of which was read once and allowed: what is written does not follow a link that another
// user has put into a folder that all may write to. free(); NULL after a message.
char *file_without_links(const char *path);
// Opens such a path: a link that has come there since is not followed. The descriptor, or -1 with errno.
int file_open_plain(const char *path, int flags);
// Both, for what is written where it lies: a disk, an image file of one, a folder. -1 after a message.
int file_open_target(const char *path, int flags);

struct file_out {
    char *path; // as renamed to (symbolic links followed)
    char *temp; // as written now; NULL when there is none
    int fd;
    int folder; // of both
};

// Begins a file that shall appear as `path`. mode: permissions of a new file before the umask; a file that
// is replaced and one's own keeps its permissions unless `mode` has none for group and others. 0, or -1 after a message: a folder,
// a device and the like are refused. One process may have up to FILE_OUT_MAX files begun.
#define FILE_OUT_MAX 4
int file_out_begin(struct file_out *out, const char *path, mode_t mode);
// The same, unless the file is one of the inputs: a slip of the hand must not cost a kernel or a key.
int file_out_begin_apart(struct file_out *out, const char *path, mode_t mode);

// Writes all of it at the offset. 0 or -1 after a message.
int file_out_write(struct file_out *out, uint64_t offset, const void *data, size_t len);

// Sets the size: what was not written reads as zeros and takes no room.
int file_out_size(struct file_out *out, uint64_t size);

// Syncs and renames. With `replace` false, a file that is there already is an error. 0, or -1 after a
// message (nothing is left behind then).
int file_out_commit(struct file_out *out, bool replace);

// The same for two files that belong together: both or none; two outputs into one file are an error. A file that is replaced as the
// first one is kept as file_out_former until the second one is there too: after a power cut that name is there, and whoever made
// the pair decides which of the two belongs to it.
int file_out_commit_pair(struct file_out *first, struct file_out *second, bool replace);
// A hidden name that nobody else gives, for what is there may go. `path` is one without links, as in file_out. free()
char *file_out_former(const char *path);

// renameat2, through which every output gets its name; tests put one that fails in its place.
extern int (*file_rename)(int folder, const char *from, int to_folder, const char *to, unsigned flags);

// Gives up: removes what was written. After a commit, or for a zeroed struct, it frees what is left of it.
void file_out_abort(struct file_out *out);

// The last part of a path, made fit for a seal's name: printable ASCII without spaces, 1..max-1 bytes; other
// bytes become '-'. `ret` has max bytes.
void file_seal_name(const char *path, char *ret, size_t max);
