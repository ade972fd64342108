/* Derivation paths as text and as indexes. */
#include <alk/secret_path.h>

#include "crypto.h"
#include "error.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Reads one index and its mark; moves *at behind them. */
static int parse_index(const char **at, unsigned level, uint32_t *index,
                       struct alk_secret_error *error)
{
    const char *p = *at;
    uint64_t value = 0;

    if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
        return alk_secret_fail(error, ALK_SECRET_E_PATH,
                               "level %u of the path is not a number without leading zeros; "
                               "write it like m/74'/0'/0'/0'",
                               level);
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (uint64_t)(*p - '0');
        if (value >= ALK_SECRET_HARDENED)
            return alk_secret_fail(error, ALK_SECRET_E_INDEX,
                                   "level %u of the path is over 2147483647; mark hardened "
                                   "indexes with '",
                                   level);
    }
    if (*p == '\'' || *p == 'h' || *p == 'H') {
        value |= ALK_SECRET_HARDENED;
        p++;
    }
    *index = (uint32_t)value;
    *at = p;
    return 0;
}

int alk_secret_path_parse(const char *text, struct alk_secret_path *path,
                          struct alk_secret_error *error)
{
    struct alk_secret_path parsed = {0};

    if (text == NULL || path == NULL)
        return alk_secret_fail(error, ALK_SECRET_E_ARGUMENT, NULL);
    if (*text++ != 'm')
        return alk_secret_fail(error, ALK_SECRET_E_PATH, NULL);
    while (*text != '\0') {
        int r;
        if (*text++ != '/')
            return alk_secret_fail(error, ALK_SECRET_E_PATH,
                                   parsed.depth == 0
                                       ? NULL
                                       : "level %u of the path has a stray character; write it "
                                         "like m/74'/0'/0'/0'",
                                   parsed.depth);
        if (parsed.depth == ALK_SECRET_PATH_DEPTH)
            return alk_secret_fail(error, ALK_SECRET_E_DEPTH, NULL);
        r = parse_index(&text, parsed.depth + 1, &parsed.index[parsed.depth], error);
        if (r != 0)
            return r;
        parsed.depth++;
    }
    *path = parsed;
    return 0;
}

int alk_secret_path_format(const struct alk_secret_path *path, char *out, size_t size)
{
    size_t used = 1;

    if (size < 2)
        return ALK_SECRET_E_SPACE;
    memcpy(out, "m", 2);
    for (unsigned i = 0; i < path->depth && i < ALK_SECRET_PATH_DEPTH; i++) {
        uint32_t index = path->index[i];
        int n = snprintf(out + used, size - used, "/%" PRIu32 "%s", index & ~ALK_SECRET_HARDENED,
                         index & ALK_SECRET_HARDENED ? "'" : "");
        if (n < 0 || (size_t)n >= size - used)
            return ALK_SECRET_E_SPACE;
        used += (size_t)n;
    }
    return 0;
}

static void hardened(struct alk_secret_path *path, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t index[] = {74, b, c, d};

    memset(path, 0, sizeof *path);
    path->depth = 4;
    for (unsigned i = 0; i < path->depth; i++)
        path->index[i] = index[i] | ALK_SECRET_HARDENED;
}

int alk_secret_path_device(uint32_t n, struct alk_secret_path *path)
{
    if (n >= ALK_SECRET_HARDENED)
        return ALK_SECRET_E_INDEX;
    hardened(path, 0, 0, n);
    return 0;
}

int alk_secret_path_site(const char *site, struct alk_secret_path *path)
{
    uint8_t hash[32];

    if (site == NULL || site[0] == '\0')
        return ALK_SECRET_E_ARGUMENT;
    crypto_hash_sha256(hash, (const uint8_t *)site, strlen(site));
    hardened(path, 1, 0,
             (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3]);
    return 0;
}

int alk_secret_path_encryption(uint32_t version, struct alk_secret_path *path)
{
    if (version < 1 || version > ALK_SECRET_HARDENED)
        return ALK_SECRET_E_VERSION;
    hardened(path, 2, 0, version - 1);
    return 0;
}
