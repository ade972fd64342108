/* The error codes and error texts of libalk-secret.
 *
 * Every fallible function returns 0 or one of the negative codes below. Functions whose
 * input was written by a person also take a struct alk_secret_error, which may be NULL and
 * receives one sentence that names the thing and the mend. No text ever holds a seed, a key,
 * a passphrase or a word that the caller passed in.
 */
#ifndef ALK_SECRET_ERROR_H
#define ALK_SECRET_ERROR_H

enum alk_secret_code {
    ALK_SECRET_OK = 0,
    ALK_SECRET_E_ARGUMENT = -1,   /* an argument is missing or out of range */
    ALK_SECRET_E_MEMORY = -2,     /* no memory, or none that can be locked against swapping */
    ALK_SECRET_E_CRYPTO = -3,     /* the cryptographic library refused an operation */
    ALK_SECRET_E_LOCKED = -4,     /* the service is locked for this tenant */
    ALK_SECRET_E_UNLOCKED = -5,   /* the tenant is unlocked with another phrase */
    ALK_SECRET_E_TENANT = -6,     /* a malformed tenant id, or too many tenants */
    ALK_SECRET_E_WORD_COUNT = -7, /* a mnemonic of a length that BIP39 does not know */
    ALK_SECRET_E_WORD = -8,       /* a word that is not in the list */
    ALK_SECRET_E_CHECKSUM = -9,   /* words of the list, but the checksum is wrong */
    ALK_SECRET_E_UTF8 = -10,      /* a phrase or passphrase that is not UTF-8 */
    ALK_SECRET_E_TOO_LONG = -11,  /* an input over its documented bound */
    ALK_SECRET_E_PATH = -12,      /* a path that does not follow m/1/2'/3h */
    ALK_SECRET_E_DEPTH = -13,     /* a path with too many levels */
    ALK_SECRET_E_INDEX = -14,     /* an index over 2^31-1 */
    ALK_SECRET_E_HARDENED = -15,  /* an unhardened index where only hardened ones exist */
    ALK_SECRET_E_KEY = -16,       /* not a valid key, or an index that derives none */
    ALK_SECRET_E_RECORD = -17,    /* an EncryptedData record that does not open, for any reason */
    ALK_SECRET_E_VERSION = -18,   /* a key version outside 1 to 2^31 */
    ALK_SECRET_E_SPACE = -19      /* the caller's buffer is too small */
};

#define ALK_SECRET_ERROR_SIZE 192

struct alk_secret_error {
    char text[ALK_SECRET_ERROR_SIZE];
};

/* The general sentence for a code; never NULL. Any thread. */
const char *alk_secret_strerror(int code);

#endif
