#include "check.h"

#include "privilege.h"
#include "program.h"

#include <alk/authorized_keys.h>
#include <alk/secret_path.h>

#include <stdio.h>
#include <stdlib.h>

/* The worse of two exit codes, after telling what is wrong. */
static int tell(int code, int status, const struct alk_error *error)
{
    if (status == ALK_OK)
        return code;
    int worse = program_fail(status == ALK_E_PARSE ? EXIT_USAGE : EXIT_RUN, "%s", error->text);
    return code < 0 || worse < code ? worse : code;
}

static int check_key_file(const char *path, struct alk_error *error)
{
    struct alk_key *key = NULL;
    int status = alk_key_load(&key, path, NULL, NULL, error);

    alk_key_free(key);
    return status;
}

static int check_key(const struct settings *s, struct alk_error *error)
{
    struct alk_key *key = NULL;
    int status = ALK_OK;

    if (s->mnemonic.wanted)
        status = mnemonic_key(&key, &s->mnemonic, ALK_SECRET_PATH_HOST_KEY, error);
    else if (s->key != NULL)
        status = s->generate_key ? alk_config_check_new_key(s->key, error)
                                 : check_key_file(s->key, error);
    alk_key_free(key);
    return status;
}

/* Addresses are judged one by one elsewhere; here, that the server has what they need. */
static int check_ports(const struct settings *s, struct alk_server *server, struct alk_error *error)
{
    const struct alk_config_server *file = s->config != NULL ? alk_config_server(s->config) : NULL;
    int status = ALK_OK;

    if (s->listen_count > 0 || file == NULL || file->listener_count == 0)
        return alk_server_listen_as(server, settings_default_address(s), &s->listen_options, error);
    for (size_t i = 0; i < file->listener_count && status == ALK_OK; i++) {
        const struct alk_config_listener *listener = &file->listeners[i];
        for (size_t j = 0; j < listener->listen_count && status == ALK_OK; j++)
            status = alk_server_listen_as(server, listener->listen[j], &listener->options, error);
    }
    return status;
}

/* The server's own judgement of all that it is given, with a key that stands in for the real
 * one. */
static int check_server(const struct settings *s, struct alk_error *error)
{
    struct alk_server_options options = settings_options(s, s->config);
    struct alk_server *server = NULL;
    struct alk_key *key = NULL;
    int status = alk_key_generate(&key);

    if (status != ALK_OK)
        return alk_error_set(error, status, "no key could be made to try");
    options.host_key = key;
    options.log = &s->log;
    options.dry_run = true;
    status = alk_server_new(&server, &options, error);
    if (status == ALK_OK)
        status = check_ports(s, server, error);
    if (status == ALK_OK && s->status_socket != NULL)
        status = alk_server_serve_status(server, s->status_socket, NULL, NULL, error);
    alk_server_free(server);
    alk_key_free(key);
    return status;
}

/* What the file names has been judged as the file's. */
static int check_user(const struct settings *s, struct alk_error *error)
{
    bool in_file = s->config != NULL && s->user == alk_config_server(s->config)->user;
    int status = privilege_check(s->user, error);

    return in_file && status == ALK_E_NOTFOUND ? ALK_OK : status;
}

int check_settings(const struct settings *s, int code)
{
    struct settings quiet = *s;
    struct alk_error error;
    bool key_in_file = s->config != NULL && s->key == alk_config_server(s->config)->host_key;

    if (s->log.format == ALK_LOG_JOURNAL) /* notes on lines are for who checks */
        quiet.log.format = ALK_LOG_LOGFMT;
    if (!key_in_file || s->mnemonic.wanted)
        code = tell(code, check_key(s, &error), &error);
    for (unsigned i = 0; i < s->listen_count; i++)
        code = tell(code, alk_server_check_address(s->listen[i], &error), &error);
    if (s->user != NULL)
        code = tell(code, check_user(s, &error), &error);
    if (code < 0 || s->authorized_keys != NULL || s->cert_authority != NULL ||
        s->revoked_keys != NULL || s->tls_cert != NULL || s->tls_key != NULL)
        code = tell(code, check_server(&quiet, &error), &error);
    if (code < 0) {
        puts("alknet-server: everything is in order");
        code = EXIT_SUCCESS;
    }
    return code;
}
