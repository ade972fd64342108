/*
 * What a peer speaks, by its first bytes. Decides as soon as it can, and no sooner. Sans I/O.
 */
#ifndef ALK_TRANSPORT_PEEK_H
#define ALK_TRANSPORT_PEEK_H

#include <stddef.h>
#include <stdint.h>

enum alk_peeked {
    ALK_PEEKED_MORE, /* not enough to tell */
    ALK_PEEKED_SSH,  /* an SSH 2 identification */
    ALK_PEEKED_TLS,  /* a TLS handshake record, or the SSL 2 hello that old clients began with */
    ALK_PEEKED_OTHER,
};

enum { ALK_PEEK_MAX = 8 }; /* so many bytes always decide */

/* Of what may be the beginning of a TLS connection: TLS or OTHER. */
enum alk_peeked alk_peek_tls(const uint8_t *data, size_t len);

/* Of what may be the beginning of an SSH connection: SSH or OTHER. */
enum alk_peeked alk_peek_ssh(const uint8_t *data, size_t len);

#endif
