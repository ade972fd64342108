/* AuthTokens: what is decoded is written in one way only; judging and remembering it hold. */
#include "auth/token.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct alk_key *key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t seed[ALK_KEY_SEED_SIZE] = {1};

    (void)argc;
    (void)argv;
    return alk_crypto_init() == ALK_OK ? alk_key_from_seed(&key, seed) : -1;
}

static void use(const struct alk_token *token)
{
    const struct alk_token_rules rules = {.enabled = true, .require_audience = token->len % 2};
    struct alk_replay_guard *guard;

    /* the key of the seed signs nothing here */
    if (alk_token_judge(token, &rules, token->audience, alk_key_blob(key), token->timestamp) ==
            ALK_TOKEN_GOOD ||
        alk_token_judge(token, &rules, NULL, NULL, UINT64_MAX) == ALK_TOKEN_GOOD)
        abort();
    if (alk_replay_guard_new(&guard, 2) != ALK_OK)
        return;
    if (alk_replay_guard_enter(guard, token, 1, token->timestamp) != ALK_OK ||
        alk_replay_guard_enter(guard, token, 1, token->timestamp) != ALK_E_EXISTS)
        abort();
    alk_replay_guard_free(guard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char again[ALK_TOKEN_TEXT_SIZE];
    struct alk_token token;

    if (alk_token_decode(&token, (const char *)data, size) != ALK_OK)
        return 0;
    if (token.len != (token.bound ? (size_t)ALK_TOKEN_BOUND_SIZE : (size_t)ALK_TOKEN_PLAIN_SIZE))
        abort();
    sodium_bin2base64(again, sizeof(again), token.bytes, token.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (strlen(again) != size || memcmp(again, data, size) != 0)
        abort();
    use(&token);
    return 0;
}
