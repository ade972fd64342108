/* RFC 8308 and RFC 8332, and OpenSSH's PROTOCOL and PROTOCOL.chacha20poly1305 for what is spoken
 * here. Packets of OpenSSH's ciphers: framing_test.c. */
#include "support/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* ---- EXT_INFO ---- */

static void wants_ext_info(struct script *s)
{
    s->lists[0] = "curve25519-sha256,ext-info-c";
}

static void ext_info_is_next(struct script *s)
{
    script_newkeys(s);
    must_have_said(s, "7 u:2 s:server-sig-algs "
                      "s:ssh-ed25519-cert-v01@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com,"
                      "ssh-ed25519,sk-ssh-ed25519@openssh.com s:ping@openssh.com s:0");
}

static void no_ext_info(struct script *s)
{
    script_newkeys(s);
    must_have_said(s, "");
}

static void ext_info_again(struct script *s)
{
    script_to(s, AT_OPEN);
    while (script_next(s))
        ;
    alk_ssh_rekey(s->ssh);
    script_run(s);
    s->at = AT_REKEY_INIT;
    assert_true(script_next(s));
    memcpy(s->their_init, s->payload, s->len);
    s->their_init_len = s->len;
    s->init_read = true;
    must_say(s, "@kexinit; @ecdh; @newkeys");
    must_have_said(s, "");
}

static void only_markers(struct script *s)
{
    s->lists[0] = s->role == ALK_SSH_SERVER ? "kex-strict-s-v00@openssh.com,ext-info-c"
                                            : "ext-info-c,kex-strict-c-v00@openssh.com";
}

/* ---- strict key exchange ---- */

static struct alk_reader kexinit_of(struct script *s)
{
    struct alk_reader r = script_take(s, SSH_MSG_KEXINIT);

    alk_get_bytes(&r, 16);
    return r;
}

static bool kex_names(struct script *s, const char *wanted)
{
    struct alk_reader r = kexinit_of(s);
    struct alk_bytes list = alk_get_string(&r);
    char names[256];

    assert_true(list.len < sizeof(names));
    memcpy(names, list.data, list.len);
    names[list.len] = '\0';
    return strstr(names, wanted) != NULL;
}

static const char *our_marker(const struct script *s)
{
    return s->role == ALK_SSH_SERVER ? "kex-strict-s-v00@openssh.com"
                                     : "kex-strict-c-v00@openssh.com";
}

/* A server that waits for no EXT_INFO need not be marked. */
static void marked_as_what_it_is(struct script *s)
{
    bool server = s->role == ALK_SSH_SERVER;

    assert_true(server || kex_names(s, "ext-info-c"));
    script_free(s);
    script_begin(s, server ? ALK_SSH_SERVER : ALK_SSH_CLIENT, AT_INIT);
    assert_false(kex_names(s, server ? "ext-info-c" : "ext-info-s"));
}

static void marker_at_first(struct script *s)
{
    assert_true(kex_names(s, our_marker(s)));
}

static void no_marker_later(struct script *s)
{
    alk_ssh_rekey(s->ssh);
    script_run(s);
    assert_false(kex_names(s, "kex-strict"));
}

static void numbers_begin_anew(struct script *s)
{
    assert_int_equal(s->out.sequence, 0);
    script_to(s, AT_OPEN);
    script_to(s, AT_REKEY_NEWKEYS);
    script_newkeys(s);
    assert_int_equal(s->out.sequence, 0);
    must_say(s, "192 s:x");
    must_have_said(s, "193 s:x");
}

static void marker_late(struct script *s)
{
    s->lists[0] = s->role == ALK_SSH_SERVER ? "curve25519-sha256,kex-strict-c-v00@openssh.com"
                                            : "curve25519-sha256,kex-strict-s-v00@openssh.com";
    script_to(s, AT_REKEY_NEWKEYS);
    script_newkeys(s);
    assert_true(s->out.sequence > 0);
    must_say(s, "192 s:x");
    must_have_said(s, "193 s:x");
}

/* ---- algorithms ---- */

static void old_name(struct script *s)
{
    s->lists[0] = "curve25519-sha256@libssh.org";
}

static void no_macs(struct script *s)
{
    s->lists[4] = s->lists[5] = "hmac-md5";
}

static void to_open(struct script *s)
{
    script_to(s, AT_OPEN);
}

/* ---- channels over Unix sockets ---- */

static void opens_unix(struct script *s)
{
    struct alk_ssh_channel *channel;
    bool server = s->role == ALK_SSH_SERVER;

    assert_int_equal(alk_ssh_channel_open(s->ssh,
                                          server ? ALK_SSH_FORWARDED_UNIX : ALK_SSH_DIRECT_UNIX,
                                          "/run/x", 0, NULL, 0, &channel),
                     0);
    script_run(s);
    must_have_said(s, server ? "90 s:forwarded-streamlocal@openssh.com u:0 u:2097152 u:32768 "
                               "s:/run/x s:"
                             : "90 s:direct-streamlocal@openssh.com u:0 u:2097152 u:32768 "
                               "s:/run/x s: u:0");
}

static void listens_unix(struct script *s)
{
    assert_int_equal(
        alk_ssh_forward_request(s->ssh, ALK_SSH_FORWARDED_UNIX, false, "/run/x", 0, NULL), 0);
    assert_int_equal(
        alk_ssh_forward_request(s->ssh, ALK_SSH_FORWARDED_UNIX, true, "/run/x", 0, NULL), 0);
    script_run(s);
    must_have_said(s, "80 s:streamlocal-forward@openssh.com 1 s:/run/x; "
                      "80 s:cancel-streamlocal-forward@openssh.com 1 s:/run/x");
}

static void path_is_told(struct script *s)
{
    must_say(s, s->role == ALK_SSH_SERVER ? "90 unix u:7 u:1 u:1 s:/run/x s: u:0"
                                          : "90 unix u:7 u:1 u:1 s:/run/x s:");
    assert_string_equal(s->host, "/run/x");
    must_have_said(s, "91 u:7 u:0 u:2097152 u:32768");
}

/* ---- ping and keepalive ---- */

static void ping_in_rekey(struct script *s)
{
    must_say(s, "192 s:late");
    must_have_said(s, "");
    script_to(s, AT_REKEY_NEWKEYS);
    script_newkeys(s);
    must_have_said(s, "193 s:late");
}

static void keepalive_is_answered_by_anything(struct script *s)
{
    static const char *const answers[] = {"81", "82", "2 s:", "93 u:0 u:1"};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        s->now += 30000;
        alk_ssh_tick(s->ssh, s->now);
        script_run(s);
        must_have_said(s, "80 s:keepalive@openssh.com 1");
        must_say(s, answers[i]);
        script_alive(s);
    }
}

static void nobody_answers(struct script *s)
{
    for (int i = 0; i < 3; i++) {
        s->now += 30000;
        alk_ssh_tick(s->ssh, s->now);
        script_run(s);
        must_have_said(s, "80 s:keepalive@openssh.com 1");
    }
    s->now += 30000;
    alk_ssh_tick(s->ssh, s->now);
    script_run(s);
}

/* clang-format off */
static const struct must rows[] = {
    {"RFC 8308, 2.1", "the markers are no methods: agreeing on nothing else ends the session", "offers markers only", OF_BOTH, AT_INIT, .loose = true, .before = only_markers, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"RFC 8308, 2.1", "the marker is that of one's own role", "reads it", OF_BOTH, AT_INIT, .act = marked_as_what_it_is},
    {"RFC 8308, 2.2", "EXT_INFO goes to clients that asked for it, right behind NEWKEYS", "asks", OF_SERVER, AT_NEWKEYS, .loose = true, .before = wants_ext_info, .act = ext_info_is_next},
    {"RFC 8308, 2.2", "EXT_INFO goes to nobody else", "does not ask", OF_SERVER, AT_NEWKEYS, .act = no_ext_info},
    {"RFC 8308, 2.2", "EXT_INFO goes out in the first exchange only", "asks, and exchanges keys again", OF_SERVER, AT_NEWKEYS, .loose = true, .before = wants_ext_info, .act = ext_info_again},
    {"RFC 8308, 2.3", "extensions that are not known are ignored", "sends some with any bytes", OF_BOTH, AT_SERVICE, .says = "7 u:2 s:x@example.org n:1000 s:y s:", .answer = ""},
    {"RFC 8308, 2.3", "there may be none", "sends none", OF_BOTH, AT_SERVICE, .says = "7 u:0", .answer = ""},
    {"RFC 8308, 2.3", "there are as many as it says", "says more", OF_BOTH, AT_SERVICE, .says = "7 u:2 s:x s:y", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"RFC 8308, 2.3", "there are as many as it says", "says 2^32-1", OF_BOTH, AT_SERVICE, .says = "7 u:4294967295", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"RFC 8308, 2.4", "a server may send it before it lets the client in, too", "sends it at the login", OF_CLIENT, AT_AUTH, .says = "7 u:1 s:server-sig-algs s:ssh-ed25519", .answer = ""},
    {"RFC 8308, 2.4", "it comes at no other time", "sends it after the login", OF_BOTH, AT_OPEN, .says = "7 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"RFC 8308, 2.4", "it comes at no other time", "sends it in the exchange", OF_BOTH, AT_DH, .loose = true, .says = "7 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"RFC 8308, 2.4", "it comes at no other time", "sends it before the exchange", OF_BOTH, AT_INIT, .loose = true, .says = "7 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"RFC 8308, 2.4", "it comes at no other time", "sends it before NEWKEYS", OF_BOTH, AT_NEWKEYS, .loose = true, .says = "7 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"RFC 8308, 3.1", "server-sig-algs lists what logins may be signed with", .elsewhere = "the row of 2.2 above"},
    {"RFC 8308, 3.2-3.4", "delay-compression, no-flow-control, elevation", .does_not_apply = "they are neither sent nor acted on"},
    {"RFC 8332", "rsa-sha2-256 and rsa-sha2-512", .does_not_apply = "alknet has no RSA keys"},
    {"RFC 8332, 3.2", "what is not offered is refused without harm", "asks about an RSA key", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:publickey 0 s:rsa-sha2-512 n:279", .answer = "51 s:publickey 0"},

    {"PROTOCOL 1.1-1.4", "UMAC, zlib, and keys and certificates of other types", .does_not_apply = "they are not offered"},
    {"PROTOCOL 1.5", "packets under hmac-sha2-256-etm@openssh.com and hmac-sha2-512-etm@openssh.com", .elsewhere = "framing_test.c"},
    {"PROTOCOL 1.6", "with chacha20-poly1305 and AES-GCM the lists of MACs do not count", "names none that is known", OF_BOTH, AT_INIT, .before = no_macs, .act = to_open},
    {"PROTOCOL 1.6, 1.7", "packets of aes256-gcm@openssh.com and chacha20-poly1305@openssh.com", .elsewhere = "framing_test.c, and cipher_test.c against known packets"},
    {"PROTOCOL 1.8", "curve25519-sha256@libssh.org is curve25519-sha256", "offers that name only", OF_BOTH, AT_INIT, .loose = true, .before = old_name, .act = to_open},
    {"PROTOCOL 1.9", "ping@openssh.com is told with the value 0", .elsewhere = "the row of RFC 8308, 2.2"},
    {"PROTOCOL 1.9", "PING is answered with PONG and its data", "pings", OF_BOTH, AT_OPEN, .says = "192 s:hello; 192 s:", .answer = "193 s:hello; 193 s:"},
    {"PROTOCOL 1.9", "PING is answered with PONG and its data", "pings before the login", OF_BOTH, AT_SERVICE, .says = "192 s:x", .answer = "193 s:x"},
    {"PROTOCOL 1.9", "PONG waits for the end of an exchange", "pings in one", OF_BOTH, AT_REKEY_INIT, .act = ping_in_rekey},
    {"PROTOCOL 1.9", "PING has data", "leaves it out", OF_BOTH, AT_OPEN, .says = "192", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.9", "PING comes under keys", "pings before them", OF_BOTH, AT_DH, .loose = true, .says = "192 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "the first KEXINIT carries the marker", "reads it", OF_BOTH, AT_INIT, .act = marker_at_first},
    {"PROTOCOL 1.10", "later ones do not", "reads the next one", OF_BOTH, AT_OPEN, .act = no_marker_later},
    {"PROTOCOL 1.10", "a marker counts in the first KEXINIT only", "comes with it later", OF_BOTH, AT_OPEN, .loose = true, .act = marker_late},
    {"PROTOCOL 1.10", "KEXINIT is the very first packet", "sends IGNORE before it", OF_BOTH, AT_INIT, .says = "2 s:x; @kexinit", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "KEXINIT is the very first packet", "sends DEBUG before it", OF_BOTH, AT_INIT, .says = "4 0 s: s:; @kexinit", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "KEXINIT is the very first packet", "sends UNIMPLEMENTED before it", OF_BOTH, AT_INIT, .says = "3 u:0; @kexinit", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "nothing else comes in the first exchange", "sends IGNORE after KEXINIT", OF_BOTH, AT_DH, .says = "2 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "nothing else comes in the first exchange", "sends DEBUG after KEXINIT", OF_BOTH, AT_DH, .says = "4 0 s: s:", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "nothing else comes in the first exchange", "sends IGNORE before NEWKEYS", OF_BOTH, AT_NEWKEYS, .says = "2 s:x", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "nothing else comes in the first exchange", "sends UNIMPLEMENTED before NEWKEYS", OF_BOTH, AT_NEWKEYS, .says = "3 u:0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 1.10", "nothing else comes in the first exchange", .elsewhere = "messages_test.c for all 255 numbers"},
    {"PROTOCOL 1.10", "in a later exchange IGNORE may come", "sends it", OF_BOTH, AT_REKEY_DH, .says = "2 s:x; 4 0 s: s:"},
    {"PROTOCOL 1.10", "packet numbers begin anew with each NEWKEYS", "counts", OF_BOTH, AT_SERVICE, .act = numbers_begin_anew},
    {"PROTOCOL 1.11", "ext-info-in-auth@openssh.com: EXT_INFO may come during the login", "sends it", OF_CLIENT, AT_AUTH, .says = "7 u:1 s:server-sig-algs s:ssh-ed25519", .answer = ""},
    {"PROTOCOL 2.1", "eow@openssh.com may be passed over", "sends it", OF_BOTH, AT_OPEN, .channel = true, .says = "98 u:0 s:eow@openssh.com 0", .answer = ""},
    {"PROTOCOL 2.2", "no-more-sessions@openssh.com is granted", "asks for it", OF_SERVER, AT_OPEN, .says = "80 s:no-more-sessions@openssh.com 1; 80 s:no-more-sessions@openssh.com 0", .answer = "81"},
    {"PROTOCOL 2.2", "after that no session is opened", "opens one", OF_SERVER, AT_OPEN, .says = "80 s:no-more-sessions@openssh.com 0; 90 s:session u:5 u:1 u:1", .answer = "92 u:5 u:1 *"},
    {"PROTOCOL 2.3", "tun@openssh.com", "opens one", OF_SERVER, AT_OPEN, .says = "90 s:tun@openssh.com u:5 u:1 u:1 u:1 u:2", .answer = "92 u:5 u:3 *"},
    {"PROTOCOL 2.4", "channels to Unix sockets carry their path", "opens one", OF_BOTH, AT_OPEN, .act = path_is_told},
    {"PROTOCOL 2.4", "channels to Unix sockets carry their path", "reads the engine's", OF_BOTH, AT_OPEN, .act = opens_unix},
    {"PROTOCOL 2.4", "channels to Unix sockets carry their path", "leaves it out", OF_BOTH, AT_OPEN, .says = "90 unix u:5 u:1 u:1", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"PROTOCOL 2.4", "listeners on Unix sockets are asked for and cancelled", "does", OF_SERVER, AT_OPEN, .says = "80 s:streamlocal-forward@openssh.com 1 s:/run/x; 80 s:cancel-streamlocal-forward@openssh.com 1 s:/run/x", .answer = "81; 81"},
    {"PROTOCOL 2.4", "listeners on Unix sockets are asked for and cancelled", "reads the engine's", OF_CLIENT, AT_OPEN, .act = listens_unix},
    {"PROTOCOL 2.4", "a client does not listen for a server", "asks it to", OF_CLIENT, AT_OPEN, .says = "80 s:streamlocal-forward@openssh.com 1 s:/run/x", .answer = "82"},
    {"PROTOCOL 2.5", "hostkeys-00@openssh.com may be passed over", "sends it", OF_CLIENT, AT_OPEN, .says = "80 s:hostkeys-00@openssh.com 0 n:51", .answer = ""},
    {"PROTOCOL 2.5", "hostkeys-prove-00@openssh.com is refused", "asks for proof", OF_SERVER, AT_OPEN, .says = "80 s:hostkeys-prove-00@openssh.com 1 n:51", .answer = "82"},
    {"PROTOCOL 2.6", "SIGINFO", .does_not_apply = "alknet runs no commands"},
    {"PROTOCOL 3.1", "publickey-hostbound-v00@openssh.com is refused where it was not told", "asks with it", OF_SERVER, AT_AUTH, .says = "50 s:user s:ssh-connection s:publickey-hostbound-v00@openssh.com 0 s:ssh-ed25519 n:51 n:51", .answer = "51 s:publickey 0"},
    {"PROTOCOL 4", "SFTP", .does_not_apply = "alknet has no SFTP"},
    {"OpenSSH", "keepalive@openssh.com gets an answer", "sends it", OF_BOTH, AT_OPEN, .says = "80 s:keepalive@openssh.com 1 ", .answer = "82"},
    {"OpenSSH", "any sign of life answers the engine's keepalive", "gives several", OF_BOTH, AT_OPEN, .channel = true, .act = keepalive_is_answered_by_anything},
    {"OpenSSH", "a peer that answers none is given up", "is silent", OF_BOTH, AT_OPEN, .act = nobody_answers, .ends = ALK_SSH_BY_CONNECTION_LOST},
    {"OpenSSH", "keepalive@openssh.com on a channel gets an answer", "sends it", OF_BOTH, AT_OPEN, .channel = true, .says = "98 u:0 s:keepalive@openssh.com 1", .answer = "100 u:5"},
    {"OpenSSH", "agent channels that were not asked for are refused", "opens one", OF_BOTH, AT_OPEN, .says = "90 s:auth-agent@openssh.com u:5 u:1 u:1", .answer = "92 u:5 u:3 *"},
};
/* clang-format on */

int main(int argc, char **argv)
{
    return must_main(argc, argv, "Extensions", rows, sizeof(rows) / sizeof(rows[0]));
}
