// SPDX-License-Identifier: MPL-2.0
// What doortest says to its server: ARP and UDP through the card that is tried.
#pragma once
#include "core/platform.h"

#define FLOOD_PORT 20600

extern const struct platform *pl;
extern struct card *card; // open
extern uint8_t own_ip[4], server_ip[4], own_mac[6];
void say(const char *format, ...) PRINTF_LIKE(1, 2);

// The server's address. False: it does not answer in time.
bool arp(void);
// A datagram for its FLOOD_PORT. As card_send.
int send_udp(const char *text);
