/* Nothing of a seed, a derived key or a phrase is left where it does not belong: not in the
 * memory of a process that has locked, not outside the guarded pages of one that has not, and
 * not in its core dump.
 *
 * The secrets are made in a child process, which hands them over masked; this process unmasks
 * them into guarded pages only.
 */
#include "support/sanitized.h"

#ifdef SANITIZED

int main(void)
{
    return 0; /* the sanitizer's shadow and quarantine hold copies: nothing to be proved here */
}

#else

#include "support/test.h"

#include "support/core.h"
#include "support/search.h"

#include <alk/secret_keys.h>
#include <alk/secret_mnemonic.h>
#include <alk/secret_service.h>
#include <alk/secret_ssh.h>

#include <pthread.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_LEVELS     4 /* of the identity path, and of the others that are used */
#define PASSWORD_LENGTH 24
#define TEXT            "the text of a credential that is encrypted here"

/* What the process must not leave behind. Masked wherever it is but in guarded pages. */
struct secrets {
    char mnemonic[ALK_MNEMONIC_SIZE];
    uint8_t seed[ALK_SEED_SIZE];
    struct alk_slip10_key nodes[PATH_LEVELS + 1]; /* m, m/74', … of the identity path */
    uint8_t encryption[2][32];
    uint8_t ethereum[32];
    char password[PASSWORD_LENGTH + 1];
    char ssh_key[ALK_SECRET_SSH_PRIVATE_SIZE];
};

static struct secrets masked;

static void derive(const uint8_t *seed, const char *text, struct alk_slip10_key *key)
{
    struct alk_secret_path path;

    if (alk_secret_path_parse(text, &path, NULL) != 0 ||
        alk_slip10_derive(seed, ALK_SEED_SIZE, &path, key) != 0)
        abort();
}

/* In the child: makes everything by other ways than the service. */
static void make_secrets(struct secrets *s)
{
    static const char *const levels[] = {"m", "m/74'", "m/74'/0'", "m/74'/0'/0'",
                                         ALK_SECRET_PATH_IDENTITY};
    struct alk_slip10_key key;
    struct alk_bip32_key coin;
    struct alk_secret_path path;
    struct alk_secret_service *service;

    memset(s, 0, sizeof *s);
    alk_mnemonic_generate(24, s->mnemonic, sizeof s->mnemonic);
    alk_mnemonic_to_seed(s->mnemonic, "p\u00e4ss", s->seed, NULL);
    for (size_t i = 0; i <= PATH_LEVELS; i++)
        derive(s->seed, levels[i], &s->nodes[i]);
    derive(s->seed, "m/74'/2'/0'/0'", &key);
    memcpy(s->encryption[0], key.secret, 32);
    derive(s->seed, "m/74'/2'/0'/1'", &key);
    memcpy(s->encryption[1], key.secret, 32);
    alk_secret_path_parse(ALK_SECRET_PATH_ETHEREUM, &path, NULL);
    alk_bip32_derive(s->seed, sizeof s->seed, &path, &coin);
    memcpy(s->ethereum, coin.secret, 32);
    alk_secret_ssh_private(s->nodes[PATH_LEVELS].secret, "x", s->ssh_key, sizeof s->ssh_key);
    if (alk_secret_service_new(NULL, &service) != 0 ||
        alk_secret_service_unlock(service, "t", s->mnemonic, "p\u00e4ss", NULL) != 0 ||
        alk_secret_service_derive_password(service, "t", "m/74'/1'/0'/5'", PASSWORD_LENGTH,
                                           s->password, sizeof s->password, NULL) != 0)
        abort();
}

static int receive_secrets(void **state)
{
    int ends[2], status;
    size_t have = 0;
    ssize_t n = 1;
    pid_t child;

    (void)state;
    assert_true(sodium_init() >= 0);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct secrets s;
        make_secrets(&s);
        for (size_t i = 0; i < sizeof s; i++)
            ((uint8_t *)&s)[i] ^= SEARCH_MASK;
        _exit(write(ends[1], &s, sizeof s) == (ssize_t)sizeof s ? 0 : 1);
    }
    close(ends[1]);
    while (have < sizeof masked && n > 0) {
        n = read(ends[0], (uint8_t *)&masked + have, sizeof masked - have);
        have += n > 0 ? (size_t)n : 0;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    search_add("seed", masked.seed, sizeof masked.seed);
    for (size_t i = 0; i <= PATH_LEVELS; i++)
        search_add("node", (const uint8_t *)&masked.nodes[i], sizeof masked.nodes[i]);
    search_add("encryption key", masked.encryption[0], 32);
    search_add("encryption key", masked.encryption[1], 32);
    search_add("ethereum key", masked.ethereum, 32);
    search_add("password", (const uint8_t *)masked.password, PASSWORD_LENGTH);
    search_add_text("mnemonic", (const uint8_t *)masked.mnemonic, 80);
    /* past what all OpenSSH keys share, and past the public key */
    search_add("ssh key", (const uint8_t *)masked.ssh_key + 260, 80);
    return 0;
}

/* Guarded memory for what the service hands out. */
struct outputs {
    char mnemonic[ALK_MNEMONIC_SIZE];
    struct alk_secret_ed25519 identity;
    struct alk_secret_secp256k1 coin;
    uint8_t key[32];
    char password[PASSWORD_LENGTH + 1];
    char ssh_key[ALK_SECRET_SSH_PRIVATE_SIZE];
    char text[256];
};

static void unmask(const char *from, char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(from[i] ^ SEARCH_MASK);
}

static void unlock(struct alk_secret_service *service)
{
    char *mnemonic = sodium_malloc(ALK_MNEMONIC_SIZE);
    struct alk_secret_error error = {""};
    char *last;

    assert_non_null(mnemonic);
    unmask(masked.mnemonic, mnemonic, ALK_MNEMONIC_SIZE);
    /* first in vain: errors must not keep the phrase either */
    last = strrchr(mnemonic, ' ');
    *last = '\0';
    assert_int_equal(alk_secret_service_unlock(service, "t", mnemonic, "", &error),
                     ALK_SECRET_E_WORD_COUNT);
    *last = 'x';
    assert_int_equal(alk_secret_service_unlock(service, "t", mnemonic, "", &error),
                     ALK_SECRET_E_WORD);
    *last = ' ';
    mnemonic[0] ^= 0x20;
    assert_int_equal(alk_secret_service_unlock(service, "t", mnemonic, "", &error),
                     ALK_SECRET_E_WORD);
    mnemonic[0] ^= 0x20;
    expect_code("unlock", alk_secret_service_unlock(service, "t", mnemonic, "p\u00e4ss", &error),
                0);
    expect_code("again", alk_secret_service_unlock(service, "t", mnemonic, "p\u00e4ss", &error), 0);
    expect_code("another", alk_secret_service_unlock(service, "t", mnemonic, "", &error),
                ALK_SECRET_E_UNLOCKED);
    sodium_free(mnemonic);
}

/* Everything that the service does. */
static void use(struct alk_secret_service *service)
{
    struct outputs *o = sodium_malloc(sizeof *o);
    char *json = NULL, *rotated = NULL;
    size_t len = 0;

    assert_non_null(o);
    expect_code("ed25519",
                alk_secret_service_derive_ed25519(service, "t", ALK_SECRET_PATH_IDENTITY,
                                                  &o->identity, NULL),
                0);
    expect_code("ethereum",
                alk_secret_service_derive_ethereum_key(service, "t", ALK_SECRET_PATH_ETHEREUM,
                                                       &o->coin, NULL),
                0);
    expect_code("encryption key",
                alk_secret_service_derive_encryption_key(service, "t", ALK_SECRET_PATH_ENCRYPTION,
                                                         o->key, NULL),
                0);
    expect_code("password",
                alk_secret_service_derive_password(service, "t", "m/74'/1'/0'/5'", PASSWORD_LENGTH,
                                                   o->password, sizeof o->password, NULL),
                0);
    expect_code("ssh",
                alk_secret_ssh_private(o->identity.secret, "x", o->ssh_key, sizeof o->ssh_key), 0);
    expect_code("encrypt", alk_secret_service_encrypt(service, "t", TEXT, strlen(TEXT), 1, &json),
                0);
    expect_code("rotate", alk_secret_service_rotate(service, "t", json, strlen(json), 2, &rotated),
                0);
    expect_code("decrypt",
                alk_secret_service_decrypt(service, "t", rotated, strlen(rotated), o->text,
                                           sizeof o->text, &len),
                0);
    free(json);
    free(rotated);
    sodium_free(o);
}

/* A thread whose stack is searched as well: it works, then waits. */
struct worker {
    struct alk_secret_service *service;
    pthread_barrier_t worked, searched;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    use(w->service);
    pthread_barrier_wait(&w->worked);
    pthread_barrier_wait(&w->searched);
    return NULL;
}

static void search_finds_what_is_there(void **state)
{
    char *plain, *points;
    struct search_hits hits;

    (void)state;
    hits = search_memory();
    if (hits.open != 0 || hits.guarded != 0)
        fail_msg("found before anything was unlocked: %s", hits.where);
    plain = malloc(ALK_SEED_SIZE);
    unmask((const char *)masked.seed, plain, ALK_SEED_SIZE);
    hits = search_memory();
    assert_int_equal(hits.open, 7); /* the fragments of 64 bytes, every 8 */
    assert_int_equal(hits.guarded, 0);
    sodium_memzero(plain, ALK_SEED_SIZE);
    free(plain);
    points = sodium_malloc(ALK_MNEMONIC_SIZE);
    unmask(masked.mnemonic, points, ALK_MNEMONIC_SIZE);
    hits = search_memory();
    assert_int_equal(hits.open, 0);
    assert_true(hits.guarded >= 65);
    sodium_free(points);
}

static void nothing_is_left_behind(void **state)
{
    struct alk_secret_service *service = NULL;
    struct worker worker;
    struct search_hits hits;
    pthread_t thread;

    (void)state;
    expect_code("new", alk_secret_service_new(NULL, &service), 0);
    unlock(service);
    use(service);
    worker.service = service;
    pthread_barrier_init(&worker.worked, NULL, 2);
    pthread_barrier_init(&worker.searched, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, work, &worker), 0);
    pthread_barrier_wait(&worker.worked);
    hits = search_memory();
    if (hits.open != 0)
        fail_msg("unlocked, outside the guarded pages: %u times, first %s", hits.open, hits.where);
    if (hits.guarded < 7)
        fail_msg("unlocked, yet the guarded pages hold no seed: the search is broken");
    expect_code("lock", alk_secret_service_lock(service, "t"), 0);
    hits = search_memory();
    if (hits.open + hits.guarded != 0)
        fail_msg("locked: found %u times, first %s", hits.open + hits.guarded, hits.where);
    pthread_barrier_wait(&worker.searched);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&worker.worked);
    pthread_barrier_destroy(&worker.searched);
    alk_secret_service_free(service);
}

/* An expired key is wiped while the tenant stays unlocked: only the seed remains. */
static uint64_t clock_ms;

static uint64_t test_clock(void *user)
{
    (void)user;
    return clock_ms;
}

static void expired_keys_are_wiped(void **state)
{
    struct alk_secret_service *service = NULL;
    struct alk_secret_options options;
    struct search_hits unlocked, used, swept;

    (void)state;
    alk_secret_options_init(&options);
    options.now_ms = test_clock;
    expect_code("new", alk_secret_service_new(&options, &service), 0);
    unlock(service);
    unlocked = search_memory();
    use(service);
    used = search_memory();
    assert_true(used.guarded > unlocked.guarded);
    clock_ms += options.cache_ttl_ms;
    assert_true(alk_secret_service_sweep(service) > 0);
    swept = search_memory();
    assert_int_equal(swept.guarded, unlocked.guarded);
    assert_int_equal(swept.open, 0);
    alk_secret_service_free(service);
}

static char *volatile left_behind; /* volatile, or a compiler leaves the copy out */

/* What a process does before its memory is dumped; a careless one leaves the seed behind. */
static void live(void *careless)
{
    struct alk_secret_service *service = NULL;

    alk_secret_service_new(NULL, &service);
    unlock(service);
    use(service);
    if (*(const bool *)careless) {
        left_behind = malloc(ALK_SEED_SIZE);
        unmask((const char *)masked.seed, left_behind, ALK_SEED_SIZE);
    }
}

static struct search_hits search_core(core_maker *make, bool careless)
{
    char path[] = "/tmp/alk-secret-core-XXXXXX";
    struct search_hits hits;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    make(path, live, &careless);
    hits = search_file(path);
    unlink(path);
    return hits;
}

static void expect_clean_core(const char *how, core_maker *make)
{
    /* what the careless process left must be there, or the search does not work */
    struct search_hits hits = search_core(make, true);

    if (hits.open < 7)
        fail_msg("%s: expected the 7 fragments of the seed, found %u", how, hits.open);
    hits = search_core(make, false);
    if (hits.open != 0)
        fail_msg("%s: found %u times, first %s", how, hits.open, hits.where);
}

static void a_core_dump_holds_nothing(void **state)
{
    (void)state;
    expect_clean_core("read as a debugger does", core_by_hand);
    if (core_files_are_plain())
        expect_clean_core("the kernel's core file", core_by_kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_finds_what_is_there),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(expired_keys_are_wiped),
        cmocka_unit_test(a_core_dump_holds_nothing),
    };
    return cmocka_run_group_tests(tests, receive_secrets, NULL);
}

#endif
