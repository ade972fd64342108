/* RFC 4253, the transport. Packet lengths and padding for each cipher: framing_test.c; each
 * message in each state: messages_test.c. */
#include "support/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* ---- identification ---- */

static void read_our_line(struct script *s)
{
    static const char line[] = "SSH-2.0-alknet_" ALK_VERSION "\r\n";

    script_run(s);
    assert_int_equal(s->wire_len, strlen(line));
    assert_memory_equal(s->wire, line, strlen(line));
    script_ident(s);
    assert_true(script_next(s));
    assert_int_equal(s->payload[0], SSH_MSG_KEXINIT);
}

/* A line of so many bytes with its end. */
static void send_line(struct script *s, size_t len)
{
    char line[300] = "SSH-2.0-";

    memset(line + 8, 'x', len - 10);
    memcpy(line + len - 2, "\r\n", 2);
    script_bytes(s, line, len);
}

static void line_of_255(struct script *s)
{
    send_line(s, 255);
}

static void line_of_256(struct script *s)
{
    send_line(s, 256);
}

/* ---- packets ---- */

static void payload_of_32768(struct script *s)
{
    static const uint8_t payload[32768] = {SSH_MSG_IGNORE};

    script_send(s, payload, sizeof(payload));
}

/* 35,000 bytes of packet, without a tag. */
static void whole_of_35000(struct script *s)
{
    static const uint8_t payload[34990] = {SSH_MSG_IGNORE};
    static uint8_t packet[35100];
    size_t len = script_seal(s, payload, sizeof(payload) - (s->out.keyed ? 4 : 0), 0, packet);

    script_bytes(s, packet, len);
}

static void forge(struct script *s)
{
    static const uint8_t payload[] = {SSH_MSG_IGNORE, 0, 0, 0, 0};
    uint8_t packet[64];
    size_t len = script_seal(s, payload, sizeof(payload), 0, packet);

    packet[len - 1] ^= 1;
    script_bytes(s, packet, len);
}

static void repeat(struct script *s)
{
    static const uint8_t payload[] = {SSH_MSG_IGNORE, 0, 0, 0, 0};
    uint8_t packet[64];
    size_t len = script_seal(s, payload, sizeof(payload), 0, packet);

    script_bytes(s, packet, len);
    script_alive(s);
    script_bytes(s, packet, len);
}

static void numbers_go_on(struct script *s)
{
    assert_true(s->out.sequence > 4);
    script_to(s, AT_REKEY_NEWKEYS);
    script_newkeys(s);
    assert_true(s->out.sequence > 7); /* the number is the nonce: nothing would be understood */
    must_say(s, "2 s:");
}

/* ---- key exchange ---- */

static void no_kex(struct script *s)
{
    s->lists[0] = "ecdh-sha2-nistp256";
}
static void no_host_key(struct script *s)
{
    s->lists[1] = "ssh-rsa";
}
static void no_cipher_up(struct script *s)
{
    s->lists[2] = "aes128-cbc";
}
static void no_cipher_down(struct script *s)
{
    s->lists[3] = "aes128-cbc";
}
static void no_compression_up(struct script *s)
{
    s->lists[6] = "zlib";
}
static void no_compression_down(struct script *s)
{
    s->lists[7] = "zlib";
}
static void empty_kex(struct script *s)
{
    s->lists[0] = "";
}
static void empty_host_key(struct script *s)
{
    s->lists[1] = "";
}
static void empty_cipher_up(struct script *s)
{
    s->lists[2] = "";
}
static void empty_cipher_down(struct script *s)
{
    s->lists[3] = "";
}
static void empty_compression_up(struct script *s)
{
    s->lists[6] = "";
}
static void empty_compression_down(struct script *s)
{
    s->lists[7] = "";
}

/* MACs count with a cipher only that has none of its own. */
static void offer_macs(struct script *s, const char *up, const char *down)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    enum alk_ssh_role role = s->role;

    script_free(s);
    options.ciphers = "aes256-ctr";
    script_start(s, role, &options);
    s->lists[2] = s->lists[3] = "aes256-ctr";
    s->lists[4] = up;
    s->lists[5] = down;
    script_to(s, AT_INIT);
    must_say(s, "@kexinit");
}
static void no_mac_up(struct script *s)
{
    offer_macs(s, "hmac-md5", "hmac-sha2-256");
}
static void no_mac_down(struct script *s)
{
    offer_macs(s, "hmac-sha2-256", "hmac-md5");
}
static void empty_mac_up(struct script *s)
{
    offer_macs(s, "", "hmac-sha2-256");
}
static void empty_mac_down(struct script *s)
{
    offer_macs(s, "hmac-sha2-256", "");
}

static void cookies_differ(struct script *s)
{
    static const uint8_t zeros[16];
    uint8_t first[16];
    struct alk_reader r = script_take(s, SSH_MSG_KEXINIT);

    memcpy(first, alk_get_bytes(&r, sizeof(first)).data, sizeof(first));
    assert_memory_not_equal(first, zeros, sizeof(first));
    enum alk_ssh_role role = s->role;
    script_free(s);
    script_begin(s, role, AT_INIT);
    r = script_take(s, SSH_MSG_KEXINIT);
    assert_memory_not_equal(alk_get_bytes(&r, sizeof(first)).data, first, sizeof(first));
}

static void languages(struct script *s)
{
    s->lists[8] = s->lists[9] = "de,x-unknown";
}

static void prefers_others(struct script *s)
{
    s->lists[0] = "x@example.org,curve25519-sha256";
    s->lists[1] = "y@example.org,ssh-ed25519";
}

static void guesses_right(struct script *s)
{
    s->guess = true;
}

static void guesses_wrong(struct script *s)
{
    s->guess = true;
    s->lists[0] = "ecdh-sha2-nistp256,curve25519-sha256";
}

static void junk_then_login(struct script *s)
{
    must_say(s, s->role == ALK_SSH_SERVER ? "30 z:60" : "31 z:90");
    script_to(s, AT_OPEN);
}

static void to_open(struct script *s)
{
    script_to(s, AT_OPEN);
}

static void change_host_key(struct script *s)
{
    alk_key_free(s->host_key);
    assert_int_equal(alk_key_generate(&s->host_key), 0);
    script_reply(s);
}

static void spoil(struct script *s)
{
    s->spoil_signature = true;
    script_reply(s);
}

/* NEWKEYS, but then a packet under no keys. */
static void old_keys_after_newkeys(struct script *s)
{
    struct script_direction old = s->out;

    script_newkeys(s);
    old.sequence = s->out.sequence;
    s->out = old;
    must_say(s, "2 s:");
}

static void newkeys_then_login(struct script *s)
{
    script_newkeys(s);
    s->at = AT_SERVICE;
    script_to(s, AT_OPEN);
}

/* A second exchange before the login: the login is signed for the first one's hash. */
static void rekey_then_login(struct script *s)
{
    must_say(s, "@kexinit; @ecdh; @newkeys");
    assert_memory_not_equal(s->hash, s->session_id, SCRIPT_HASH);
    must_say(s, "@login");
    script_take(s, SSH_MSG_USERAUTH_SUCCESS);
}

static void login_for_new_hash(struct script *s)
{
    must_say(s, "@kexinit; @ecdh; @newkeys");
    memcpy(s->session_id, s->hash, SCRIPT_HASH);
    while (script_next(s))
        ;
    must_say(s, "@login");
}

static void rekey_by_peer(struct script *s)
{
    must_say(s, "@kexinit");
    assert_true(script_next(s));
    assert_int_equal(s->payload[0], SSH_MSG_KEXINIT);
    memcpy(s->their_init, s->payload, s->len);
    s->their_init_len = s->len;
    s->init_read = true;
    must_say(s, "@ecdh; @newkeys; 2 s:");
}

static void silent_until_newkeys(struct script *s)
{
    must_say(s, "192 s:x; 80 s:unknown 1; 90 open u:6 u:100 u:100 s:h u:80 s:o u:1");
    assert_int_equal(alk_ssh_channel_write(s->ssh, s->channel, "x", 1), 0);
    must_have_said(s, "");
    s->at = AT_REKEY_INIT;
    script_to(s, AT_REKEY_NEWKEYS);
    script_newkeys(s);
}

static void in_flight(struct script *s)
{
    must_say(s, "94 u:0 s:data");
    assert_int_equal(s->received, 4);
}

/* ---- disconnecting ---- */

static void talk_on(struct script *s)
{
    must_say(s, "1 u:11 s:bye s:");
    assert_int_equal(s->status, ALK_E_CLOSED);
    must_say(s, "192 s:x; 80 s:keepalive@openssh.com 1; 94 u:0 s:data");
    assert_int_equal(s->received, 0);
    alk_ssh_probe(s->ssh);
    assert_int_equal(alk_ssh_channel_write(s->ssh, s->channel, "x", 1), 0);
    script_run(s);
}

static void disconnect_ours(struct script *s)
{
    alk_ssh_disconnect(s->ssh, ALK_SSH_BY_APPLICATION, "bye");
    script_run(s);
    must_say(s, "192 s:x; 80 s:keepalive@openssh.com 1");
    must_have_said(s, "1 u:11 s:bye s:");
}

/* clang-format off */
static const struct must rows[] = {
    {"4.2", "both sides send an identification, ended by CR LF, and packets follow", "reads it", OF_BOTH, AT_START, .act = read_our_line},
    {"4.2", "the protocol version is 2.0", "says 1.5", OF_BOTH, AT_START, .bytes = "SSH-1.5-old\r\n", .dies = ALK_E_PROTO},
    {"4.2", "the protocol version is 2.0", "says 2.1", OF_BOTH, AT_START, .bytes = "SSH-2.1-new\r\n", .dies = ALK_E_PROTO},
    {"4.2", "the protocol version is 2.0", "says 2", OF_BOTH, AT_START, .bytes = "SSH-2-x\r\n", .dies = ALK_E_PROTO},
    {"4.2", "a software version follows", "leaves it out", OF_BOTH, AT_START, .bytes = "SSH-2.0-\r\n", .dies = ALK_E_PROTO},
    {"4.2", "comments are set apart by a space", "adds comments", OF_BOTH, AT_START, .bytes = "SSH-2.0-x some comments\r\n"},
    {"4.2", "the line ends with CR LF; old peers leave CR out", "sends LF only", OF_BOTH, AT_START, .bytes = "SSH-2.0-x\n"},
    {"4.2", "no null character is sent", "sends one", OF_BOTH, AT_START, .bytes = "SSH-2.0-a\0b\r\n", .bytes_len = 13, .dies = ALK_E_PROTO},
    {"4.2", "versions are of printable characters", "sends a control character", OF_BOTH, AT_START, .bytes = "SSH-2.0-a\x1b[2J\r\n", .dies = ALK_E_PROTO},
    {"4.2", "the line has 255 characters at most, CR LF included", "sends 255", OF_BOTH, AT_START, .act = line_of_255},
    {"4.2", "the line has 255 characters at most, CR LF included", "sends 256", OF_BOTH, AT_START, .act = line_of_256, .dies = ALK_E_PROTO},
    {"4.2", "a client copes with lines before the server's version", "sends two lines first", OF_CLIENT, AT_START, .bytes = "Welcome\r\nto this\r\nSSH-2.0-x\r\n"},
    {"4.2", "only a server sends lines before its version", "sends a line first", OF_SERVER, AT_START, .bytes = "Hello\r\nSSH-2.0-x\r\n", .dies = ALK_E_PROTO},
    {"4.2", "lines before the version do not begin with SSH-", "sends such a line", OF_CLIENT, AT_START, .bytes = "SSH-like\r\nSSH-2.0-x\r\n", .dies = ALK_E_PROTO},
    {"5.1", "a client takes 1.99 for 2.0", "says 1.99", OF_CLIENT, AT_START, .bytes = "SSH-1.99-both\r\n"},
    {"5.2", "compatibility with version 1", .does_not_apply = "alknet speaks 2.0 only"},

    {"6", "padding has 4 bytes at least, 255 at most, and fills blocks of 8 or the cipher's", .elsewhere = "framing_test.c, for each cipher and each length of padding"},
    {"6", "the engine's own packets are made so too", .elsewhere = "support/script.c, which checks each packet that it reads"},
    {"6", "at first neither compression nor MAC are in use", "exchanges keys", OF_BOTH, AT_START, .act = to_open},
    {"6.1", "a payload of 32,768 bytes is handled", "sends one before the keys", OF_BOTH, AT_INIT, .loose = true, .act = payload_of_32768},
    {"6.1", "a payload of 32,768 bytes is handled", "sends one before the login", OF_BOTH, AT_AUTH, .act = payload_of_32768, .answer = ""},
    {"6.1", "a payload of 32,768 bytes is handled", "sends one after the login", OF_BOTH, AT_OPEN, .act = payload_of_32768, .answer = ""},
    {"6.1", "a packet of 35,000 bytes is handled", "sends one before the keys", OF_BOTH, AT_INIT, .loose = true, .act = whole_of_35000},
    {"6.1", "a packet of 35,000 bytes is handled", "sends one before the login", OF_BOTH, AT_AUTH, .act = whole_of_35000, .answer = ""},
    {"6.1", "lengths are checked for being reasonable", .elsewhere = "framing_test.c"},
    {"6.2", "\"none\" is spoken, each direction on its own", "offers zlib only, for one direction", OF_BOTH, AT_INIT, .before = no_compression_up, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"6.2", "\"none\" is spoken, each direction on its own", "offers zlib only, for the other", OF_BOTH, AT_INIT, .before = no_compression_down, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"6.3", "the two directions run ciphers independent of each other", .elsewhere = "framing_test.c, for each pair of ciphers"},
    {"6.3", "3des-cbc, \"none\" and others", .does_not_apply = "only what docs/adr/0001 names is offered; RFC 8758 and 9142 took back the old demands"},
    {"6.4", "a packet whose MAC is wrong ends the session", "spoils a tag before the login", OF_BOTH, AT_AUTH, .act = forge, .ends = ALK_SSH_BY_MAC_ERROR},
    {"6.4", "a packet whose MAC is wrong ends the session", "spoils a tag after the login", OF_BOTH, AT_OPEN, .act = forge, .ends = ALK_SSH_BY_MAC_ERROR},
    {"6.4", "packets are numbered, so none can be played again", "sends a packet twice", OF_BOTH, AT_OPEN, .act = repeat, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"6.4", "the number is never reset, not by new keys either (but: strict key exchange)", "exchanges keys anew", OF_BOTH, AT_OPEN, .loose = true, .act = numbers_go_on},
    {"6.6", "the host key is of the type agreed on", "sends another type", OF_CLIENT, AT_DH, .says = "31 s:ssh-rsa n:32 n:83", .ends = ALK_SSH_BY_PROTOCOL_ERROR},

    {"7", "key exchange begins with a KEXINIT of each side", "waits", OF_BOTH, AT_START, .act = to_open},
    {"7", "nothing else comes before KEXINIT", "begins with the exchange itself", OF_SERVER, AT_INIT, .says = "30 n:32", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7", "nothing else comes before KEXINIT", "begins with the exchange itself", OF_CLIENT, AT_INIT, .says = "31 n:51 n:32 n:83", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7", "nothing else comes before KEXINIT", "asks for a service", OF_SERVER, AT_INIT, .says = "5 s:ssh-userauth", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "without a common key exchange method both disconnect", "offers another one", OF_BOTH, AT_INIT, .before = no_kex, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "without a common host key type both disconnect", "offers ssh-rsa", OF_BOTH, AT_INIT, .before = no_host_key, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "without a common cipher both disconnect", "offers another to the server", OF_BOTH, AT_INIT, .before = no_cipher_up, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "without a common cipher both disconnect", "offers another to the client", OF_BOTH, AT_INIT, .before = no_cipher_down, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "without a common MAC both disconnect", "offers another to the server", OF_BOTH, AT_START, .act = no_mac_up, .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "without a common MAC both disconnect", "offers another to the client", OF_BOTH, AT_START, .act = no_mac_down, .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no method", OF_BOTH, AT_INIT, .before = empty_kex, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no host key type", OF_BOTH, AT_INIT, .before = empty_host_key, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no cipher for one direction", OF_BOTH, AT_INIT, .before = empty_cipher_up, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no cipher for the other", OF_BOTH, AT_INIT, .before = empty_cipher_down, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no MAC for one direction", OF_BOTH, AT_START, .act = empty_mac_up, .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no MAC for the other", OF_BOTH, AT_START, .act = empty_mac_down, .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no compression for one direction", OF_BOTH, AT_INIT, .before = empty_compression_up, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "each list of algorithms names one at least", "sends no compression for the other", OF_BOTH, AT_INIT, .before = empty_compression_down, .says = "@kexinit", .ends = ALK_SSH_BY_KEX_FAILED},
    {"7.1", "the cookie is random", "reads those of two sessions", OF_BOTH, AT_INIT, .act = cookies_differ},
    {"7.1", "languages are negotiated, and may be passed over", "names two", OF_BOTH, AT_INIT, .before = languages, .act = to_open},
    {"7.1", "the first name of the client's that the server has too is taken", "prefers what nobody knows", OF_BOTH, AT_INIT, .loose = true, .before = prefers_others, .act = to_open},
    {"7.1", "what follows a wrong guess is passed over", "guesses wrong", OF_BOTH, AT_DH, .loose = true, .before = guesses_wrong, .act = junk_then_login},
    {"7.1", "what follows a right guess is the exchange", "guesses right", OF_BOTH, AT_DH, .before = guesses_right, .act = to_open},
    {"7.1", "a wrong guess that was not told is an error", "sends another exchange's message", OF_BOTH, AT_DH, .loose = true, .says = "34 u:1024 u:2048 u:8192", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes no SERVICE_REQUEST or _ACCEPT", "sends one", OF_SERVER, AT_DH, .loose = true, .says = "5 s:ssh-userauth", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes no SERVICE_REQUEST or _ACCEPT", "sends one", OF_CLIENT, AT_DH, .loose = true, .says = "6 s:ssh-userauth", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes no second KEXINIT", "sends one", OF_BOTH, AT_DH, .loose = true, .says = "@kexinit", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes no second KEXINIT", "sends one when keys are exchanged anew", OF_BOTH, AT_REKEY_DH, .says = "@kexinit", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes nothing of the login", "sends a login", OF_SERVER, AT_DH, .loose = true, .says = "50 s:user s:ssh-connection s:none", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes nothing of the login", "lets the client in", OF_CLIENT, AT_DH, .loose = true, .says = "52", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes nothing of the connection", "opens a channel in the first exchange", OF_BOTH, AT_DH, .loose = true, .says = "90 open u:5 u:1 u:1 s:h u:1 s:o u:1", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "behind KEXINIT comes nothing of the connection", .elsewhere = "messages_test.c for later exchanges, where it is tolerated (docs/adr/0017-messages-in-a-rekey.md)"},
    {"7.1", "IGNORE, DEBUG and UNIMPLEMENTED may come meanwhile", "sends all three", OF_BOTH, AT_DH, .loose = true, .says = "2 s:x; 4 1 s:x s:; 3 u:0", .answer = ""},
    {"7.1", "between its KEXINIT and its NEWKEYS the engine sends nothing of the connection", "asks for answers", OF_BOTH, AT_REKEY_INIT, .channel = true, .act = silent_until_newkeys},
    {"7.1", "what was on its way when the engine sent KEXINIT is handled", "sends data before its own", OF_BOTH, AT_REKEY_INIT, .channel = true, .act = in_flight, .answer = ""},
    {"7.1", "a KEXINIT has all its lists", "leaves some out", OF_BOTH, AT_INIT, .says = "20 z:16 s:curve25519-sha256 s:ssh-ed25519", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.1", "a KEXINIT has nothing behind its reserved field", "adds a byte", OF_BOTH, AT_INIT, .says = "20 z:16 s:curve25519-sha256 s:ssh-ed25519 s:a s:a s: s: s:none s:none s: s: 0 u:0 0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.2", "the first exchange's hash stays the session's identifier", "logs in after a second exchange", OF_SERVER, AT_AUTH, .act = rekey_then_login},
    {"7.2", "the first exchange's hash stays the session's identifier", "signs the second one's hash", OF_SERVER, AT_AUTH, .act = login_for_new_hash, .answer = "51 s:publickey 0"},
    {"7.3", "NEWKEYS comes under the old keys, all else under the new", "logs in under the new keys", OF_BOTH, AT_NEWKEYS, .act = newkeys_then_login},
    {"7.3", "NEWKEYS comes under the old keys, all else under the new", "goes on without keys", OF_BOTH, AT_NEWKEYS, .act = old_keys_after_newkeys, .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.3", "NEWKEYS ends an exchange", "sends one that nobody waits for", OF_BOTH, AT_SERVICE, .says = "21", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.3", "NEWKEYS ends an exchange", "sends one before the exchange", OF_BOTH, AT_DH, .loose = true, .says = "21", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"7.3", "NEWKEYS is nothing but its number", "adds a byte", OF_BOTH, AT_NEWKEYS, .says = "21 0", .ends = ALK_SSH_BY_PROTOCOL_ERROR},

    {"8", "a value out of range ends the exchange", "sends the zero point", OF_SERVER, AT_DH, .says = "30 n:32", .ends = ALK_SSH_BY_KEX_FAILED},
    {"8", "a value out of range ends the exchange", "sends a short point", OF_SERVER, AT_DH, .says = "30 n:31", .ends = ALK_SSH_BY_KEX_FAILED},
    {"8", "a value out of range ends the exchange", "sends a long point", OF_SERVER, AT_DH, .says = "30 n:33", .ends = ALK_SSH_BY_KEX_FAILED},
    {"8", "a value out of range ends the exchange", "sends the zero point", OF_CLIENT, AT_DH, .says = "31 n:51 n:32 n:83", .ends = ALK_SSH_BY_KEX_FAILED},
    {"8", "a value out of range ends the exchange", .elsewhere = "ssh_kex_test.c for all points of small order"},
    {"8", "the client verifies the signature of the exchange", "spoils it", OF_CLIENT, AT_DH, .act = spoil, .ends = ALK_SSH_BY_KEX_FAILED},
    {"8.1", "diffie-hellman-group1-sha1 and group14-sha1", .does_not_apply = "RFC 9142 took the demand back"},

    {"9", "either side may begin a new exchange, and the other answers", "begins", OF_BOTH, AT_OPEN, .act = rekey_by_peer, .answer = ""},
    {"9", "none is begun while one runs", .elsewhere = "ssh_rekey_test.c, test_both_begin_at_once"},
    {"9", "the server proves its host key again", "comes with another key", OF_CLIENT, AT_REKEY_DH, .act = change_host_key, .ends = ALK_SSH_BY_HOST_KEY},
    {"9", "the server proves its host key again", "spoils the signature", OF_CLIENT, AT_REKEY_DH, .act = spoil, .ends = ALK_SSH_BY_KEX_FAILED},

    {"10", "a service that is refused ends the session", "asks for another one", OF_SERVER, AT_SERVICE, .says = "5 s:ssh-nothing", .ends = ALK_SSH_BY_SERVICE_NOT_AVAILABLE},
    {"10", "a service that is refused ends the session", "asks for ssh-connection before the login", OF_SERVER, AT_SERVICE, .says = "5 s:ssh-connection", .ends = ALK_SSH_BY_SERVICE_NOT_AVAILABLE},
    {"10", "a service that is granted is accepted", "asks for ssh-userauth", OF_SERVER, AT_SERVICE, .says = "5 s:ssh-userauth", .answer = "6 s:ssh-userauth"},
    {"10", "only what was asked for is accepted", "accepts another service", OF_CLIENT, AT_SERVICE, .says = "6 s:ssh-connection", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"10", "a client asks, a server accepts", "accepts as a client", OF_SERVER, AT_SERVICE, .says = "6 s:ssh-userauth", .ends = ALK_SSH_BY_PROTOCOL_ERROR},
    {"10", "a client asks, a server accepts", "asks as a server", OF_CLIENT, AT_SERVICE, .says = "5 s:ssh-userauth", .ends = ALK_SSH_BY_PROTOCOL_ERROR},

    {"11.1", "nothing is sent or taken after DISCONNECT came", "disconnects and talks on", OF_BOTH, AT_OPEN, .channel = true, .act = talk_on, .dies = ALK_E_CLOSED, .answer = ""},
    {"11.1", "nothing is sent or taken after DISCONNECT was sent", "talks on", OF_BOTH, AT_OPEN, .act = disconnect_ours, .dies = ALK_E_CLOSED},
    {"11.1", "DISCONNECT is understood at any time", "sends it before the keys", OF_BOTH, AT_INIT, .says = "1 u:2 s:bye s:", .dies = ALK_E_CLOSED},
    {"11.1", "DISCONNECT is understood at any time", "sends it in the exchange", OF_BOTH, AT_DH, .says = "1 u:2 s:bye s:", .dies = ALK_E_CLOSED},
    {"11.1", "DISCONNECT is understood at any time", "sends it at the login", OF_BOTH, AT_AUTH, .says = "1 u:2 s:bye s:", .dies = ALK_E_CLOSED},
    {"11.2", "IGNORE is understood and ignored at any time", "sends it at the login", OF_BOTH, AT_AUTH, .says = "2 s:x; 2 s:", .answer = ""},
    {"11.2", "IGNORE is understood and ignored at any time", "sends it after the login", OF_BOTH, AT_OPEN, .says = "2 n:30000; 2 s:", .answer = ""},
    {"11.3", "DEBUG is understood, and may be ignored", "sends it at the login", OF_BOTH, AT_AUTH, .says = "4 1 s:look s:en; 4 0 s: s:", .answer = ""},
    {"11.3", "DEBUG is understood, and may be ignored", "sends it after the login", OF_BOTH, AT_OPEN, .says = "4 1 s:look s:en", .answer = ""},
    {"11.4", "what is not known is answered with UNIMPLEMENTED, in the order of coming", "sends three", OF_BOTH, AT_OPEN, .says = "200; 2 s:; 201 s:x; 255", .answer = "3 *; 3 *; 3 *"},
    {"11.4", "what is not known is answered with UNIMPLEMENTED", "sends it before the login", OF_BOTH, AT_SERVICE, .says = "79", .answer = "3 u:0"},
    {"11.4", "UNIMPLEMENTED names the packet's number", .elsewhere = "messages_test.c, test_unimplemented_names_the_packet"},
    {"11.4", "UNIMPLEMENTED itself is not answered", "sends it", OF_BOTH, AT_OPEN, .says = "3 u:7", .answer = ""},
};
/* clang-format on */

int main(int argc, char **argv)
{
    return must_main(argc, argv, "RFC 4253", rows, sizeof(rows) / sizeof(rows[0]));
}
