/* Pins of public keys, as curl writes them. */
#include "transport/tls.h"

#include <alk/status.h>

#include <sodium.h>
#include <string.h>

static const char PREFIX[] = "sha256//";
enum { PREFIX_LEN = sizeof(PREFIX) - 1, BASE64_LEN = 44 };

static bool parse_one(const char *text, size_t len, uint8_t out[ALK_TLS_PIN_SIZE])
{
    size_t got = 0;
    const char *end = NULL;

    return len == PREFIX_LEN + BASE64_LEN && strncmp(text, PREFIX, PREFIX_LEN) == 0 &&
           sodium_base642bin(out, ALK_TLS_PIN_SIZE, text + PREFIX_LEN, BASE64_LEN, NULL, &got, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == ALK_TLS_PIN_SIZE && end == text + len;
}

int alk_tls_pins_parse(const char *text, uint8_t out[ALK_TLS_PINS_MAX][ALK_TLS_PIN_SIZE],
                       struct alk_error *error)
{
    int count = 0;

    for (;; count++) {
        size_t len = strcspn(text, ";");
        if (count == ALK_TLS_PINS_MAX)
            return alk_error_set(error, ALK_E_PARSE, "there are more than %d pins",
                                 ALK_TLS_PINS_MAX);
        if (!parse_one(text, len, out[count]))
            return alk_error_set(error, ALK_E_PARSE,
                                 "a pin is sha256// and the 44 characters of a key's hash, as curl "
                                 "--pinnedpubkey takes it, not \"%.80s\"",
                                 text);
        if (text[len] == '\0')
            return count + 1;
        text += len + 1;
    }
}

void alk_tls_pin_text(const uint8_t pin[ALK_TLS_PIN_SIZE], char out[ALK_TLS_PIN_TEXT])
{
    memcpy(out, PREFIX, PREFIX_LEN);
    sodium_bin2base64(out + PREFIX_LEN, ALK_TLS_PIN_TEXT - PREFIX_LEN, pin, ALK_TLS_PIN_SIZE,
                      sodium_base64_VARIANT_ORIGINAL);
}
