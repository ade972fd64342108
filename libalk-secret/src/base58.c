/* Base58Check for extended keys. The payload starts with a version byte that is not zero in
 * any key we write, so leading zero bytes need no "1" digits here. */
#include "base58.h"

#include <sodium.h>
#include <string.h>

#define RAW    (ALK_BASE58_PAYLOAD + 4)
#define DIGITS (ALK_BIP32_TEXT_SIZE - 1) /* 82 bytes need at most 112 base58 digits */

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static void checksum(const uint8_t payload[ALK_BASE58_PAYLOAD], uint8_t sum[4])
{
    uint8_t hash[32];

    crypto_hash_sha256(hash, payload, ALK_BASE58_PAYLOAD);
    crypto_hash_sha256(hash, hash, sizeof hash);
    memcpy(sum, hash, 4);
}

int alk_base58check_encode(const uint8_t payload[ALK_BASE58_PAYLOAD], char out[ALK_BIP32_TEXT_SIZE])
{
    uint8_t raw[RAW], digits[DIGITS] = {0};
    size_t first = 0;

    memcpy(raw, payload, ALK_BASE58_PAYLOAD);
    checksum(payload, raw + ALK_BASE58_PAYLOAD);
    for (size_t i = 0; i < RAW; i++) {
        unsigned carry = raw[i];
        for (size_t j = DIGITS; j-- > 0;) {
            carry += 256U * digits[j];
            digits[j] = (uint8_t)(carry % 58);
            carry /= 58;
        }
    }
    while (first < DIGITS && digits[first] == 0)
        first++;
    for (size_t j = first; j < DIGITS; j++)
        out[j - first] = alphabet[digits[j]];
    out[DIGITS - first] = '\0';
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(digits, sizeof digits);
    return 0;
}

/* raw = raw * 58 + digit; what does not fit is left over. */
static unsigned multiply_add(uint8_t raw[RAW], unsigned digit)
{
    for (size_t j = RAW; j-- > 0;) {
        digit += 58U * raw[j];
        raw[j] = (uint8_t)digit;
        digit >>= 8;
    }
    return digit;
}

int alk_base58check_decode(const char *text, uint8_t payload[ALK_BASE58_PAYLOAD])
{
    uint8_t raw[RAW] = {0}, sum[4];
    int r = ALK_SECRET_E_KEY;

    if (text[0] == '\0' || text[0] == '1')
        goto out;
    for (const char *p = text; *p != '\0'; p++) {
        const char *digit = strchr(alphabet, *p);
        if (digit == NULL || multiply_add(raw, (unsigned)(digit - alphabet)) != 0)
            goto out;
    }
    checksum(raw, sum);
    if (raw[0] == 0 || memcmp(sum, raw + ALK_BASE58_PAYLOAD, sizeof sum) != 0)
        goto out;
    memcpy(payload, raw, ALK_BASE58_PAYLOAD);
    r = 0;
out:
    sodium_memzero(raw, sizeof raw);
    return r;
}
