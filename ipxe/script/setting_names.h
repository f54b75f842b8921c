// SPDX-License-Identifier: MPL-2.0
// The settings that Signet knows by name, with their type and where DHCP has them. Inner header of settings.c.
#pragma once
#include "script/settings.h"

struct setting_name {
    char name[18];
    uint8_t type;        // enum setting_type
    uint8_t option, sub; // DHCP option, and sub-option of an encapsulated one; 0: none
};

// The row that a name ("filename") or an option's number ("67", "175.80") means, or NULL.
const struct setting_name *setting_name_find(const char *name);

// "67" -> 67, -1; "175.80" -> 175, 80. False when it is no number of an option.
bool setting_option_number(const char *name, int *option, int *sub);
