#include "support/ssh_login.h"

#include <string.h>

int login_run(enum alk_ssh_role role, const uint8_t *data, size_t size)
{
    static const uint8_t pieces[] = {0, 0, 0, 0, 1, 7, 64, 255};
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    static struct driver d;

    if (size < LOGIN_HEAD)
        return 0;
    options.ciphers = "none"; /* what follows the key exchange stays readable to the fuzzer */
    options.max_channels = 16;
    driver_start(&d, role, options);
    memcpy(d.policy, data, DRIVER_POLICY);
    d.clear_output = true;
    driver_drain(&d, SIZE_MAX); /* the identification is no packet */
    driver_input(&d, data + LOGIN_HEAD, size - LOGIN_HEAD, pieces[data[DRIVER_POLICY] % 8]);
    driver_drain(&d, SIZE_MAX);
    driver_events(&d);
    driver_tick(&d, 40000);
    driver_events(&d);
    driver_drain(&d, SIZE_MAX);
    driver_free(&d);
    return 0;
}
