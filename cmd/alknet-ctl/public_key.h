/* Public keys of every type that OpenSSH writes, to be looked at: alknet itself logs in with
 * Ed25519 only, but the files it meets hold others too. */
#ifndef ALKNET_PUBLIC_KEY_H
#define ALKNET_PUBLIC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUBLIC_KEY_BLOB_MAX = 8 * 1024 }; /* RSA with 16,384 bits takes 2,071 */

struct public_key {
    uint8_t blob[PUBLIC_KEY_BLOB_MAX];
    size_t blob_len;
    const char *type; /* "ED25519", as ssh-keygen -l names it */
    unsigned bits;
    const char *comment; /* into the parsed line; "" when there is none */
};

/* Finds the key in a line: a bare public key, one of authorized_keys (options before it) or
 * one of known_hosts (a marker and host names before it). The line is cut into pieces. The
 * comment is what follows the key, else what stands right before it, as ssh-keygen -l has
 * it. False when there is none. */
bool public_key_from_line(struct public_key *key, char *line);

/* The public half of an OpenSSH private key file, which lies there unencrypted; body is the
 * base64 between the BEGIN and END lines. No comment. */
bool public_key_from_private(struct public_key *key, const char *body, size_t len);

#endif
