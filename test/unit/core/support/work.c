#include "support/work.h"

#include <sodium.h>
#include <stdatomic.h>

/* what the linker makes of the names of libsodium */
int __real_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *data,
                                       unsigned long long len, const unsigned char *key);
int __real_sodium_memcmp(const void *a, const void *b, size_t len);
int __wrap_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *data,
                                       unsigned long long len, const unsigned char *key);
int __wrap_sodium_memcmp(const void *a, const void *b, size_t len);

/* Some tests have threads. */
static atomic_uint verifications, comparisons;

int __wrap_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *data,
                                       unsigned long long len, const unsigned char *key)
{
    verifications++;
    return __real_crypto_sign_verify_detached(signature, data, len, key);
}

int __wrap_sodium_memcmp(const void *a, const void *b, size_t len)
{
    comparisons++;
    return __real_sodium_memcmp(a, b, len);
}

struct work work_done(void)
{
    return (struct work){
        .verifications = atomic_exchange(&verifications, 0),
        .comparisons = atomic_exchange(&comparisons, 0),
    };
}
