/* The parts of token.c that tests pin down. */
#ifndef ALK_AUTH_TOKEN_H
#define ALK_AUTH_TOKEN_H

#include <alk/token.h>

/* alk_token_make with a nonce that the caller chooses. */
void alk_token_make_with(const struct alk_key *key, const uint8_t *audience,
                         const uint8_t nonce[ALK_TOKEN_NONCE_SIZE], uint64_t now_unix,
                         char out[ALK_TOKEN_TEXT_SIZE]);

/* SHA-256 of the raw key in an ssh-ed25519 blob. False when it is no such blob. */
bool alk_token_key_id(const uint8_t *blob, size_t blob_len, uint8_t id[ALK_TOKEN_ID_SIZE]);

/* What the signature covers. */
size_t alk_token_signed_len(const struct alk_token *token);

#endif
