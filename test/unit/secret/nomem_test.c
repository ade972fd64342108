/* Memory that runs out at the n-th allocation, be it heap, mapping or locking: every operation
 * then answers E_MEMORY or E_CRYPTO (libcrypto does not tell why) with nothing in its output, or
 * the right thing after all; and the next time, with memory, it succeeds. What reads a record
 * may also answer E_RECORD: jansson calls some failed allocations bad syntax. */
#include "support/sanitized.h"

#ifdef SANITIZED

int main(void)
{
    return 0; /* the sanitizer's allocator is the only one it allows */
}

#else

#include "support/test.h"

#include "workspace.h"

#include <alk/secret_keys.h>
#include <alk/secret_path.h>
#include <alk/secret_service.h>
#include <alk/secret_ssh.h>

#include <errno.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVERY 400 /* allocations of an operation that fail one by one; then samples; then */
#define LAST  100 /* the last ones: PBKDF2 makes thousands that are all alike */

/* ---- allocators that fail ---- */

static long left = -1; /* allocations until they fail; negative: never */
static long made;

static bool exhausted(void)
{
    made++;
    if (left < 0)
        return false;
    if (left == 0) {
        errno = ENOMEM;
        return true;
    }
    left--;
    return false;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return exhausted() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return exhausted() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return exhausted() ? NULL : __libc_realloc(old, size);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    if (exhausted())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

int mlock(const void *at, size_t len)
{
    return exhausted() ? -1 : (int)syscall(SYS_mlock, at, len);
}

/* ---- operations: each takes its secrets from `service` and fills `out` ---- */

#define OUT 2048
typedef int operation(struct alk_secret_service *service, uint8_t out[OUT]);

static const char text[] = "the text of a record";
static char *record;

static int service_new(struct alk_secret_service *service, uint8_t out[OUT])
{
    struct alk_secret_service *other = NULL;
    int r = alk_secret_service_new(NULL, &other);

    (void)service;
    out[0] = r == 0;
    alk_secret_service_free(other);
    return r;
}

static int unlock(struct alk_secret_service *service, uint8_t out[OUT])
{
    int r = alk_secret_service_unlock(service, "other", LEGAL, "caf\u00e9", NULL);

    left = -1;
    assert_int_equal(alk_secret_service_is_unlocked(service, "other"), r == 0);
    if (r == 0) {
        assert_int_equal(alk_secret_service_derive_encryption_key(
                             service, "other", ALK_SECRET_PATH_IDENTITY, out, NULL),
                         0);
        assert_int_equal(alk_secret_service_lock(service, "other"), 0);
    }
    return r;
}

static int to_entropy(struct alk_secret_service *service, uint8_t out[OUT])
{
    size_t len;

    (void)service;
    return alk_mnemonic_to_entropy(LEGAL, out, &len, NULL);
}

static int generate(struct alk_secret_service *service, uint8_t out[OUT])
{
    char *mnemonic = (char *)out + 1;
    int r = alk_mnemonic_generate(24, mnemonic, ALK_MNEMONIC_SIZE);

    (void)service;
    left = -1;
    if (r == 0) {
        out[0] = alk_mnemonic_validate(mnemonic, NULL) == 24;
        memset(mnemonic, 0, ALK_MNEMONIC_SIZE); /* another one each time */
    }
    return r;
}

static int ed25519(struct alk_secret_service *service, uint8_t out[OUT])
{
    return alk_secret_service_derive_ed25519(service, "t", ALK_SECRET_PATH_IDENTITY,
                                             (struct alk_secret_ed25519 *)out, NULL);
}

static int ethereum(struct alk_secret_service *service, uint8_t out[OUT])
{
    return alk_secret_service_derive_ethereum_key(service, "t", ALK_SECRET_PATH_ETHEREUM,
                                                  (struct alk_secret_secp256k1 *)out, NULL);
}

static int encryption_key(struct alk_secret_service *service, uint8_t out[OUT])
{
    return alk_secret_service_derive_encryption_key(service, "t", ALK_SECRET_PATH_ENCRYPTION, out,
                                                    NULL);
}

static int password(struct alk_secret_service *service, uint8_t out[OUT])
{
    return alk_secret_service_derive_password(service, "t", "m/74'/1'/0'/5'", 20, (char *)out, OUT,
                                              NULL);
}

static int ssh_private(struct alk_secret_service *service, uint8_t out[OUT])
{
    static const uint8_t seed[32] = {7};

    (void)service;
    return alk_secret_ssh_private(seed, "comment", (char *)out, OUT);
}

static int decrypt(struct alk_secret_service *service, uint8_t out[OUT])
{
    size_t len;

    return alk_secret_service_decrypt(service, "t", record, strlen(record), out, OUT, &len);
}

/* Proves that a new record holds the text. */
static int opened(struct alk_secret_service *service, int r, char *made_record, uint8_t out[OUT])
{
    size_t len;

    left = -1;
    if (r == 0)
        expect_code("opening what was made",
                    alk_secret_service_decrypt(service, "t", made_record, strlen(made_record), out,
                                               OUT, &len),
                    0);
    else
        assert_null(made_record);
    free(made_record);
    return r;
}

static int encrypt(struct alk_secret_service *service, uint8_t out[OUT])
{
    char *json = NULL;
    int r = alk_secret_service_encrypt(service, "t", text, sizeof text, 1, &json);

    return opened(service, r, json, out);
}

static int rotate(struct alk_secret_service *service, uint8_t out[OUT])
{
    char *json = NULL;
    int r = alk_secret_service_rotate(service, "t", record, strlen(record), 2, &json);

    return opened(service, r, json, out);
}

/* ---- the sweep ---- */

/* One run in which only `allocations` succeed, without a workspace that lies ready. */
static int attempt(operation *run, long allocations, struct alk_secret_service *service,
                   uint8_t out[OUT])
{
    int r;

    sodium_free(alk_workspace_take(1));
    memset(out, 0, OUT);
    made = 0;
    left = allocations;
    r = run(service, out);
    left = -1;
    return r;
}

static void expect_out(const char *name, long n, const uint8_t *got, const uint8_t *expected)
{
    if (memcmp(got, expected, OUT) != 0)
        fail_msg("%s, allocation %ld fails: the output is neither right nor empty", name, n);
}

static long next(long n, long total)
{
    long step = n < EVERY || n >= total - LAST ? 1 : 1 + n / 16;
    return n + step > total - LAST && n < total - LAST ? total - LAST : n + step;
}

static bool refusal(operation *run, int r)
{
    bool reads_json = run == decrypt || run == rotate;

    return r == ALK_SECRET_E_MEMORY || r == ALK_SECRET_E_CRYPTO ||
           (r == ALK_SECRET_E_RECORD && reads_json);
}

static void sweep(const char *name, operation *run, struct alk_secret_service *service)
{
    static const uint8_t empty[OUT];
    uint8_t expected[OUT], out[OUT];
    long total, refused = 0;

    attempt(run, -1, service, out); /* whatever libraries set up once */
    expect_code(name, attempt(run, -1, service, expected), 0);
    total = made;
    for (long n = 0; n < total; n = next(n, total)) {
        int r = attempt(run, n, service, out);
        if (r != 0 && !refusal(run, r))
            fail_msg("%s, allocation %ld fails: expected E_MEMORY or E_CRYPTO, got %d", name, n, r);
        expect_out(name, n, out, r == 0 ? expected : empty);
        refused += r != 0;
        expect_code(name, attempt(run, -1, service, out), 0);
        expect_out(name, n, out, expected);
    }
    print_message("%s: %ld allocations, refused %ld times\n", name, total, refused);
}

static void every_operation(void **state)
{
    static const struct {
        const char *name;
        operation *run;
    } operations[] = {
        {"service_new", service_new},
        {"unlock", unlock},
        {"to_entropy", to_entropy},
        {"generate", generate},
        {"derive_ed25519", ed25519},
        {"derive_ethereum_key", ethereum},
        {"derive_encryption_key", encryption_key},
        {"derive_password", password},
        {"ssh_private", ssh_private},
        {"decrypt", decrypt},
        {"encrypt", encrypt},
        {"rotate", rotate},
    };
    struct alk_secret_service *service = NULL;
    struct alk_secret_options options;

    (void)state;
    alk_secret_options_init(&options);
    options.cache_ttl_ms = 0; /* so that every derivation is made */
    expect_code("new", alk_secret_service_new(&options, &service), 0);
    expect_code("unlock", alk_secret_service_unlock(service, "t", ABANDON, "", NULL), 0);
    expect_code("encrypt", alk_secret_service_encrypt(service, "t", text, sizeof text, 1, &record),
                0);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        sweep(operations[i].name, operations[i].run, service);
    free(record);
    alk_secret_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
