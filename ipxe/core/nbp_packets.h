// SPDX-License-Identifier: MPL-2.0
// What a network bootstrap program is told of DHCP, of the settings as they are now.
#pragma once
#include "core/nbp.h"

// The packets of a card that has an IPv4 address: the DHCPACK, which is the boot server's reply as well, has each option as scripts see it (what
// they have set themselves, then what the network said). *origin: where the program came from; where that is not known, the settings
// next-server and filename are put into it. The packets stay until the next call.
void core_nbp_packets(struct core *core, unsigned nic, struct pxe_origin *origin, struct pxe_api_packets *ret);
