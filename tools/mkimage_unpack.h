// SPDX-License-Identifier: MPL-2.0
// Kernels as distributions pack them: gzip (arm64's Image.gz) and EFI zboot are unpacked, everything else is named.
#pragma once
#include "tool.h"

// True after a message: the file is something that cannot be taken as a kernel, with the command that helps where there is one.
// `head` holds its first `len` bytes.
bool unpack_names(const char *path, const uint8_t *head, size_t len);

// True after a message: the kernel is packed in one of the ways that unpack_kernel knows, and this is for a seal of the file as it is.
bool unpack_names_packed(const char *path, const uint8_t *head, size_t len);

// Unpacks a kernel in gzip, or the one in gzip inside an EFI zboot file, into a file of its own in memory. 0: *ret_fd is that
// file (*ret_size bytes); 1: it is not packed so; -1 after a message.
int unpack_kernel(const char *path, int fd, uint64_t size, const uint8_t *head, size_t len, int *ret_fd, uint64_t *ret_size);
