/* Prints --count authorized_keys lines with fresh keys whose private halves are forgotten. */
#include "tool.h"

#include <alk/key.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    unsigned count = 1;
    const struct tool_option options[] = {{"--count", TOOL_NUMBER, &count},
                                          {NULL, TOOL_FLAG, NULL}};
    char line[256], comment[32];
    struct alk_key *key;

    tool_start();
    tool_options(argc, argv, options);
    if (alk_crypto_init() != ALK_OK)
        tool_die("the crypto library could not be set up");
    for (unsigned i = 0; i < count; i++) {
        snprintf(comment, sizeof(comment), "stranger-%u", i);
        if (alk_key_generate(&key) != ALK_OK ||
            alk_key_format_public(alk_key_blob(key), ALK_KEY_BLOB_SIZE, comment, line,
                                  sizeof(line)) != ALK_OK)
            tool_die("cannot make a key");
        puts(line);
        alk_key_free(key);
    }
    return 0;
}
