/*
 * Where a session may connect to, and where it may make the server listen.
 *
 * A policy is an ordered list of rules; the first that matches decides, else the defaults do.
 * A rule is a line of text:
 *
 *     allow|deny TARGET [principals=A,B] [transports=A,B] [interfaces=A,B]
 *
 *     *                       everything but listeners; *:443 all hosts on that port
 *     db.example.com          that name         without letter case and trailing dot
 *     *.example.com           names below it    one or more labels, not example.com itself
 *     192.0.2.7, [2001:db8::1], 10.0.0.0/8, [2001:db8::]/32        addresses and networks
 *     unix:/run/app/?*.sock   paths             * and ? match no "/"
 *     alknet-control, alknet-*                  internal channels
 *     listen:TARGET           remote listeners; TARGET is *, localhost, an address, a network
 *                             or unix:PATH
 *
 * A host or address may be followed by :PORT, :FIRST-LAST (both in) or :*; without, every port.
 * principals are identity ids and scopes (none = all), transports tcp, tls, iroh, unix,
 * interfaces ssh, raw, http, dns.
 *
 * A name is judged together with each address that it resolves to: a rule matches the pair when its
 * name matches the name or its network holds the address. A rule that allows a name does not
 * open link-local or loopback addresses to whoever answers for that name: for those the defaults
 * are asked besides ("localhost" and what is below it may be loopback). IPv4-mapped addresses are
 * IPv4, 0.0.0.0 and :: are the loopback addresses that connecting to them reaches, and every
 * numeric spelling that the system takes (0x7f.1, 2130706433) is the address it stands for.
 *
 * A policy is immutable; any thread may ask it. Judging allocates nothing and takes a few hash
 * look-ups, however many rules there are.
 */
#ifndef ALK_POLICY_H
#define ALK_POLICY_H

#include <alk/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALK_POLICY_RULES_MAX = 100000,
    ALK_POLICY_LIST_MAX = 64,    /* principals of one rule */
    ALK_POLICY_HOST_MAX = 255,   /* bytes of a host or socket path */
    ALK_POLICY_TEXT_MAX = 16384, /* bytes of a rule */
};

/* A rule as it was written, and where, for error sentences; file may be NULL. */
struct alk_policy_rule_text {
    const char *text;
    const char *file;
    unsigned line;
};

enum alk_policy_choice {
    ALK_POLICY_UNSET = 0, /* see alk_policy_defaults */
    ALK_POLICY_ALLOW,
    ALK_POLICY_DENY,
};

/* What no rule decides. */
struct alk_policy_defaults {
    enum alk_policy_choice action;     /* unset: allow */
    enum alk_policy_choice loopback;   /* 127.0.0.0/8, ::1; unset: as action */
    enum alk_policy_choice link_local; /* 169.254.0.0/16, fe80::/10, the metadata services in
                                          them and fd00:ec2::254; unset: deny */
};

struct alk_policy;

/* Reads the rules and indexes them. Everything is copied. ALK_E_PARSE with a sentence that names
 * file, line and mend; ALK_E_LIMIT, ALK_E_NOMEM. */
int alk_policy_new(struct alk_policy **out, const struct alk_policy_rule_text *rules, size_t count,
                   const struct alk_policy_defaults *defaults, struct alk_error *error);
void alk_policy_free(struct alk_policy *policy);
size_t alk_policy_rule_count(const struct alk_policy *policy);

/* A numeric address; IPv4 in the first four bytes. */
struct alk_policy_address {
    bool v6;
    uint8_t bytes[16];
};

enum alk_policy_kind {
    ALK_POLICY_NAME,     /* a host name that is yet to be resolved */
    ALK_POLICY_NUMERIC,  /* an address */
    ALK_POLICY_PATH,     /* a Unix socket */
    ALK_POLICY_INTERNAL, /* alknet-... */
};

/* What a client asks for, in its only spelling: names in lower case without trailing dot. */
struct alk_policy_target {
    enum alk_policy_kind kind;
    bool listen;
    unsigned port;
    struct alk_policy_address address;  /* NUMERIC */
    char host[ALK_POLICY_HOST_MAX + 1]; /* the name or path; for NUMERIC the address as text (with
                                           its %zone, if it has one): dial this, not what was asked */
};

/* A host and port as a stranger may send them. Every numeric spelling becomes NUMERIC.
 * ALK_E_INVAL for what no rule can judge: no host, a label that is empty, a name that ends in a
 * number but is no address, a port over 65535. */
int alk_policy_target_host(struct alk_policy_target *out, const char *host, unsigned long port);

/* A Unix socket. ALK_E_INVAL unless it is absolute and without "." and ".." parts. */
int alk_policy_target_path(struct alk_policy_target *out, const char *path);

/* The same for a listener. For TCP host is numeric or "localhost"; "" and "*" are 0.0.0.0. */
int alk_policy_target_listen(struct alk_policy_target *out, const char *host, unsigned long port);
int alk_policy_target_listen_path(struct alk_policy_target *out, const char *path);

/* What a person writes: HOST:PORT, [V6]:PORT, unix:PATH, alknet-NAME, and each with listen:
 * before it. ALK_E_PARSE. */
int alk_policy_target_parse(struct alk_policy_target *out, const char *text,
                            struct alk_error *error);

/* A numeric address ("10.0.0.1", "::ffff:10.0.0.1"). False when it is none. */
bool alk_policy_address_parse(struct alk_policy_address *out, const char *text);

/* Who asks, and how. Strings are borrowed; scopes beyond ALK_POLICY_LIST_MAX do not count. */
struct alk_policy_subject {
    const char *id; /* NULL: nobody in particular */
    const char *const *scopes;
    size_t scope_count;
    const char *transport; /* "tcp"; NULL: only rules for all transports apply */
    const char *interface; /* "ssh"; likewise */
};

enum alk_policy_outcome {
    ALK_POLICY_ALLOWED,
    ALK_POLICY_DENIED,
    ALK_POLICY_DEPENDS, /* a name: on its addresses; resolve it and judge each */
};

enum alk_policy_reason {
    ALK_POLICY_BY_RULE,
    ALK_POLICY_BY_DEFAULT,
    ALK_POLICY_BY_LOOPBACK,   /* the default for loopback addresses */
    ALK_POLICY_BY_LINK_LOCAL, /* the default for link-local and metadata addresses */
    ALK_POLICY_BY_LISTENER,   /* only a rule opens a listener that is not on loopback, or has a
                                 port below 1024 */
};

struct alk_policy_verdict {
    enum alk_policy_outcome outcome;
    enum alk_policy_reason reason;
    size_t rule; /* index of the rule that matched, or ALK_POLICY_NO_RULE */
};

#define ALK_POLICY_NO_RULE SIZE_MAX

/* Judges. resolved: an address of a NAME, that is about to be dialled, else NULL. With an address
 * the outcome is never DEPENDS; without, a NAME is ALLOWED only when no address could be denied,
 * and DENIED only when none could be allowed. */
struct alk_policy_verdict alk_policy_judge(const struct alk_policy *policy,
                                           const struct alk_policy_subject *subject,
                                           const struct alk_policy_target *target,
                                           const struct alk_policy_address *resolved);

/* Judges a target whose addresses will never be seen, because a proxy resolves its name. Never
 * DEPENDS: a name is denied when a rule about networks, or a default for loopback or link-local that
 * was set to deny, could deny one of its addresses; those defaults when unset say nothing about
 * names, whose addresses are looked for where the proxy is. "localhost" and names below it are judged
 * as loopback, numbers as ever. */
struct alk_policy_verdict alk_policy_judge_unseen(const struct alk_policy *policy,
                                                  const struct alk_policy_subject *subject,
                                                  const struct alk_policy_target *target);

/* The rule as it was written; borrowed from the policy. NULL beyond the last. */
const struct alk_policy_rule_text *alk_policy_rule(const struct alk_policy *policy, size_t index);

#endif
