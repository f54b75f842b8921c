// SPDX-License-Identifier: MPL-2.0
// Machines, where the protocol knows clients only: one machine may be several of them, by several addresses or one after the other.
#pragma once
#include "phase2/server.h"

// The same machine as far as its own words go, which prove nothing.
bool machine_same(const struct p2_peer *a, const struct p2_peer *b);

// Whether the client of a FINISHED event, or its machine under the other addresses that the server remembers, was sent what the
// message tells of: anyone can send that message. A success is told of the payload, a whole chunk of which counts: the rest may have
// come from another server or from the machine's own copy, which nobody tells, or went to a client that was forgotten since. A
// failure is told of the seal, all of it.
bool machine_was_served(const struct p2_server *server, const struct p2_event *event, const struct p2_image *image, bool good);
