/* BIP39: mnemonics of the English list and the seed that they stand for.
 *
 * Phrases are UTF-8 and at most ALK_MNEMONIC_INPUT_MAX bytes. They are normalised with NFKD,
 * and words are separated by any run of blanks. Words are lower case: BIP39 does not fold
 * case, so "Abandon" is an unknown word (with a hint at "abandon").
 *
 * All functions may be called by any thread. Results go to the caller's memory, which should
 * come from sodium_malloc() and is the caller's to wipe.
 */
#ifndef ALK_SECRET_MNEMONIC_H
#define ALK_SECRET_MNEMONIC_H

#include <alk/secret_error.h>

#include <stddef.h>
#include <stdint.h>

#define ALK_MNEMONIC_INPUT_MAX   1024 /* bytes of a phrase, and of a passphrase */
#define ALK_MNEMONIC_WORDS_MAX   24
#define ALK_MNEMONIC_SIZE        216 /* 24 words of 8 letters, blanks between, and a NUL */
#define ALK_MNEMONIC_ENTROPY_MAX 32
#define ALK_SEED_SIZE            64

/* A new mnemonic of 12, 15, 18, 21 or 24 words from the system's randomness.
 * E_WORD_COUNT, E_SPACE when size is too small (ALK_MNEMONIC_SIZE always suffices), E_CRYPTO. */
int alk_mnemonic_generate(unsigned words, char *out, size_t size);

/* The mnemonic of 16, 20, 24, 28 or 32 bytes of entropy. E_WORD_COUNT, E_SPACE, E_CRYPTO. */
int alk_mnemonic_from_entropy(const uint8_t *entropy, size_t len, char *out, size_t size);

/* The entropy behind a mnemonic; *len receives its length. Proves words and checksum.
 * E_UTF8, E_TOO_LONG, E_WORD_COUNT, E_WORD, E_CHECKSUM, E_MEMORY. */
int alk_mnemonic_to_entropy(const char *mnemonic, uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX],
                            size_t *len, struct alk_secret_error *error);

/* Whether the mnemonic is valid; returns the number of words, or an error as above. */
int alk_mnemonic_validate(const char *mnemonic, struct alk_secret_error *error);

/* The BIP39 seed: PBKDF2-HMAC-SHA512, 2048 rounds, salt "mnemonic" + passphrase. The
 * mnemonic must be valid; passphrase may be NULL for none. Takes about a millisecond.
 * Errors as alk_mnemonic_to_entropy(), and E_CRYPTO. */
int alk_mnemonic_to_seed(const char *mnemonic, const char *passphrase, uint8_t seed[ALK_SEED_SIZE],
                         struct alk_secret_error *error);

#endif
