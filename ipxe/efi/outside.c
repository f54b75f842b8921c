// SPDX-License-Identifier: MPL-2.0
// See outside.h. The order is: load options; autoexec.ipxe on the file system, beside the binary or in Signet's folder;
// autoexec.ipxe on the TFTP server that the firmware's PXE loaded us from; autoexec.ipxe in the folder of its HTTP boot. What
// is found is text that the core's interpreter reads like any other script.
#include "efi/outside.h"

#include "base/addr.h"
#include "base/ascii.h"
#include "base/fmt.h"
#include "efi/efi.h"
#include "proto/dhcp.h"
#include "proto/dhcp6.h"
#include "proto/uri.h"
#include "script/script_check.h"

#define SCRIPT_MAX (64 * 1024)
#define PATH_MAX 512
#define AUTOEXEC "autoexec.ipxe"
#define BOOT_DISK "file://boot" // of a URI, for what is on the file system

static const struct efi_guid file_system_guid = EFI_FILE_SYSTEM_GUID, pxe_guid = EFI_PXE_GUID;
static char text[SCRIPT_MAX], base[PATH_MAX + 32];

// --- load options ---

// A boot option carries whatever bytes it likes behind its path; only printable text is meant for us.
static size_t options_text(char *out, size_t cap)
{
    const uint16_t *in = efi_loaded->options;
    size_t n = efi_loaded->options_size / sizeof *in, len = 0;
    if (!in || efi_loaded->options_size % sizeof *in)
        return 0;
    while (len < n && in[len]) {
        if (len + 1 >= cap || in[len] < ' ' || in[len] > '~')
            return 0;
        out[len] = (char)in[len];
        len++;
    }
    out[len] = '\0';
    return len;
}

// The shell puts the program's name before its arguments.
static const char *behind_program(const char *s)
{
    while (*s == ' ')
        s++;
    char end = *s == '"' ? '"' : ' ';
    const char *p = *s == '"' ? s + 1 : s;
    while (*p && *p != end)
        p++;
    if (p - s < 4 || p[-4] != '.' || (p[-3] | 32) != 'e' || (p[-2] | 32) != 'f' || (p[-1] | 32) != 'i')
        return s;
    p += *p == '"';
    while (*p == ' ')
        p++;
    return p;
}

static bool from_options(struct core_options *options)
{
    static char raw[PATH_MAX];
    if (!options_text(raw, sizeof raw))
        return false;
    const char *arguments = behind_program(raw);
    if (!*arguments)
        return false;
    // One word with a scheme is a URI, a line that begins with a command is a line of script.
    const char *colon = strchr(arguments, ':');
    bool uri = colon && colon[1] == '/' && !strchr(arguments, ' ');
    const char *blank = strchr(arguments, ' ');
    if (!uri && !script_is_command(arguments, blank ? (size_t)(blank - arguments) : strlen(arguments)))
        return false; // a boot manager's own words: they hide no autoexec.ipxe
    // Without an answer to DHCP, IPv6 may be enough.
    int len = uri ? fmt_snprintf(text, sizeof text, "#!ipxe\ndhcp || ifopen\nchain %s\n", arguments) :
                    fmt_snprintf(text, sizeof text, "#!ipxe\n%s\n", arguments);
    options->script = text;
    options->script_len = (size_t)len;
    options->script_name = "the load options";
    return true;
}

// --- on the file system that we came from ---

// Our own path: the file nodes of the device path, joined. Its length; 0: there is none, or it is too long.
static size_t own_path(uint16_t *out, size_t cap)
{
    size_t n = 0;
    const uint8_t *node = (const void *)efi_loaded->path;
    while (node && node[0] != EFI_PATH_END) {
        size_t len = (size_t)(node[2] | node[3] << 8);
        if (len < 4)
            return 0;
        if (node[0] == EFI_PATH_MEDIA && node[1] == EFI_PATH_MEDIA_FILE) {
            if (n && out[n - 1] != '\\')
                out[n++] = '\\';
            for (size_t i = 4; i + 1 < len && (node[i] || node[i + 1]); i += 2) {
                if (n + 2 >= cap)
                    return 0;
                out[n++] = (uint16_t)(node[i] | node[i + 1] << 8);
            }
        }
        node += len;
    }
    return n;
}

// The folder of our own path with autoexec.ipxe behind it.
static bool sibling_path(uint16_t *out, size_t cap)
{
    size_t n = own_path(out, cap), folder = 0;
    for (size_t i = 0; i < n; i++)
        if (out[i] == '\\' || out[i] == '/')
            folder = i + 1;
    if (n == 0 || folder + sizeof AUTOEXEC > cap)
        return false;
    for (size_t i = 0; i < sizeof AUTOEXEC; i++)
        out[folder + i] = (uint8_t)AUTOEXEC[i];
    return true;
}

// The file's URI as the base of relative ones; without one when the path has characters that a URI codes.
static void set_base(struct core_options *options, const uint16_t *path)
{
    size_t len = sizeof BOOT_DISK - 1;
    memcpy(base, BOOT_DISK "/", len + 1);
    for (len += path[0] != '\\'; *path; path++) {
        if (len + 1 >= sizeof base || *path <= ' ' || *path > '~' || *path == '%' || *path == '?' || *path == '#')
            return;
        base[len++] = *path == '\\' ? '/' : (char)*path;
    }
    base[len] = '\0';
    options->script_base = base;
}

static bool read_script(struct efi_file *root, const uint16_t *path, struct core_options *options)
{
    struct efi_file *file;
    if (efi_failed(root->open(root, &file, path, EFI_FILE_READ, 0)))
        return false;
    uint64_t size = sizeof text;
    // A file that fills the buffer may go on behind it: not half of a script.
    bool found = !efi_failed(file->read(file, &size, text)) && size > 0 && size < sizeof text;
    if (found) {
        options->script = text;
        options->script_len = (size_t)size;
        set_base(options, path);
    }
    (void)file->close(file);
    return found;
}

static bool from_file(struct core_options *options)
{
    static const uint16_t in_folder[] = u"\\signet\\" AUTOEXEC;
    static uint16_t path[PATH_MAX];
    struct efi_file_system *fs = efi_protocol(efi_loaded->device, &file_system_guid);
    struct efi_file *root;
    if (!fs || efi_failed(fs->open_volume(fs, &root)))
        return false;
    bool found = true;
    if (sibling_path(path, ARRAY_SIZE(path)) && read_script(root, path, options))
        options->script_name = AUTOEXEC " beside the binary";
    else if (read_script(root, in_folder, options))
        options->script_name = AUTOEXEC " in the folder signet";
    else
        found = false;
    (void)root->close(root);
    return found;
}

// Where the firmware's PXE has loaded us from.
struct tftp_source {
    struct net_addr server;
    char file[PATH_MAX];
};

static const uint8_t *further_reply(const struct efi_pxe_mode *mode)
{
    return mode->pxe_reply_received ? mode->pxe_reply : mode->proxy_received ? mode->proxy : NULL;
}

static bool source_by_dhcp(const struct efi_pxe_mode *mode, struct tftp_source *ret)
{
    static struct dhcp_lease lease, more; // 2.5 KiB each
    const uint8_t *reply = further_reply(mode);
    if (dhcp_lease_read(mode->ack, EFI_PXE_PACKET_SIZE, &lease) != 0)
        return false;
    if (reply && dhcp_lease_read(reply, EFI_PXE_PACKET_SIZE, &more) == 0)
        dhcp_lease_add_boot(&lease, &more);
    ret->server = net_addr_v4(lease.next_server, 0);
    fmt_snprintf(ret->file, sizeof ret->file, "%s", lease.filename);
    return lease.next_server[0] && !strchr(ret->file, ':'); // a URI is not loaded by TFTP
}

static bool source_by_dhcp6(const struct efi_pxe_mode *mode, struct tftp_source *ret)
{
    static struct dhcp6_lease lease;
    static struct uri uri; // 8 KiB
    const uint8_t *reply = further_reply(mode);
    if (dhcp6_lease_read(mode->ack, EFI_PXE_PACKET_SIZE, &lease) != 0)
        return false;
    if (!lease.boot_url[0] && reply && dhcp6_lease_read(reply, EFI_PXE_PACKET_SIZE, &lease) != 0)
        return false;
    ret->server = (struct net_addr){ 0 };
    return uri_parse(lease.boot_url, &uri) == 0 && strcmp(uri.scheme, "tftp") == 0 &&
           net_addr_parse(uri.host, strlen(uri.host), &ret->server) && uri_path_name(&uri, ret->file, sizeof ret->file) > 0;
}

// The firmware's PXE, when it has loaded us; NULL: it has not.
static struct efi_pxe *find_source(struct tftp_source *ret)
{
    struct efi_pxe *pxe = efi_protocol(efi_loaded->device, &pxe_guid);
    if (!pxe || !pxe->mode || !pxe->mode->started || !pxe->mode->ack_received)
        return NULL;
    return (pxe->mode->using_ipv6 ? source_by_dhcp6 : source_by_dhcp)(pxe->mode, ret) && ret->file[0] ? pxe : NULL;
}

static bool from_tftp(struct core_options *options)
{
    static struct tftp_source source;
    static char name[PATH_MAX];
    char server_text[NET_ADDR_TEXT_MAX];
    struct efi_pxe *pxe = find_source(&source);
    if (!pxe)
        return false;
    bool v6 = pxe->mode->using_ipv6;
    const char *behind = source.file;
    for (const char *c = source.file; *c; c++)
        if (*c == '/' || *c == '\\')
            behind = c + 1;
    fmt_snprintf(name, sizeof name, "%.*s" AUTOEXEC, (int)(behind - source.file), source.file);
    uint32_t server[4] = { 0 };
    memcpy(server, v6 ? source.server.ip : source.server.ip + 12, v6 ? 16 : 4);
    uint64_t size = sizeof text - 1;
    if (efi_failed(pxe->mtftp(pxe, EFI_PXE_TFTP_READ, text, false, &size, NULL, server, name, NULL, false)))
        return false;
    if (size == 0 || size >= sizeof text)
        return false;
    fmt_snprintf(base, sizeof base, "tftp://%s/%s", net_addr_format(&source.server, server_text), name[0] == '/' ? name + 1 : name);
    options->script = text;
    options->script_len = (size_t)size;
    options->script_name = AUTOEXEC " of the TFTP server";
    options->script_base = base;
    return true;
}

// The firmware's HTTP boot left the URI in our device's path. Its length, 0: there is none.
static size_t own_uri(char *out, size_t cap)
{
    static const struct efi_guid path_guid = EFI_DEVICE_PATH_GUID;
    const uint8_t *node = efi_protocol(efi_loaded->device, &path_guid);
    size_t len, used = 0;
    for (; node && node[0] != EFI_PATH_END; node += len) {
        len = (size_t)(node[2] | node[3] << 8);
        if (len < 4)
            return 0;
        if (node[0] != EFI_PATH_MESSAGING || node[1] != EFI_PATH_MESSAGING_URI || len - 4 >= cap)
            continue;
        memcpy(out, node + 4, len - 4);
        used = strnlen(out, len - 4);
    }
    return used;
}

// The file itself is for the core's own HTTP to fetch, so the script is one that chains to it; where there is none, the
// embedded script follows.
static bool from_http(struct core_options *options)
{
    size_t used = own_uri(base, sizeof base - sizeof AUTOEXEC), folder = 0;
    for (size_t i = 0; i < used && base[i] != '?' && base[i] != '#'; i++) {
        if (base[i] <= ' ' || base[i] > '~')
            return false; // would not stay one word of the script
        if (base[i] == '/' && i > sizeof "http://" - 1)
            folder = i + 1;
    }
    if (folder == 0 || strncmp(base, "http://", 7) != 0)
        return false;
    memcpy(base + folder, AUTOEXEC, sizeof AUTOEXEC);
    options->script = text;
    options->script_len = (size_t)fmt_snprintf(text, sizeof text, "#!ipxe\ndhcp || ifopen\nchain %s\n", base);
    options->script_name = AUTOEXEC " of the HTTP server";
    return true;
}

void outside_find(struct core_options *options)
{
    if (!from_options(options) && !from_file(options) && !from_tftp(options))
        (void)from_http(options);
}

// --- the name of the file that we are ---

// Is the lower-case `word` part of it, behind the last folder?
static bool names(const char *path, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t start = len; start-- > 0 && path[start] != '/' && path[start] != '\\';) {
        size_t same = 0;
        while (same < n && start + same < len && ascii_lower(path[start + same]) == word[same])
            same++;
        if (same == n)
            return true;
    }
    return false;
}

bool outside_called(const char *word)
{
    static uint16_t path[PATH_MAX];
    static struct tftp_source source;
    static char name[PATH_MAX];
    size_t len = own_path(path, ARRAY_SIZE(path));
    for (size_t i = 0; i < len; i++)
        name[i] = path[i] < 0x80 ? (char)path[i] : '?';
    if (!len && find_source(&source))
        len = (size_t)fmt_snprintf(name, sizeof name, "%s", source.file);
    if (!len)
        len = own_uri(name, sizeof name);
    return names(name, len, word);
}
