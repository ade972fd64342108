/* Any text as a mnemonic: it is refused, or its entropy makes the same words again. */
#include <alk/secret_mnemonic.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_secret_error error = {""};
    uint8_t entropy[ALK_MNEMONIC_ENTROPY_MAX], again[ALK_MNEMONIC_ENTROPY_MAX];
    char words[ALK_MNEMONIC_SIZE], *text = malloc(size + 1);
    size_t len = 0, again_len = 0;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (alk_mnemonic_to_entropy(text, entropy, &len, &error) != 0) {
        if (error.text[0] == '\0')
            abort();
    } else if (alk_mnemonic_from_entropy(entropy, len, words, sizeof words) != 0 ||
               alk_mnemonic_to_entropy(words, again, &again_len, NULL) != 0 || again_len != len ||
               memcmp(entropy, again, len) != 0) {
        abort();
    }
    free(text);
    return 0;
}
