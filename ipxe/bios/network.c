// SPDX-License-Identifier: MPL-2.0
#include "bios/network.h"

#include "bios/console.h"
#include "bios/pxe.h"
#include "bios/undi.h"
#include "bios/undi_rom.h"

void network_find(void)
{
    if (pxe_find() != 0)
        undi_rom_start();
    else if (undi_add(true) != 0)
        bios_say("undi: the PXE ROM does not say which card it has\n");
}

void network_release(void)
{
    undi_close_all();
    undi_rom_stop();
}
