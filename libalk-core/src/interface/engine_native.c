#include "interface/engine.h"

#include <alk/user_key.h>

/* With a security key, nobody here can sign. */
static bool takes_key(const uint8_t *blob, size_t len)
{
    struct alk_user_key key;

    return alk_user_key_parse(blob, len, &key) && !key.certified && key.application == NULL;
}

const struct alk_engine alk_engine_native = {
    .create = alk_ssh_new,
    .destroy = alk_ssh_free,
    .input_space = alk_ssh_input_space,
    .input_commit = alk_ssh_input_commit,
    .next = alk_ssh_next,
    .output = alk_ssh_output,
    .output_done = alk_ssh_output_done,
    .wants_input = alk_ssh_wants_input,
    .has_room = alk_ssh_has_room,
    .only_bulk = alk_ssh_only_bulk,
    .deadline = alk_ssh_deadline,
    .tick = alk_ssh_tick,
    .disconnect = alk_ssh_disconnect,
    .error = alk_ssh_error,
    .cipher_name = alk_ssh_cipher_name,
    .authenticated = alk_ssh_authenticated,
    .memory = alk_ssh_memory,
    .host_key_accept = alk_ssh_host_key_accept,
    .takes_key = takes_key,
    .auth_probe = alk_ssh_auth_probe,
    .auth_to_sign = alk_ssh_auth_to_sign,
    .auth_signed = alk_ssh_auth_signed,
    .channel_open = alk_ssh_channel_open,
    .channel_accept = alk_ssh_channel_accept,
    .channel_reject = alk_ssh_channel_reject,
    .channel_reserve = alk_ssh_channel_reserve,
    .channel_reserve_urgent = alk_ssh_channel_reserve_urgent,
    .channel_blocked = alk_ssh_channel_blocked,
    .channel_commit = alk_ssh_channel_commit,
    .channel_write = alk_ssh_channel_write,
    .channel_consumed = alk_ssh_channel_consumed,
    .channel_eof = alk_ssh_channel_eof,
    .channel_close = alk_ssh_channel_close,
    .forward_request = alk_ssh_forward_request,
};
