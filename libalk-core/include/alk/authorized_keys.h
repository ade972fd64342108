/*
 * An authorized_keys file as OpenSSH's sshd(8) reads it, for Ed25519 keys, such keys in security
 * keys (sk-ssh-ed25519@openssh.com), and certificate authorities.
 *
 * Parsing never fails as a whole for a bad line: the line is reported with its
 * number and skipped. The set is immutable once parsed; any thread may look up.
 * Look-up is by hash of the key blob and takes constant time in the number of keys.
 * Call alk_crypto_init once before.
 *
 * Keys that no signer can have (no point of the curve, or one of small order) are
 * reported and skipped in the first 2048 lines with a key; beyond that only the all-zero
 * key is, to keep loading fast. alk_key_verify refuses such keys wherever they come from.
 */
#ifndef ALK_AUTHORIZED_KEYS_H
#define ALK_AUTHORIZED_KEYS_H

#include <alk/identity.h>
#include <alk/key.h>
#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_authorized_keys;

/* One usable line. Strings are NUL-terminated, owned by the set. */
struct alk_authorized_key {
    const uint8_t *blob;
    size_t blob_len;     /* ALK_KEY_BLOB_SIZE, or more for a security key */
    const char *comment; /* "" when absent */
    unsigned line;
    bool cert_authority;           /* signs certificates, and does not log in itself */
    const char *const *principals; /* principals=: of certificates; NULL = the login name */
    size_t principal_count;
    bool touch_required; /* of a security key: not no-touch-required */
    bool verify_required;
    const char *const *scopes; /* alk-scopes=, else ALK_SCOPE_CONNECT alone */
    size_t scope_count;
    const struct alk_resource *resources; /* alk-resources=, in their order */
    size_t resource_count;
    bool port_forwarding;    /* false: no channel and no remote listener at all */
    uint64_t expiry;         /* Unix seconds; 0 = never */
    const char *from;        /* from= pattern list as written, or NULL = anywhere */
    const char *const *open; /* permitopen= entries "host:port", NULL = no restriction */
    size_t open_count;
    const char *const *listen; /* permitlisten= entries, likewise; a port alone is "*:port" */
    size_t listen_count;
};

/* Reports a line that is skipped, or (skipped false) one that is used although an
 * option in it has no meaning here. sentence names the line number. */
typedef void (*alk_authorized_note_fn)(unsigned line, bool skipped, const char *sentence,
                                       void *user);

/* Parses text; note may be NULL. ALK_E_NOMEM, or ALK_E_LIMIT beyond 64 MiB. */
int alk_authorized_keys_parse(struct alk_authorized_keys **out, const char *text, size_t len,
                              alk_authorized_note_fn note, void *user);

/* Opens without blocking; must be a regular file not writable by group or others
 * (ALK_E_DENIED). */
int alk_authorized_keys_load(struct alk_authorized_keys **out, const char *path,
                             alk_authorized_note_fn note, void *user, struct alk_error *error);

/* The same for a file in which every line is a certificate authority, with or without the option
 * cert-authority (as sshd's TrustedUserCAKeys, but options are permitted). */
int alk_authorities_parse(struct alk_authorized_keys **out, const char *text, size_t len,
                          alk_authorized_note_fn note, void *user);
int alk_authorities_load(struct alk_authorized_keys **out, const char *path,
                         alk_authorized_note_fn note, void *user, struct alk_error *error);
void alk_authorized_keys_free(struct alk_authorized_keys *set);
size_t alk_authorized_keys_count(const struct alk_authorized_keys *set);

/* The index-th line in the order of the file; index is below the count. */
const struct alk_authorized_key *alk_authorized_keys_at(const struct alk_authorized_keys *set,
                                                        size_t index);

/* The first line with this key blob, or NULL. */
const struct alk_authorized_key *alk_authorized_keys_find(const struct alk_authorized_keys *set,
                                                          const uint8_t *blob, size_t blob_len);

/* The next line with the same key blob as this one of the set, or NULL. */
const struct alk_authorized_key *alk_authorized_keys_next(const struct alk_authorized_keys *set,
                                                          const struct alk_authorized_key *key);

/* The line that lets this key log in, or NULL: as in sshd the first one that admits it (a key
 * may be listed again with other restrictions). A cert-authority line never does. */
const struct alk_authorized_key *alk_authorized_keys_admit(const struct alk_authorized_keys *set,
                                                           const uint8_t *blob, size_t blob_len,
                                                           const char *address, uint64_t now_unix);

/* May this key log in now from this numeric address? (expiry, from) An IPv4-mapped IPv6
 * address counts as IPv4. A line with from= admits nobody whose address is not known. */
bool alk_authorized_key_admits(const struct alk_authorized_key *key, const char *address,
                               uint64_t now_unix);

/* May it open a channel to / listen on host:port? (port_forwarding, open, listen.) As
 * in sshd permitopen= means the exact host, permitlisten= may be a pattern with * and ?;
 * without letter case, and "*" stands for any port. A Unix socket path is passed as host with
 * port 0 and is refused when a list exists; to listen it must be told from "any free port" by
 * the "/" in it, so pass it absolute. */
bool alk_authorized_key_may_open(const struct alk_authorized_key *key, const char *host,
                                 unsigned port);
bool alk_authorized_key_may_listen(const struct alk_authorized_key *key, const char *host,
                                   unsigned port);

#endif
