/*
 * AuthToken: a timestamp signed with an Ed25519 key, for interfaces that carry text (HTTP, raw
 * framing, DNS). Whoever holds the key makes one for each request.
 *
 * There are two forms, told apart by their length. Both are base64url without padding of
 *
 *     key_id || timestamp || signature                                    104 bytes
 *     "alk2" || key_id || timestamp || audience || nonce || signature     156 bytes
 *
 * key_id is the SHA-256 of the raw public key, timestamp is Unix seconds (64 bits, big-endian),
 * audience the SHA-256 of the host key blob of the server that the token is for, nonce 16 random
 * bytes, and the signature (Ed25519, RFC 8032) covers everything before it. The first form names
 * no receiver: whoever is shown it can present it elsewhere within its window.
 *
 * Everything is pure but the replay guard, which any thread may use. Call alk_crypto_init once
 * before.
 */
#ifndef ALK_TOKEN_H
#define ALK_TOKEN_H

#include <alk/key.h>
#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALK_TOKEN_ID_SIZE = 32,
    ALK_TOKEN_AUDIENCE_SIZE = 32,
    ALK_TOKEN_NONCE_SIZE = 16,
    ALK_TOKEN_PLAIN_SIZE = 104, /* decoded */
    ALK_TOKEN_BOUND_SIZE = 156,
    ALK_TOKEN_TEXT_SIZE = 209, /* of either form as text, with its NUL */
    ALK_TOKEN_MAX_AGE_S = 300, /* by default */
    ALK_TOKEN_AGE_LIMIT_S = 86400,
    ALK_TOKEN_REPLAY_CAPACITY = 65536, /* tokens remembered, by default; some 4 MiB */
};

/* How tokens are judged. */
struct alk_token_rules {
    bool enabled;
    unsigned max_age_s;    /* 0 = ALK_TOKEN_MAX_AGE_S; the timestamp may be as far ahead, too */
    bool deny_replay;      /* a token is good once within its window */
    bool require_audience; /* refuse the first form */
};

/* ---- making ---- */

/* SHA-256 of a host key blob, of any length. */
void alk_token_audience(const uint8_t *blob, size_t blob_len,
                        uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE]);

/* Makes a token of the second form for the server of this audience, or with NULL one of the first
 * form. out is NUL-terminated. */
void alk_token_make(const struct alk_key *key, const uint8_t *audience, uint64_t now_unix,
                    char out[ALK_TOKEN_TEXT_SIZE]);

/* ---- reading ---- */

/* A decoded token; nothing in it has been proven. */
struct alk_token {
    bool bound; /* the second form: audience and nonce count */
    uint8_t key_id[ALK_TOKEN_ID_SIZE];
    uint64_t timestamp;
    uint8_t audience[ALK_TOKEN_AUDIENCE_SIZE];
    uint8_t bytes[ALK_TOKEN_BOUND_SIZE]; /* all of it; the signature is at the end */
    size_t len;
};

/* ALK_E_PARSE for anything but the one way to write a token: no padding, blanks, other characters,
 * or bits that do not count. */
int alk_token_decode(struct alk_token *out, const char *text, size_t len);

/* ---- judging ---- */

enum alk_token_verdict {
    ALK_TOKEN_GOOD,
    ALK_TOKEN_UNKNOWN_KEY,
    ALK_TOKEN_BAD_SIGNATURE,
    ALK_TOKEN_NO_AUDIENCE,    /* of the first form, which the rules refuse */
    ALK_TOKEN_WRONG_AUDIENCE, /* for another server */
    ALK_TOKEN_TOO_OLD,
    ALK_TOKEN_TOO_NEW,
};

/* A word for the log: "unknown-key", "expired", ... */
const char *alk_token_verdict_text(enum alk_token_verdict verdict);

/* Judges all but replay. blob is the ssh-ed25519 key whose id the token bears, NULL when none is
 * known; audience is this server's own, NULL when it has none (then the second form is refused).
 * Costs one verification of a signature whatever is wrong, so that the time tells nothing; the
 * caller should give its peer one answer for every verdict but ALK_TOKEN_GOOD. */
enum alk_token_verdict alk_token_judge(const struct alk_token *token,
                                       const struct alk_token_rules *rules, const uint8_t *audience,
                                       const uint8_t *blob, uint64_t now_unix);

/* ---- the replay guard ---- */

/* Remembers good tokens as long as they could be presented again. */
struct alk_replay_guard;

/* capacity 0 = ALK_TOKEN_REPLAY_CAPACITY. Memory is taken as tokens come. */
int alk_replay_guard_new(struct alk_replay_guard **out, size_t capacity);
void alk_replay_guard_free(struct alk_replay_guard *guard);

/* Any thread. ALK_OK: seen for the first time, and remembered. ALK_E_EXISTS: seen before, or so
 * old that it may have been forgotten. ALK_E_LIMIT: the table is full of tokens that are still
 * good, ALK_E_NOMEM; both mean to refuse, lest one of them be accepted twice. Only for tokens that
 * were judged good: then none but holders of authorised keys can fill it. */
int alk_replay_guard_enter(struct alk_replay_guard *guard, const struct alk_token *token,
                           unsigned max_age_s, uint64_t now_unix);
size_t alk_replay_guard_count(struct alk_replay_guard *guard);

#endif
