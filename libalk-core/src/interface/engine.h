/*
 * What a session asks of an SSH engine, as a table, since there can be several. The native one is
 * alk/ssh.h, where each function is described; others keep to that.
 *
 * The handles belong to the engine that made them, but the user of a channel is the same for all:
 * alk_ssh_channel_set_user and alk_ssh_channel_user apply.
 */
#ifndef ALK_INTERFACE_ENGINE_H
#define ALK_INTERFACE_ENGINE_H

#include <alk/ssh.h>

struct alk_engine {
    int (*create)(struct alk_ssh **out, const struct alk_ssh_options *options, uint64_t now);
    void (*destroy)(struct alk_ssh *ssh);

    size_t (*input_space)(struct alk_ssh *ssh, uint8_t **at);
    void (*input_commit)(struct alk_ssh *ssh, size_t len, uint64_t now);
    int (*next)(struct alk_ssh *ssh, struct alk_ssh_event *event);
    size_t (*output)(struct alk_ssh *ssh, const uint8_t **bytes);
    void (*output_done)(struct alk_ssh *ssh, size_t len);
    bool (*wants_input)(const struct alk_ssh *ssh);
    bool (*has_room)(const struct alk_ssh *ssh);
    void (*only_bulk)(struct alk_ssh *ssh, bool only_bulk);
    uint64_t (*deadline)(const struct alk_ssh *ssh);
    void (*tick)(struct alk_ssh *ssh, uint64_t now);

    void (*disconnect)(struct alk_ssh *ssh, enum alk_ssh_disconnect reason, const char *text);
    const struct alk_error *(*error)(const struct alk_ssh *ssh);
    const char *(*cipher_name)(const struct alk_ssh *ssh);
    bool (*authenticated)(const struct alk_ssh *ssh);
    size_t (*memory)(const struct alk_ssh *ssh);

    void (*host_key_accept)(struct alk_ssh *ssh);
    int (*auth_probe)(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t blob_len);
    int (*auth_to_sign)(struct alk_ssh *ssh, const char *user, const uint8_t *blob, size_t blob_len,
                        const uint8_t **data, size_t *len);
    int (*auth_signed)(struct alk_ssh *ssh, const uint8_t *signature, size_t len);
    /* Can it log in with such a key, if somebody else signs? */
    bool (*takes_key)(const uint8_t *blob, size_t len);
    bool probes_first; /* auth_to_sign works after AUTH_KEY_OK only */
    /* NULL where an engine does not: logs in with the text of a private key file, which the engine
     * reads and signs with itself, and its passphrase or NULL. Borrowed until the answer. */
    int (*auth_file)(struct alk_ssh *ssh, const char *user, const char *text,
                     const char *passphrase);

    int (*channel_open)(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, const char *host,
                        uint32_t port, const char *origin, uint32_t origin_port,
                        struct alk_ssh_channel **out);
    void (*channel_accept)(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
    void (*channel_reject)(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                           enum alk_ssh_open_failure reason, const char *text);
    int (*channel_reserve)(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                           struct iovec *parts, int most);
    int (*channel_reserve_urgent)(struct alk_ssh *ssh, struct alk_ssh_channel *channel,
                                  struct iovec *part);
    bool (*channel_blocked)(const struct alk_ssh_channel *channel);
    void (*channel_commit)(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len);
    size_t (*channel_write)(struct alk_ssh *ssh, struct alk_ssh_channel *channel, const void *data,
                            size_t len);
    void (*channel_consumed)(struct alk_ssh *ssh, struct alk_ssh_channel *channel, size_t len);
    void (*channel_eof)(struct alk_ssh *ssh, struct alk_ssh_channel *channel);
    void (*channel_close)(struct alk_ssh *ssh, struct alk_ssh_channel *channel);

    int (*forward_request)(struct alk_ssh *ssh, enum alk_ssh_channel_kind kind, bool cancel,
                           const char *host, uint32_t port, void *tag);
};

extern const struct alk_engine alk_engine_native;
extern const struct alk_engine alk_engine_libssh2; /* client only */

#endif
