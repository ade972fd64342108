/* API keys, their dates, and the lists of scopes and resources: what is accepted keeps its form. */
#include <alk/api_key.h>
#include <alk/key.h>

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

/* A set that knows exactly this text finds it if it is a key, and nothing else. */
static void judge(const char *text, size_t len, const char *lists)
{
    char hash[ALK_API_KEY_HASH_SIZE];
    struct alk_api_key key = {.name = "k", .hash = hash, .scopes = lists};
    struct alk_identity *identity;
    struct alk_api_keys *set;

    alk_api_key_hash(text, len, hash);
    if (alk_api_keys_new(&set, &key, 1, NULL, NULL) != ALK_OK)
        return;
    bool good = alk_api_keys_judge(set, text, len, 1, &identity) == ALK_API_KEY_GOOD;
    if (good != alk_api_key_is(text, len) || good != (identity != NULL))
        abort();
    if (good && (strlen(identity->id) != ALK_API_KEY_ID_LEN || len != ALK_API_KEY_LEN))
        abort();
    alk_identity_unref(identity);
    alk_api_keys_free(set);
}

/* The first line is a key or a date, the second lists scopes, the third resources. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_identity *identity;
    struct alk_error error = {0};
    char *text = malloc(size + 1), none[] = "", *line[3] = {text, none, none};
    uint64_t seconds;

    memcpy(text, data, size);
    text[size] = '\0';
    for (int i = 1; i < 3; i++) {
        char *newline = strchr(line[i - 1], '\n');
        if (newline == NULL)
            break;
        *newline = '\0';
        line[i] = newline + 1;
    }
    if (alk_api_key_parse_time(line[0], &seconds) && seconds < 86400)
        abort();
    if (alk_identity_parse(&identity, "id", line[1], line[2], &error) != ALK_OK &&
        error.text[0] == '\0')
        abort();
    alk_identity_unref(identity);
    judge(line[0], strlen(line[0]), line[1]);
    alk_api_key_is((const char *)data, size);
    free(text);
    return 0;
}
