// SPDX-License-Identifier: MPL-2.0
// signet keygen: a signing key, NAME.key and NAME.pub.
#include "file.h"
#include "keys.h"
#include "opts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct opt_help help = {
    .usage = "[--type TYPE] -o NAME",
    .about = "Makes a signing key: NAME.key (PKCS#8 PEM, readable by its owner only: keep it secret) and NAME.pub\n"
             "(SubjectPublicKeyInfo PEM: the trust anchor that goes into firmware).\n"
             "Keys made by openssl (PKCS#8 or SEC 1) are as good.",
};

// Whether NAME.key and NAME.pub are halves of one key. Messages about what is no key are for later.
static bool is_pair(const char *key_path, const char *pub_path)
{
    struct public_key mine, theirs;
    if (access(key_path, R_OK) != 0 || access(pub_path, R_OK) != 0)
        return false;
    struct signing_key *key = key_load(key_path);
    bool same = key && key_public(key, &mine) == 0 && public_key_load(pub_path, &theirs) == 0 &&
                memcmp(mine.trust.id, theirs.trust.id, KEY_ID_SIZE) == 0;
    key_free(key);
    return same;
}

static bool is_key(const char *path)
{
    struct signing_key *key = key_load(path);
    key_free(key);
    return key != NULL;
}

// A run that ended between the two halves, with the power, has left the former key: it comes back, unless both were there already.
static int recover_pair(const char *key_path, const char *pub_path, const char *former)
{
    if (access(former, F_OK) != 0)
        return 0;
    if (is_pair(former, pub_path) && !is_pair(key_path, pub_path)) {
        if (rename(former, key_path) != 0)
            return tool_errno(key_path, errno);
        tool_error(key_path, "note: is the former key again, since an earlier run was cut short");
        return 0;
    }
    if (is_pair(key_path, pub_path) && !is_pair(former, pub_path) && is_key(former))
        return unlink(former) != 0 ? tool_errno(former, errno) : 0;
    return tool_error(former, "is there, and is not what a run that was cut short leaves beside %s and %s: move it away", key_path,
                      pub_path);
}

static int recover(const char *name)
{
    char *key_path = tool_format("%s.key", name), *pub_path = tool_format("%s.pub", name);
    char *real = file_without_links(key_path), *former = real ? file_out_former(real) : NULL;
    int status = real ? recover_pair(real, pub_path, former) : EXIT_FAIL;
    free(key_path);
    free(pub_path);
    free(real);
    free(former);
    return status;
}

static int write_pair(const char *name, const struct signing_key *key, bool force)
{
    size_t secret_len = 0, public_len = 0;
    char *secret = key_private_pem(key, &secret_len);
    char *public_text = key_public_pem(key, &public_len);
    char *key_path = tool_format("%s.key", name), *pub_path = tool_format("%s.pub", name);
    struct file_out key_out = { .fd = -1, .folder = -1 }, pub_out = { .fd = -1, .folder = -1 };
    int status = EXIT_FAIL;
    if (!secret || !public_text) {
        tool_error(name, "the key could not be encoded");
    } else if (file_out_begin(&key_out, key_path, 0600) == 0 && file_out_begin(&pub_out, pub_path, 0666) == 0 &&
               file_out_write(&key_out, 0, secret, secret_len) == 0 &&
               file_out_write(&pub_out, 0, public_text, public_len) == 0 && file_out_commit_pair(&key_out, &pub_out, force) == 0) {
        status = EXIT_OK;
    }
    file_out_abort(&key_out);
    file_out_abort(&pub_out);
    key_text_free(secret, secret_len);
    free(public_text);
    free(key_path);
    free(pub_path);
    return status;
}

int keygen_main(int argc, char **argv)
{
    const char *type = NULL, *name = NULL;
    bool force = false;
    const struct opt table[] = {
        OPTION_TEXT('t', "type", &type, "TYPE", "ecdsa-p256 (default) or ecdsa-p384"),
        OPTION_TEXT('o', "output", &name, "NAME", "write NAME.key and NAME.pub"),
        OPTION_FLAG('f', "force", &force, "replace files that are there already"),
    };
    struct opt_list operands = { 0 };
    int status = opts_parse(table, ARRAY_SIZE(table), &help, argc, argv, &operands);
    if (status >= 0)
        return status;
    if (operands.count)
        return tool_usage(operands.items[0], "not expected here");
    if (!name || !*name)
        return tool_usage("-o", "no name given for the key");
    if (!type)
        type = "ecdsa-p256";
    if (strcmp(type, "ecdsa-p256") != 0 && strcmp(type, "ecdsa-p384") != 0)
        return tool_usage("--type", "\"%s\" is not known: ecdsa-p256 or ecdsa-p384", type);

    if (recover(name) != 0)
        return EXIT_FAIL;
    struct public_key pub;
    struct signing_key *key = key_generate(type);
    if (!key || key_public(key, &pub) != 0) {
        key_free(key);
        return tool_error(name, "the key could not be made");
    }
    status = write_pair(name, key, force);
    key_free(key);
    if (status != EXIT_OK)
        return status;
    char hex[2 * KEY_ID_SIZE + 1];
    printf("key id = %s\ntype = %s\n", tool_hex(pub.trust.id, KEY_ID_SIZE, hex), type);
    return tool_flush();
}
