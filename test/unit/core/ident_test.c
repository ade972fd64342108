/* Identification lines (RFC 4253 section 4.2), as a server and as a client reads them. */
#include "support/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum verdict { TAKEN, WAITS, REFUSED };

#define ZEROS_50  "00000000000000000000000000000000000000000000000000"
#define ZEROS_200 ZEROS_50 ZEROS_50 ZEROS_50 ZEROS_50
#define LINES_10  "a\r\nb\n\nd\r\ne\r\nf\r\n\r\nh\r\ni\r\nj\r\n"

/* Feeds text in pieces and tells what the engine made of it. */
static enum verdict read_as(struct script *s, enum alk_ssh_role role, const char *text, size_t len,
                            size_t piece)
{
    script_start(s, role, NULL);
    script_run(s);
    s->wire_len = 0;
    for (size_t at = 0; at < len && s->status == 0; at += piece)
        script_bytes(s, text + at, len - at < piece ? len - at : piece);
    if (s->status != 0) {
        assert_int_equal(s->status, ALK_E_PROTO);
        assert_int_equal(s->wire_len, 0); /* nothing that is no SSH client needs to hear */
        return REFUSED;
    }
    return alk_ssh_peer_version(s->ssh)[0] == '\0' ? WAITS : TAKEN;
}

static const struct {
    const char *text;
    size_t len; /* 0 = its strlen */
    enum verdict server, client;
    const char *version;
} table[] = {
    {"SSH-2.0-x\r\n", 0, TAKEN, TAKEN, "SSH-2.0-x"},
    {"SSH-2.0-x\n", 0, TAKEN, TAKEN, "SSH-2.0-x"}, /* some leave CR out */
    {"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 0, TAKEN, TAKEN, "SSH-2.0-OpenSSH_9.2p1 Debian-2"},
    {"SSH-2.0-x", 0, WAITS, WAITS, NULL},
    {"SSH-2.0-x\r", 0, WAITS, WAITS, NULL},
    {"SSH-2.0-\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-2.0\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-1.99-x\r\n", 0, REFUSED, TAKEN, "SSH-1.99-x"},
    {"SSH-1.5-x\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-3.0-x\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-2.1-x\r\n", 0, REFUSED, REFUSED, NULL},
    {"ssh-2.0-x\r\n", 0, REFUSED, WAITS, NULL},
    {"SSH-2.0-a\rb\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-2.0-a\0b\r\n", 13, REFUSED, REFUSED, NULL},
    {"SSH-2.0-a\033[2J\r\n", 0, REFUSED, REFUSED, NULL},
    {"SSH-2.0-a\x7f\r\n", 0, REFUSED, REFUSED, NULL},
    {"GET / HTTP/1.1\r\n", 0, REFUSED, WAITS, NULL},
    {"G", 0, REFUSED, WAITS, NULL}, /* a server need not wait for more */
    {"SSX", 0, REFUSED, WAITS, NULL},
    {"SSH", 0, WAITS, WAITS, NULL},
    {"", 0, WAITS, WAITS, NULL},
    {"\r\n", 0, REFUSED, WAITS, NULL},
    {"\0\0\0\0", 4, REFUSED, WAITS, NULL},
    {"hello\r\nSSH-2.0-x\r\n", 0, REFUSED, TAKEN, "SSH-2.0-x"},
    {"hello SSH-2.0-x\r\n", 0, REFUSED, WAITS, NULL},
    {LINES_10 LINES_10 "SSH-2.0-x\r\n", 0, REFUSED, TAKEN, "SSH-2.0-x"},
    {LINES_10 LINES_10 "one more\r\nSSH-2.0-x\r\n", 0, REFUSED, REFUSED, NULL},
    /* 255 bytes with the line's end, and 256 */
    {"SSH-2.0-" ZEROS_200 "012345678901234567890123456789012345678901234\r\n", 0, TAKEN, TAKEN,
     "SSH-2.0-" ZEROS_200 "012345678901234567890123456789012345678901234"},
    {"SSH-2.0-" ZEROS_200 "0123456789012345678901234567890123456789012345\r\n", 0, REFUSED, REFUSED,
     NULL},
    {"SSH-2.0-" ZEROS_200 "0123456789012345678901234567890123456789012345\n", 0, TAKEN, TAKEN,
     "SSH-2.0-" ZEROS_200 "0123456789012345678901234567890123456789012345"},
    {ZEROS_200 ZEROS_50 "012\r\nSSH-2.0-x\r\n", 0, REFUSED, TAKEN, "SSH-2.0-x"},
    {ZEROS_200 ZEROS_50 "0123\r\nSSH-2.0-x\r\n", 0, REFUSED, REFUSED, NULL},
    {ZEROS_200 ZEROS_50 "01234", 0, REFUSED, REFUSED, NULL},
};

static void test_every_form(void **state)
{
    static const char *const names[] = {"taken", "waits", "refused"};
    static struct script s;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t len = table[i].len != 0 ? table[i].len : strlen(table[i].text);
        for (int client = 0; client < 2; client++) {
            for (size_t piece = 1; piece <= 400; piece += 133) {
                enum verdict want = client ? table[i].client : table[i].server;
                enum verdict got = read_as(&s, client ? ALK_SSH_CLIENT : ALK_SSH_SERVER,
                                           table[i].text, len, piece);
                if (got != want)
                    fail_msg("%s, row %zu, pieces of %zu: expected %s, got %s",
                             client ? "client" : "server", i, piece, names[want], names[got]);
                if (want == TAKEN)
                    assert_string_equal(alk_ssh_peer_version(s.ssh), table[i].version);
                script_free(&s);
            }
        }
    }
}

/* The line is part of what the exchange hash covers, so what follows in the same piece of
 * input must be read as packets at once. */
static void test_what_follows_in_the_same_piece(void **state)
{
    static const uint8_t both[] = "SSH-2.0-x\r\n\0\0\0\x0c\x04\x01\0\0\0\x0b\0\0\0\0\0\0";
    static struct script s;

    (void)state;
    script_start(&s, ALK_SSH_SERVER, NULL);
    script_bytes(&s, both, 11 + 16); /* a DISCONNECT, cut short */
    assert_string_equal(alk_ssh_peer_version(s.ssh), "SSH-2.0-x");
    assert_int_equal(s.status, ALK_E_CLOSED);
    script_free(&s);
}

static void test_our_own_line(void **state)
{
    static struct script s;

    (void)state;
    script_start(&s, ALK_SSH_CLIENT, NULL);
    script_run(&s);
    assert_int_equal(s.wire_len, strlen("SSH-2.0-alknet_" ALK_VERSION "\r\n"));
    assert_memory_equal(s.wire, "SSH-2.0-alknet_" ALK_VERSION "\r\n", s.wire_len);
    script_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_what_follows_in_the_same_piece),
        cmocka_unit_test(test_our_own_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
