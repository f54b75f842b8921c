// SPDX-License-Identifier: MPL-2.0
// Every knob of the firmware: 0 or 1, with its default and its reason. C code uses plain `if`.
#pragma once

// BIOS: COM1 (115200 8N1) beside the screen, if a UART is there and the BIOS does not redirect its console to it
// already. Servers and test machines have no screen; a line without a listener costs nothing.
#define CONSOLE_SERIAL 1

#ifndef TPM_AND_VARIABLES
// Measured boot and the kept anti-rollback floor (doc/measurements.md, doc/floor.md). On where the platform may have a TPM
// and variables; the BIOS door, which has neither and little room, is built with 0.
#define TPM_AND_VARIABLES 1
#endif

// Network cards that a driver of ipxe/drivers/ knows are driven by it, several times as fast as by the firmware's (doc/efi.md,
// doc/bios.md). On. Without a compiler, for one card that it does not work with: `signet embed --drivers firmware`, or under UEFI the same
// file under the name snponly.efi.
#define NATIVE_DRIVERS 1

// `floor --clear` typed into the shell takes the kept anti-rollback floor away (doc/floor.md). On: the way back for a
// person at the machine. Off where the console is open to people who must not go back to older images.
#define FLOOR_CLEAR_AT_SHELL 1

#ifndef LISTING_AT_SHELL
// `ls` and `cat` show a person what lies on the machine's disks. On; the BIOS door, which has little room, is built with 0.
#define LISTING_AT_SHELL 1
#endif

#ifndef DHCPV6
// Where no DHCP server gives an IPv4 address, DHCPv6 is asked for one (doc/pxe.md). On; the BIOS door, which has little room (1.6 KB), is
// built with 0.
#define DHCPV6 1
#endif

#ifndef PXE_SERVICES
// Sealed network bootstrap programs run, and find PXE's services under them (doc/pxe.md). On; UEFI, where none of them runs, is built
// with 0.
#define PXE_SERVICES 1
#endif

#ifndef SLEEPS_BY_DEADLINE
// What waits works out until when the machine may sleep. On; the BIOS door, where a sleep ends at the next tick whatever is waited for,
// is built with 0.
#define SLEEPS_BY_DEADLINE 1
#endif
