/* Public key lines: what is accepted must be formatted to a line that reads the same. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t blob[ALK_KEY_BLOB_SIZE], again[ALK_KEY_BLOB_SIZE];
    char comment[ALK_KEY_COMMENT_MAX], comment_again[ALK_KEY_COMMENT_MAX];
    char formatted[ALK_KEY_COMMENT_MAX + 128], fingerprint[ALK_FINGERPRINT_SIZE];
    struct alk_error error = {0};
    char *line = malloc(size + 1);

    memcpy(line, data, size);
    line[size] = '\0';
    if (alk_key_parse_public(line, blob, comment, &error) == ALK_OK) {
        if (alk_key_format_public(blob, sizeof(blob), comment, formatted, sizeof(formatted)) !=
                ALK_OK ||
            alk_key_parse_public(formatted, again, comment_again, NULL) != ALK_OK ||
            memcmp(blob, again, sizeof(blob)) != 0)
            abort();
    } else if (error.text[0] == '\0') {
        abort();
    }
    alk_key_fingerprint(data, size, fingerprint);
    alk_key_verify(data, size, "x", 1, data, size);
    alk_key_format_public(data, size, line, formatted, sizeof(formatted));
    free(line);
    return 0;
}
