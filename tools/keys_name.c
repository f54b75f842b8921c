// SPDX-License-Identifier: MPL-2.0
// What a file is that is not the key that was asked for, and the command that makes the key of it.
#include "keys_name.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>


// `to_private` and `to_public` make the one or the other of it, each $ being the file; NULL: it cannot be made of this.
struct kind {
    const char *what, *to_private, *to_public;
};

#define OPENSSH_PUBLIC "ssh-keygen -e -m PKCS8 -f $ >signet.pub"
#define X509_PUBLIC "openssl x509 -in $ -pubkey -noout >signet.pub"
#define REQUEST_PUBLIC "openssl req -in $ -pubkey -noout >signet.pub"
#define PRIVATE_PUBLIC "openssl pkey -in $ -pubout -out signet.pub"

static const struct kind openssh_private = { "an OpenSSH private key", "install -m 600 $ signet.key && ssh-keygen -p -m PKCS8 -f signet.key",
                                             OPENSSH_PUBLIC };
static const struct kind openssh_public = { "an OpenSSH public key", NULL, OPENSSH_PUBLIC };
static const struct kind openssh_certificate = { "an OpenSSH certificate, which vouches for a login and for no image", NULL, OPENSSH_PUBLIC };

// By what a line of the file begins with; the first that is found names it. Keys come first: a file may hold a key and its certificate.
static const struct {
    const char *mark;
    struct kind kind;
} text_kinds[] = {
    { "-----BEGIN PRIVATE KEY-----", { "a private key, which is a secret", NULL, PRIVATE_PUBLIC } },
    { "-----BEGIN EC PRIVATE KEY-----", { "a private key, which is a secret", NULL, PRIVATE_PUBLIC } },
    { "-----BEGIN ENCRYPTED PRIVATE KEY-----", { "a private key with a passphrase", NULL, PRIVATE_PUBLIC } },
    { "-----BEGIN PUBLIC KEY-----", { "a public key", NULL, NULL } },
    { "-----BEGIN CERTIFICATE REQUEST-----", { "a certificate request", NULL, REQUEST_PUBLIC } },
    { "-----BEGIN NEW CERTIFICATE REQUEST-----", { "a certificate request", NULL, REQUEST_PUBLIC } },
    { "-----BEGIN CERTIFICATE-----", { "a certificate (X.509)", NULL, X509_PUBLIC } },
    { "-----BEGIN TRUSTED CERTIFICATE-----", { "a certificate (X.509)", NULL, X509_PUBLIC } },
    { "-----BEGIN PKCS7-----",
      { "a bundle of certificates (PKCS#7)", NULL, "openssl pkcs7 -in $ -print_certs | openssl x509 -pubkey -noout >signet.pub" } },
    { "-----BEGIN EC PARAMETERS-----", { "the name of a curve, without a key", NULL, NULL } },
    { "---- BEGIN SSH2 PUBLIC KEY ----",
      { "an SSH public key (RFC 4716)", NULL, "ssh-keygen -i -f $ >signet.ssh && ssh-keygen -e -m PKCS8 -f signet.ssh >signet.pub" } },
};

// What is of no use here, whichever half is wanted.
static const struct {
    const char *mark, *says;
} strangers[] = {
    { "-----BEGIN RSA PUBLIC KEY-----", "is of the wrong kind (RSA key, PKCS#1): ecdsa-p256 or ecdsa-p384 is wanted" },
    { "-----BEGIN RSA PRIVATE KEY-----", "is of the wrong kind (RSA key, PKCS#1): ecdsa-p256 or ecdsa-p384 is wanted" },
    { "-----BEGIN DSA PRIVATE KEY-----", "is of the wrong kind (DSA key): ecdsa-p256 or ecdsa-p384 is wanted" },
    { "-----BEGIN PGP ", "is an OpenPGP key or message, which signs no image: signet keygen makes a key" },
    { "PuTTY-User-Key-File-", "is a PuTTY key: export it as an OpenSSH key in puttygen, then convert that" },
    { "untrusted comment:", "is a key of minisign or signify, which signs no image: signet keygen makes a key" },
};

static bool say(const char *path, const struct kind *kind, bool want_private)
{
    const char *command = want_private ? kind->to_private : kind->to_public;
    if (!command) {
        tool_error(path, "is %s: %s", kind->what, want_private ? "signing needs the private one" : "a public key is wanted");
        return true;
    }
    char *file = tool_quoted(path);
    const char *gap = strchr(command, '$');
    tool_error(path, "is %s; this makes the %s key of it: %.*s%s%s", kind->what, want_private ? "private" : "public", (int)(gap - command), command,
               file, gap + 1);
    free(file);
    return true;
}

// ---- texts ---------------------------------------------------------------------------------------------

static const char *line_with(const char *text, const char *mark)
{
    for (const char *at = text; (at = strstr(at, mark)) != NULL; at++)
        if (at == text || at[-1] == '\n')
            return at;
    return NULL;
}

static bool has(const void *data, size_t len, const char *word)
{
    return memmem(data, len, word, strlen(word)) != NULL;
}

// The algorithms of OpenSSH that Signet has, too.
static bool openssh_fits(const void *data, size_t len)
{
    return has(data, len, "ecdsa-sha2-nistp256") || has(data, len, "ecdsa-sha2-nistp384");
}

static bool refuse_openssh(const char *path, const char *what, int len, const char *type)
{
    tool_error(path, "is an OpenSSH %s of the wrong kind%.*s: ecdsa-p256 or ecdsa-p384 is wanted", what, len, type);
    return true;
}

// One line: a type, the key in base64, a comment.
static bool name_openssh(const char *path, const char *text, bool want_private)
{
    static const char *const types[] = { "ecdsa-sha2-", "ssh-rsa", "ssh-ed25519", "ssh-dss", "rsa-sha2-", "sk-ssh-", "sk-ecdsa-" };
    size_t len = strcspn(text, " \t\r\n");
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        known |= strncmp(text, types[i], strlen(types[i])) == 0;
    if (!known)
        return false;
    bool certificate = has(text, len, "-cert-v");
    if (strncmp(text, "ecdsa-", 6) == 0 && openssh_fits(text, len))
        return say(path, certificate ? &openssh_certificate : &openssh_public, want_private);
    char type[64];
    int n = snprintf(type, sizeof type, " (%.*s)", (int)MIN(len, (size_t)48), text);
    return refuse_openssh(path, certificate ? "certificate" : "public key", n, type);
}

// A private one names its algorithm in the clear, before anything that a passphrase covers.
static bool name_openssh_private(const char *path, const char *text, bool want_private)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    BIO *bio = BIO_new_mem_buf(text, -1);
    bool read = bio && PEM_read_bio(bio, &name, &header, &data, &len) == 1;
    bool fits = !read || openssh_fits(data, (size_t)len);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)MAX(len, 0L));
    BIO_free(bio);
    ERR_clear_error();
    return fits ? say(path, &openssh_private, want_private) : refuse_openssh(path, "private key", 0, "");
}

// PEM of a kind that is not in the table (DH PARAMETERS, TSS2 PRIVATE KEY): by its label (RFC 7468 section 3).
static bool name_label(const char *path, const char *text)
{
    static const char begin[] = "-----BEGIN ";
    const char *label = line_with(text, begin);
    size_t len = label ? strcspn(label += sizeof begin - 1, "-\r\n") : 0;
    if (len == 0)
        return false;
    tool_error(path, "is of a kind that is not known here (%.*s): signet keygen makes a key", (int)MIN(len, (size_t)48), label);
    return true;
}

static bool name_text(const char *path, const char *text, bool want_private)
{
    const char *openssh = line_with(text, "-----BEGIN OPENSSH PRIVATE KEY-----");
    if (openssh)
        return name_openssh_private(path, openssh, want_private);
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
        if (line_with(text, strangers[i].mark)) {
            tool_error(path, "%s", strangers[i].says);
            return true;
        }
    for (size_t i = 0; i < ARRAY_SIZE(text_kinds); i++) {
        if (!line_with(text, text_kinds[i].mark))
            continue;
        if (strstr(text_kinds[i].mark, want_private ? " PRIVATE KEY" : "BEGIN PUBLIC KEY"))
            return false;
        return say(path, &text_kinds[i].kind, want_private);
    }
    return name_openssh(path, text, want_private) || name_label(path, text);
}

// ---- DER -----------------------------------------------------------------------------------------------

// Each tries to read the whole file as one thing.
#define READS(name, type)                                                                                              \
    static bool reads_##name(const uint8_t *data, size_t len)                                                          \
    {                                                                                                                  \
        type *object = d2i_##name(NULL, &data, (long)len);                                                             \
        name##_free(object);                                                                                           \
        return object != NULL;                                                                                         \
    }
READS(PKCS12, PKCS12)
READS(X509, X509)
READS(X509_REQ, X509_REQ)
READS(X509_SIG, X509_SIG) // EncryptedPrivateKeyInfo (RFC 5958 section 3) has its form

static bool reads_private(const uint8_t *data, size_t len)
{
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &data, (long)len);
    EVP_PKEY_free(key);
    return key != NULL;
}

static bool reads_public(const uint8_t *data, size_t len)
{
    EVP_PKEY *key = d2i_PUBKEY(NULL, &data, (long)len);
    EVP_PKEY_free(key);
    return key != NULL;
}

static const struct {
    bool (*reads)(const uint8_t *data, size_t len);
    struct kind kind;
} der_kinds[] = {
    { reads_private,
      { "a private key in DER", "openssl pkey -inform DER -in $ -out signet.key", "openssl pkey -inform DER -in $ -pubout -out signet.pub" } },
    { reads_public, { "a public key in DER", NULL, NULL } },
    { reads_X509, { "a certificate (X.509) in DER", NULL, "openssl x509 -inform DER -in $ -pubkey -noout >signet.pub" } },
    { reads_X509_REQ, { "a certificate request in DER", NULL, "openssl req -inform DER -in $ -pubkey -noout >signet.pub" } },
    { reads_PKCS12,
      { "a PKCS#12 store", "openssl pkcs12 -in $ -nocerts -nodes -out signet.key",
        "openssl pkcs12 -in $ -nokeys -clcerts | openssl x509 -pubkey -noout >signet.pub" } },
    { reads_X509_SIG,
      { "a private key with a passphrase in DER", "openssl pkcs8 -inform DER -in $ -out signet.key",
        "openssl pkcs8 -inform DER -in $ | openssl pkey -pubout -out signet.pub" } },
};

bool key_name(const char *path, const uint8_t *data, size_t len, bool want_private)
{
    bool bom = len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;
    if (len >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
        tool_error(path, "is text in UTF-16: iconv -f UTF-16 -t ASCII makes a file of it that can be read");
        return true;
    }
    if (name_text(path, (const char *)data + (bom ? 3 : 0), want_private))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(der_kinds) && len > 0 && data[0] == 0x30; i++) {
        bool reads = der_kinds[i].reads(data, len);
        ERR_clear_error();
        if (reads)
            return say(path, &der_kinds[i].kind, want_private);
    }
    return false;
}
