/* The key exchange against a scripted peer: negotiation, guesses, values, strictness, packet
 * limits. (Which message is legal when: ssh_conformance_test.c; later exchanges:
 * ssh_rekey_test.c.) */
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- strictness ---- */

static void test_sequence_numbers(void **state)
{
    struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (int strict = 0; strict < 2; strict++) {
            script_start(&s, role, NULL);
            s.strict = strict;
            script_to(&s, AT_SERVICE);
            /* the number is chacha20's nonce, so a login shows that both count alike */
            assert_int_equal(s.out.sequence, strict ? 0 : 3);
            script_to(&s, AT_REKEY_NEWKEYS);
            script_newkeys(&s);
            script_alive(&s);
            assert_true(strict ? s.out.sequence == 0 : s.out.sequence > 5);
            script_open_channel(&s, 1, 1000, 1000);
            script_free(&s);
        }
    }
}

static void test_nothing_before_a_strict_exchange(void **state)
{
    static const uint8_t early[] = {SSH_MSG_IGNORE, SSH_MSG_UNIMPLEMENTED, SSH_MSG_DEBUG};
    struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (size_t i = 0; i < sizeof(early); i++) {
            for (int strict = 0; strict < 2; strict++) {
                script_begin(&s, role, AT_INIT);
                s.strict = strict;
                script_send_type(&s, early[i]);
                if (early[i] == SSH_MSG_IGNORE)
                    script_alive(&s);
                script_kexinit(&s);
                if (strict)
                    script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
                else
                    script_alive(&s);
                script_free(&s);
            }
        }
    }
}

static void test_strictness_is_settled_once(void **state)
{
    struct script s;

    (void)state;
    script_start(&s, ALK_SSH_SERVER, NULL);
    s.strict = false;
    script_to(&s, AT_REKEY_INIT);
    s.lists[0] = "curve25519-sha256,kex-strict-c-v00@openssh.com";
    script_to(&s, AT_REKEY_NEWKEYS);
    script_newkeys(&s);
    script_open_channel(&s, 1, 1000, 1000);
    script_free(&s);
}

/* ---- guesses ---- */

static void send_junk_guess(struct script *s)
{
    uint8_t payload[100] = {s->role == ALK_SSH_SERVER ? SSH_MSG_KEX_ECDH_INIT
                                                      : SSH_MSG_KEX_ECDH_REPLY};
    script_send(s, payload, sizeof(payload));
}

static void test_guesses(void **state)
{
    static const struct {
        const char *kex, *host_key;
        bool right;
    } table[] = {
        {"curve25519-sha256", "ssh-ed25519", true},
        {"curve25519-sha256,ecdh-sha2-nistp256", "ssh-ed25519,ssh-rsa", true},
        {"curve25519-sha256@libssh.org", "ssh-ed25519", false},
        {"ecdh-sha2-nistp256,curve25519-sha256", "ssh-ed25519", false},
        {"curve25519-sha256", "ssh-rsa,ssh-ed25519", false},
    };
    struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
            script_begin(&s, role, AT_INIT);
            s.strict = false;
            s.lists[0] = table[i].kex;
            s.lists[1] = table[i].host_key;
            s.guess = true;
            script_to(&s, AT_DH);
            if (!table[i].right)
                send_junk_guess(&s);
            script_to(&s, AT_OPEN); /* a right guess is the message itself */
            script_free(&s);
        }
    }
}

static void test_only_one_guess_is_skipped(void **state)
{
    struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (int told = 0; told < 2; told++) {
            script_begin(&s, role, AT_INIT);
            s.strict = false;
            s.lists[0] = "ecdh-sha2-nistp256,curve25519-sha256";
            s.guess = told;
            script_to(&s, AT_DH);
            send_junk_guess(&s);
            if (told) {
                script_alive(&s);
                send_junk_guess(&s);
            }
            assert_int_not_equal(s.status, 0);
            script_free(&s);
        }
    }
}

/* ---- values ---- */

static void send_point(struct script *s, const uint8_t *point, size_t len)
{
    uint8_t payload[512], signature[ALK_SIGNATURE_BLOB_SIZE] = {0};
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (s->role == ALK_SSH_SERVER) {
        alk_put_u8(&w, SSH_MSG_KEX_ECDH_INIT);
        alk_put_string(&w, point, len);
    } else {
        alk_put_u8(&w, SSH_MSG_KEX_ECDH_REPLY);
        alk_put_string(&w, alk_key_blob(s->host_key), ALK_KEY_BLOB_SIZE);
        alk_put_string(&w, point, len);
        alk_put_string(&w, signature, sizeof(signature));
    }
    script_send_writer(s, &w);
}

static void refuses_point(const uint8_t *point, size_t len)
{
    struct script s;

    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        script_begin(&s, role, AT_DH);
        send_point(&s, point, len);
        script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_KEX_FAILED);
        assert_int_equal(s.events[ALK_SSH_HOST_KEY], 0);
        script_free(&s);
    }
}

static void test_illegal_points(void **state)
{
    /* the points of small order, and the same above the field's prime */
    static const uint8_t small_order[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    };
    uint8_t point[64];

    (void)state;
    for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
        refuses_point(small_order[i], 32);
    memset(point, 0xff, sizeof(point));
    point[31] = 0x7f;
    for (int low = 0xec; low <= 0xee; low++) { /* p - 1, p, p + 1 */
        point[0] = (uint8_t)low;
        refuses_point(point, 32);
    }
    memset(point, 9, sizeof(point));
    refuses_point(point, 0);
    refuses_point(point, 31);
    refuses_point(point, 33);
    refuses_point(point, 64);
}

static void test_wrong_host_key_signature(void **state)
{
    struct script s;

    (void)state;
    script_begin(&s, ALK_SSH_CLIENT, AT_DH);
    s.spoil_signature = true;
    script_ecdh(&s);
    script_ended(&s, ALK_E_CRYPTO, ALK_SSH_BY_KEX_FAILED);
    assert_int_equal(s.events[ALK_SSH_HOST_KEY], 0);
    script_free(&s);
}

static bool refuse_to_judge(struct script *s, const struct alk_ssh_event *event)
{
    if (event->type != ALK_SSH_HOST_KEY)
        return false;
    assert_false(alk_ssh_wants_input(s->ssh));
    alk_ssh_disconnect(s->ssh, ALK_SSH_BY_HOST_KEY, "unknown host key");
    return true;
}

static void test_client_waits_for_the_verdict(void **state)
{
    struct script s;

    (void)state;
    script_begin(&s, ALK_SSH_CLIENT, AT_DH);
    s.on_event = refuse_to_judge;
    script_reply(&s);
    script_ended(&s, ALK_E_CLOSED, ALK_SSH_BY_HOST_KEY);
    assert_int_equal(s.events[ALK_SSH_HOST_KEY], 1);
    script_free(&s);
}

/* ---- name lists ---- */

static void negotiate(enum alk_ssh_role role, int list, const char *names, bool succeeds)
{
    static struct script s;

    script_begin(&s, role, AT_INIT);
    s.strict = false;
    s.lists[list] = names;
    script_kexinit(&s);
    if (succeeds)
        script_alive(&s);
    else
        script_ended(&s, ALK_E_UNSUPPORTED, ALK_SSH_BY_KEX_FAILED);
    script_free(&s);
}

static void test_lists_without_a_common_name(void **state)
{
    static const char *const none[] = {
        "", ",", ",,,", "unknown", "unknown,", "ssh-ed2551", "curve25519-sha256x,none "};

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (int list = 0; list < SCRIPT_LISTS; list++) {
            /* the cipher has its own MAC, and languages matter to nobody */
            bool matters = list != 4 && list != 5 && list < 8;
            for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                negotiate(role, list, none[i], !matters);
        }
        /* markers are no methods */
        negotiate(role, 0, "kex-strict-s-v00@openssh.com", false);
        negotiate(role, 0, "kex-strict-c-v00@openssh.com", false);
        negotiate(role, 0, "ext-info-c,ext-info-s", false);
        negotiate(role, 0, "ext-info-x,curve25519-sha256@libssh.org", true);
        negotiate(role, 6, "zlib,none", true);
        negotiate(role, 6, "zlib", false);
    }
}

static void test_huge_lists(void **state)
{
    enum { LONG = 30000 };
    char *names = malloc(LONG + 64);

    (void)state;
    assert_non_null(names);
    for (int i = 0; i < LONG; i++)
        names[i] = i % 2 ? ',' : 'a';
    names[LONG] = '\0';
    negotiate(ALK_SSH_SERVER, 0, names, false);
    strcpy(names + LONG, "curve25519-sha256");
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        negotiate(role, 0, names, true);
    }
    memset(names, 'a', LONG); /* one endless name */
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        negotiate(role, 0, names, false);
    }
    free(names);
}

static void test_malformed_kexinit(void **state)
{
    static struct script s;
    static uint8_t init[2000];

    (void)state;
    script_begin(&s, ALK_SSH_SERVER, AT_DH);
    size_t whole = s.my_init_len;
    memcpy(init, s.my_init, whole);
    script_free(&s);
    for (size_t len = 1; len < whole; len++) {
        script_begin(&s, ALK_SSH_SERVER, AT_INIT);
        script_send(&s, init, len);
        script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        script_free(&s);
    }
    script_begin(&s, ALK_SSH_SERVER, AT_INIT);
    script_send(&s, init, whole + 1);
    script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
    script_free(&s);
}

/* ---- packets ---- */

static void test_illegal_packets_before_keys(void **state)
{
    static const struct {
        uint32_t length;
        uint8_t padding;
        bool legal;
    } table[] = {
        {0, 4, false},        {1, 0, false},          {4, 4, false},
        {5, 4, false},        {11, 4, false},         {12, 3, false},
        {12, 0, false},       {12, 11, false},        {12, 12, false},
        {12, 255, false},     {12, 10, true},         {12, 4, true},
        {13, 4, false},       {20, 4, true},          {20, 18, true},
        {20, 19, false},      {34996, 4, true},       {34996, 255, true},
        {35004, 4, false},    {35000, 4, false},      {262140, 4, false},
        {1U << 31, 4, false}, {UINT32_MAX, 4, false}, {UINT32_MAX - 3, 4, false},
    };
    static uint8_t packet[36000];
    static struct script s;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint32_t length = table[i].length;
        memset(packet, 0, sizeof(packet));
        for (int b = 0; b < 4; b++)
            packet[b] = (uint8_t)(length >> (24 - 8 * b));
        packet[4] = table[i].padding;
        packet[5] = SSH_MSG_IGNORE;
        script_begin(&s, ALK_SSH_SERVER, AT_INIT);
        /* IGNORE without its text is malformed only to a reader of it */
        script_bytes(&s, packet, table[i].legal ? length + 4 : 64);
        if (table[i].legal && s.status != 0)
            fail_msg("length %u, padding %u: %s", length, packet[4], alk_ssh_error(s.ssh)->text);
        if (!table[i].legal)
            script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        script_free(&s);
    }
}

/* An IGNORE whose packet has this length field. */
static void send_long(struct script *s, size_t length)
{
    uint8_t *payload = calloc(1, length), *packet = malloc(length + 64);

    assert_non_null(payload);
    assert_non_null(packet);
    payload[0] = SSH_MSG_IGNORE;
    script_bytes(s, packet, script_seal(s, payload, length - 5, 4, packet));
    free(payload);
    free(packet);
}

static void test_packet_limits_under_keys(void **state)
{
    static const struct {
        enum script_at at;
        size_t length;
        bool legal;
    } table[] = {
        {AT_SERVICE, 35000, true}, {AT_SERVICE, 35008, false}, {AT_AUTH, 35000, true},
        {AT_AUTH, 35008, false},   {AT_OPEN, 35008, true},     {AT_OPEN, 262144, true},
        {AT_OPEN, 262152, false},  {AT_OPEN, 12, false},
    };
    static struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
            script_begin(&s, role, table[i].at);
            send_long(&s, table[i].length);
            if (table[i].legal)
                script_alive(&s);
            else
                script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
            script_free(&s);
        }
    }
}

static void test_illegal_padding_under_keys(void **state)
{
    /* payload and padding that make a block of 8 with the padding length */
    static const struct {
        size_t payload, padding;
    } table[] = {{4, 3}, {5, 2}, {6, 1}, {0, 7}, {0, 15}};
    static const uint8_t payload[8] = {SSH_MSG_IGNORE};
    uint8_t packet[64];
    struct script s;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        script_begin(&s, ALK_SSH_SERVER, AT_OPEN);
        size_t len = script_seal(&s, payload, table[i].payload, table[i].padding, packet);
        script_bytes(&s, packet, len);
        script_ended(&s, ALK_E_PROTO, ALK_SSH_BY_PROTOCOL_ERROR);
        script_free(&s);
    }
}

static void test_forged_packet(void **state)
{
    static const uint8_t payload[] = {SSH_MSG_IGNORE, 0, 0, 0, 0};
    uint8_t packet[64];
    struct script s;

    (void)state;
    for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
        script_begin(&s, role, AT_OPEN);
        size_t len = script_seal(&s, payload, sizeof(payload), 0, packet);
        packet[10] ^= 1;
        script_bytes(&s, packet, len);
        script_ended(&s, ALK_E_CRYPTO, ALK_SSH_BY_MAC_ERROR);
        script_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence_numbers),
        cmocka_unit_test(test_nothing_before_a_strict_exchange),
        cmocka_unit_test(test_strictness_is_settled_once),
        cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_only_one_guess_is_skipped),
        cmocka_unit_test(test_illegal_points),
        cmocka_unit_test(test_wrong_host_key_signature),
        cmocka_unit_test(test_client_waits_for_the_verdict),
        cmocka_unit_test(test_lists_without_a_common_name),
        cmocka_unit_test(test_huge_lists),
        cmocka_unit_test(test_malformed_kexinit),
        cmocka_unit_test(test_illegal_packets_before_keys),
        cmocka_unit_test(test_packet_limits_under_keys),
        cmocka_unit_test(test_illegal_padding_under_keys),
        cmocka_unit_test(test_forged_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
