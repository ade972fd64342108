/* AuthTokens: the two forms, what is refused, windows, replay; signatures judged by OpenSSL. */
#include "auth/token.h"
#include "auth/key_internal.h"
#include "auth/token_index.h"
#include "support/alloc.h"
#include "support/scratch.h"
#include "support/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1800000000, FIRST_FORM_CHARS = 139 };

static const uint8_t seed[ALK_KEY_SEED_SIZE] = {7, 1, 2, 3};
static const uint8_t other_seed[ALK_KEY_SEED_SIZE] = {8, 1, 2, 3};
static const uint8_t here[ALK_TOKEN_AUDIENCE_SIZE] = {1}, elsewhere[ALK_TOKEN_AUDIENCE_SIZE] = {2};

static struct alk_key *key, *other;

static struct alk_token decoded(const char *text)
{
    struct alk_token token;

    assert_int_equal(alk_token_decode(&token, text, strlen(text)), ALK_OK);
    return token;
}

static struct alk_token made(const struct alk_key *by, const uint8_t *audience, uint64_t at)
{
    char text[ALK_TOKEN_TEXT_SIZE];

    alk_token_make(by, audience, at, text);
    return decoded(text);
}

/* ---- the forms ---- */

static void test_first_form_is_what_it_should_be(void **state)
{
    char text[ALK_TOKEN_TEXT_SIZE];
    uint8_t id[32];

    (void)state;
    alk_token_make(key, NULL, 0x0102030405060708, text);
    assert_int_equal(strlen(text), FIRST_FORM_CHARS);
    struct alk_token token = decoded(text);
    assert_false(token.bound);
    assert_int_equal(token.len, 104);
    assert_true(token.timestamp == 0x0102030405060708);
    crypto_hash_sha256(id, alk_key_blob_raw(alk_key_blob(key), ALK_KEY_BLOB_SIZE), 32);
    assert_memory_equal(token.bytes, id, 32);
    assert_memory_equal(token.bytes + 32, "\1\2\3\4\5\6\7\10", 8);
}

static void test_second_form_is_what_it_should_be(void **state)
{
    char text[ALK_TOKEN_TEXT_SIZE];
    uint8_t nonce[ALK_TOKEN_NONCE_SIZE];

    (void)state;
    memset(nonce, 0x5a, sizeof(nonce));
    alk_token_make_with(key, here, nonce, NOW, text);
    assert_int_equal(strlen(text), 208);
    struct alk_token token = decoded(text);
    assert_true(token.bound);
    assert_int_equal(token.len, 156);
    assert_memory_equal(token.bytes, "alk2", 4);
    assert_memory_equal(token.bytes + 4, token.key_id, 32);
    assert_memory_equal(token.bytes + 44, here, 32);
    assert_memory_equal(token.bytes + 76, nonce, 16);
}

static void test_nonces_differ(void **state)
{
    struct alk_token a = made(key, here, NOW), b = made(key, here, NOW);

    (void)state;
    assert_memory_not_equal(a.bytes + 76, b.bytes + 76, 16);
}

static void refuses(const char *what, const char *text, size_t len)
{
    struct alk_token token;

    if (alk_token_decode(&token, text, len) != ALK_E_PARSE)
        fail_msg("expected a refusal: %s", what);
}

/* Each text that is nearly a token. */
static void refuses_variants(const char *text)
{
    char changed[300];
    size_t len = strlen(text);

    /* 139 characters of the second form may pass for the first, of a key that nobody has */
    for (size_t cut = 0; cut < len; cut++)
        if (cut != FIRST_FORM_CHARS)
            refuses("cut short", text, cut);
    memcpy(changed, text, len + 1);
    strcpy(changed + len, "=");
    refuses("padded", changed, len + 1);
    strcpy(changed + len, "A");
    refuses("one character more", changed, len + 1);
    strcpy(changed + len, "AAAA");
    refuses("three bytes more", changed, len + 4);
    strcpy(changed + len, "\n");
    refuses("a newline behind it", changed, len + 1);
    changed[len] = '\0';
    refuses("a NUL behind it", changed, len + 1);
    for (const char *c = " \n\r\t=+/.~\x80"; *c != '\0'; c++) {
        memcpy(changed, text, len + 1);
        changed[len / 2] = *c;
        refuses("a character of another alphabet", changed, len);
    }
    memcpy(changed, text, len + 1);
    changed[10] = '\0';
    refuses("a NUL within", changed, len);
}

static void test_malformed_texts_are_refused(void **state)
{
    char text[ALK_TOKEN_TEXT_SIZE], huge[5000];

    (void)state;
    alk_token_make(key, NULL, NOW, text);
    refuses_variants(text);
    alk_token_make(key, here, NOW, text);
    refuses_variants(text);
    text[0] = text[0] == 'A' ? 'B' : 'A';
    refuses("another magic", text, strlen(text));
    memset(huge, 'A', sizeof(huge));
    refuses("oversized", huge, sizeof(huge));
    refuses("of another length", huge, 140);
    refuses("empty", "", 0);
}

/* 104 bytes leave two bits over in the last character; only zeros are canonical. */
static void test_bits_that_do_not_count_are_refused(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char text[ALK_TOKEN_TEXT_SIZE];

    (void)state;
    alk_token_make(key, NULL, NOW, text);
    size_t last = strlen(text) - 1;
    size_t value = (size_t)(strchr(alphabet, text[last]) - alphabet);
    assert_int_equal(value % 4, 0);
    for (size_t extra = 1; extra < 4; extra++) {
        text[last] = alphabet[value + extra];
        refuses("spare bits set", text, last + 1);
    }
}

/* ---- judging ---- */

struct judged {
    const char *what;
    bool bound, foreign_audience, unknown, wrong_key, spoilt, no_audience_here;
    int64_t age; /* how long ago it was made */
    struct alk_token_rules rules;
    enum alk_token_verdict verdict;
};

static const struct judged table[] = {
    {.what = "fresh", .verdict = ALK_TOKEN_GOOD},
    {.what = "fresh, bound", .bound = true, .verdict = ALK_TOKEN_GOOD},
    {.what = "as old as may be", .age = 300, .verdict = ALK_TOKEN_GOOD},
    {.what = "a second too old", .age = 301, .verdict = ALK_TOKEN_TOO_OLD},
    {.what = "as new as may be", .age = -300, .verdict = ALK_TOKEN_GOOD},
    {.what = "a second too new", .age = -301, .verdict = ALK_TOKEN_TOO_NEW},
    {.what = "own window, in", .age = 10, .rules.max_age_s = 10, .verdict = ALK_TOKEN_GOOD},
    {.what = "own window, out", .age = 11, .rules.max_age_s = 10, .verdict = ALK_TOKEN_TOO_OLD},
    {.what = "from 1970", .age = NOW, .verdict = ALK_TOKEN_TOO_OLD},
    {.what = "bound, too old", .bound = true, .age = 301, .verdict = ALK_TOKEN_TOO_OLD},
    {.what = "unknown key", .unknown = true, .verdict = ALK_TOKEN_UNKNOWN_KEY},
    {.what = "unknown and old", .unknown = true, .age = 999, .verdict = ALK_TOKEN_UNKNOWN_KEY},
    {.what = "another key than it says", .wrong_key = true, .verdict = ALK_TOKEN_UNKNOWN_KEY},
    {.what = "spoilt", .spoilt = true, .verdict = ALK_TOKEN_BAD_SIGNATURE},
    {.what = "spoilt, bound", .spoilt = true, .bound = true, .verdict = ALK_TOKEN_BAD_SIGNATURE},
    {.what = "spoilt, elsewhere",
     .spoilt = true,
     .bound = true,
     .foreign_audience = true,
     .verdict = ALK_TOKEN_BAD_SIGNATURE},
    {.what = "for another server",
     .bound = true,
     .foreign_audience = true,
     .verdict = ALK_TOKEN_WRONG_AUDIENCE},
    {.what = "bound, to a server without key",
     .bound = true,
     .no_audience_here = true,
     .verdict = ALK_TOKEN_WRONG_AUDIENCE},
    {.what = "unbound where bound is asked for",
     .rules.require_audience = true,
     .verdict = ALK_TOKEN_NO_AUDIENCE},
    {.what = "bound where bound is asked for",
     .bound = true,
     .rules.require_audience = true,
     .verdict = ALK_TOKEN_GOOD},
};

static void judge_one(const struct judged *j)
{
    const uint8_t *audience = j->foreign_audience ? elsewhere : here;
    struct alk_token token =
        made(key, j->bound ? audience : NULL, (uint64_t)((int64_t)NOW - j->age));
    const uint8_t *blob = j->unknown ? NULL : alk_key_blob(j->wrong_key ? other : key);

    if (j->spoilt)
        token.bytes[token.len - 70] ^= 1; /* what is signed, and no field */
    work_done();
    enum alk_token_verdict verdict =
        alk_token_judge(&token, &j->rules, j->no_audience_here ? NULL : here, blob, NOW);
    struct work work = work_done();
    if (verdict != j->verdict)
        fail_msg("%s: expected %s, got %s", j->what, alk_token_verdict_text(j->verdict),
                 alk_token_verdict_text(verdict));
    if (work.verifications != 1 || work.comparisons != 2)
        fail_msg("%s: expected 1 verification and 2 comparisons, got %u and %u", j->what,
                 work.verifications, work.comparisons);
}

/* Whatever is wrong, the same is computed. */
static void test_verdicts_cost_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        judge_one(&table[i]);
}

/* Every single bit of a token counts. */
static void test_each_bit_counts(void **state)
{
    const struct alk_token_rules rules = {.enabled = true};
    char text[ALK_TOKEN_TEXT_SIZE], again[ALK_TOKEN_TEXT_SIZE];

    (void)state;
    alk_token_make(key, here, NOW, text);
    for (size_t bit = 0; bit < 156 * 8; bit++) {
        struct alk_token token = decoded(text);
        token.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        sodium_bin2base64(again, sizeof(again), token.bytes, token.len,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        if (alk_token_decode(&token, again, strlen(again)) == ALK_OK &&
            alk_token_judge(&token, &rules, here, alk_key_blob(key), NOW) == ALK_TOKEN_GOOD)
            fail_msg("bit %zu may be changed", bit);
    }
}

/* Whoever holds the key that stands in for unknown ones gets nowhere with it. */
static void test_the_stand_in_key_opens_nothing(void **state)
{
    static const char rfc8032_seed[] =
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const struct alk_token_rules rules = {.enabled = true};
    uint8_t bytes[ALK_KEY_SEED_SIZE];
    struct alk_key *stand_in;
    size_t len;

    (void)state;
    sodium_hex2bin(bytes, sizeof(bytes), rfc8032_seed, 64, NULL, &len, NULL);
    assert_int_equal(alk_key_from_seed(&stand_in, bytes), ALK_OK);
    struct alk_token token = made(stand_in, here, NOW);
    assert_int_equal(alk_token_judge(&token, &rules, here, NULL, NOW), ALK_TOKEN_UNKNOWN_KEY);
    alk_key_free(stand_in);
}

/* ---- which key it is ---- */

static void test_index_finds_keys_but_no_authorities(void **state)
{
    char line[3][256], text[800];
    struct alk_authorized_keys *set;
    struct alk_token_index *index;
    struct alk_key *third;
    uint8_t id[ALK_TOKEN_ID_SIZE];

    (void)state;
    assert_int_equal(alk_key_generate(&third), ALK_OK);
    alk_key_format_public(alk_key_blob(key), ALK_KEY_BLOB_SIZE, NULL, line[0], sizeof(line[0]));
    alk_key_format_public(alk_key_blob(other), ALK_KEY_BLOB_SIZE, NULL, line[1], sizeof(line[1]));
    snprintf(text, sizeof(text), "%s\ncert-authority %s\n", line[0], line[1]);
    assert_int_equal(alk_authorized_keys_parse(&set, text, strlen(text), NULL, NULL), ALK_OK);
    assert_int_equal(alk_token_index_new(&index, set), ALK_OK);
    alk_token_key_id(alk_key_blob(key), ALK_KEY_BLOB_SIZE, id);
    assert_memory_equal(alk_token_index_find(index, id), alk_key_blob(key), ALK_KEY_BLOB_SIZE);
    alk_token_key_id(alk_key_blob(other), ALK_KEY_BLOB_SIZE, id);
    assert_null(alk_token_index_find(index, id));
    alk_token_key_id(alk_key_blob(third), ALK_KEY_BLOB_SIZE, id);
    assert_null(alk_token_index_find(index, id));
    alk_token_index_free(index);
    alk_authorized_keys_free(set);
    alk_key_free(third);
}

/* ---- replay ---- */

static int enter_at(struct alk_replay_guard *guard, uint64_t made_at, unsigned max_age,
                    uint64_t now)
{
    struct alk_token token = made(key, NULL, made_at);

    return alk_replay_guard_enter(guard, &token, max_age, now);
}

static void test_a_token_is_good_once(void **state)
{
    struct alk_replay_guard *guard;
    struct alk_token bound = made(key, here, NOW);

    (void)state;
    assert_int_equal(alk_replay_guard_new(&guard, 0), ALK_OK);
    assert_int_equal(enter_at(guard, NOW, 300, NOW), ALK_OK);
    assert_int_equal(enter_at(guard, NOW, 300, NOW), ALK_E_EXISTS);
    assert_int_equal(enter_at(guard, NOW, 300, NOW + 300), ALK_E_EXISTS);
    assert_int_equal(enter_at(guard, NOW + 1, 300, NOW), ALK_OK);
    assert_int_equal(alk_replay_guard_enter(guard, &bound, 300, NOW), ALK_OK);
    assert_int_equal(alk_replay_guard_enter(guard, &bound, 300, NOW), ALK_E_EXISTS);
    bound.bytes[bound.len - 1] ^= 1; /* another signature over the same is the same token */
    assert_int_equal(alk_replay_guard_enter(guard, &bound, 300, NOW), ALK_E_EXISTS);
    alk_replay_guard_free(guard);
}

/* A token from the future lives until its own window ends, not that of its first use. */
static void test_an_entry_lives_for_its_window(void **state)
{
    struct alk_replay_guard *guard;

    (void)state;
    assert_int_equal(alk_replay_guard_new(&guard, 0), ALK_OK);
    assert_int_equal(enter_at(guard, NOW + 300, 300, NOW), ALK_OK);
    assert_int_equal(enter_at(guard, NOW + 300, 300, NOW + 600), ALK_E_EXISTS);
    alk_replay_guard_free(guard);
}

static void test_what_may_be_forgotten_is_refused(void **state)
{
    struct alk_replay_guard *guard;

    (void)state;
    assert_int_equal(alk_replay_guard_new(&guard, 0), ALK_OK);
    assert_int_equal(enter_at(guard, NOW, 10, NOW), ALK_OK);
    assert_int_equal(enter_at(guard, NOW + 100, 10, NOW + 100), ALK_OK);  /* drops all of before */
    assert_int_equal(enter_at(guard, NOW, 10, NOW), ALK_E_EXISTS);        /* the clock went back */
    assert_int_equal(enter_at(guard, NOW, 300, NOW + 100), ALK_E_EXISTS); /* the window grew */
    alk_replay_guard_free(guard);
}

static void test_a_full_table_refuses_until_there_is_room(void **state)
{
    struct alk_replay_guard *guard;

    (void)state;
    assert_int_equal(alk_replay_guard_new(&guard, 100), ALK_OK);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(enter_at(guard, NOW + i, 300, NOW), ALK_OK);
    assert_int_equal(enter_at(guard, NOW + 100, 300, NOW), ALK_E_LIMIT);
    assert_int_equal(enter_at(guard, NOW + 50, 300, NOW), ALK_E_EXISTS);
    assert_int_equal(alk_replay_guard_count(guard), 100);
    /* ten of them have left the window */
    assert_int_equal(enter_at(guard, NOW + 200, 300, NOW + 310), ALK_OK);
    assert_int_equal(alk_replay_guard_count(guard), 91);
    alk_replay_guard_free(guard);
}

static void test_no_memory_is_a_refusal(void **state)
{
    struct alk_replay_guard *guard;

    (void)state;
    long before = alloc_live();
    alloc_fail_at(1, false);
    assert_int_equal(alk_replay_guard_new(&guard, 0), ALK_E_NOMEM);
    assert_int_equal(alk_replay_guard_new(&guard, 0), ALK_OK);
    alloc_fail_at(1, false);
    assert_int_equal(enter_at(guard, NOW, 300, NOW), ALK_E_NOMEM);
    assert_int_equal(enter_at(guard, NOW, 300, NOW), ALK_OK);
    alk_replay_guard_free(guard);
    assert_int_equal(alloc_live(), before);
}

enum { THREADS = 4, TOKENS = 200 };

struct race {
    struct alk_replay_guard *guard;
    struct alk_token tokens[TOKENS];
    _Atomic unsigned accepted;
};

static void *enter_all(void *user)
{
    struct race *race = user;

    for (unsigned i = 0; i < TOKENS; i++) {
        if (alk_replay_guard_enter(race->guard, &race->tokens[i], 300, NOW) == ALK_OK)
            race->accepted++;
    }
    return NULL;
}

static void test_of_many_threads_one_is_first(void **state)
{
    static struct race race;
    pthread_t threads[THREADS];

    (void)state;
    assert_int_equal(alk_replay_guard_new(&race.guard, 0), ALK_OK);
    for (unsigned i = 0; i < TOKENS; i++)
        race.tokens[i] = made(key, NULL, NOW + i);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_all, &race), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.accepted, TOKENS);
    alk_replay_guard_free(race.guard);
}

/* ---- another implementation of the signature ---- */

/* PKCS #8 (RFC 8410) of a seed. */
static void write_pem(struct scratch *scratch, const uint8_t *of)
{
    uint8_t der[48] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    char base64[80], pem[200];

    memcpy(der + 16, of, ALK_KEY_SEED_SIZE);
    sodium_bin2base64(base64, sizeof(base64), der, sizeof(der), sodium_base64_VARIANT_ORIGINAL);
    snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
             base64);
    scratch_text(scratch, "key.pem", pem);
}

static void test_openssl_verifies_what_we_sign(void **state)
{
    struct scratch *scratch = *state;
    struct alk_token token = made(key, here, NOW);
    char output[200];

    write_pem(scratch, seed);
    scratch_write(scratch, "signed", token.bytes, 92, 0600);
    scratch_write(scratch, "signature", token.bytes + 92, 64, 0600);
    scratch_run(scratch, output, sizeof(output),
                ARGV("openssl", "pkeyutl", "-verify", "-inkey", "key.pem", "-rawin", "-in",
                     "signed", "-sigfile", "signature"));
    assert_non_null(strstr(output, "Verified Successfully"));
}

static void test_we_verify_what_openssl_signs(void **state)
{
    const struct alk_token_rules rules = {.enabled = true};
    struct scratch *scratch = *state;
    struct alk_token token = made(key, NULL, NOW);
    char text[ALK_TOKEN_TEXT_SIZE];
    size_t len;

    write_pem(scratch, seed);
    scratch_write(scratch, "signed", token.bytes, 40, 0600);
    scratch_run(scratch, NULL, 0,
                ARGV("openssl", "pkeyutl", "-sign", "-inkey", "key.pem", "-rawin", "-in", "signed",
                     "-out", "signature"));
    char *signature = scratch_read(scratch, "signature", &len);
    assert_int_equal(len, 64);
    memcpy(token.bytes + 40, signature, 64);
    free(signature);
    sodium_bin2base64(text, sizeof(text), token.bytes, 104,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    token = decoded(text);
    assert_int_equal(alk_token_judge(&token, &rules, here, alk_key_blob(key), NOW), ALK_TOKEN_GOOD);
}

static int setup(void **state)
{
    (void)state;
    return alk_crypto_init() == ALK_OK && alk_key_from_seed(&key, seed) == ALK_OK &&
                   alk_key_from_seed(&other, other_seed) == ALK_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    (void)state;
    alk_key_free(key);
    alk_key_free(other);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_form_is_what_it_should_be),
        cmocka_unit_test(test_second_form_is_what_it_should_be),
        cmocka_unit_test(test_nonces_differ),
        cmocka_unit_test(test_malformed_texts_are_refused),
        cmocka_unit_test(test_bits_that_do_not_count_are_refused),
        cmocka_unit_test(test_verdicts_cost_the_same),
        cmocka_unit_test(test_each_bit_counts),
        cmocka_unit_test(test_the_stand_in_key_opens_nothing),
        cmocka_unit_test(test_index_finds_keys_but_no_authorities),
        cmocka_unit_test(test_a_token_is_good_once),
        cmocka_unit_test(test_an_entry_lives_for_its_window),
        cmocka_unit_test(test_what_may_be_forgotten_is_refused),
        cmocka_unit_test(test_a_full_table_refuses_until_there_is_room),
        cmocka_unit_test(test_no_memory_is_a_refusal),
        cmocka_unit_test(test_of_many_threads_one_is_first),
        cmocka_unit_test_setup_teardown(test_openssl_verifies_what_we_sign, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_we_verify_what_openssl_signs, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
