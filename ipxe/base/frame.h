// SPDX-License-Identifier: MPL-2.0
// The longest Ethernet frames, in bytes without FCS.
#pragma once

#define FRAME_MAX 1514          // that are sent: header and 1500 bytes
#define FRAME_RECEIVE_MAX 1518  // that are received: one of these with a tag (IEEE 802.1Q), which may be that of VLAN 0
