/* BIP39: entropy to words, words to entropy, words to seed. */
#include <alk/secret_mnemonic.h>

#include "crypto.h"
#include "error.h"
#include "normalise.h"
#include "wordlist.h"
#include "wipe.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 2048
#define BITS   11 /* of a word */

struct words {
    unsigned count;
    uint16_t index[ALK_MNEMONIC_WORDS_MAX];
};

static int entropy_size(unsigned words, size_t *size)
{
    if (words < 12 || words > ALK_MNEMONIC_WORDS_MAX || words % 3 != 0)
        return ALK_SECRET_E_WORD_COUNT;
    *size = words / 3 * 4;
    return 0;
}

/* The words of entropy: its bits, and as many bits of its SHA-256 as fill the last word. */
static void words_of_entropy(const uint8_t *entropy, size_t len, struct words *words)
{
    uint8_t bytes[ALK_MNEMONIC_ENTROPY_MAX + 1], hash[32];

    memcpy(bytes, entropy, len);
    crypto_hash_sha256(hash, entropy, len);
    bytes[len] = hash[0]; /* 32 bytes of entropy take 8 bits of checksum, the most of all */
    words->count = (unsigned)(len / 4 * 3);
    for (unsigned w = 0; w < words->count; w++) {
        unsigned index = 0;
        for (unsigned bit = w * BITS; bit < (w + 1) * BITS; bit++)
            index = index << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1U);
        words->index[w] = (uint16_t)index;
    }
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(hash, sizeof hash);
}

static int entropy_of_words(const struct words *words, uint8_t *entropy, size_t *len)
{
    uint8_t bytes[ALK_MNEMONIC_ENTROPY_MAX + 1] = {0}, hash[32];
    uint8_t mask;
    int r = 0;

    for (unsigned w = 0; w < words->count; w++) {
        for (unsigned i = 0; i < BITS; i++) {
            unsigned bit = w * BITS + i;
            unsigned value = words->index[w] >> (BITS - 1 - i) & 1U;
            bytes[bit / 8] |= (uint8_t)(value << (7 - bit % 8));
        }
    }
    *len = words->count / 3 * 4;
    crypto_hash_sha256(hash, bytes, *len);
    mask = (uint8_t)(0xff << (8 - words->count / 3));
    if (((hash[0] ^ bytes[*len]) & mask) != 0)
        r = ALK_SECRET_E_CHECKSUM;
    else
        memcpy(entropy, bytes, *len);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(hash, sizeof hash);
    return r;
}

static int join(const struct words *words, char *out, size_t size)
{
    size_t used = 0;

    if (size > 0)
        out[0] = '\0';
    for (unsigned w = 0; w < words->count; w++) {
        const char *word = alk_bip39_words[words->index[w]];
        size_t len = strlen(word);
        if (used + (w > 0) + len + 1 > size) {
            sodium_memzero(out, size);
            return ALK_SECRET_E_SPACE;
        }
        if (w > 0)
            out[used++] = ' ';
        memcpy(out + used, word, len + 1);
        used += len;
    }
    return 0;
}

static int unknown_word(const char *word, size_t len, unsigned position,
                        struct alk_secret_error *error)
{
    const char *near = alk_bip39_nearest(word, len);

    if (near == NULL)
        return alk_secret_fail(error, ALK_SECRET_E_WORD,
                               "word %u is not in the English BIP39 list; check its spelling",
                               position);
    return alk_secret_fail(error, ALK_SECRET_E_WORD,
                           "word %u is not in the English BIP39 list; is it \"%s\"?", position,
                           near);
}

/* Splits a normalised phrase and looks its words up. */
static int split(const char *phrase, struct words *words, struct alk_secret_error *error)
{
    static const char blanks[] = " \t\r\n";
    unsigned count = 0;

    for (const char *at = phrase; *(at += strspn(at, blanks)) != '\0'; count++) {
        size_t len = strcspn(at, blanks);
        if (count < ALK_MNEMONIC_WORDS_MAX) {
            int index = alk_bip39_index(at, len);
            if (index < 0)
                return unknown_word(at, len, count + 1, error);
            words->index[count] = (uint16_t)index;
        }
        at += len;
    }
    words->count = count;
    if (count < 12 || count > ALK_MNEMONIC_WORDS_MAX || count % 3 != 0)
        return alk_secret_fail(error, ALK_SECRET_E_WORD_COUNT,
                               "the mnemonic has %u words; it must have 12, 15, 18, 21 or 24",
                               count);
    return 0;
}

static int read_words(const char *mnemonic, struct words *words, struct alk_secret_error *error)
{
    char *phrase = NULL;
    size_t len;
    int r = mnemonic == NULL ? ALK_SECRET_E_ARGUMENT : alk_crypto_init();

    if (r == 0)
        r = alk_nfkd(mnemonic, strnlen(mnemonic, ALK_MNEMONIC_INPUT_MAX + 1), &phrase, &len);
    if (r == ALK_SECRET_E_TOO_LONG)
        return alk_secret_fail(error, r, "the mnemonic is longer than %d bytes",
                               ALK_MNEMONIC_INPUT_MAX);
    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    r = split(phrase, words, error);
    sodium_free(phrase);
    return r;
}

int alk_mnemonic_from_entropy(const uint8_t *entropy, size_t len, char *out, size_t size)
{
    struct words words;
    int r = alk_crypto_init();

    if (r != 0)
        return r;
    if (len < 16 || len > ALK_MNEMONIC_ENTROPY_MAX || len % 4 != 0)
        return ALK_SECRET_E_WORD_COUNT;
    words_of_entropy(entropy, len, &words);
    r = join(&words, out, size);
    sodium_memzero(&words, sizeof words);
    alk_wipe_traces();
    return r;
}

int alk_mnemonic_generate(unsigned words, char *out, size_t size)
{
    uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX];
    size_t len;
    int r = alk_crypto_init();

    if (r != 0 || (r = entropy_size(words, &len)) != 0)
        return r;
    randombytes_buf(entropy, len);
    r = alk_mnemonic_from_entropy(entropy, len, out, size);
    sodium_memzero(entropy, sizeof entropy);
    return r;
}

int alk_mnemonic_to_entropy(const char *mnemonic, uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX],
                            size_t *len, struct alk_secret_error *error)
{
    struct words words = {0};
    int r = read_words(mnemonic, &words, error);

    if (r == 0 && (r = entropy_of_words(&words, entropy, len)) != 0)
        alk_secret_fail(error, r, NULL);
    sodium_memzero(&words, sizeof words);
    alk_wipe_traces();
    return r;
}

int alk_mnemonic_validate(const char *mnemonic, struct alk_secret_error *error)
{
    uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX];
    size_t len = 0;
    int r = alk_mnemonic_to_entropy(mnemonic, entropy, &len, error);

    sodium_memzero(entropy, sizeof entropy);
    return r != 0 ? r : (int)(len / 4 * 3);
}

static int stretch(const struct words *words, const char *passphrase, size_t len,
                   uint8_t seed[ALK_SEED_SIZE])
{
    static const char prefix[] = "mnemonic";
    const size_t prefix_len = sizeof prefix - 1;
    char *phrase = sodium_malloc(ALK_MNEMONIC_SIZE);
    uint8_t *salt = sodium_malloc(prefix_len + len);
    int r = ALK_SECRET_E_MEMORY;

    if (phrase == NULL || salt == NULL)
        goto out;
    memcpy(salt, prefix, prefix_len);
    memcpy(salt + prefix_len, passphrase, len);
    r = join(words, phrase, ALK_MNEMONIC_SIZE);
    if (r == 0)
        r = alk_pbkdf2_sha512(phrase, strlen(phrase), salt, prefix_len + len, ROUNDS, seed);
out:
    sodium_free(phrase);
    sodium_free(salt);
    return r;
}

int alk_mnemonic_to_seed(const char *mnemonic, const char *passphrase, uint8_t seed[ALK_SEED_SIZE],
                         struct alk_secret_error *error)
{
    uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX];
    struct words words = {0};
    char *pass = NULL;
    size_t len = 0;
    int r = read_words(mnemonic, &words, error);

    if (r != 0)
        goto out;
    if ((r = entropy_of_words(&words, entropy, &len)) != 0) {
        alk_secret_fail(error, r, NULL);
        goto out;
    }
    if (passphrase == NULL)
        passphrase = "";
    r = alk_nfkd(passphrase, strnlen(passphrase, ALK_MNEMONIC_INPUT_MAX + 1), &pass, &len);
    if (r == 0)
        r = stretch(&words, pass, len, seed);
    if (r == ALK_SECRET_E_TOO_LONG)
        alk_secret_fail(error, r, "the passphrase is longer than %d bytes", ALK_MNEMONIC_INPUT_MAX);
    else if (r != 0)
        alk_secret_fail(error, r, NULL);
out:
    sodium_free(pass);
    sodium_memzero(entropy, sizeof entropy);
    sodium_memzero(&words, sizeof words);
    alk_wipe_traces();
    return r;
}
