// SPDX-License-Identifier: MPL-2.0
// lwIP's options for Signet: no operating system, raw API, one thread. Sizes are memory above 1 MiB, which
// is plentiful; nothing here adds to the file that goes over the wire.
#pragma once

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_PROVIDE_ERRNO 0
#define LWIP_SINGLE_NETIF 0
#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_API 0
#define LWIP_HAVE_LOOPIF 0
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_HOOK_FILENAME "net/hooks.h"
#define LWIP_CHKSUM checksum_sum // base/checksum.h, declared by arch/cc.h

#define MEM_ALIGNMENT 8
#define MEM_SIZE (256 * 1024)
#define MEMP_NUM_UDP_PCB 12
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_PCB_LISTEN 0
#define MEMP_NUM_TCP_SEG 64
#define MEMP_NUM_SYS_TIMEOUT 16
#define MEMP_NUM_PBUF 64
#define MEMP_NUM_REASSDATA 8
#define MEMP_NUM_ND6_QUEUE 16
#define MEMP_NUM_ARP_QUEUE 16
#define MEMP_NUM_MLD6_GROUP 32
#define PBUF_POOL_SIZE 0 // received frames come in buffers of net/frames.c
#define LWIP_SUPPORT_CUSTOM_PBUF 1

#define LWIP_ARP 1
#define ARP_QUEUEING 1
#define ARP_TABLE_SIZE 32
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define ETHARP_SUPPORT_VLAN 0
#define LWIP_IPV4 1
#define IP_FORWARD 0
#define IP_REASSEMBLY 1
#define IP_REASS_MAX_PBUFS 64
#define IP_FRAG 1
#define LWIP_ICMP 1
#define LWIP_IGMP 0 // groups of IPv4 are sent to and never joined
#define LWIP_RAW 0
#define LWIP_UDP 1
#define LWIP_UDPLITE 0
#define LWIP_DHCP 0 // proto/dhcp: PXE needs options that lwIP's client does not keep
#define LWIP_AUTOIP 0
#define LWIP_ACD 0
#define LWIP_DNS 1
#define DNS_MAX_NAME_LENGTH 256
#define DNS_MAX_FOUND 4 // addresses of an answer (patches/lwip)
#define DNS_MAX_SERVERS 4
#define DNS_TABLE_SIZE 8 // a look-up that was given up lives until its last server was asked four times
// DHCP replies come by unicast to an address that is not ours yet.
#define LWIP_IP_ACCEPT_UDP_PORT(port) ((port) == PP_NTOHS(68))

#define LWIP_IPV6 1
#define LWIP_IPV6_MLD 1
#define LWIP_IPV6_AUTOCONFIG 1
#define LWIP_IPV6_SCOPES 1
#define LWIP_IPV6_REASS 1
#define LWIP_IPV6_FRAG 1
#define IPV6_FRAG_COPYHEADER 1 // pointers are 8 bytes on the host
#define LWIP_IPV6_DHCP6 0
#define LWIP_ND6_NUM_NEIGHBORS 32
#define LWIP_ND6_NUM_DESTINATIONS 32
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 2
// Each router of the list stands for so many prefixes, and there is room for all of them (patches/lwip/0006-routers.patch), for the
// link-local address and for two that were set.
#define LWIP_ND6_NUM_ROUTERS 3
#define LWIP_ND6_ROUTER_PREFIXES 3
#define LWIP_ND6_ROUTER_USED 30 // seconds since the last packet: the router keeps its place
#define LWIP_ND6_NUM_PREFIXES (LWIP_ND6_NUM_ROUTERS * LWIP_ND6_ROUTER_PREFIXES)
#define LWIP_IPV6_NUM_ADDRESSES (1 + LWIP_ND6_NUM_PREFIXES + 2)
// The ROM has used the link-local address already; a second of detection would be a second of every boot.
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0

#define LWIP_TCP 1
// With IPv6's header and a priority tag a segment of this size is a frame of 1514 bytes: iPXE's ROMs cut longer ones (doc/bios.md).
#define TCP_MSS 1436
// The least that we send a segment of, whatever the peer says (patches/lwip/0009-small-segments.patch): the longest request is 18 of them.
#define TCP_LEAST_MSS 256
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (256 * 1024)
#define TCP_SND_BUF (8 * TCP_MSS)
#define TCP_SND_QUEUELEN 32
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_TIMESTAMPS 0
#define TCP_LISTEN_BACKLOG 0
