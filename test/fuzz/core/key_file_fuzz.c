/* Private key files. The first byte chooses: the rest is the text of a file, or the bytes that
 * the armour holds, so that mutations reach behind the base64. No passphrase is tried, the
 * bcrypt work would leave no time for anything else. */
#include "auth/key_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return alk_crypto_init();
}

/* A key that was read must be written and read again as the same. */
static void round_trip(const struct alk_key *key)
{
    struct alk_key *again = NULL;
    char *text = NULL;

    if (alk_key_encode_file(key, "comment", NULL, &text) != ALK_OK ||
        alk_key_parse(&again, text, strlen(text), NULL, NULL) != ALK_OK ||
        memcmp(again->secret, key->secret, sizeof(key->secret)) != 0)
        abort();
    alk_key_free(again);
    sodium_free(text);
}

static void parse(const char *text, size_t len)
{
    struct alk_error error = {0};
    struct alk_key *key;
    int rc = alk_key_parse(&key, text, len, NULL, &error);

    if ((rc == ALK_OK) != (key != NULL) || (rc != ALK_OK && error.text[0] == '\0'))
        abort();
    if (key != NULL)
        round_trip(key);
    alk_key_free(key);
}

static void parse_bytes(const uint8_t *bytes, size_t len)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    static const char end[] = "-----END OPENSSH PRIVATE KEY-----\n";
    size_t base64_size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(sizeof(begin) + base64_size + sizeof(end));

    strcpy(text, begin);
    sodium_bin2base64(text + strlen(text), base64_size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
    strcat(text, end);
    parse(text, strlen(text));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 't')
        parse((const char *)data + 1, size - 1);
    else
        parse_bytes(data + 1, size - 1);
    return 0;
}
