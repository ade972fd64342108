/* From the id in an AuthToken to the authorised key that it names. */
#ifndef ALK_AUTH_TOKEN_INDEX_H
#define ALK_AUTH_TOKEN_INDEX_H

#include <alk/authorized_keys.h>
#include <alk/token.h>

struct alk_token_index;

/* Of the plain Ed25519 keys in the set, which stays the caller's. */
int alk_token_index_new(struct alk_token_index **out, const struct alk_authorized_keys *keys);
void alk_token_index_free(struct alk_token_index *index); /* NULL is fine */

/* The blob of the key (ALK_KEY_BLOB_SIZE bytes, borrowed from the set), or NULL. */
const uint8_t *alk_token_index_find(const struct alk_token_index *index,
                                    const uint8_t id[ALK_TOKEN_ID_SIZE]);

#endif
