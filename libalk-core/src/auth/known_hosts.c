/*
 * Judging a host key by the lines of a known_hosts file. Lines with a key of another type than
 * the host's say nothing about it: a host may have one of each.
 */
#include "auth/key_internal.h"
#include "auth/known_hosts_name.h"
#include "auth/pattern.h"
#include "base/read_file.h"
#include "base/arena.h"
#include "ssh/wire.h"

#include <alk/known_hosts.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_MAX = 16 * 1024 * 1024,
    SHA1_SIZE = 20,
    BLOB_MAX = 4096, /* an RSA key of 16384 bits has half of that */
};

struct entry {
    const char *names; /* a pattern list, or a hashed name */
    uint32_t names_len;
    unsigned line;
    bool revoked;
    uint32_t blob_len;
    const uint8_t *blob;
};

struct alk_known_hosts {
    struct entry *entries;
    size_t count, room;
    struct alk_arena arena; /* the names and keys */
};

/* ---- reading ---------------------------------------------------------------------- */

struct word {
    const char *text;
    size_t len;
};

/* The type that a key blob begins with; empty when it is malformed. */
static struct alk_bytes type_of(const uint8_t *blob, size_t len)
{
    struct alk_reader r = alk_reader(blob, len);

    return alk_get_string(&r);
}

static struct word next_word(const char **at, const char *end)
{
    struct word word;

    while (*at < end && (**at == ' ' || **at == '\t'))
        (*at)++;
    word.text = *at;
    while (*at < end && **at != ' ' && **at != '\t')
        (*at)++;
    word.len = (size_t)(*at - word.text);
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.text, text, word.len) == 0;
}

/* The key of a line: base64 whose first field is the type that the line names. */
static bool decode_key(struct word type, struct word base64, uint8_t blob[BLOB_MAX], size_t *len)
{
    if (word_is(type, ALK_KEY_TYPE)) {
        *len = ALK_KEY_BLOB_SIZE;
        return alk_key_decode_blob(base64.text, base64.len, blob) == NULL;
    }
    if (!alk_key_type_known(type.text, type.len) ||
        sodium_base642bin(blob, BLOB_MAX, base64.text, base64.len, NULL, len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    struct alk_bytes inner = type_of(blob, *len);
    return inner.len == type.len && memcmp(inner.data, type.text, type.len) == 0;
}

/* Fills *entry, *names and blob from a line that has a key for some host. */
static bool parse_line(const char *at, const char *end, struct entry *entry, struct word *names,
                       uint8_t blob[BLOB_MAX])
{
    struct word type, base64;

    if (end > at && end[-1] == '\r')
        end--;
    if (memchr(at, '\0', (size_t)(end - at)) != NULL)
        return false;
    *names = next_word(&at, end);
    if (names->len == 0 || names->text[0] == '#')
        return false;
    entry->revoked = word_is(*names, "@revoked");
    if (entry->revoked)
        *names = next_word(&at, end);
    else if (names->text[0] == '@') /* a certificate authority, or a marker of the future */
        return false;
    type = next_word(&at, end);
    base64 = next_word(&at, end);
    size_t len;
    if (!decode_key(type, base64, blob, &len))
        return false;
    entry->blob = blob;
    entry->blob_len = (uint32_t)len;
    return true;
}

static int add_entry(struct alk_known_hosts *hosts, struct entry *entry, struct word names)
{
    if (hosts->count == hosts->room) {
        size_t room = hosts->room > 0 ? hosts->room * 2 : 16;
        struct entry *entries = realloc(hosts->entries, room * sizeof(*entries));
        if (entries == NULL)
            return ALK_E_NOMEM;
        hosts->entries = entries;
        hosts->room = room;
    }
    entry->names = alk_arena_text(&hosts->arena, names.text, names.len);
    entry->names_len = (uint32_t)names.len;
    uint8_t *blob = alk_arena_bytes(&hosts->arena, entry->blob_len);
    if (entry->names == NULL || blob == NULL)
        return ALK_E_NOMEM;
    entry->blob = memcpy(blob, entry->blob, entry->blob_len);
    hosts->entries[hosts->count++] = *entry;
    return ALK_OK;
}

int alk_known_hosts_parse(struct alk_known_hosts **out, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    struct alk_known_hosts *hosts;

    *out = NULL;
    if (len > FILE_MAX)
        return ALK_E_LIMIT;
    hosts = calloc(1, sizeof(*hosts));
    if (hosts == NULL)
        return ALK_E_NOMEM;
    for (unsigned line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;
        struct entry entry = {.line = line};
        uint8_t blob[BLOB_MAX];
        struct word names;

        if (parse_line(at, line_end, &entry, &names, blob) &&
            add_entry(hosts, &entry, names) != ALK_OK) {
            alk_known_hosts_free(hosts);
            return ALK_E_NOMEM;
        }
        at = newline != NULL ? newline + 1 : end;
    }
    *out = hosts;
    return ALK_OK;
}

int alk_known_hosts_load(struct alk_known_hosts **out, const char *path, struct alk_error *error)
{
    char *text;
    size_t len;
    int rc;

    *out = NULL;
    rc = alk_file_load(path, FILE_MAX, 0, &text, &len, error);
    if (rc == ALK_E_NOTFOUND) {
        alk_error_set(error, ALK_OK, "%s", "");
        return alk_known_hosts_parse(out, "", 0);
    }
    if (rc != ALK_OK)
        return rc;
    rc = alk_known_hosts_parse(out, text, len);
    free(text);
    if (rc != ALK_OK)
        alk_error_set(error, rc, "cannot read %s: %s", path, alk_status_text(rc));
    return rc;
}

void alk_known_hosts_free(struct alk_known_hosts *hosts)
{
    if (hosts == NULL)
        return;
    alk_arena_free(&hosts->arena);
    free(hosts->entries);
    free(hosts);
}

/* ---- judging ---------------------------------------------------------------------- */

static bool decode_sha1(const char *text, size_t len, uint8_t out[SHA1_SIZE])
{
    size_t size;

    return sodium_base642bin(out, SHA1_SIZE, text, len, NULL, &size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           size == SHA1_SIZE;
}

/* "|1|salt|hash": hash = HMAC-SHA1(salt, name). */
static bool hashed_name_matches(const char *hashed, size_t len, const char *name)
{
    static const char prefix[] = "|1|";
    const char *salt_text = hashed + strlen(prefix), *end = hashed + len;
    uint8_t salt[SHA1_SIZE], expected[SHA1_SIZE], got[EVP_MAX_MD_SIZE];
    const char *bar;

    if (len < strlen(prefix) || memcmp(hashed, prefix, strlen(prefix)) != 0)
        return false;
    bar = memchr(salt_text, '|', (size_t)(end - salt_text));
    if (bar == NULL || !decode_sha1(salt_text, (size_t)(bar - salt_text), salt) ||
        !decode_sha1(bar + 1, (size_t)(end - bar - 1), expected))
        return false;
    if (HMAC(EVP_sha1(), salt, sizeof(salt), (const uint8_t *)name, strlen(name), got, NULL) ==
        NULL)
        return false;
    return memcmp(got, expected, SHA1_SIZE) == 0;
}

static bool names_match(const struct entry *entry, const char *name)
{
    if (entry->names[0] == '|')
        return hashed_name_matches(entry->names, entry->names_len, name);
    return alk_pattern_list_match(entry->names, entry->names_len, name) == ALK_MATCH_YES;
}

static bool is_of_type(const struct entry *entry, struct alk_bytes type)
{
    struct alk_bytes its = type_of(entry->blob, entry->blob_len);

    return its.len == type.len && memcmp(its.data, type.data, type.len) == 0;
}

bool alk_known_hosts_has_type(const struct alk_known_hosts *hosts, const char *host, unsigned port,
                              const char *type)
{
    struct alk_bytes wanted = {(const uint8_t *)type, strlen(type)};
    char name[ALK_KNOWN_HOSTS_NAME_SIZE];

    if (!alk_known_hosts_name(host, port, name))
        return false;
    for (size_t i = 0; i < hosts->count; i++) {
        const struct entry *entry = &hosts->entries[i];
        if (!entry->revoked && is_of_type(entry, wanted) && names_match(entry, name))
            return true;
    }
    return false;
}

enum alk_host_trust alk_known_hosts_check(const struct alk_known_hosts *hosts, const char *host,
                                          unsigned port, const uint8_t *blob, size_t blob_len,
                                          unsigned *line)
{
    enum alk_host_trust trust = ALK_HOST_UNKNOWN;
    char name[ALK_KNOWN_HOSTS_NAME_SIZE];
    unsigned decided = 0;
    struct alk_bytes type = type_of(blob, blob_len);

    if (!alk_known_hosts_name(host, port, name))
        goto out;
    for (size_t i = 0; i < hosts->count; i++) {
        const struct entry *entry = &hosts->entries[i];
        bool same = blob_len == entry->blob_len && memcmp(entry->blob, blob, blob_len) == 0;
        if (type.len > 0 && !is_of_type(entry, type))
            continue;

        /* what could not change the verdict is not worth a hash: the first line of a kind
         * counts, and a revoked key counts against everything */
        if (entry->revoked ? !same
                           : trust == ALK_HOST_KNOWN || (trust != ALK_HOST_UNKNOWN && !same))
            continue;
        if (!names_match(entry, name))
            continue;
        decided = entry->line;
        if (entry->revoked) {
            trust = ALK_HOST_REVOKED;
            goto out;
        }
        trust = same ? ALK_HOST_KNOWN : ALK_HOST_CHANGED;
    }
out:
    if (line != NULL)
        *line = decided;
    return trust;
}
