/*
 * A known_hosts file in OpenSSH's format (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT):
 * names, patterns, negation, [host]:port, hashed names, @revoked. Lines of
 * @cert-authority and of unknown key types are kept and ignored.
 */
#ifndef ALK_KNOWN_HOSTS_H
#define ALK_KNOWN_HOSTS_H

#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alk_host_trust {
    ALK_HOST_UNKNOWN, /* no key of this type for this host */
    ALK_HOST_KNOWN,   /* this very key */
    ALK_HOST_CHANGED, /* another key is on record: refuse */
    ALK_HOST_REVOKED, /* this key is marked @revoked: refuse */
};

struct alk_known_hosts;

/* Parses text; malformed lines are ignored, as ssh does. ALK_E_LIMIT beyond 16 MiB. */
int alk_known_hosts_parse(struct alk_known_hosts **out, const char *text, size_t len);

/* A file that does not exist is an empty one. */
int alk_known_hosts_load(struct alk_known_hosts **out, const char *path, struct alk_error *error);
void alk_known_hosts_free(struct alk_known_hosts *hosts);

/* Judges a host key: revoked if any line for the host says so, else known if any line for
 * the host has it, else changed if any has another key of its type. Case of letters does
 * not count. host is the name as the user gave it; port 22 is looked up as
 * "host", any other as "[host]:port". *line (may be NULL) is the line that decided, or 0. */
enum alk_host_trust alk_known_hosts_check(const struct alk_known_hosts *hosts, const char *host,
                                          unsigned port, const uint8_t *blob, size_t blob_len,
                                          unsigned *line);

/* Is a key of this type ("ssh-ed25519", "ssh-rsa") on record for the host? */
bool alk_known_hosts_has_type(const struct alk_known_hosts *hosts, const char *host, unsigned port,
                              const char *type);

/* Appends one line to the file, creating it (0600) and the folders above it (0700).
 * ALK_E_INVAL for a name that would mean something else there (blanks, commas, patterns)
 * and for a malformed key or one of an unknown type. */
int alk_known_hosts_add(const char *path, const char *host, unsigned port, const uint8_t *blob,
                        size_t blob_len, struct alk_error *error);

#endif
