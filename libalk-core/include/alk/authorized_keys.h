/*
 * An authorized_keys file as OpenSSH's sshd(8) reads it, for Ed25519 keys.
 *
 * Parsing never fails as a whole for a bad line: the line is reported with its
 * number and skipped. The set is immutable once parsed; any thread may look up.
 * Look-up is by hash of the key blob and takes constant time in the number of keys.
 */
#ifndef ALK_AUTHORIZED_KEYS_H
#define ALK_AUTHORIZED_KEYS_H

#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alk_authorized_keys;

/* One usable line. Strings are NUL-terminated, owned by the set. */
struct alk_authorized_key {
    const uint8_t *blob; /* ALK_KEY_BLOB_SIZE bytes */
    const char *comment; /* "" when absent */
    unsigned line;
    bool port_forwarding;    /* false: no channel and no remote listener at all */
    uint64_t expiry;         /* Unix seconds; 0 = never */
    const char *from;        /* from= pattern list as written, or NULL = anywhere */
    const char *const *open; /* permitopen= entries "host:port", NULL = no restriction */
    size_t open_count;
    const char *const *listen; /* permitlisten= entries, NULL = no restriction */
    size_t listen_count;
};

/* Reports a line that is skipped, or (skipped false) one that is used although an
 * option in it has no meaning here. sentence names the line number. */
typedef void (*alk_authorized_note_fn)(unsigned line, bool skipped, const char *sentence,
                                       void *user);

int alk_authorized_keys_parse(struct alk_authorized_keys **out, const char *text, size_t len,
                              alk_authorized_note_fn note, void *user);

/* Opens without blocking; must be a regular file not writable by group or others
 * (ALK_E_DENIED). */
int alk_authorized_keys_load(struct alk_authorized_keys **out, const char *path,
                             alk_authorized_note_fn note, void *user, struct alk_error *error);
void alk_authorized_keys_free(struct alk_authorized_keys *set);
size_t alk_authorized_keys_count(const struct alk_authorized_keys *set);

/* The line for this key blob, or NULL. */
const struct alk_authorized_key *alk_authorized_keys_find(const struct alk_authorized_keys *set,
                                                          const uint8_t *blob, size_t blob_len);

/* May this key log in now from this numeric address? (expiry, from) */
bool alk_authorized_key_admits(const struct alk_authorized_key *key, const char *address,
                               uint64_t now_unix);

/* May it open a channel to / listen on host:port? (port_forwarding, open, listen;
 * matching as sshd's: exact host, without letter case, "*" for either part.) A
 * Unix socket path is passed as host with port 0 and is refused when a list exists. */
bool alk_authorized_key_may_open(const struct alk_authorized_key *key, const char *host,
                                 unsigned port);
bool alk_authorized_key_may_listen(const struct alk_authorized_key *key, const char *host,
                                   unsigned port);

#endif
