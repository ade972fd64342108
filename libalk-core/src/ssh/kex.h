/* A running key exchange: kex.c is its course, kexinit.c what is agreed on, kex_keys.c its secrets. */
#ifndef ALK_SSH_KEX_H
#define ALK_SSH_KEX_H

#include "ssh/engine.h"

#include <sodium.h>

enum { KEXINIT_MAX = 1024 }; /* ours */

struct kex {
    bool sent_init, skip_guess, keys_ready, early_message;
    uint8_t mine[KEXINIT_MAX]; /* our KEXINIT payload */
    size_t mine_len;
    uint8_t *theirs; /* the peer's */
    size_t theirs_len;
    const struct alk_cipher_type *c2s, *s2c;
    uint8_t secret[crypto_scalarmult_SCALARBYTES]; /* our ephemeral key */
    uint8_t public[crypto_scalarmult_BYTES];
    uint8_t shared[crypto_scalarmult_BYTES];
    uint8_t hash[HASH_SIZE];
    uint64_t asked; /* when we sent what the peer's NEWKEYS answers */
};

/* The running exchange, a new one if there is none; NULL when memory is short: the session has ended. */
struct kex *ssh_kex_get(struct alk_ssh *ssh);

/* H of the running exchange (RFC 5656 section 4 as RFC 8731 uses it). The first is the session's id. */
void ssh_kex_hash(struct alk_ssh *ssh, const uint8_t *host_blob, const uint8_t *client_key,
                  const uint8_t *server_key);

/* Ends the session when the keys cannot be set up. */
int ssh_kex_use_keys(struct alk_ssh *ssh, bool sending);

#endif
