/* Is a token good? Everything is looked at before anything is decided. */
#include "auth/key_internal.h"
#include "auth/token.h"

#include <sodium.h>
#include <string.h>

/* Verified against when the key is not known, so that this costs what a known key costs. It is
 * a valid point (RFC 8032 section 7.1, TEST 1); that its signatures hold counts for nothing. */
static const uint8_t nobody[crypto_sign_PUBLICKEYBYTES] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
};

const char *alk_token_verdict_text(enum alk_token_verdict verdict)
{
    static const char *const texts[] = {
        [ALK_TOKEN_GOOD] = "good",
        [ALK_TOKEN_UNKNOWN_KEY] = "unknown-key",
        [ALK_TOKEN_BAD_SIGNATURE] = "bad-signature",
        [ALK_TOKEN_NO_AUDIENCE] = "no-audience",
        [ALK_TOKEN_WRONG_AUDIENCE] = "wrong-audience",
        [ALK_TOKEN_TOO_OLD] = "expired",
        [ALK_TOKEN_TOO_NEW] = "not-yet-valid",
    };

    return texts[verdict];
}

static bool signature_holds(const struct alk_token *token, const uint8_t *raw)
{
    size_t signed_len = alk_token_signed_len(token);

    return crypto_sign_verify_detached(token->bytes + signed_len, token->bytes, signed_len, raw) ==
           0;
}

/* Against what its form asks for; neither side's bytes decide how long it takes. */
static enum alk_token_verdict judge_audience(const struct alk_token *token,
                                             const struct alk_token_rules *rules,
                                             const uint8_t *audience)
{
    static const uint8_t none[ALK_TOKEN_AUDIENCE_SIZE];
    bool same = sodium_memcmp(token->audience, audience != NULL ? audience : none,
                              ALK_TOKEN_AUDIENCE_SIZE) == 0;

    if (!token->bound)
        return rules->require_audience ? ALK_TOKEN_NO_AUDIENCE : ALK_TOKEN_GOOD;
    return same && audience != NULL ? ALK_TOKEN_GOOD : ALK_TOKEN_WRONG_AUDIENCE;
}

static enum alk_token_verdict judge_time(const struct alk_token *token,
                                         const struct alk_token_rules *rules, uint64_t now)
{
    uint64_t window = rules->max_age_s != 0 ? rules->max_age_s : ALK_TOKEN_MAX_AGE_S;

    if (token->timestamp > now)
        return token->timestamp - now > window ? ALK_TOKEN_TOO_NEW : ALK_TOKEN_GOOD;
    return now - token->timestamp > window ? ALK_TOKEN_TOO_OLD : ALK_TOKEN_GOOD;
}

enum alk_token_verdict alk_token_judge(const struct alk_token *token,
                                       const struct alk_token_rules *rules, const uint8_t *audience,
                                       const uint8_t *blob, uint64_t now_unix)
{
    const uint8_t *raw = blob != NULL ? alk_key_blob_raw(blob, ALK_KEY_BLOB_SIZE) : NULL;
    uint8_t id[ALK_TOKEN_ID_SIZE];

    crypto_hash_sha256(id, raw != NULL ? raw : nobody, crypto_sign_PUBLICKEYBYTES);
    bool known = sodium_memcmp(id, token->key_id, sizeof(id)) == 0 && raw != NULL;
    bool holds = signature_holds(token, raw != NULL ? raw : nobody);
    enum alk_token_verdict audience_verdict = judge_audience(token, rules, audience);
    enum alk_token_verdict time_verdict = judge_time(token, rules, now_unix);

    if (!known)
        return ALK_TOKEN_UNKNOWN_KEY;
    if (!holds)
        return ALK_TOKEN_BAD_SIGNATURE;
    return audience_verdict != ALK_TOKEN_GOOD ? audience_verdict : time_verdict;
}
