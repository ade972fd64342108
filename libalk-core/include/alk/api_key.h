/*
 * API keys: bearer strings that a server knows by their hash alone.
 *
 *     alk_ 8 characters _ 32 characters        (base62; 45 characters in all)
 *
 * The first eight name the key and are no secret; the 32 hold 190 bits from the system's
 * randomness. Stored is "sha256:" and the lower-case hex SHA-256 of the whole text. Call
 * alk_crypto_init once before.
 */
#ifndef ALK_API_KEY_H
#define ALK_API_KEY_H

#include <alk/identity.h>
#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALK_API_KEY_ID_LEN = 8,
    ALK_API_KEY_LEN = 45,
    ALK_API_KEY_SIZE = 46,      /* with its NUL */
    ALK_API_KEY_HASH_SIZE = 72, /* "sha256:", 64 digits, NUL */
    ALK_API_KEYS_MAX = 100000,  /* in one set */
};

/* What a server knows of a key; the members are the keys of a section [api_key NAME]. */
struct alk_api_key {
    const char *name;        /* of the section; for messages */
    const char *hash;        /* "sha256:..." */
    const char *scopes;      /* "relay:connect, metrics:read"; NULL = none */
    const char *resources;   /* "service:gitea"; NULL = none */
    const char *description; /* NULL = none */
    uint64_t expires;        /* first Unix second in which it is no longer good; 0 = never */
    uint64_t created;        /* Unix seconds; only with ttl_s */
    uint64_t ttl_s;          /* good for so long after created; 0 = no matter */
    bool disabled;
};

/* A new key. The caller shows it once and wipes it. */
void alk_api_key_generate(char out[ALK_API_KEY_SIZE]);

/* Has text[0..len) the form of an API key? (That tells it from an AuthToken.) */
bool alk_api_key_is(const char *text, size_t len);

/* "sha256:..." of a key. */
void alk_api_key_hash(const char *text, size_t len, char out[ALK_API_KEY_HASH_SIZE]);

/* A date or a time as these sections write them: "2027-01-31" (its first second) or
 * "2027-01-31T12:00:00Z", both in UTC. False for anything else, a day that does not exist, or one
 * before 1970-01-02. */
bool alk_api_key_parse_time(const char *text, uint64_t *unix_seconds);

/* ---- a set of keys ---- */

struct alk_api_keys;

/* Copies the array. previous (may be NULL) is the set that this one replaces: keys that are in
 * both go on counting. ALK_E_PARSE, ALK_E_INVAL, ALK_E_EXISTS (two with one hash), ALK_E_LIMIT,
 * with a sentence that names the key. Immutable but for the counts; any thread. */
int alk_api_keys_new(struct alk_api_keys **out, const struct alk_api_key *keys, size_t count,
                     const struct alk_api_keys *previous, struct alk_error *error);
void alk_api_keys_free(struct alk_api_keys *set);

enum alk_api_key_verdict {
    ALK_API_KEY_GOOD,
    ALK_API_KEY_UNKNOWN,
    ALK_API_KEY_DISABLED,
    ALK_API_KEY_EXPIRED,
    ALK_API_KEY_NO_MEMORY, /* good, but there is no room for its identity */
};

/* A word for the log. */
const char *alk_api_key_verdict_text(enum alk_api_key_verdict verdict);

/* Judges a presented key; when it is good, counts the use and yields its identity, a reference for
 * the caller, whose id is the id within the key. What is compared, and how often, depends neither
 * on the key nor on how many there are. */
enum alk_api_key_verdict alk_api_keys_judge(const struct alk_api_keys *set, const char *text,
                                            size_t len, uint64_t now_unix,
                                            struct alk_identity **identity);

/* How often the key of this name was used, and when last (Unix seconds; 0 = never). False when
 * there is no such key. */
bool alk_api_keys_used(const struct alk_api_keys *set, const char *name, uint64_t *count,
                       uint64_t *last);

#endif
