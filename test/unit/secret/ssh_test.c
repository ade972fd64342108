/* The SSH forms of a key, read by ssh-keygen. */
#include "support/test.h"

#include <alk/secret_keys.h>
#include <alk/secret_ssh.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_key(uint8_t n, uint8_t secret[32], uint8_t public_key[32])
{
    struct alk_slip10_key key;
    struct alk_secret_path path = {.depth = 1, .index = {ALK_SECRET_HARDENED | n}};
    uint8_t seed[64] = {n, 7};

    expect_code("derive", alk_slip10_derive(seed, sizeof seed, &path, &key), 0);
    expect_code("public", alk_slip10_public(&key, public_key), 0);
    memcpy(secret, key.secret, 32);
}

/* The first line that a command prints. */
static void first_line(const char *command, char *line, int size)
{
    FILE *pipe = popen(command, "r");

    assert_non_null(pipe);
    if (fgets(line, size, pipe) == NULL)
        fail_msg("%s printed nothing", command);
    line[strcspn(line, "\n")] = '\0';
    assert_int_equal(pclose(pipe), 0);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* Comments of every length modulo 8, so of every padding. */
static void ssh_keygen_reads_it(void **state)
{
    char directory[] = "/tmp/alk-secret-ssh-XXXXXX", path[64], command[256];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/key", directory);
    for (uint8_t n = 0; n < 9; n++) {
        static const char comments[] = "comment ü";
        struct vector v = {.line = n};
        uint8_t secret[32], public_key[32];
        char comment[16], text[ALK_SECRET_SSH_PRIVATE_SIZE], line[ALK_SECRET_SSH_PUBLIC_SIZE];
        char got[512], fingerprint[ALK_SECRET_SSH_FINGERPRINT_SIZE], *word;
        make_key(n, secret, public_key);
        snprintf(comment, sizeof comment, "%s", n == 8 ? comments : "");
        memcpy(comment, "abcdefgh", n < 8 ? n : 0);
        expect_code("private", alk_secret_ssh_private(secret, comment, text, sizeof text), 0);
        expect_code("public", alk_secret_ssh_public(public_key, comment, line, sizeof line), 0);
        write_file(path, text);
        snprintf(command, sizeof command, "LC_ALL=C.UTF-8 ssh-keygen -y -f %s", path);
        first_line(command, got, sizeof got);
        expect_text(&v, "ssh-keygen -y", got, line);
        snprintf(command, sizeof command, "ssh-keygen -l -f %s", path);
        first_line(command, got, sizeof got);
        alk_secret_ssh_fingerprint(public_key, fingerprint);
        word = strchr(got, ' ') + 1;
        word[strcspn(word, " ")] = '\0';
        expect_text(&v, "ssh-keygen -l", word, fingerprint);
    }
    unlink(path);
    rmdir(directory);
}

static void bounds(void **state)
{
    uint8_t secret[32], public_key[32];
    char comment[ALK_SECRET_SSH_COMMENT_MAX + 2], text[ALK_SECRET_SSH_PRIVATE_SIZE];
    char line[ALK_SECRET_SSH_PUBLIC_SIZE];

    (void)state;
    make_key(1, secret, public_key);
    memset(comment, 'x', sizeof comment - 1);
    comment[sizeof comment - 1] = '\0';
    expect_code("too long", alk_secret_ssh_private(secret, comment, text, sizeof text),
                ALK_SECRET_E_TOO_LONG);
    expect_code("too long", alk_secret_ssh_public(public_key, comment, line, sizeof line),
                ALK_SECRET_E_TOO_LONG);
    comment[ALK_SECRET_SSH_COMMENT_MAX] = '\0';
    expect_code("longest", alk_secret_ssh_private(secret, comment, text, sizeof text), 0);
    expect_code("longest", alk_secret_ssh_public(public_key, comment, line, sizeof line), 0);
    expect_code("no room", alk_secret_ssh_private(secret, comment, text, strlen(text)),
                ALK_SECRET_E_SPACE);
    expect_code("no room", alk_secret_ssh_public(public_key, comment, line, strlen(line)),
                ALK_SECRET_E_SPACE);
    expect_code("exact", alk_secret_ssh_private(secret, comment, text, strlen(text) + 1), 0);
    expect_code("line end",
                alk_secret_ssh_public(public_key, "a\nssh-ed25519 x", line, sizeof line),
                ALK_SECRET_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssh_keygen_reads_it),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
