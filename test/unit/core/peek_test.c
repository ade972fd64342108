#include "transport/peek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ssh_is_known_by_its_identification_and_nothing_shorter(void **state)
{
    static const struct {
        const char *bytes;
        enum alk_peeked what;
    } rows[] = {
        {"", ALK_PEEKED_MORE},           {"S", ALK_PEEKED_MORE},
        {"SSH-2.0", ALK_PEEKED_MORE},    {"SSH-2.0-", ALK_PEEKED_SSH},
        {"SSH-2.0-x", ALK_PEEKED_SSH},   {"SSH-1.99-", ALK_PEEKED_OTHER},
        {"SSH-1", ALK_PEEKED_OTHER},     {"ssh-2.0-", ALK_PEEKED_OTHER},
        {"GET /", ALK_PEEKED_OTHER},     {"SSH-2.0x", ALK_PEEKED_OTHER},
        {" SSH-2.0-", ALK_PEEKED_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum alk_peeked what = alk_peek_ssh((const uint8_t *)rows[i].bytes, strlen(rows[i].bytes));
        if (what != rows[i].what)
            fail_msg("'%s': expected %d, got %d", rows[i].bytes, rows[i].what, what);
    }
}

static void tls_is_known_by_its_first_byte(void **state)
{
    (void)state;
    assert_int_equal(alk_peek_tls((const uint8_t *)"", 0), ALK_PEEKED_MORE);
    assert_int_equal(alk_peek_tls((const uint8_t *)"\x16", 1), ALK_PEEKED_TLS);
    assert_int_equal(alk_peek_tls((const uint8_t *)"\x80\x2e", 2), ALK_PEEKED_TLS);
    assert_int_equal(alk_peek_tls((const uint8_t *)"GET", 3), ALK_PEEKED_OTHER);
    assert_int_equal(alk_peek_tls((const uint8_t *)"\0", 1), ALK_PEEKED_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssh_is_known_by_its_identification_and_nothing_shorter),
        cmocka_unit_test(tls_is_known_by_its_first_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
