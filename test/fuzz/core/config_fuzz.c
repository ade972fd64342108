/* Configuration files of both kinds: the first byte says which. */
#include <alk/config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *user, const char *setting)
{
    (void)user;
    if (strlen(setting) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_config *config;
    enum alk_config_kind kind = size > 0 && data[0] == 'c' ? ALK_CONFIG_CLIENT : ALK_CONFIG_SERVER;

    if (size == 0)
        return 0;
    if (alk_config_parse(&config, kind, "dir/file", (const char *)data + 1, size - 1, "/home") !=
        ALK_OK)
        abort();
    size_t faults = alk_config_fault_count(config);
    for (size_t i = 0; i < faults; i++) {
        if (strncmp(alk_config_fault(config, i), "dir/file:", 9) != 0)
            abort();
    }
    if (kind == ALK_CONFIG_SERVER) {
        const struct alk_config_server *server = alk_config_server(config);
        for (size_t i = 0; faults == 0 && i < server->listener_count; i++) {
            if (server->listeners[i].listen_count == 0)
                abort();
        }
        alk_config_static_differences(config, config, ignore, NULL);
    } else {
        const struct alk_config_profile *profile = alk_config_profile_at(config, 0);
        if (profile != NULL && alk_config_profile(config, profile->name) == NULL)
            abort();
    }
    alk_config_free(config);
    return 0;
}
