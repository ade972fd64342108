/* BIP39: entropy to words, words to entropy, words to seed. */
#include <alk/secret_mnemonic.h>

#include "crypto.h"
#include "error.h"
#include "normalise.h"
#include "wordlist.h"
#include "wipe.h"
#include "workspace.h"

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

static int too_long(const char *what, struct alk_secret_error *error)
{
    return alk_secret_fail(error, ALK_SECRET_E_TOO_LONG, "the %s is longer than %d bytes", what,
                           ALK_MNEMONIC_INPUT_MAX);
}

/* Takes a workspace, when the texts are there and of a length to work on. */
static int begin(const char *mnemonic, const char *passphrase, struct alk_workspace **w,
                 struct alk_secret_error *error)
{
    size_t mnemonic_len, passphrase_len;
    int r = mnemonic == NULL ? ALK_SECRET_E_ARGUMENT : alk_secret_crypto_init();

    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    mnemonic_len = strnlen(mnemonic, ALK_MNEMONIC_INPUT_MAX + 1);
    passphrase_len = strnlen(passphrase, ALK_MNEMONIC_INPUT_MAX + 1);
    if (mnemonic_len > ALK_MNEMONIC_INPUT_MAX)
        return too_long("mnemonic", error);
    if (passphrase_len > ALK_MNEMONIC_INPUT_MAX)
        return too_long("passphrase", error);
    *w = alk_workspace_take(mnemonic_len > passphrase_len ? mnemonic_len : passphrase_len);
    return *w == NULL ? alk_secret_fail(error, ALK_SECRET_E_MEMORY, NULL) : 0;
}

/* Reads the mnemonic into words and entropy. */
static int read_mnemonic(const char *mnemonic, struct alk_workspace *w, struct words *words,
                         uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX], size_t *len,
                         struct alk_secret_error *error)
{
    size_t text_len;
    int r = alk_nfkd(mnemonic, strlen(mnemonic), w->text, &text_len);

    if (r != 0)
        return alk_secret_fail(error, r, NULL);
    if ((r = split((const char *)w->text, words, error)) != 0)
        return r;
    r = entropy_of_words(words, entropy, len);
    return r != 0 ? alk_secret_fail(error, r, NULL) : 0;
}

int alk_mnemonic_from_entropy(const uint8_t *entropy, size_t len, char *out, size_t size)
{
    struct words words;
    int r = alk_secret_crypto_init();

    if (r != 0)
        return r;
    if (len < 16 || len > ALK_MNEMONIC_ENTROPY_MAX || len % 4 != 0)
        return ALK_SECRET_E_WORD_COUNT;
    words_of_entropy(entropy, len, &words);
    r = join(&words, out, size);
    sodium_memzero(&words, sizeof words);
    alk_secret_wipe_traces();
    return r;
}

int alk_mnemonic_generate(unsigned words, char *out, size_t size)
{
    uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX];
    size_t len;
    int r = alk_secret_crypto_init();

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
    struct alk_workspace *w = NULL;
    struct words words = {0};
    int r = begin(mnemonic, "", &w, error);

    if (r == 0)
        r = read_mnemonic(mnemonic, w, &words, entropy, len, error);
    alk_workspace_give(w);
    sodium_memzero(&words, sizeof words);
    alk_secret_wipe_traces();
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

/* From the words themselves, not from the phrase as it was typed, so blanks do not matter. */
static int stretch(const struct words *words, const char *passphrase, struct alk_workspace *w,
                   uint8_t seed[ALK_SEED_SIZE])
{
    size_t len;
    int r = join(words, w->phrase, sizeof w->phrase);

    if (r == 0)
        r = alk_nfkd(passphrase, strlen(passphrase), w->text, &len);
    if (r != 0)
        return r;
    memcpy(w->prefix, "mnemonic", sizeof w->prefix);
    return alk_secret_pbkdf2_sha512(w->phrase, strlen(w->phrase), (const uint8_t *)w->prefix,
                                    sizeof w->prefix + len, ROUNDS, seed);
}

int alk_mnemonic_to_seed(const char *mnemonic, const char *passphrase, uint8_t seed[ALK_SEED_SIZE],
                         struct alk_secret_error *error)
{
    uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX];
    struct alk_workspace *w = NULL;
    struct words words = {0};
    size_t len;
    int r;

    if (passphrase == NULL)
        passphrase = "";
    if ((r = begin(mnemonic, passphrase, &w, error)) != 0)
        return r;
    r = read_mnemonic(mnemonic, w, &words, entropy, &len, error);
    if (r == 0 && (r = stretch(&words, passphrase, w, seed)) != 0)
        alk_secret_fail(error, r, NULL);
    alk_workspace_give(w);
    sodium_memzero(entropy, sizeof entropy);
    sodium_memzero(&words, sizeof words);
    alk_secret_wipe_traces();
    return r;
}
