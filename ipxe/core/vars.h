// SPDX-License-Identifier: MPL-2.0
// Settings as scripts see them (vars.c), and what a lease makes of them.
#pragma once
#include "core/session.h"

extern const struct script_ops core_script_ops; // ctx is the struct core
void core_settings_init(struct core *core);
// Sets what a lease says, under "netN.dhcp", and what a proxy said, if any (NULL, or packet_len 0: none), under "proxydhcp";
// makes it the card that unscoped names mean, and applies it.
void core_settings_lease(struct core *core, unsigned nic, const struct dhcp_lease *lease, const struct dhcp_lease *proxy);
// Forgets what DHCP said to a card.
void core_settings_forget(struct core *core, unsigned nic);
