#include "auth/revocation.h"

#include "auth/key_internal.h"
#include "base/read_file.h"
#include "auth/revocation_set.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024 * 1024, KEY_LINE_BLOB_MAX = 16 * 1024 };

static const uint8_t krl_magic[8] = "SSHKRL\n";

int revocation_add_blob(struct alk_revocations *list, const uint8_t *blob, size_t len)
{
    uint8_t plain[ALK_PLAIN_KEY_MAX], digest[crypto_hash_sha256_BYTES];
    struct alk_user_key key;

    if (alk_user_key_parse(blob, len, &key)) { /* a certificate stands for its key */
        len = alk_user_key_plain(&key, plain);
        blob = plain;
    }
    crypto_hash_sha256(digest, blob, len);
    return digests_add(&list->sha256, digest);
}

/* ---- the plain form: one public key a line ---- */

/* Could a key of this type log in here? Then it must be one, whole. */
static bool is_ours(struct alk_bytes type)
{
    return alk_bytes_equal(type, ALK_KEY_TYPE) ||
           alk_bytes_equal(type, "sk-ssh-ed25519@openssh.com") ||
           alk_bytes_equal(type, "ssh-ed25519-cert-v01@openssh.com") ||
           alk_bytes_equal(type, "sk-ssh-ed25519-cert-v01@openssh.com");
}

/* Of any type, since it may be anybody's list; what is no key refuses the whole list. */
static const char *add_line(struct alk_revocations *list, const char *at, const char *end,
                            bool *no_memory)
{
    uint8_t blob[KEY_LINE_BLOB_MAX];
    const char *type = at, *base64;
    size_t len;

    while (at < end && *at != ' ' && *at != '\t')
        at++;
    if (!alk_key_type_known(type, (size_t)(at - type)))
        return "is no public key: a line is TYPE AAAA... [comment]";
    size_t type_len = (size_t)(at - type);
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    base64 = at;
    while (at < end && *at != ' ' && *at != '\t')
        at++;
    if (sodium_base642bin(blob, sizeof(blob), base64, (size_t)(at - base64), NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return "has a key that is not valid base64";
    struct alk_reader r = alk_reader(blob, len);
    struct alk_bytes named = alk_get_string(&r);
    struct alk_user_key key;
    if (!alk_reader_ok(&r) || named.len != type_len || memcmp(named.data, type, type_len) != 0 ||
        (is_ours(named) && !alk_user_key_parse(blob, len, &key)))
        return "has a key that is cut short or of another type";
    *no_memory = revocation_add_blob(list, blob, len) != ALK_OK;
    return NULL;
}

static int parse_lines(struct alk_revocations *list, const char *what, const char *text, size_t len,
                       struct alk_error *error)
{
    const char *at = text, *end = text + len;

    for (unsigned number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end, *next = stop + (newline != NULL);
        bool no_memory = false;
        while (stop > at && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t'))
            stop--;
        while (at < stop && (*at == ' ' || *at == '\t'))
            at++;
        const char *problem =
            at == stop || *at == '#' ? NULL : add_line(list, at, stop, &no_memory);
        if (problem != NULL)
            return alk_error_set(error, ALK_E_PARSE, "%s: line %u %s", what, number, problem);
        if (no_memory)
            return alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", what);
        at = next;
    }
    return ALK_OK;
}

/* ---- the list ---- */

static void sort(struct alk_revocations *list)
{
    digests_sort(&list->sha256);
    digests_sort(&list->sha1);
    for (size_t i = 0; i < list->authority_count; i++) {
        spans_sort(&list->authorities[i].serials);
        digests_sort(&list->authorities[i].ids);
    }
}

int alk_revocations_parse(struct alk_revocations **out, const char *what, const void *data,
                          size_t len, struct alk_error *error)
{
    struct alk_revocations *list = calloc(1, sizeof(*list));
    int status;

    *out = NULL;
    if (list == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", what);
    list->sha256.size = crypto_hash_sha256_BYTES;
    list->sha1.size = SHA1_SIZE;
    if (len >= sizeof(krl_magic) && memcmp(data, krl_magic, sizeof(krl_magic)) == 0)
        status = revocation_parse_krl(list, what, data, len, error);
    else
        status = parse_lines(list, what, data, len, error);
    if (status != ALK_OK) {
        alk_revocations_free(list);
        return status;
    }
    sort(list);
    *out = list;
    return ALK_OK;
}

int alk_revocations_load(struct alk_revocations **out, const char *path, struct alk_error *error)
{
    char *data;
    size_t len;
    int status = alk_file_load(path, FILE_MAX, S_IWGRP | S_IWOTH, &data, &len, error);

    *out = NULL;
    if (status != ALK_OK)
        return status;
    status = alk_revocations_parse(out, path, data, len, error);
    free(data);
    return status;
}

void alk_revocations_free(struct alk_revocations *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->authority_count; i++) {
        free(list->authorities[i].serials.items);
        free(list->authorities[i].ids.items);
    }
    free(list->authorities);
    free(list->sha256.items);
    free(list->sha1.items);
    alk_arena_free(&list->arena);
    free(list);
}

/* ---- the questions ---- */

bool alk_revoked_key(const struct alk_revocations *list, const uint8_t *blob, size_t len)
{
    uint8_t sha256[crypto_hash_sha256_BYTES], sha1[SHA1_SIZE];

    if (list == NULL)
        return false;
    crypto_hash_sha256(sha256, blob, len);
    if (digests_hold(&list->sha256, sha256))
        return true;
    /* without the digest nobody can say that the key is not on the list */
    return list->sha1.count > 0 && (EVP_Digest(blob, len, sha1, NULL, EVP_sha1(), NULL) != 1 ||
                                    digests_hold(&list->sha1, sha1));
}

static bool is_authority(const struct authority *authority, const struct alk_certificate *c)
{
    return authority->blob == NULL ||
           (authority->blob_len == c->authority.len &&
            memcmp(authority->blob, c->authority.data, c->authority.len) == 0);
}

bool alk_revoked_certificate(const struct alk_revocations *list, const struct alk_certificate *c)
{
    uint8_t plain[ALK_PLAIN_KEY_MAX], id[crypto_hash_sha256_BYTES];

    if (list == NULL)
        return false;
    if (alk_revoked_key(list, plain, alk_user_key_plain(&c->key, plain)) ||
        alk_revoked_key(list, c->authority.data, c->authority.len))
        return true;
    crypto_hash_sha256(id, c->id.data, c->id.len);
    for (size_t i = 0; i < list->authority_count; i++) {
        const struct authority *authority = &list->authorities[i];
        if (is_authority(authority, c) &&
            (spans_hold(&authority->serials, c->serial) || digests_hold(&authority->ids, id)))
            return true;
    }
    return false;
}
