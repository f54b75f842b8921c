// SPDX-License-Identifier: MPL-2.0
// Connections to web servers that stay open between requests: a few, each for one server by its name and port. What comes on one that
// nobody uses ends it.
#pragma once
#include "core/connection.h"

void core_http_start(void); // for each start: there are none

// The server's kept connection, told to `owner` from now on; NULL: there is none.
struct connection *http_line_take(const struct uri *uri, const struct connection_owner *owner, void *ctx);

// A new one to that server, which connection_connect has to connect. The one that was kept longest gives way.
struct connection *http_line_new(struct core *core, const struct uri *uri, const struct connection_owner *owner, void *ctx);

// Its user is done with it, and it may be used again; or it is closed.
void http_line_keep(struct connection *c);
void http_line_drop(struct connection *c);

// Says goodbye on all that are kept: an image starts, or the machine leaves.
void core_http_hang_up(void);
