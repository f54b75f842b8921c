// SPDX-License-Identifier: MPL-2.0
// The PXE API (proto/pxe.h) as a network bootstrap program finds it under it: what each function does, without I/O of its own.
// doc/pxe.md has the table of what is served and what is refused.
//
// The network belongs to one side at a time. At first it is the firmware's stack, which TFTP, UDP and FILE functions use; from UNDI_OPEN
// to UNDI_CLOSE the card's frames go to the program as they are, and those functions are refused; behind UNDI_SHUTDOWN the card is closed.
//
// The program is a stranger: its addresses go through memory(), its blocks are copied before they are looked at.
#pragma once
#include "base/addr.h"
#include "base/frame.h"
#include "proto/pxe.h"
#include "proto/tftp.h"
#include "proto/uri.h"

#define PXE_API_PORTS 4          // local ports of the program's that are heard at a time; one more takes the oldest one's place
#define PXE_API_TFTP PXE_API_PORTS // the socket of the TFTP functions
#define PXE_API_SOCKETS (PXE_API_PORTS + 1)
#define PXE_API_DATAGRAMS 8      // that wait for UDP_READ; one more takes the oldest one's place
#define PXE_API_DATAGRAM_MAX 1472 // longer ones are dropped
#define PXE_API_PIECE 4096u      // a power of two: no piece of the program's memory that is asked for goes across a multiple of it
#define PXE_API_LOW_MIN 2048     // bytes of base memory: a frame, and some of the packets

// What the calls need of the world. There is one of each in a program (`pxe_api_world`), and whoever fills it in keeps its context: calls
// by name, which is a third smaller than pointers that go along.
struct pxe_api_world {
    // Microseconds, which never go back.
    uint64_t (*now)(void);
    // The program's memory, NULL where any of it is none of the program's.
    void *(*memory)(uint32_t address, uint32_t len);
    // Takes in what has come for the stack: pxe_api_datagram for each datagram.
    void (*turn)(void);
    // Opens socket `socket` [0, PXE_API_SOCKETS) on a local port (0: one by chance), in place of what it was. False: it cannot be.
    bool (*listen)(unsigned socket, uint16_t port);
    void (*close)(unsigned socket); // an open one or not
    // From an open socket: 0 or an error. `data` is not needed any more behind it.
    int (*send)(unsigned socket, const struct net_addr *to, const void *data, size_t len);
    uint16_t (*mtu)(const struct net_addr *to); // of the way there
    // Opens the card for the stack, or closes it: 0 or an error.
    int (*card)(bool open);
    // What an open card is to receive: multicast addresses, and everything (never where it cannot). `macs` NULL: what the stack wants.
    // 0 or an error.
    int (*filter)(const uint8_t (*macs)[6], unsigned count, bool everything);
    int (*transmit)(const void *frame, size_t len); // 0 or an error
    int (*receive)(void *frame, size_t cap); // the length, 0: none has come
};
extern const struct pxe_api_world pxe_api_world;

// What the program is told of itself.
struct pxe_api_self {
    uint8_t ip[4], mac[6];
    uint16_t rx_buffers; // of the card, 0: not known
    bool everything;     // the card can receive everything
    struct pxe_undi_nic_type nic; // vendor 0: not known
};

struct pxe_api_packets {
    const uint8_t *bytes[PXE_PACKETS]; // as enum pxe_packet has them
    uint16_t len[PXE_PACKETS];         // 0: there is none
};

struct pxe_api_datagram {
    uint16_t port; // of ours
    uint16_t len;
    struct net_addr from;
    uint8_t data[PXE_API_DATAGRAM_MAX];
};

enum pxe_api_card { PXE_CARD_CLOSED, PXE_CARD_STACK, PXE_CARD_PROGRAM };

// What is used often comes first: the processor's instructions are shorter then.
struct pxe_api {
    uint8_t card; // enum pxe_api_card
    bool unload;  // the program has ended UNDI, too: nothing is called any more
    struct pxe_api_self self;
    uint32_t low; // base memory that real mode reaches: a frame first
    uint8_t *low_bytes;
    uint16_t packet_at[PXE_PACKETS], packet_len[PXE_PACKETS];

    uint16_t frame_len; // in low_bytes, not handed out yet
    bool sent;          // not reported yet
    uint8_t filter;
    uint16_t out_len;   // of out

    bool udp_open;
    uint8_t port_next;
    uint8_t datagram_count;
    uint16_t ports[PXE_API_PORTS]; // 0: none

    bool tftp_open;
    bool block_full; // `block` has come, and was not read to its end
    uint16_t block_len, block_at;
    uint32_t blocks_read;
    uint32_t to, room, at; // of TFTP_READ_FILE: address, bytes, and how many have come

    struct pxe_undi_statistics statistics;
    struct pxe_mcast mcast;
    struct tftp_client tftp;
    struct uri uri; // of FILE_OPEN
    uint8_t out[FRAME_MAX]; // a frame on its way
    uint8_t block[TFTP_BLOCK_SIZE];
    struct pxe_api_datagram datagrams[PXE_API_DATAGRAMS]; // the oldest first
};

// Begins: the card is open and the stack's. `low` bytes at that address, which real mode reaches, and which are at `low_bytes` now, take
// the packets: as much of them as has room (longer ones are cut). `low_size` at least PXE_API_LOW_MIN. `self` is the caller's to fill in
// behind it.
void pxe_api_init(struct pxe_api *a, uint32_t low, uint8_t *low_bytes, uint32_t low_size, const struct pxe_api_packets *packets);

// A call: its function and the address of its block, whose Status it sets. What AX is to be: PXENV_EXIT_SUCCESS or PXENV_EXIT_FAILURE. It
// waits where the function does, no longer than a transfer may (base/progress.h).
uint16_t pxe_api_call(struct pxe_api *a, uint16_t function, uint32_t block);

// A datagram that came to an open socket.
void pxe_api_datagram(struct pxe_api *a, unsigned socket, const struct net_addr *from, const uint8_t *data, size_t len);

// The program has ended: sockets are closed, and the card is the stack's again. 0, or an error when it could not be opened.
int pxe_api_end(struct pxe_api *a);
