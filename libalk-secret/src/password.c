/* Site passwords by rejection sampling from a stream of HMAC-SHA512 blocks. */
#include "password.h"

#include <alk/secret_service.h>

#include "crypto.h"

#include <sodium.h>
#include <string.h>

#define FIRST   0x21 /* the 94 printable ASCII characters without the blank */
#define LETTERS 94
#define FAIR                                                                                       \
    (2 * LETTERS)       /* bytes from here on are rejected, so all characters are equally likely */
#define LABEL_LEN 20    /* "alknet site password" */
#define BLOCKS    65536 /* a key that needs more does not exist in practice */

struct stream {
    const uint8_t *key;
    uint8_t message[LABEL_LEN + 5]; /* label, length, counter */
    uint32_t counter;
    size_t left;
    uint8_t block[64];
};

static int next_byte(struct stream *s, uint8_t *byte)
{
    if (s->left == 0) {
        int r;
        if (s->counter == BLOCKS)
            return ALK_SECRET_E_CRYPTO;
        for (int i = 0; i < 4; i++)
            s->message[LABEL_LEN + 1 + i] = (uint8_t)(s->counter >> (24 - 8 * i));
        r = alk_secret_hmac_sha512(s->key, 32, s->message, sizeof s->message, s->block);
        if (r != 0)
            return r;
        s->counter++;
        s->left = sizeof s->block;
    }
    *byte = s->block[sizeof s->block - s->left--];
    return 0;
}

static bool has_each_class(const char *password)
{
    bool lower = false, upper = false, digit = false, symbol = false;

    for (; *password != '\0'; password++) {
        char c = *password;
        if (c >= 'a' && c <= 'z')
            lower = true;
        else if (c >= 'A' && c <= 'Z')
            upper = true;
        else if (c >= '0' && c <= '9')
            digit = true;
        else
            symbol = true;
    }
    return lower && upper && digit && symbol;
}

int alk_secret_password_make(const uint8_t key[32], size_t length, char *out)
{
    static const char label[] = "alknet site password";
    struct stream s = {.key = key};
    int r;

    if (length < ALK_SECRET_PASSWORD_MIN || length > ALK_SECRET_PASSWORD_MAX)
        return ALK_SECRET_E_ARGUMENT;
    memcpy(s.message, label, LABEL_LEN);
    s.message[LABEL_LEN] = (uint8_t)length;
    do {
        size_t have = 0;
        out[length] = '\0';
        while (have < length) {
            uint8_t byte;
            if ((r = next_byte(&s, &byte)) != 0)
                goto out;
            if (byte < FAIR)
                out[have++] = (char)(FIRST + byte % LETTERS);
        }
    } while (!has_each_class(out));
    r = 0;
out:
    if (r != 0)
        sodium_memzero(out, length + 1);
    sodium_memzero(&s, sizeof s);
    return r;
}
