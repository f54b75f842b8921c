// SPDX-License-Identifier: MPL-2.0
// Registers and descriptors of Intel's gigabit cards, as far as they are used here: "PCI/PCI-X Family of Gigabit Ethernet
// Controllers Software Developer's Manual" (Intel 317453; section 13 has the registers, section 3 the descriptors) and the "82574
// GbE Controller Family Datasheet" (Intel 317694). Offsets are bytes in base address register 0.
#pragma once
#include "base/base.h"

#define E1000_CTRL 0x0000u
#define E1000_CTRL_MASTER_DISABLE 0x00000004u // PCI Express only: asks the card to end all access to memory
#define E1000_CTRL_LINK_RESET 0x00000008u
#define E1000_CTRL_LINK_UP 0x00000040u // SLU: takes the link as the PHY gives it
#define E1000_CTRL_INVERT_LOSS 0x00000080u
#define E1000_CTRL_FORCE_SPEED 0x00000800u
#define E1000_CTRL_FORCE_DUPLEX 0x00001000u
#define E1000_CTRL_RESET 0x04000000u
#define E1000_CTRL_RX_PAUSE 0x08000000u
#define E1000_CTRL_TX_PAUSE 0x10000000u
#define E1000_CTRL_VLAN 0x40000000u
#define E1000_CTRL_PHY_RESET 0x80000000u
#define E1000_STATUS 0x0008u
#define E1000_STATUS_LINK 0x00000002u
#define E1000_STATUS_FUNCTION_SHIFT 2 // which of a card's two ports: 0 or 1
#define E1000_STATUS_MASTER 0x00080000u // PCI Express only: access to memory is not at its end
#define E1000_EERD 0x0014u              // reads a word of the EEPROM; where address and "done" lie differs, see e1000_card.c
#define E1000_EERD_START 0x00000001u
#define E1000_ICR 0x00C0u
#define E1000_IMC 0x00D8u
#define E1000_RCTL 0x0100u
#define E1000_RCTL_ENABLE 0x00000002u
#define E1000_RCTL_ALL_MULTICAST 0x00000010u
#define E1000_RCTL_BROADCAST 0x00008000u
#define E1000_RCTL_STRIP_CRC 0x04000000u
#define E1000_TCTL 0x0400u
#define E1000_TCTL_ENABLE 0x00000002u
#define E1000_TCTL_PAD 0x00000008u
#define E1000_TCTL_RETRIES_SHIFT 4    // CT
#define E1000_TCTL_COLLISION_SHIFT 12 // COLD
#define E1000_TCTL_COLLISION_FIELDS 0x003FFFF0u
#define E1000_TIPG 0x0410u
#define E1000_RDBAL 0x2800u
#define E1000_RDBAH 0x2804u
#define E1000_RDLEN 0x2808u
#define E1000_RDH 0x2810u
#define E1000_RDT 0x2818u
#define E1000_RDTR 0x2820u
#define E1000_RXDCTL 0x2828u
#define E1000_RADV 0x282Cu
#define E1000_TDBAL 0x3800u
#define E1000_TDBAH 0x3804u
#define E1000_TDLEN 0x3808u
#define E1000_TDH 0x3810u
#define E1000_TDT 0x3818u
#define E1000_TXDCTL 0x3828u
#define E1000_TXDCTL_COUNT 0x00400000u // PCI Express only: counts descriptors; Intel's drivers set it
#define E1000_XDCTL_WRITEBACK_SHIFT 16 // so many descriptors are written back together
#define E1000_XDCTL_DESCRIPTORS 0x01000000u // what is counted there: descriptors, not cache lines
#define E1000_RXCSUM 0x5000u
#define E1000_MTA 0x5200u // 4096 bits, one for each value of the hash
#define E1000_MTA_WORDS 128
#define E1000_RAL0 0x5400u
#define E1000_RAH0 0x5404u
#define E1000_RAH_VALID 0x80000000u

// Legacy receive descriptor (3.2.3), little-endian. The card leaves the address as it is.
struct e1000_rx_descriptor {
    uint64_t address;
    uint16_t length;
    uint16_t checksum;
    uint32_t status; // status byte, errors byte, VLAN tag
};
#define E1000_RX_DONE 0x00000001u
#define E1000_RX_END 0x00000002u    // the frame's last buffer
#define E1000_RX_ERRORS 0x0000FF00u // any of them; the checksums' are off (RXCSUM)

// Legacy transmit descriptor (3.3.3), little-endian.
struct e1000_tx_descriptor {
    uint64_t address;
    uint32_t command; // length, checksum offset, command byte
    uint32_t status;
};
#define E1000_TX_END 0x01000000u
#define E1000_TX_INSERT_CRC 0x02000000u
#define E1000_TX_REPORT 0x08000000u // E1000_TX_DONE, please
#define E1000_TX_DONE 0x00000001u

_Static_assert(sizeof(struct e1000_rx_descriptor) == 16, "legacy receive descriptor");
_Static_assert(sizeof(struct e1000_tx_descriptor) == 16, "legacy transmit descriptor");
