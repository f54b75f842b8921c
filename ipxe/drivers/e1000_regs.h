// SPDX-License-Identifier: MPL-2.0
// Registers and descriptors of Intel's gigabit cards, as far as they are used here: "PCI/PCI-X Family of Gigabit Ethernet
// Controllers Software Developer's Manual" (Intel 317453; section 13 has the registers, section 3 the descriptors), the "82574
// GbE Controller Family Datasheet" (Intel 317694) and the "82576 Gigabit Ethernet Controller Datasheet" (Intel 320961; section 8 has
// the registers, section 7 the descriptors). Offsets are bytes in base address register 0. A card with several queues has the first
// one's registers where the others have their only ones.
#pragma once
#include "base/base.h"

#define E1000_GONE 0xFFFFFFFFu // what a card that is not there answers

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
#define E1000_MDIC 0x0020u // a register of the PHY: value, number, the PHY (number 1), what to do
#define E1000_MDIC_WRITE 0x04200000u
#define E1000_MDIC_READ 0x08200000u
#define E1000_MDIC_READY 0x10000000u
#define E1000_MDIC_REGISTER_SHIFT 16
#define E1000_PHY_CONTROL 0 // IEEE 802.3, section 22.2.4
#define E1000_PHY_NEGOTIATE 0x1340u // awake, negotiation on and begun anew, up to 1000 Mbit/s
#define E1000_PHY_STATUS 1
#define E1000_PHY_NEGOTIATED 0x0020u
#define E1000_ICR 0x00C0u
#define E1000_IMC 0x00D8u
#define E1000_RCTL 0x0100u
#define E1000_RCTL_ENABLE 0x00000002u
#define E1000_RCTL_ALL_UNICAST 0x00000008u
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
#define E1000_SRRCTL 0x280Cu // with queues only
#define E1000_SRRCTL_KIB 0x00000002u      // bytes of a buffer, in units of 1024
#define E1000_SRRCTL_ADVANCED 0x02000000u // descriptors, with one buffer each
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
#define E1000_XDCTL_DESCRIPTORS 0x01000000u // what is counted there: descriptors, not cache lines; without queues only
#define E1000_XDCTL_ENABLE 0x02000000u      // with queues only: this one is in use; reads so when it is
#define E1000_RXCSUM 0x5000u
#define E1000_MTA 0x5200u // 4096 bits, one for each value of the hash
#define E1000_MTA_WORDS 128
#define E1000_RAL0 0x5400u
#define E1000_RAH0 0x5404u
#define E1000_RAH_VALID 0x80000000u

// Receive descriptor, little-endian. Of the two words that the card writes, one is the length (the lower half) and one the status:
// - Legacy (317453, 3.2.3): the length comes first; the status is a status byte, an errors byte and a VLAN tag. The card leaves the
//   address as it is.
// - Advanced (320961, 7.1.5), with queues, for QEMU's 82576 knows no others there: the status comes first, and the card writes over
//   the address. Both words are zeros (an address for headers) while the descriptor is the card's.
struct e1000_rx_descriptor {
    uint64_t address;
    uint32_t word[2];
};
#define E1000_RX_DONE 0x00000001u
#define E1000_RX_END 0x00000002u             // the frame's last buffer
#define E1000_RX_ERRORS 0x0000FF00u          // legacy: any of them; the checksums' are off (RXCSUM)
#define E1000_RX_ERRORS_ADVANCED 0x80000000u // RXE, as the others there are the checksums'

// Legacy transmit descriptor (3.3.3), little-endian, which the cards with queues take as well (320961, 7.2.2.1).
struct e1000_tx_descriptor {
    uint64_t address;
    uint32_t command; // length, checksum offset, command byte
    uint32_t status;
};
#define E1000_TX_END 0x01000000u
#define E1000_TX_INSERT_CRC 0x02000000u
#define E1000_TX_REPORT 0x08000000u // E1000_TX_DONE, please
#define E1000_TX_DONE 0x00000001u

_Static_assert(sizeof(struct e1000_rx_descriptor) == 16, "receive descriptor");
_Static_assert(sizeof(struct e1000_tx_descriptor) == 16, "legacy transmit descriptor");
