/*
 * Where to listen and whom to dial, as text and as socket addresses.
 *
 * An endpoint is what a person or a peer names: a host (a name or a numeric
 * address, no brackets) and a port, or the path of a Unix socket. An address is
 * what the kernel takes. Nothing here resolves names, blocks or allocates; any
 * thread may call it.
 */
#ifndef ALK_TRANSPORT_ADDRESS_H
#define ALK_TRANSPORT_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct alk_error;

enum {
    ALK_HOST_MAX = 255,                                             /* bytes of a host */
    ALK_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1, /* bytes of a socket path */
    ALK_ADDRESS_TEXT = ALK_PATH_MAX + 8, /* room for alk_address_text, NUL included */
};

struct alk_endpoint {
    bool is_path;
    char host[ALK_HOST_MAX + 1]; /* "" when is_path */
    uint16_t port;
    char path[ALK_PATH_MAX + 1]; /* "" unless is_path */
};

struct alk_address {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } sa;
};

/* A host as strangers may send it: 1 to 255 bytes, no blank and no control
 * character (so no NUL either). Says nothing about whether it exists. */
bool alk_host_valid(const char *host, size_t len);

/* A port in decimal, 0 to 65535, 1 to 5 digits. */
bool alk_port_parse(const char *text, size_t len, uint16_t *port);

/* For messages about a text that is no address. What stands before an @ may be a password that
 * somebody put in the wrong place: then it is not repeated. */
const char *alk_address_shown(const char *text);
/* ": a port is 65535 at most" when one of its numbers is higher, else "". */
const char *alk_address_hint(const char *text);

/* "host:port" or "[v6]:port" and nothing else; any port. Fills host and port. */
bool alk_endpoint_parse_host(const char *text, struct alk_endpoint *out);

/* "host:port", "[v6]:port" or "unix:PATH"; port 0 and an empty host are refused.
 * ALK_E_PARSE. */
int alk_endpoint_parse(const char *text, struct alk_endpoint *out, struct alk_error *error);

/* Where to listen: "ADDR:PORT", "[v6]:PORT", "unix:PATH". ADDR is numeric,
 * "localhost" (127.0.0.1) or "*" (0.0.0.0; write [::] for IPv6). Port 0 asks the
 * kernel for a free one. ALK_E_PARSE. */
int alk_address_parse_listen(const char *text, struct alk_address *out, struct alk_error *error);

/* Turns an IPv4-mapped IPv6 address into the IPv4 address that it means, so that no
 * rule on IPv4 addresses can be passed by spelling. Others are left alone. */
void alk_address_unmap(struct alk_address *address);

/* The address that host spells if it is numeric (IPv4 in dotted quad; IPv6, with
 * %scope or not; unmapped): true and *out, else false. */
bool alk_address_numeric(const char *host, uint16_t port, struct alk_address *out);

/* 127.0.0.0/8 or ::1, so both ends are on this machine. */
bool alk_address_is_loopback(const struct alk_address *address);

/* A Unix socket's address; ALK_E_INVAL when the path is empty or too long. */
int alk_address_unix(const char *path, struct alk_address *out);

/* The numeric host without port or brackets, IPv4-mapped IPv6 as IPv4; "" for
 * other families. size >= INET6_ADDRSTRLEN + 12 never cuts. */
void alk_address_host(const struct alk_address *address, char *out, size_t size);

/* 0 for other families. */
uint16_t alk_address_port(const struct alk_address *address);
void alk_address_set_port(struct alk_address *address, uint16_t port);

/* "127.0.0.1:22", "[::1]:22" or "unix:/path"; what alk_address_parse_listen reads. */
void alk_address_text(const struct alk_address *address, char out[ALK_ADDRESS_TEXT]);

#endif
