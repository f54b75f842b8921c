// SPDX-License-Identifier: MPL-2.0
// DHCPv4 with PXE: packets (RFC 2131, 2132, 3396 long options, 3397 search lists, 3442 routes, PXE 2.1 section 2, RFC 4578)
// and a client machine without I/O that also hears a ProxyDHCP server, on the broadcast and on port 4011. Pure.
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_PROXY_PORT 4011
#define DHCP_PACKET_MAX 1472 // largest packet read or kept; also what the client announces in option 57
#define DHCP_PACKET_MIN 300  // shorter ones are padded (BOOTP relays)
#define DHCP_FIXED_SIZE 236  // BOOTP fields in front of the magic
#define DHCP_DNS_MAX 3
#define DHCP_OPTION_MAX (DHCP_PACKET_MAX - 48) // bytes of one option, its pieces joined: all that a packet has room for
#define DHCP_TEXT_MAX (DHCP_OPTION_MAX + 1)    // the same as a text, with NUL
#define DHCP_NAME_MAX 256                      // a host's or domain's name, with NUL
#define DHCP_ROUTES_MAX 32
#define DHCP_MTU_MIN 576 // every IPv4 host takes that much (RFC 791); what is below is taken for an error

enum dhcp_option {
    DHCP_PAD = 0,
    DHCP_SUBNET_MASK = 1,
    DHCP_ROUTER = 3,
    DHCP_DNS = 6,
    DHCP_HOSTNAME = 12,
    DHCP_DOMAIN = 15,
    DHCP_ROOT_PATH = 17,
    DHCP_MTU = 26,
    DHCP_VENDOR_OPTIONS = 43, // PXE's sub-options
    DHCP_REQUESTED_IP = 50,
    DHCP_LEASE_TIME = 51,
    DHCP_OVERLOAD = 52,
    DHCP_MESSAGE_TYPE = 53,
    DHCP_SERVER_ID = 54,
    DHCP_PARAMETERS = 55,
    DHCP_MAX_SIZE = 57,
    DHCP_VENDOR_CLASS = 60, // "PXEClient:Arch:00000:UNDI:002001"
    DHCP_CLIENT_ID = 61,
    DHCP_TFTP_SERVER_NAME = 66,
    DHCP_BOOTFILE = 67,
    DHCP_USER_CLASS = 77, // "iPXE", as plain text
    DHCP_CLIENT_ARCH = 93,
    DHCP_CLIENT_NDI = 94,
    DHCP_CLIENT_UUID = 97,
    DHCP_DOMAIN_SEARCH = 119,
    DHCP_ROUTES = 121,
    DHCP_IPXE = 175, // encapsulated: 176 no-pxedhcp, 19 http, 16 pxeext, ...
    DHCP_END = 255,
};
#define DHCP_BOOT_ITEM 71 // in option 43: a menu's item by its type, and its layer 0
enum dhcp_message { DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK, DHCP_NAK, DHCP_RELEASE };

// --- packets ---

// Finds option `code` (a sub-option `sub` of it when sub >= 0) in a packet from `op` on: option field first, then
// file and sname when overloaded (52); pieces of one option are joined (RFC 3396). Copies at most cap bytes;
// returns the whole length, ERR_NOT_FOUND, ERR_DHCP_MALFORMED or ERR_TOO_LARGE. An option without a byte is not there.
int dhcp_option(const uint8_t *packet, size_t len, int code, int sub, uint8_t *buf, size_t cap);

// Walks over the options for settings by number: *pos starts at 0 and is opaque. False at the end. Gives each
// piece as it stands in the packet (PAD and END are passed over; a piece that is cut off ends the walk).
bool dhcp_option_next(const uint8_t *packet, size_t len, size_t *pos, uint8_t *ret_code, const uint8_t **ret_data,
                      size_t *ret_len);

// A classless route: to the addresses that share the first `prefix` bits with `net`.
struct dhcp_route {
    uint8_t net[4], gateway[4]; // gateway 0.0.0.0: on the link
    uint8_t prefix;
};

// Reads option 121's value. The routes but those to everywhere, of which the first is in ret_default (zero: none).
// Their number (what is beyond DHCP_ROUTES_MAX is left out), or ERR_DHCP_MALFORMED.
int dhcp_routes_read(const uint8_t *data, size_t len, struct dhcp_route ret[DHCP_ROUTES_MAX], uint8_t ret_default[4]);

// Reads option 119's value: the domains with a blank between them, as many as there is room for. Their text's length, or
// ERR_DHCP_MALFORMED (also for pointers that do not lead back, and for bytes that no name has), then with an empty text.
int dhcp_search_read(const uint8_t *data, size_t len, char *buf, size_t cap);

// The mask of an address's class, which holds where nobody says one.
void dhcp_class_mask(const uint8_t ip[4], uint8_t mask[4]);

// What a boot needs of an answer.
struct dhcp_lease {
    uint8_t ip[4], mask[4]; // mask: of the address class when the server sent none
    uint8_t gateway[4];     // of option 121 when that can be read, else option 3
    uint8_t server_id[4];
    uint8_t next_server[4]; // siaddr, else option 66 when it is an address, else zero
    uint8_t dns[DHCP_DNS_MAX][4];
    unsigned dns_count;
    char hostname[DHCP_NAME_MAX], domain[DHCP_NAME_MAX];
    char search[DHCP_NAME_MAX];           // 119, a blank between two domains
    char filename[DHCP_TEXT_MAX];         // option 67, else `file`
    char tftp_server_name[DHCP_NAME_MAX]; // option 66, else `sname`
    char root_path[DHCP_TEXT_MAX];
    uint32_t lease_s; // 0: none given
    uint16_t mtu;     // 0: none given, or below DHCP_MTU_MIN
    uint8_t type;     // enum dhcp_message; 0 for BOOTP
    bool pxe;         // vendor class "PXEClient": a PXE-aware server
    bool no_pxedhcp;  // 175.176: do not wait for ProxyDHCP
    uint16_t packet_len; // 0: none
    uint8_t packet[DHCP_PACKET_MAX]; // as it came, for settings by number
};

// Reads an answer (op 2) of any kind; longer ones than DHCP_PACKET_MAX are cut there. ERR_DHCP_MALFORMED, also where the
// address that it gives is none that a machine can have (127.0.0.1, groups, broadcast).
// A packet without options (BOOTP without the magic) is an answer, too; options that are cut off are left out.
int dhcp_lease_read(const uint8_t *packet, size_t len, struct dhcp_lease *ret);

// Is this all that a boot needs, so that no DHCP of our own is due? An acknowledged address with its mask, or
// a BOOTP answer. Takes the packet that the PXE ROM kept.
bool dhcp_lease_is_complete(const struct dhcp_lease *lease);

// Adds what a proxy's or boot server's answer knows about the boot (file, next server, root path) where `lease`
// knows none. A file comes with its own server: the one that the answer names, else the one that sent it, never that of
// another server's lease.
void dhcp_lease_add_boot(struct dhcp_lease *lease, const struct dhcp_lease *proxy);

// --- PXE boot menus (PXE 2.1 section 2.2, option 43; dhcp_menu.c) ---

#define DHCP_MENU_LOCAL 0   // an item's type: the machine's own next boot device, no boot server
#define DHCP_MENU_WAITS 255 // a prompt's seconds: for a person, with the menu shown
#define DHCP_MENU_TEXT_MAX 256

struct dhcp_menu_item {
    uint16_t type;                 // whose boot server is asked for (DHCP_MENU_LOCAL: nobody is)
    char text[DHCP_MENU_TEXT_MAX]; // for a person
};
// The i-th item of a PXE server's menu (43.9). False: there are no more, or it is cut off.
bool dhcp_menu_item(const struct dhcp_lease *from, unsigned i, struct dhcp_menu_item *ret);
// The seconds after which the first item is taken (43.10; 0: at once) and the text that says so. Without one a menu waits for a person.
uint8_t dhcp_menu_prompt(const struct dhcp_lease *from, char text[DHCP_MENU_TEXT_MAX]);
// Is there a menu to choose from? Not where a PXE server names a file and says that it is to be taken (43.6, bit 3).
bool dhcp_menu_is_there(const struct dhcp_lease *from);
// The i-th of those who are asked for an item's file, in the try with this number (from 0 on): the servers that are listed for it (43.8),
// then, from the second try on or where none are, the group (43.7) and all of the link, as far as 43.6 allows it. False: no more.
bool dhcp_menu_peer(const struct dhcp_lease *from, uint16_t type, unsigned try, unsigned i, uint8_t ret[4]);
// Is that the answer of a boot server of this type and layer 0 (43.71), one that may give it (43.6, bit 2), with a file? `at`: the address
// that it came from. Who is listed for the type need not repeat it, who answers to a group must.
bool dhcp_menu_accepts(const struct dhcp_lease *from, uint16_t type, const struct dhcp_lease *answer, const uint8_t at[4]);

// --- the client ---

#define DHCP_FEATURES_MAX 8
// iPXE's numbers of features in option 175 (ipxe.org/howto/dhcpd).
enum dhcp_feature {
    DHCP_FEATURE_HTTP = 19,
    DHCP_FEATURE_HTTPS = 20,
    DHCP_FEATURE_TFTP = 21,
    DHCP_FEATURE_DNS = 23,
    DHCP_FEATURE_BZIMAGE = 24,
    DHCP_FEATURE_PXE = 33,
};

struct dhcp_config {
    uint8_t mac[6];
    uint16_t arch;   // option 93, RFC 4578 2.1
    bool has_uuid;
    uint8_t uuid[16];  // option 97, network order
    uint32_t xid;      // random
    uint32_t jitter;   // random, spreads the retries
    bool want_proxy;   // wait a little for a ProxyDHCP server when the offer names no file
    uint64_t proxy_wait_us; // how long at most, from the first offer on; 0: DHCP_PROXY_LATE_US
    unsigned attempts; // discovers (and requests) before giving up, 0: DHCP_ATTEMPTS
    // What option 175 says that this Signet can do (enum dhcp_feature): servers choose scripts and URIs by it.
    uint8_t features[DHCP_FEATURES_MAX];
    unsigned feature_count;
};
#define DHCP_ATTEMPTS 4                  // after 1, 2, 4, 8 s: 15 s in all
#define DHCP_FIRST_TIMEOUT_US 1000000u
#define DHCP_PROXY_WAIT_US 1000000u      // after the first good offer, before the address is asked for
#define DHCP_PROXY_LATE_US 3000000u      // and with the address, still without a file
#define DHCP_PROXY_ATTEMPTS 2            // requests to port 4011
#define DHCP_BOOT_ATTEMPTS 4             // rounds in which a menu's boot servers are asked: after 1, 2, 3, 4 s (PXE 2.1), 10 s in all
#define DHCP_NAK_WAIT_US 300000u         // an ACK that comes so soon behind a NAK counts: the NAK was somebody else's
#define DHCP_SPARE_AFTER 2               // requests without an answer (3 s) before another server's offer is taken
#define DHCP_SPARES_MAX 4                // other servers' offers taken before giving up
#define DHCP_NAKS_MAX 2                  // servers that refuse, with no other offer at hand, before giving up

enum dhcp_state {
    DHCP_DISCOVERING,
    DHCP_REQUESTING,
    DHCP_PROXYING,  // asks a PXE server on port 4011 what it has
    DHCP_LISTENING, // for proxies that are late
    DHCP_CHOOSING,  // has a menu; its lease is kept
    DHCP_ASKING,    // for the boot server of the menu's item
    DHCP_DONE,
    DHCP_FAILED
};

struct dhcp_client {
    struct dhcp_config config;
    enum dhcp_state state;
    unsigned tries, naks, spares;
    bool send_due, nak;
    uint64_t started, deadline;
    uint64_t listen_until; // for proxies
    uint64_t lease_end;    // once bound: when the lease is over, 0: never
    uint64_t renew_at;     // when it is asked for next
    uint64_t rebind_from;  // from then on any server is asked to renew it
    bool have_offer, bound;
    bool asked;               // port 4011
    uint8_t asked_address[4]; // who is asked there, or for the item
    uint16_t item;            // the type that was chosen, 0: none yet
    unsigned peer;            // who of those that are asked for it in a round
    int error;
    // Servers that offered, and then refused or said no more: another one's offer is better.
    uint8_t refused[DHCP_SPARES_MAX + DHCP_NAKS_MAX][4];
    unsigned refused_count;
    struct dhcp_lease lease; // the best offer, then the acknowledged lease
    struct dhcp_lease spare; // the best offer of another server, packet_len 0: none
    struct dhcp_lease proxy; // the ProxyDHCP answer, and then the boot server's, packet_len 0: none
    struct dhcp_lease heard; // the message being looked at
};

// A datagram to send: from `src_port` (and address `src`, 0.0.0.0 until the lease is bound) to dst:dst_port.
struct dhcp_datagram {
    uint8_t src[4], dst[4]; // dst 255.255.255.255 is the broadcast of the link
    uint16_t src_port, dst_port;
};

// About 21 KiB. Starts at once: the first output is due.
void dhcp_client_init(struct dhcp_client *c, const struct dhcp_config *config, uint64_t now);
// Handles timeouts, then writes the datagram that is due, if any: its length, or 0.
size_t dhcp_client_output(struct dhcp_client *c, uint8_t *buf, size_t cap, struct dhcp_datagram *ret, uint64_t now);
// A datagram that came to port 68. What does not belong to this client is dropped in silence.
void dhcp_client_input(struct dhcp_client *c, const uint8_t from[4], uint16_t from_port, const uint8_t *data,
                       size_t len, uint64_t now);
// When output must be called at the latest (0: now), UINT64_MAX once it has ended.
uint64_t dhcp_client_deadline(const struct dhcp_client *c);
// The lease is acknowledged: the caller sets its address now (DHCP_PROXYING sends from it) and can use it.
bool dhcp_client_bound(const struct dhcp_client *c);
// PENDING, 0 when done (lease complete, proxy merged), ERR_DHCP_NO_OFFER when no server answered,
// ERR_DHCP_NO_ACK when one did not answer the request for what it had offered, ERR_DHCP_REFUSED when it refused that; and done all the
// same, with its lease, ERR_PXE_NO_SERVER when no boot server answered for the menu's item.
int dhcp_client_result(const struct dhcp_client *c);

// The PXE server's answer whose menu waits for a choice; NULL: none does.
const struct dhcp_lease *dhcp_client_menu(const struct dhcp_client *c);
// The type of the item that was chosen. DHCP_MENU_LOCAL: the client is done.
void dhcp_client_choose(struct dhcp_client *c, uint16_t type, uint64_t now);
// A client that is bound has done enough: from now on it keeps its lease.
void dhcp_client_settle(struct dhcp_client *c);

// When it is done, output and input go on to renew the lease (RFC 2131 4.4.5); output is to be called at dhcp_renew_deadline at the
// latest, UINT64_MAX: the lease has no end. True: nobody did renew it.
uint64_t dhcp_renew_deadline(const struct dhcp_client *c);
bool dhcp_client_over(const struct dhcp_client *c, uint64_t now);
// A client that is done: a ROM got this lease, just now as far as is known.
void dhcp_client_adopt(struct dhcp_client *c, const struct dhcp_config *config, const struct dhcp_lease *lease, uint64_t now);
// Inside (dhcp_renew.c): the lease is acknowledged; what output and input do when the client is done, the latter with c->heard.
void dhcp_renew_begin(struct dhcp_client *c, uint64_t now);
size_t dhcp_renew_output(struct dhcp_client *c, uint8_t *buf, size_t cap, struct dhcp_datagram *ret, uint64_t now);
void dhcp_renew_input(struct dhcp_client *c, uint64_t now);

// Copies a text that may or may not end with a NUL; control characters end it, they have no place in a name.
void dhcp_text(char *to, size_t cap, const uint8_t *from, size_t len);

// Option 60: who this client is, without a NUL. Its length.
#define DHCP_CLASS_MAX 33
size_t dhcp_class(const struct dhcp_config *config, char text[DHCP_CLASS_MAX]);

// Builds DISCOVER or REQUEST for the state that the client is in; used by dhcp_client_output and by tests.
size_t dhcp_build(const struct dhcp_client *c, uint8_t *buf, size_t cap, uint64_t now);
