// SPDX-License-Identifier: MPL-2.0
// A file from a web server, for `signet seal --from-script`. Plain HTTP; the answer is read by the firmware's own parser.
#pragma once
#include "proto/uri.h"

#define SEAL_HTTP_SECONDS 30 // of silence

// Writes the file to the descriptor, redirections followed. 0, or an error: of the transfer, or ERR_IO for one of writing.
int seal_http_get(const struct uri *uri, int fd);
