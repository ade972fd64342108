/* Any text as a path: it is refused, or what it means is written and read again alike. */
#include <alk/secret_keys.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *text)
{
    struct alk_secret_error error = {""};
    struct alk_secret_path path, again;
    char out[ALK_SECRET_PATH_SIZE];

    if (alk_secret_path_parse(text, &path, &error) != 0) {
        if (error.text[0] == '\0')
            abort();
        return;
    }
    if (path.depth > ALK_SECRET_PATH_DEPTH || alk_secret_path_format(&path, out, sizeof out) != 0 ||
        alk_secret_path_parse(out, &again, NULL) != 0 || memcmp(&path, &again, sizeof path) != 0)
        abort();
}

/* Extended keys are the other text that names a place in the tree. */
static void check_extended_key(const char *text)
{
    struct alk_bip32_key key;
    char out[ALK_BIP32_TEXT_SIZE];

    if (alk_bip32_parse(text, &key) == 0 &&
        (alk_bip32_format(&key, key.has_secret, out) != 0 || strcmp(text, out) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_path(text);
    check_extended_key(text);
    free(text);
    return 0;
}
