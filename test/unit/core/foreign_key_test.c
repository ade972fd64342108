/* RSA and ECDSA key files, as ssh-keygen makes them. */
#include "support/scratch.h"

#include <alk/foreign_key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static int answer(char *buffer, size_t size, const char *path, unsigned attempt, void *user)
{
    const char **answers = user;

    (void)path;
    if (answers == NULL)
        return -1;
    strncpy(buffer, answers[attempt - 1], size - 1);
    return 0;
}

/* The blob must be that of the .pub file. */
static void assert_is(struct scratch *scratch, const struct alk_foreign_key *key, const char *name)
{
    char ours[4096];
    size_t len;
    const uint8_t *blob = alk_foreign_key_blob(key, &len);
    char *line = scratch_read(scratch, name, NULL);

    assert_int_equal(alk_key_format_public(blob, len, NULL, ours, sizeof(ours)), ALK_OK);
    assert_memory_equal(line, ours, strlen(ours));
    free(line);
}

static void reads_what_ssh_keygen_makes(void **state)
{
    static const char *const types[] = {"rsa", "ecdsa"}, *const formats[] = {"RFC4716", "PEM"};
    static const char *const words[] = {"", "open sesame"};
    static const char *wrong_first[] = {"wrong", "open sesame"};
    struct scratch *scratch = *state;

    for (int i = 0; i < 8; i++) {
        const char *secret = words[i / 4], *bits = i % 2 == 0 ? "1024" : "256";
        char name[8] = {'k', (char)('0' + i), '\0'}, public[16];
        struct alk_foreign_key *key = NULL;
        struct alk_error error = {0};
        snprintf(public, sizeof(public), "%s.pub", name);
        scratch_run(scratch, NULL, 0,
                    ARGV("ssh-keygen", "-q", "-t", types[i % 2], "-b", bits, "-m",
                         formats[i / 2 % 2], "-N", secret, "-f", name));
        const char *path = scratch_path(scratch, name);
        int status = alk_foreign_key_load(&key, path, answer, wrong_first, &error);
        if (status != ALK_OK)
            fail_msg("case %d: %s", i, error.text);
        assert_is(scratch, key, public);
        if (secret[0] == '\0')
            assert_null(alk_foreign_key_passphrase(key));
        else
            assert_string_equal(alk_foreign_key_passphrase(key), secret);
        alk_foreign_key_free(key);
        if (secret[0] != '\0')
            assert_int_equal(alk_foreign_key_load(&key, path, answer, NULL, &error), ALK_E_AUTH);
    }
    alk_foreign_key_free(NULL);
}

static void refuses_what_it_should(void **state)
{
    struct scratch *scratch = *state;
    struct alk_foreign_key *key;
    struct alk_error error;

    scratch_text(scratch, "junk", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END");
    assert_int_equal(chmod(scratch_path(scratch, "junk"), 0600), 0);
    assert_int_equal(
        alk_foreign_key_load(&key, scratch_path(scratch, "junk"), answer, NULL, &error),
        ALK_E_PARSE);
    assert_null(key);
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "k"));
    assert_int_equal(chmod(scratch_path(scratch, "k"), 0644), 0);
    assert_int_equal(alk_foreign_key_load(&key, scratch_path(scratch, "k"), answer, NULL, &error),
                     ALK_E_DENIED);
    assert_int_equal(
        alk_foreign_key_load(&key, scratch_path(scratch, "none"), answer, NULL, &error),
        ALK_E_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_ssh_keygen_makes, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(refuses_what_it_should, scratch_make, scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
