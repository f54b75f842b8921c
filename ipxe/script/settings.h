// SPDX-License-Identifier: MPL-2.0
// The settings: names to values, in memory of the caller. Values are bytes with a natural type; the type after a
// colon (`${net0/mac:hexhyp}`) says how they are shown or read. doc/scripts.md lists names and types.
//
// A name is [scope/]name[:type]. Scopes are "" (set by scripts), "net0", "net0.dhcp", "net0.proxydhcp", "smbios",
// "builtin", ...: whatever the caller stores under. Looking up
//   `name`       : scope "", then the current network card (settings_use) and its sub-scopes, then all others
//   `net0/name`  : "net0", then "net0.<anything>" in the order in which they were stored
//   `netX/name`  : the same with the current card
// A DHCP option is named by its number (`67`); the well-known ones have a name, and number and name are the same
// setting (`67` = `filename`). `175.6` is sub-option 6 of the encapsulated option 175.
#pragma once
#include "base/err.h"

#define SETTINGS_NAME_MAX 128   // one name with scope, with NUL; each of the two has less than half of it
#define SETTINGS_VALUE_MAX 4096 // bytes of one value: a URI
#define SETTINGS_ARENA_DEFAULT (64 * 1024)

enum setting_type {
    SETTING_STRING,    // text as it is, to its NUL; control characters are shown as '?'
    SETTING_URISTRING, // percent-coded for a URI's path or query
    SETTING_IPV4,      // 4 bytes, 192.0.2.1 (of a longer value: its first address)
    SETTING_IPV6,      // 16 bytes
    SETTING_HEX,       // 52:54:00
    SETTING_HEXHYP,    // 52-54-00
    SETTING_HEXRAW,    // 525400
    SETTING_BASE64,
    // Big-endian; int* are shown signed and decimal, uint* as 0x and hex: 1 to 4 bytes, however many the type has (as iPXE does).
    SETTING_INT8,
    SETTING_INT16,
    SETTING_INT32,
    SETTING_UINT8,
    SETTING_UINT16,
    SETTING_UINT32,
    SETTING_UUID, // 16 bytes in network order (RFC 9562)
    SETTING_GUID, // 16 bytes, first three fields little-endian
    SETTING_BUSDEVFN, // a PCI function, 0000:00:03.0; shown only
    SETTING_TYPES
};

struct settings {
    uint8_t *arena;
    size_t cap, used;
    char current[16]; // "net0"
};

void settings_init(struct settings *s, void *arena, size_t cap);
// Names the card that `netX` and unscoped names mean first.
void settings_use(struct settings *s, const char *scope);

// Stores bytes under scope and name, replacing. `name` is a bare name (no scope, no type). ERR_INVALID for a bad
// name, ERR_TOO_LARGE, ERR_NO_MEMORY when the arena is full (the old value is kept then).
int settings_put(struct settings *s, const char *scope, const char *name, enum setting_type type, const void *data,
                 size_t len);
// The same for text, as SETTING_STRING; NULL or "" clears.
int settings_put_text(struct settings *s, const char *scope, const char *name, const char *text);

// `set NAME TEXT`: reads the text by the type given in the name, or else by the name's natural type, which a well-known name keeps. Empty
// text clears. ERR_INVALID when the text is no such value.
int settings_set(struct settings *s, const char *name, const char *text);
// The same by the type that NAME has already, so that `inc` keeps a number a number; one that is new is an int32.
int settings_update(struct settings *s, const char *name, const char *text);
// `clear NAME`; `clear SCOPE/` clears all of a scope. ERR_NOT_FOUND when there was nothing.
int settings_clear(struct settings *s, const char *name);

// `${NAME}`: the text, NUL-terminated, into buf; its length, or ERR_NOT_FOUND, ERR_INVALID (type or name),
// ERR_TOO_LARGE.
int settings_get(const struct settings *s, const char *name, char *buf, size_t cap);
// `show NAME`: "net0.dhcp/filename:string = boot.ipxe", with the scope in which it was found and the type used.
int settings_show(const struct settings *s, const char *name, char *buf, size_t cap);
// The bytes (into the arena, valid until the next change). The type in the name, if any, is not looked at.
int settings_find(const struct settings *s, const char *name, const uint8_t **ret, size_t *ret_len,
                  enum setting_type *ret_type);

// Walks over all entries for `show`/`config`: *pos starts at 0; false at the end. name gets "net0/mac".
bool settings_next(const struct settings *s, size_t *pos, char name[SETTINGS_NAME_MAX], enum setting_type *ret_type,
                   const uint8_t **ret, size_t *ret_len);

// Formatting and reading by type, by themselves. Return the length, or ERR_INVALID / ERR_TOO_LARGE.
int setting_format(enum setting_type type, const uint8_t *data, size_t len, char *buf, size_t cap);
int setting_parse(enum setting_type type, const char *text, uint8_t *buf, size_t cap);
// ERR_NOT_FOUND for a name that is no type ("hexhyp" -> SETTING_HEXHYP).
int setting_type_by_name(const char *name, size_t len, enum setting_type *ret);
const char *setting_type_name(enum setting_type type);

// The DHCP option number behind a name or number ("filename", "67" -> 67), or -1; and its natural type (STRING when
// unknown).
int setting_dhcp_number(const char *name, enum setting_type *ret_type);
