/* API keys: making, hashing, dates. The set is in api_keys.c. */
#include "auth/timespec.h"

#include <alk/api_key.h>

#include <sodium.h>
#include <string.h>

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char prefix[] = {'a', 'l', 'k', '_'};
enum { SEPARATOR = sizeof(prefix) + ALK_API_KEY_ID_LEN };

void alk_api_key_generate(char out[ALK_API_KEY_SIZE])
{
    memcpy(out, prefix, sizeof(prefix));
    for (size_t i = sizeof(prefix); i < ALK_API_KEY_LEN; i++)
        out[i] = base62[randombytes_uniform(sizeof(base62) - 1)];
    out[SEPARATOR] = '_';
    out[ALK_API_KEY_LEN] = '\0';
}

static bool is_base62(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return true;
}

bool alk_api_key_is(const char *text, size_t len)
{
    return len == ALK_API_KEY_LEN && memcmp(text, prefix, sizeof(prefix)) == 0 &&
           text[SEPARATOR] == '_' && is_base62(text + sizeof(prefix), ALK_API_KEY_ID_LEN) &&
           is_base62(text + SEPARATOR + 1, len - SEPARATOR - 1);
}

void alk_api_key_hash(const char *text, size_t len, char out[ALK_API_KEY_HASH_SIZE])
{
    static const char name[] = "sha256:";
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const uint8_t *)text, len);
    memcpy(out, name, sizeof(name));
    sodium_bin2hex(out + sizeof(name) - 1, ALK_API_KEY_HASH_SIZE - (sizeof(name) - 1), hash,
                   sizeof(hash));
}

/* Brings the text into OpenSSH's form, which has a reader with all the checks. */
bool alk_api_key_parse_time(const char *text, uint64_t *unix_seconds)
{
    static const char day[] = "dddd-dd-dd", time[] = "dddd-dd-ddTdd:dd:ddZ";
    size_t len = strnlen(text, sizeof(time));
    const char *form = len == sizeof(time) - 1 ? time : day;
    char plain[sizeof("YYYYMMDDHHMMSSZ")];
    size_t used = 0;

    if (len != strlen(form))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i])
            return false;
        if (digit)
            plain[used++] = text[i];
    }
    plain[used++] = 'Z';
    plain[used] = '\0';
    return alk_timespec_parse(plain, unix_seconds);
}
