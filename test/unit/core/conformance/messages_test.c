/*
 * Every message number in every state of a session, in both roles: what keeps the session alive,
 * what is answered with UNIMPLEMENTED, and that everything else ends it with a protocol error.
 */
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char *const state_names[AT_COUNT] = {
    [AT_INIT] = "before KEXINIT",
    [AT_DH] = "after KEXINIT",
    [AT_NEWKEYS] = "before NEWKEYS",
    [AT_SERVICE] = "before the service",
    [AT_AUTH] = "at the login",
    [AT_OPEN] = "after the login",
    [AT_REKEY_INIT] = "waiting for a second KEXINIT",
    [AT_REKEY_DH] = "after a second KEXINIT",
    [AT_REKEY_NEWKEYS] = "before the second NEWKEYS",
};

/* The numbers that somebody has given a meaning to here. */
static const uint8_t known[] = {1,  2,  3,  4,  5,  6,  7,  20,  21,  30,  31,
                                50, 51, 52, 53, 60, 80, 81, 82,  90,  91,  92,
                                93, 94, 95, 96, 97, 98, 99, 100, 192, 193, 0};

/* What keeps a session alive. unknown: whether other numbers are answered. */
static const struct row {
    enum script_at at;
    bool strict, unknown;
    uint8_t server[20], client[20];
} rows[] = {
    {AT_INIT, true, false, {2, 3, 4, 20}, {2, 3, 4, 20}},
    {AT_INIT, false, false, {2, 3, 4, 20}, {2, 3, 4, 20}},
    {AT_DH, true, false, {30}, {31}},
    {AT_DH, false, false, {2, 3, 4, 30}, {2, 3, 4, 31}},
    {AT_NEWKEYS, true, false, {21}, {21}},
    {AT_NEWKEYS, false, false, {2, 3, 4, 21}, {2, 3, 4, 21}},
    {AT_SERVICE, true, true, {2, 3, 4, 5, 7, 20, 192, 193}, {2, 3, 4, 6, 7, 20, 192, 193}},
    {AT_AUTH,
     true,
     true,
     {2, 3, 4, 5, 7, 20, 50, 192, 193},
     {2, 3, 4, 7, 20, 51, 52, 53, 192, 193}},
    {AT_OPEN,
     true,
     true,
     {2, 3, 4, 20, 50, 80, 90, 93, 94, 95, 96, 97, 98, 192, 193},
     {2, 3, 4, 20, 80, 90, 93, 94, 95, 96, 97, 98, 192, 193}},
    {AT_REKEY_INIT,
     true,
     true,
     {2, 3, 4, 20, 50, 80, 90, 93, 94, 95, 96, 97, 98, 192, 193},
     {2, 3, 4, 20, 80, 90, 93, 94, 95, 96, 97, 98, 192, 193}},
    /* forbidden to the peer from its KEXINIT on, but some send it: see docs/adr */
    {AT_REKEY_DH,
     true,
     false,
     {2, 3, 4, 30, 80, 90, 93, 94, 95, 96, 97, 98},
     {2, 3, 4, 31, 80, 90, 93, 94, 95, 96, 97, 98}},
    {AT_REKEY_NEWKEYS,
     true,
     false,
     {2, 3, 4, 21, 80, 90, 93, 94, 95, 96, 97, 98},
     {2, 3, 4, 21, 80, 90, 93, 94, 95, 96, 97, 98}},
};

enum outcome { LIVES, UNIMPLEMENTED, PROTOCOL_ERROR, CLOSED, OTHER };
static const char *const outcome_names[] = {"lives", "UNIMPLEMENTED", "protocol error",
                                            "closed by the peer", "something else"};

static bool among(const uint8_t *list, unsigned type)
{
    return strchr((const char *)list, (int)type) != NULL;
}

static enum outcome expected(const struct row *row, enum alk_ssh_role role, unsigned type)
{
    if (type == SSH_MSG_DISCONNECT)
        return CLOSED;
    if (among(role == ALK_SSH_SERVER ? row->server : row->client, type))
        return LIVES;
    if (row->at <= AT_AUTH && type >= 80 && type < 128)
        return PROTOCOL_ERROR;
    return row->unknown && !among(known, type) ? UNIMPLEMENTED : PROTOCOL_ERROR;
}

/* ---- well-formed bodies ---- */

/* What the fields of a message are: s string, t "ssh-userauth", e empty string, b bool, c our
 * channel 0, u number, p a 32-byte point, l a login with the method none. */
static const char *fields(unsigned type)
{
    static const struct {
        uint8_t type;
        const char *fields;
    } table[] = {
        {1, "uss"},   {2, "s"},   {3, "u"},   {4, "bss"},  {5, "t"},   {6, "t"},     {30, "p"},
        {50, "l"},    {51, "sb"}, {53, "ss"}, {60, "ss"},  {80, "sb"}, {90, "suuu"}, {91, "cuuu"},
        {92, "cuss"}, {93, "cu"}, {94, "cs"}, {95, "cus"}, {96, "c"},  {97, "c"},    {98, "csb"},
        {99, "c"},    {100, "c"}, {192, "s"}, {193, "s"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].type == type)
            return table[i].fields;
    }
    return type == 7 ? "z" : "";
}

static void put_body(struct alk_writer *w, unsigned type)
{
    static const uint8_t point[32] = {9};

    alk_put_u8(w, (uint8_t)type);
    for (const char *f = fields(type); *f != '\0'; f++) {
        switch (*f) {
        case 's':
            alk_put_text(w, "text");
            break;
        case 't':
            alk_put_text(w, "ssh-userauth");
            break;
        case 'b':
            alk_put_u8(w, 1);
            break;
        case 'c':
        case 'z':
            alk_put_u32(w, 0);
            break;
        case 'u':
            alk_put_u32(w, 1000);
            break;
        case 'p':
            alk_put_string(w, point, sizeof(point));
            break;
        default:
            alk_put_text(w, "user");
            alk_put_text(w, "ssh-connection");
            alk_put_text(w, "none");
            break;
        }
    }
}

static void send_message(struct script *s, unsigned type)
{
    uint8_t payload[256];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    if (type == SSH_MSG_KEXINIT) {
        script_kexinit(s);
    } else if (type == SSH_MSG_KEX_ECDH_REPLY && s->role == ALK_SSH_CLIENT &&
               (s->at == AT_DH || s->at == AT_REKEY_DH)) {
        script_ecdh(s); /* it needs a signature */
    } else {
        put_body(&w, type);
        script_send_writer(s, &w);
    }
}

static enum outcome outcome(struct script *s)
{
    if (s->status == ALK_E_CLOSED)
        return CLOSED;
    if (s->status == ALK_E_PROTO)
        return script_reason(s) == ALK_SSH_BY_PROTOCOL_ERROR ? PROTOCOL_ERROR : OTHER;
    if (s->status != 0)
        return OTHER;
    return script_saw(s, SSH_MSG_UNIMPLEMENTED) ? UNIMPLEMENTED : LIVES;
}

/* Leaves the session in the state; later states have the channel 0. */
static void enter(struct script *s, enum alk_ssh_role role, const struct row *row)
{
    script_start(s, role, NULL);
    s->strict = row->strict;
    script_to(s, row->at < AT_OPEN ? row->at : AT_OPEN);
    if (row->at < AT_OPEN)
        return;
    assert_int_equal(script_open_channel(s, 5, 1 << 20, 32768), 0);
    script_to(s, row->at);
}

static unsigned try_row(const struct row *row, enum alk_ssh_role role)
{
    unsigned wrong = 0;

    for (unsigned type = 1; type <= 255; type++) {
        static struct script s;
        enter(&s, role, row);
        send_message(&s, type);
        enum outcome want = expected(row, role, type), got = outcome(&s);
        if (want != got) {
            print_error("%s, %s%s: message %u: expected %s, got %s (%s)\n",
                        role == ALK_SSH_SERVER ? "server" : "client", state_names[row->at],
                        row->strict ? "" : " (not strict)", type, outcome_names[want],
                        outcome_names[got], alk_ssh_error(s.ssh)->text);
            wrong++;
        }
        script_free(&s);
    }
    return wrong;
}

static void try_role(enum alk_ssh_role role)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        wrong += try_row(&rows[i], role);
    assert_int_equal(wrong, 0);
}

static void test_server_knows_what_may_come_when(void **state)
{
    (void)state;
    try_role(ALK_SSH_SERVER);
}

static void test_client_knows_what_may_come_when(void **state)
{
    (void)state;
    try_role(ALK_SSH_CLIENT);
}

/* A message may be cut anywhere: then it is malformed, and that ends the session. */
static void test_truncated_messages(void **state)
{
    static const uint8_t server[] = {50, 80, 90, 93, 94, 95, 96, 97, 98, 192, 1, 0};

    (void)state;
    for (const uint8_t *type = server; *type != 0; type++) {
        uint8_t payload[256];
        struct alk_writer w = alk_writer(payload, sizeof(payload));

        put_body(&w, *type);
        for (size_t len = 1; len < alk_writer_len(&w); len++) {
            static struct script s;
            script_begin(&s, ALK_SSH_SERVER, *type == 50 ? AT_AUTH : AT_OPEN);
            if (*type != 50)
                script_open_channel(&s, 5, 1 << 20, 32768);
            script_send(&s, payload, len);
            if (s.status == 0)
                fail_msg("message %u cut to %zu bytes was taken", *type, len);
            script_free(&s);
        }
    }
}

static void test_unimplemented_names_the_packet(void **state)
{
    struct script s;

    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        script_start(&s, ALK_SSH_SERVER, NULL);
        s.strict = strict;
        script_to(&s, AT_OPEN);
        uint32_t number = s.out.sequence;
        script_send_type(&s, 222);
        struct alk_reader r = script_take(&s, SSH_MSG_UNIMPLEMENTED);
        assert_int_equal(alk_get_u32(&r), number);
        assert_true(alk_reader_done(&r));
        script_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_knows_what_may_come_when),
        cmocka_unit_test(test_client_knows_what_may_come_when),
        cmocka_unit_test(test_truncated_messages),
        cmocka_unit_test(test_unimplemented_names_the_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
