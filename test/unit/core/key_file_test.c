/* Private key files: ours read by ssh-keygen, ssh-keygen's read by us, and what is refused. */
#include "auth/key_internal.h"
#include "ssh/wire.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT = 4096 };

/* The public line that `ssh-keygen -y` derives from the private key, without comment. */
static void public_by_ssh_keygen(struct scratch *scratch, const char *name, const char *passphrase,
                                 char out[TEXT])
{
    scratch_run(scratch, out, TEXT, ARGV("ssh-keygen", "-y", "-P", passphrase, "-f", name));
    char *second = strchr(out, ' ');
    assert_non_null(second);
    second[1 + strcspn(second + 1, " \n")] = '\0';
}

static void assert_same_key(struct scratch *scratch, const struct alk_key *key, const char *name,
                            const char *passphrase)
{
    char expected[TEXT], ours[TEXT];

    public_by_ssh_keygen(scratch, name, passphrase, expected);
    assert_int_equal(
        alk_key_format_public(alk_key_blob(key), ALK_KEY_BLOB_SIZE, NULL, ours, sizeof(ours)),
        ALK_OK);
    assert_string_equal(ours, expected);
}

struct asked {
    const char *const *answers; /* NULL: gives up */
    unsigned count;
};

static int answer(char *buffer, size_t size, const char *path, unsigned attempt, void *user)
{
    struct asked *asked = user;
    const char *text = asked->answers[asked->count++];

    assert_non_null(path);
    assert_int_equal(attempt, asked->count);
    if (text == NULL)
        return -1;
    assert_true(strlen(text) < size);
    strcpy(buffer, text);
    return 0;
}

static int load(struct scratch *scratch, struct alk_key **key, const char *name,
                struct asked *asked, struct alk_error *error)
{
    return alk_key_load(key, scratch_path(scratch, name), asked != NULL ? answer : NULL, asked,
                        error);
}

static void expect_failure(struct scratch *scratch, const char *name, int code, const char *part)
{
    struct alk_error error = {0};
    struct alk_key *key = NULL;
    int rc = load(scratch, &key, name, NULL, &error);

    if (rc != code || strstr(error.text, part) == NULL)
        fail_msg("%s: expected %d and \"%s\", got %d \"%s\"", name, code, part, rc, error.text);
    assert_int_equal(error.code, code);
    assert_null(key);
}

static void reads_what_ssh_keygen_writes(void **state)
{
    static const char long_comment[] = "a comment that is long enough to cross several blocks, "
                                       "so that the padding is of another length than usual";
    static const char *const comments[] = {"",      "1",      "12",      "123",       "1234",
                                           "12345", "123456", "1234567", long_comment};
    struct scratch *scratch = *state;

    for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
        struct alk_error error = {0};
        struct alk_key *key;
        char name[16];

        snprintf(name, sizeof(name), "k%zu", i);
        scratch_run(
            scratch, NULL, 0,
            ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comments[i], "-f", name));
        if (load(scratch, &key, name, NULL, &error) != ALK_OK)
            fail_msg("comment \"%s\": %s", comments[i], error.text);
        assert_same_key(scratch, key, name, "");
        alk_key_free(key);
    }
}

static void reads_encrypted_files(void **state)
{
    static const char *const ciphers[] = {NULL,         "aes128-ctr", "aes192-ctr",
                                          "aes128-cbc", "aes256-cbc", "3des-cbc"};
    static const char *const right[] = {"correct horse"};
    struct scratch *scratch = *state;

    for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
        struct asked asked = {.answers = right};
        struct alk_error error = {0};
        struct alk_key *key;
        char name[16];

        snprintf(name, sizeof(name), "k%zu", i);
        scratch_run(scratch, NULL, 0,
                    ARGV("ssh-keygen", "-q", "-t", "ed25519", "-a", i == 0 ? "16" : "2", "-N",
                         "correct horse", "-f", name, ciphers[i] != NULL ? "-Z" : NULL,
                         ciphers[i]));
        if (load(scratch, &key, name, &asked, &error) != ALK_OK)
            fail_msg("cipher %s: %s", ciphers[i] != NULL ? ciphers[i] : "default", error.text);
        assert_int_equal(asked.count, 1);
        assert_same_key(scratch, key, name, "correct horse");
        alk_key_free(key);
    }
}

static void asks_three_times_at_most(void **state)
{
    static const char *const third[] = {"wrong", "", "right"};
    static const char *const never[] = {"a", "b", "c", "right"};
    static const char *const gives_up[] = {"a", NULL};
    struct scratch *scratch = *state;
    struct alk_error error = {0};
    struct alk_key *key;
    struct asked asked = {.answers = third};

    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", "right", "-f", "k"));
    assert_int_equal(load(scratch, &key, "k", &asked, &error), ALK_OK);
    assert_int_equal(asked.count, 3);
    alk_key_free(key);

    asked = (struct asked){.answers = never};
    assert_int_equal(load(scratch, &key, "k", &asked, &error), ALK_E_AUTH);
    assert_int_equal(asked.count, 3);
    assert_null(key);
    assert_non_null(strstr(error.text, "wrong passphrase for /tmp/"));

    asked = (struct asked){.answers = gives_up};
    assert_int_equal(load(scratch, &key, "k", &asked, &error), ALK_E_AUTH);
    assert_int_equal(asked.count, 2);
    assert_non_null(strstr(error.text, "no passphrase was given"));
    expect_failure(scratch, "k", ALK_E_AUTH, "needs its passphrase");
}

static void does_not_ask_for_an_unencrypted_file(void **state)
{
    struct scratch *scratch = *state;
    struct asked asked = {.answers = NULL};
    struct alk_key *key;

    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"));
    assert_int_equal(load(scratch, &key, "k", &asked, NULL), ALK_OK);
    assert_int_equal(asked.count, 0);
    alk_key_free(key);
}

static void check_public(struct scratch *scratch, const char *name, enum alk_key_file_kind expected,
                         const char *line)
{
    uint8_t blob[ALK_KEY_BLOB_SIZE], of_line[ALK_KEY_BLOB_SIZE];
    enum alk_key_file_kind kind;

    assert_int_equal(alk_key_load_public(blob, &kind, scratch_path(scratch, name), NULL), ALK_OK);
    assert_int_equal(kind, expected);
    assert_int_equal(alk_key_parse_public(line, of_line, NULL, NULL), ALK_OK);
    assert_memory_equal(blob, of_line, sizeof(blob));
}

static void finds_the_public_key_in_every_kind_of_file(void **state)
{
    struct scratch *scratch = *state;
    uint8_t blob[ALK_KEY_BLOB_SIZE];
    enum alk_key_file_kind kind;

    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"));
    scratch_run(scratch, NULL, 0, ARGV("cp", "k", "e"));
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-q", "-p", "-N", "secret", "-f", "e"));
    char *line = scratch_read(scratch, "k.pub", NULL);
    check_public(scratch, "k.pub", ALK_KEY_FILE_PUBLIC, line);
    check_public(scratch, "k", ALK_KEY_FILE_PRIVATE, line);
    check_public(scratch, "e", ALK_KEY_FILE_ENCRYPTED, line);
    free(line);

    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ecdsa", "-N", "secret", "-f", "c"));
    scratch_text(scratch, "empty", "");
    for (const char *const *name = ARGV("c", "c.pub"); *name != NULL; name++)
        assert_int_equal(alk_key_load_public(blob, &kind, scratch_path(scratch, *name), NULL),
                         ALK_E_UNSUPPORTED);
    assert_int_equal(alk_key_load_public(blob, &kind, scratch_path(scratch, "empty"), NULL),
                     ALK_E_PARSE);
    assert_int_equal(alk_key_load_public(blob, &kind, scratch_path(scratch, "none"), NULL),
                     ALK_E_NOTFOUND);
}

static void save_and_compare(struct scratch *scratch, const char *name, const char *comment,
                             const char *passphrase)
{
    const char *const answers[] = {passphrase};
    struct asked asked = {.answers = answers};
    struct alk_error error = {0};
    struct alk_key *key, *again;
    struct stat st;
    char out[TEXT], expected[TEXT], fingerprint[ALK_FINGERPRINT_SIZE], public_name[64];

    assert_int_equal(alk_key_generate(&key), ALK_OK);
    if (alk_key_save(key, scratch_path(scratch, name), comment, passphrase, &error) != ALK_OK)
        fail_msg("%s", error.text);
    assert_int_equal(stat(scratch_path(scratch, name), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_same_key(scratch, key, name, passphrase != NULL ? passphrase : "");

    alk_key_fingerprint(alk_key_blob(key), ALK_KEY_BLOB_SIZE, fingerprint);
    snprintf(public_name, sizeof(public_name), "%s.pub", name);
    scratch_run(scratch, out, sizeof(out), ARGV("ssh-keygen", "-l", "-f", public_name));
    snprintf(expected, sizeof(expected), "256 %s %s (ED25519)\n", fingerprint,
             comment != NULL && comment[0] != '\0' ? comment : "no comment");
    assert_string_equal(out, expected);

    if (load(scratch, &again, name, &asked, &error) != ALK_OK)
        fail_msg("%s", error.text);
    assert_int_equal(asked.count, passphrase != NULL ? 1 : 0);
    assert_memory_equal(alk_key_blob(again), alk_key_blob(key), ALK_KEY_BLOB_SIZE);
    assert_memory_equal(again->secret, key->secret, sizeof(key->secret));
    alk_key_free(again);
    alk_key_free(key);
}

static void ssh_keygen_reads_what_we_write(void **state)
{
    struct scratch *scratch = *state;
    char longest[ALK_KEY_COMMENT_MAX];

    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    save_and_compare(scratch, "plain", "bob at home", NULL);
    save_and_compare(scratch, "bare", NULL, NULL);
    for (size_t len = 1; len <= 8; len++) { /* every padding */
        char name[16];
        snprintf(name, sizeof(name), "pad%zu", len);
        save_and_compare(scratch, name, longest + sizeof(longest) - 1 - len, NULL);
    }
    save_and_compare(scratch, "longest", longest, NULL);
    save_and_compare(scratch, "locked", "bob at home", "correct horse");
}

static void never_overwrites(void **state)
{
    struct scratch *scratch = *state;
    struct alk_error error = {0};
    struct alk_key *key;

    assert_int_equal(alk_key_generate(&key), ALK_OK);
    scratch_text(scratch, "k", "precious");
    assert_int_equal(alk_key_save(key, scratch_path(scratch, "k"), NULL, NULL, &error),
                     ALK_E_EXISTS);
    assert_int_not_equal(access(scratch_path(scratch, "k.pub"), F_OK), 0);
    scratch_text(scratch, "l.pub", "precious");
    assert_int_equal(alk_key_save(key, scratch_path(scratch, "l"), NULL, NULL, &error),
                     ALK_E_EXISTS);
    assert_int_not_equal(access(scratch_path(scratch, "l"), F_OK), 0);
    assert_int_equal(symlink("elsewhere", scratch_path(scratch, "m")), 0);
    assert_int_equal(alk_key_save(key, scratch_path(scratch, "m"), NULL, NULL, &error),
                     ALK_E_EXISTS);
    assert_int_not_equal(access(scratch_path(scratch, "elsewhere"), F_OK), 0);
    assert_int_equal(alk_key_save(key, scratch_path(scratch, "no/k"), NULL, NULL, &error),
                     ALK_E_IO);
    assert_int_equal(alk_key_save(key, scratch_path(scratch, "n"), "two\nlines", NULL, &error),
                     ALK_E_INVAL);
    char *text = scratch_read(scratch, "k", NULL);
    assert_string_equal(text, "precious");
    free(text);
    alk_key_free(key);
}

/* ssh-keygen makes the file; the sentence must name what is wrong and the way out. */
static void names_other_kinds_of_keys(void **state)
{
    struct scratch *scratch = *state;

    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "rsa"));
    expect_failure(scratch, "rsa", ALK_E_UNSUPPORTED,
                   "rsa holds an ssh-rsa key; alknet uses Ed25519");
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-a", "1", "-N", "secret", "-f",
                     "locked"));
    expect_failure(scratch, "locked", ALK_E_UNSUPPORTED, "holds an ssh-rsa key");
    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "ecdsa"));
    expect_failure(scratch, "ecdsa", ALK_E_UNSUPPORTED, "holds an ecdsa-sha2-nistp256 key");
    scratch_run(
        scratch, NULL, 0,
        ARGV("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-m", "PEM", "-N", "", "-f", "pem"));
    expect_failure(scratch, "pem", ALK_E_UNSUPPORTED, "holds an RSA key in PEM format");
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", "ec"));
    expect_failure(scratch, "ec", ALK_E_UNSUPPORTED, "holds an ECDSA key in PEM format");
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-m", "PKCS8", "-N", "", "-f",
                     "pkcs8"));
    expect_failure(scratch, "pkcs8", ALK_E_UNSUPPORTED, "PKCS#8");
    scratch_run(scratch, NULL, 0,
                ARGV("ssh-keygen", "-q", "-t", "ed25519", "-Z", "aes256-gcm@openssh.com", "-a", "1",
                     "-N", "secret", "-f", "gcm"));
    expect_failure(scratch, "gcm", ALK_E_UNSUPPORTED, "ssh-keygen -p -Z aes256-ctr");
    expect_failure(scratch, "gcm.pub", ALK_E_DENIED, "chmod 600");
    assert_int_equal(chmod(scratch_path(scratch, "gcm.pub"), 0600), 0);
    expect_failure(scratch, "gcm.pub", ALK_E_PARSE, "holds a public key; name the private key");
}

static void names_other_kinds_of_files(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *part;
    } files[] = {
        {"", ALK_E_PARSE, "is empty"},
        {" \r\n\t\n", ALK_E_PARSE, "is empty"},
        {"hello", ALK_E_PARSE, "is not a private key file"},
        {"\xef\xbb\xbf-----BEGIN OPENSSH PRIVATE KEY-----\n", ALK_E_PARSE, "must begin with"},
        {"PuTTY-User-Key-File-3: ssh-ed25519\n", ALK_E_UNSUPPORTED, "puttygen"},
        {"-----BEGIN DSA PRIVATE KEY-----\n", ALK_E_UNSUPPORTED, "DSA"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", ALK_E_UNSUPPORTED, "encrypted PKCS#8"},
        {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", ALK_E_UNSUPPORTED, "ssh.com"},
        {"-----BEGIN PUBLIC KEY-----\n", ALK_E_PARSE, "public key"},
        {"---- BEGIN SSH2 PUBLIC KEY ----\n", ALK_E_PARSE, "public key"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n", ALK_E_PARSE, "END line is missing"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n", ALK_E_PARSE,
         "no openssh-key-v1 header"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n?\n-----END OPENSSH PRIVATE KEY-----\n", ALK_E_PARSE,
         "not base64"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----END OPENSSH PRIVATE KEY-----\n", ALK_E_PARSE,
         "not base64"},
    };
    struct scratch *scratch = *state;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        scratch_text(scratch, "k", files[i].text);
        expect_failure(scratch, "k", files[i].code, files[i].part);
    }
    static const char nul[] = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\0bnNz\n"
                              "-----END OPENSSH PRIVATE KEY-----\n";
    scratch_write(scratch, "k", nul, sizeof(nul) - 1, 0600);
    expect_failure(scratch, "k", ALK_E_PARSE, "not base64");
    char *large = calloc(1, ALK_KEY_FILE_MAX + 1);
    scratch_write(scratch, "k", large, ALK_KEY_FILE_MAX + 1, 0600);
    free(large);
    expect_failure(scratch, "k", ALK_E_LIMIT, "longer than 65536 bytes");
}

static void names_what_is_wrong_with_the_path(void **state)
{
    struct scratch *scratch = *state;

    expect_failure(scratch, "none", ALK_E_NOTFOUND, "none does not exist");
    assert_int_equal(mkdir(scratch_path(scratch, "folder"), 0700), 0);
    expect_failure(scratch, "folder", ALK_E_INVAL, "is a folder");
    /* a FIFO without a writer must not block */
    assert_int_equal(mkfifo(scratch_path(scratch, "fifo"), 0600), 0);
    expect_failure(scratch, "fifo", ALK_E_INVAL, "is not a regular file");
    scratch_write(scratch, "open", "x", 1, 0640);
    expect_failure(scratch, "open", ALK_E_DENIED, "can be read by others; run: chmod 600 /tmp/");
    scratch_write(scratch, "wide", "x", 1, 0602);
    expect_failure(scratch, "wide", ALK_E_DENIED, "chmod 600");
}

/* Decodes the armour, lets the caller change the bytes, and parses the result. */
static int parse_changed(const uint8_t *bytes, size_t len, struct alk_error *error)
{
    char text[TEXT];
    char base64[TEXT / 2];
    struct alk_key *key = NULL;
    int rc;

    sodium_bin2base64(base64, sizeof(base64), bytes, len, sodium_base64_VARIANT_ORIGINAL);
    snprintf(text, sizeof(text),
             "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n",
             base64);
    rc = alk_key_parse(&key, text, strlen(text), NULL, error);
    assert_int_equal(rc == ALK_OK, key != NULL);
    alk_key_free(key);
    return rc;
}

static size_t sample(uint8_t *bytes, size_t size)
{
    struct alk_key *key;
    char *text;
    size_t len;
    const char *body;

    assert_int_equal(alk_key_generate(&key), ALK_OK);
    assert_int_equal(alk_key_encode_file(key, "bob", NULL, &text), ALK_OK);
    body = strchr(text, '\n');
    assert_int_equal(sodium_base642bin(bytes, size, body, (size_t)(strstr(body, "-----") - body),
                                       "\n", &len, NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    sodium_free(text);
    alk_key_free(key);
    return len;
}

static void refuses_every_changed_byte(void **state)
{
    uint8_t bytes[1024];
    size_t len = sample(bytes, sizeof(bytes));
    /* magic, none, none, options, one key, blob, length; then two checks, type, keys */
    size_t comment = 15 + 8 + 8 + 4 + 4 + 4 + ALK_KEY_BLOB_SIZE + 4 + 8 + 15 + 36 + 68 + 4;

    (void)state;
    assert_int_equal(parse_changed(bytes, len, NULL), ALK_OK);
    for (size_t at = 0; at < len; at++) {
        struct alk_error error = {0};
        int expected = at >= comment && at < comment + 3 ? ALK_OK : -1;
        bytes[at] ^= 0x01;
        int rc = parse_changed(bytes, len, &error);
        if ((rc == ALK_OK) != (expected == ALK_OK))
            fail_msg("byte %zu of %zu changed: expected %s, got %d \"%s\"", at, len,
                     expected == ALK_OK ? "success" : "an error", rc, error.text);
        bytes[at] ^= 0x01;
    }
}

static void refuses_every_cut(void **state)
{
    uint8_t bytes[1024];
    size_t len = sample(bytes, sizeof(bytes));

    (void)state;
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(parse_changed(bytes, cut, NULL), ALK_E_PARSE);
    bytes[len] = 0;
    assert_int_equal(parse_changed(bytes, len + 1, NULL), ALK_E_PARSE);
}

/* A header that asks for hours of bcrypt is refused before any is done. */
static void bounds_the_work_of_the_kdf(void **state)
{
    static const struct {
        const char *kdf;
        uint32_t salt, rounds;
        int code;
    } cases[] = {
        {"bcrypt", 16, 16, ALK_E_AUTH},          {"bcrypt", 16, 4097, ALK_E_LIMIT},
        {"bcrypt", 16, UINT32_MAX, ALK_E_LIMIT}, {"bcrypt", 16, 0, ALK_E_PARSE},
        {"bcrypt", 0, 16, ALK_E_PARSE},          {"scrypt", 16, 16, ALK_E_UNSUPPORTED},
        {"none", 16, 16, ALK_E_UNSUPPORTED},
    };
    uint8_t blob[ALK_KEY_BLOB_SIZE], zeros[160] = {0};
    struct alk_key *key;

    (void)state;
    assert_int_equal(alk_key_generate(&key), ALK_OK);
    memcpy(blob, alk_key_blob(key), sizeof(blob));
    alk_key_free(key);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[512];
        struct alk_writer w = alk_writer(bytes, sizeof(bytes));
        struct alk_error error = {0};

        alk_put_bytes(&w, "openssh-key-v1", 15);
        alk_put_text(&w, "aes256-ctr");
        alk_put_text(&w, cases[i].kdf);
        alk_put_u32(&w, 4 + cases[i].salt + 4);
        alk_put_string(&w, zeros, cases[i].salt);
        alk_put_u32(&w, cases[i].rounds);
        alk_put_u32(&w, 1);
        alk_put_string(&w, blob, sizeof(blob));
        alk_put_string(&w, zeros, 144);
        int rc = parse_changed(bytes, alk_writer_len(&w), &error);
        if (rc != cases[i].code)
            fail_msg("%s, salt %u, rounds %u: expected %d, got %d \"%s\"", cases[i].kdf,
                     cases[i].salt, cases[i].rounds, cases[i].code, rc, error.text);
    }
}

static void reads_crlf_and_long_lines(void **state)
{
    struct scratch *scratch = *state;
    char text[TEXT];
    size_t len = 0;
    struct alk_key *key;

    scratch_run(scratch, NULL, 0, ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"));
    char *plain = scratch_read(scratch, "k", NULL);
    for (const char *at = plain; *at != '\0'; at++) {
        if (*at == '\n')
            text[len++] = '\r';
        text[len++] = *at;
    }
    free(plain);
    assert_int_equal(alk_key_parse(&key, text, len, NULL, NULL), ALK_OK);
    assert_same_key(scratch, key, "k", "");
    alk_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_ssh_keygen_writes, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(reads_encrypted_files, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(asks_three_times_at_most, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(does_not_ask_for_an_unencrypted_file, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(finds_the_public_key_in_every_kind_of_file, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(ssh_keygen_reads_what_we_write, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(never_overwrites, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(names_other_kinds_of_keys, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(names_other_kinds_of_files, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(names_what_is_wrong_with_the_path, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(refuses_every_changed_byte),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(bounds_the_work_of_the_kdf),
        cmocka_unit_test_setup_teardown(reads_crlf_and_long_lines, scratch_make, scratch_remove),
    };

    if (alk_crypto_init() != ALK_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
