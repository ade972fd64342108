/* Error codes to sentences. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const sentences[] = {
    [-ALK_SECRET_OK] = "no error",
    [-ALK_SECRET_E_ARGUMENT] = "an argument is missing or out of range",
    [-ALK_SECRET_E_MEMORY] = "no memory that can be locked against swapping; raise the limit on "
                             "locked memory (ulimit -l, LimitMEMLOCK=)",
    [-ALK_SECRET_E_CRYPTO] = "the cryptographic library refused an operation",
    [-ALK_SECRET_E_LOCKED] = "the secret service is locked; unlock it with the mnemonic first",
    [-ALK_SECRET_E_UNLOCKED] =
        "already unlocked with another mnemonic or passphrase; lock it first",
    [-ALK_SECRET_E_TENANT] = "not a tenant id, or too many tenants are unlocked; lock one first",
    [-ALK_SECRET_E_WORD_COUNT] = "a mnemonic has 12, 15, 18, 21 or 24 words",
    [-ALK_SECRET_E_WORD] = "the mnemonic has a word that is not in the English BIP39 list",
    [-ALK_SECRET_E_CHECKSUM] = "the checksum of the mnemonic is wrong; check the words and "
                               "their order",
    [-ALK_SECRET_E_UTF8] = "the phrase is not valid UTF-8; check the encoding of the terminal or "
                           "file",
    [-ALK_SECRET_E_TOO_LONG] = "the input is too long",
    [-ALK_SECRET_E_PATH] = "not a derivation path; write it like m/74'/0'/0'/0'",
    [-ALK_SECRET_E_DEPTH] = "the derivation path is too deep; 32 levels are allowed",
    [-ALK_SECRET_E_INDEX] = "an index of the derivation path is over 2147483647; use ' for "
                            "hardened ones",
    [-ALK_SECRET_E_HARDENED] = "an Ed25519 path has hardened indexes only; put ' after each",
    [-ALK_SECRET_E_KEY] = "not a valid key",
    [-ALK_SECRET_E_RECORD] = "the record does not open: it is damaged, or was made with another "
                             "mnemonic",
    [-ALK_SECRET_E_VERSION] = "a key version is 1 to 2147483648",
    [-ALK_SECRET_E_SPACE] = "the result does not fit the buffer given for it",
};

const char *alk_secret_strerror(int code)
{
    if (code > 0 || code <= -(int)(sizeof sentences / sizeof sentences[0]))
        return "unknown error";
    return sentences[-code];
}

int alk_secret_fail(struct alk_secret_error *error, int code, const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return code;
    if (format == NULL) {
        snprintf(error->text, sizeof error->text, "%s", alk_secret_strerror(code));
        return code;
    }
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}
