// SPDX-License-Identifier: MPL-2.0
// A thread that hashes chunks while the main one receives. It reads the payload's memory and writes digests, nothing else:
// what a digest means is judged by the client machine, in the main thread.
#pragma once
#include "crypto/hashboard.h"
#include "phase2/client.h"
#include <pthread.h>

struct fetch_hash {
    struct hashboard board;
    pthread_t thread;
    int news; // eventfd, readable when a digest is there that nobody has looked at; -1: none
    bool running;
};

// Without a thread (the host gives none) everything else here does nothing, and p2_client_work hashes as ever.
void fetch_hash_start(struct fetch_hash *h);

// Brings back what is done, gives out what is whole.
void fetch_hash_turn(struct fetch_hash *h, struct p2_client *client);

// Takes two of the jobs that wait when no more can be given: two together cost little more than one that is hashed alone. False:
// there is no need.
bool fetch_hash_help(struct fetch_hash *h);

// Ends the thread: from here on it touches no memory. For a zeroed struct or one that was stopped it does nothing.
void fetch_hash_stop(struct fetch_hash *h);
