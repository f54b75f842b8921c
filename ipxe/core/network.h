// SPDX-License-Identifier: MPL-2.0
// The network as the settings and DHCP have it (dhcp.c, address.c).
#pragma once
#include "core/session.h"
#include "proto/dhcp6.h"

// Starts the network stack on the platform's cards, and names them.
void core_network_start(struct core *core);

// Configures a card by DHCP: the ROM's cached answer where it is enough, our own DHCP otherwise.
int core_dhcp(struct core *core, unsigned nic, bool force);
// Any card: in turn until one has an address, those that get no link behind those that do.
int core_dhcp_any(struct core *core, bool force);
// What such a client says first, for whoever wants to know later: its length.
size_t core_dhcp_discover(struct core *core, unsigned nic, uint8_t buf[DHCP_PACKET_MAX]);
// Opens the cards that are not open yet, and waits a little for the first link. ERR_NET_NO_CARD when none could be.
int core_open_network(struct core *core);

// DHCPv6 (dhcp6.c). What an answer says is used: an address, name servers, and of an answer of our own the boot file. False: it cannot be.
bool core_dhcp6_use(struct core *core, unsigned nic, const struct dhcp6_lease *lease, bool ours);
// A client on one card, and a step of it: true, an answer names a boot file, so that no other is worth waiting for. Behind the last step the
// answer is used, unless it was in vain: false when there is none that helps.
void core_dhcp6_start(struct core *core, unsigned nic, const struct dhcp_config *config);
bool core_dhcp6_step(uint64_t *wake);
bool core_dhcp6_end(bool in_vain);

// A PXE server's menu (pxe_menu.c): its prompt with the seconds that are left, its items once a key is pressed, and what is chosen by a
// letter, by Enter (the first item) or by nobody in time.
enum { PXE_MENU_BY_TIME, PXE_MENU_BY_KEY };
void core_pxe_menu_start(struct core *core, const struct dhcp_lease *menu);
// A step of core_drive: PENDING, or who has chosen *ret.
int core_pxe_menu_step(struct core *core, const struct dhcp_lease *menu, struct dhcp_menu_item *ret, uint64_t *wake);

// Gives the network stack the addresses, routes, MTUs, name servers and search list that the settings name now (address.c).
// To be called when these or the open cards have changed.
void core_apply_addresses(struct core *core);
