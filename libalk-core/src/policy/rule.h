/*
 * One forwarding rule, from text. A pure parser: no I/O, no allocation, bounded.
 */
#ifndef ALK_POLICY_RULE_H
#define ALK_POLICY_RULE_H

#include <alk/policy.h>

enum rule_kind {
    RULE_ANY,          /* "*": everything, or with ports every host */
    RULE_NAME,         /* db.example.com */
    RULE_SUFFIX,       /* *.example.com: name is "example.com" */
    RULE_NETWORK,      /* an address or a network */
    RULE_PATH,         /* unix:... without wildcards */
    RULE_GLOB,         /* unix:... with them */
    RULE_INTERNAL,     /* alknet-control */
    RULE_INTERNAL_ANY, /* alknet-* */
};

/* A piece of the rule's text, not ended by NUL. */
struct rule_word {
    const char *at;
    size_t len;
};

struct policy_rule {
    bool allow, listen;
    enum rule_kind kind;
    bool has_port; /* a port was written, be it "*" */
    unsigned first, last;
    struct alk_policy_address network;
    unsigned bits;
    char name[ALK_POLICY_HOST_MAX + 1]; /* of NAME, SUFFIX, PATH, GLOB and INTERNAL */
    unsigned transports, interfaces;    /* sets of policy_transport_bit and so on; 0 = all */
    struct rule_word principals[ALK_POLICY_LIST_MAX]; /* in the text */
    size_t principal_count;                           /* 0 = all */
};

/* NULL when the text is a rule, else what is wrong with it and how to mend that, as the end of a
 * sentence; it may point to why. */
const char *policy_rule_parse(struct policy_rule *out, const char *text, char why[256]);

/* The bit of a name in its set, 0 when it is none. */
unsigned policy_transport_bit(const char *name, size_t len);
unsigned policy_interface_bit(const char *name, size_t len);

/* Does the glob match the path? "*" and "?" match no "/". */
bool policy_glob_matches(const char *glob, const char *path);

/* ---- spelling.c: what rules and requests have in common ---- */

/* A name in lower case without its trailing dot. False when a label is empty or it is too long. */
bool policy_name(const char *text, size_t len, char out[ALK_POLICY_HOST_MAX + 1]);

/* Does the name end in a number, so that some resolver could take it for an address? */
bool policy_name_ends_in_number(const char *name);

/* An absolute path without "." and ".." and empty parts. */
bool policy_path_is_plain(const char *path);

bool policy_is_internal(const char *name);

/* Connecting to "any address" reaches the loopback one. */
void policy_any_to_loopback(struct alk_policy_address *address);

/* The IPv4 address that a gateway reaches for this IPv6 one: behind NAT64 (64:ff9b::/96, RFC 6052),
 * by 6to4 (2002::/16, RFC 3056), or "compatible" (::/96, RFC 4291). False: it stands for itself. */
bool policy_embedded_v4(const struct alk_policy_address *address, struct alk_policy_address *v4);

#endif
