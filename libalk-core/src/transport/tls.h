/*
 * TLS 1.3 and 1.2, both roles, without sockets, clock or threads: one side of one connection, over
 * whatever moves its bytes. ECDHE and AEAD only; no renegotiation, no compression, no early data;
 * ALPN http/1.1; sessions resume by tickets.
 *
 * What is the same for many connections (certificates, roots, pins) is a context: immutable but
 * for the ticket that a client keeps, counted, shared by threads on the server. A connection
 * belongs to one thread at a time.
 *
 * This is all that the rest sees of the library behind it (docs/adr/0012-tls-library.md); the
 * files below tls_openssl/ know it. RFC 8446, 5246, 5077, 6066, 7301, 7627.
 */
#ifndef ALK_TRANSPORT_TLS_H
#define ALK_TRANSPORT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct alk_error;
struct alk_tls;
struct alk_tls_context;

enum {
    ALK_TLS_RECORD = 16 * 1024, /* most plaintext of a record */
    ALK_TLS_OVERHEAD = 256,     /* a record is at most so much longer than its plaintext */
    ALK_TLS_FILE_MAX = 1 << 20, /* bytes of a PEM file */
    ALK_TLS_PINS_MAX = 16,
    ALK_TLS_PIN_SIZE = 32, /* SHA-256 of a SubjectPublicKeyInfo */
};

/* ---- contexts ---- */

/* A server's, from the texts of two PEM files: the chain, its own certificate first, and the key
 * of that. Names are for the sentences. ALK_E_PARSE no certificate or key in it, or the key is
 * encrypted; ALK_E_CRYPTO they do not belong together. */
struct alk_tls_pem {
    const char *name, *text;
    size_t len;
};
int alk_tls_server_context(struct alk_tls_context **out, const struct alk_tls_pem *chain,
                           const struct alk_tls_pem *key, struct alk_error *error);

/* When the server's own certificate begins and ceases to be valid; Unix seconds. */
void alk_tls_validity(const struct alk_tls_context *context, int64_t *from, int64_t *until);

/* A client's. */
struct alk_tls_trust {
    const struct alk_tls_pem
        *authorities; /* who vouches for the server; NULL: the system's roots */
    const char *pins; /* curl's form: sha256//BASE64, several separated by ';', or NULL. A key that
                         is pinned needs nobody else to vouch for it, unless authorities are
                         named */
    bool insecure;    /* nobody needs to vouch for the server; pins are still looked at */
};
/* ALK_E_PARSE for bad authorities or pins, ALK_E_IO without the system's roots. */
int alk_tls_client_context(struct alk_tls_context **out, const struct alk_tls_trust *trust,
                           struct alk_error *error);

struct alk_tls_context *alk_tls_context_hold(struct alk_tls_context *context);
void alk_tls_context_release(struct alk_tls_context *context); /* NULL is fine */

/* ---- connections ---- */

/* How a connection's bytes come and go. Both return how many were moved, 0 (receive only) for the
 * end, ALK_E_AGAIN, or an error. */
struct alk_tls_io {
    ssize_t (*receive)(void *user, void *data, size_t len);
    ssize_t (*send)(void *user, const void *data, size_t len);
    void *user;
};

/* server_name is for clients: whom the certificate must name (a name or a numeric address), and
 * what is asked for. io is copied. ALK_E_NOMEM. */
int alk_tls_new(struct alk_tls **out, struct alk_tls_context *context, const char *server_name,
                const struct alk_tls_io *io);
void alk_tls_free(struct alk_tls *tls); /* says nothing to the peer; NULL is fine */

/* Goes as far as it can: ALK_OK when it is done, ALK_E_AGAIN, or an error that alk_tls_error
 * explains; the alert that tells the peer has been sent then. ALK_E_CERT: the server is not to be
 * trusted. */
int alk_tls_handshake(struct alk_tls *tls);

/* Up to len bytes, of several records when there are: > 0, 0 when the peer said that no more
 * follow, ALK_E_AGAIN, ALK_E_CLOSED when the bytes just ended (an attacker may have cut them
 * off), another error. */
ssize_t alk_tls_read(struct alk_tls *tls, void *data, size_t len);

/* Takes at most one record's worth. Once send has said ALK_E_AGAIN the same bytes must be given
 * again; a send that never says so while alk_tls_write runs avoids that. */
ssize_t alk_tls_write(struct alk_tls *tls, const void *data, size_t len);

/* Bytes are here already that a read has not looked at. */
bool alk_tls_has_input(const struct alk_tls *tls);

/* Says that no more follow; reading goes on. */
int alk_tls_finish(struct alk_tls *tls);

/* One sentence or clause about the last failure; "" before. Borrowed. */
const char *alk_tls_error(const struct alk_tls *tls);

/* After the handshake, for logs and tests: "TLSv1.3", "TLS_AES_128_GCM_SHA256"; was it resumed? */
const char *alk_tls_version(const struct alk_tls *tls);
const char *alk_tls_cipher(const struct alk_tls *tls);
bool alk_tls_resumed(const struct alk_tls *tls);

/* ---- tls_pin.c ---- */

/* "sha256//BASE64;sha256//BASE64" as bytes; returns their count, or ALK_E_PARSE. */
int alk_tls_pins_parse(const char *text, uint8_t out[ALK_TLS_PINS_MAX][ALK_TLS_PIN_SIZE],
                       struct alk_error *error);
enum { ALK_TLS_PIN_TEXT = 8 + 44 + 1 };
void alk_tls_pin_text(const uint8_t pin[ALK_TLS_PIN_SIZE], char out[ALK_TLS_PIN_TEXT]);

#endif
