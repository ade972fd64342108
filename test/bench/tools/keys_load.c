/* Milliseconds to load --keys FILE, a list of authorised keys; the best of some rounds. */
#include "tool.h"

#include <alk/authorized_keys.h>
#include <alk/key.h>

#include <stdio.h>

enum { ROUNDS = 5 };

int main(int argc, char **argv)
{
    const char *path = "";
    const struct tool_option options[] = {{"--keys", TOOL_TEXT, &path}, {NULL, TOOL_FLAG, NULL}};
    double best = 1e9;
    size_t count = 0;

    tool_start();
    tool_options(argc, argv, options);
    if (alk_crypto_init() != ALK_OK)
        tool_die("the crypto library could not be set up");
    for (int round = 0; round < ROUNDS; round++) {
        struct alk_authorized_keys *keys;
        struct alk_error error;
        uint64_t start = tool_now();
        if (alk_authorized_keys_load(&keys, path, NULL, NULL, &error) != ALK_OK)
            tool_die("%s", error.text);
        double ms = (double)(tool_now() - start) / 1e6;
        best = ms < best ? ms : best;
        count = alk_authorized_keys_count(keys);
        alk_authorized_keys_free(keys);
    }
    printf("{\"load_ms\": %.3f, \"keys\": %zu}\n", best, count);
    return 0;
}
