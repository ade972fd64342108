#include "client/internal.h"

#include <alk/user_key.h>

#include <stdlib.h>
#include <string.h>

/* Servers count what they refuse, and punish addresses for it: sshd ends the session after 6. */
enum { REFUSALS_MAX = 10 };

static const char name_one[] = "name the right one with --identity FILE, which may be the public "
                               "key of one in the agent";

static struct alk_ssh *ssh_of(struct alk_client *client)
{
    return alk_session_ssh(client->session);
}

static const struct alk_engine *engine_of(struct alk_client *client)
{
    return alk_session_engine(client->session);
}

static void free_agent_keys(struct login *login)
{
    for (size_t i = 0; i < login->agent_count; i++)
        free(login->agent_keys[i].blob);
    free(login->agent_keys);
}

void login_clear(struct alk_client *client)
{
    agent_talk_free(client->login.agent);
    free_agent_keys(&client->login);
    memset(&client->login, 0, sizeof(client->login));
}

static void give_up(struct alk_client *client)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];
    struct login *login = &client->login;

    if (login->refused >= REFUSALS_MAX) {
        alk_error_set(&client->trouble, ALK_E_AUTH,
                      "the server accepts none of the %u keys that were offered for user %s: %s",
                      login->refused, client->user, name_one);
    } else if (login->refused == 0 && client->agent_key != NULL) {
        alk_key_fingerprint(client->agent_key, client->options.agent_key_len, fingerprint);
        alk_error_set(&client->trouble, ALK_E_AUTH,
                      "the ssh-agent does not hold the key %s any more: add it with ssh-add",
                      fingerprint);
    } else if (login->refused == 0) {
        alk_error_set(&client->trouble, ALK_E_AUTH,
                      "there is no key to log in with: use --identity FILE, or an ssh-agent that "
                      "holds an Ed25519 key");
    } else if (login->unsigned_key[0] != '\0') {
        alk_error_set(&client->trouble, ALK_E_AUTH,
                      "the server would accept %s for user %s, but the ssh-agent did not sign with "
                      "it: is it locked, or was the use of the key not confirmed?",
                      login->unsigned_key, client->user);
    } else if (login->certified) {
        alk_key_fingerprint(login->offered, login->offered_len, fingerprint);
        alk_error_set(&client->trouble, ALK_E_AUTH,
                      "the server accepts neither %s for user %s nor its certificate: see with "
                      "ssh-keygen -L whether it is still valid and names the user, and whether the "
                      "server trusts its authority",
                      fingerprint, client->user);
    } else {
        alk_key_fingerprint(login->offered, login->offered_len, fingerprint);
        alk_error_set(&client->trouble, ALK_E_AUTH,
                      "the server does not accept %s for user %s%s: add the public key to the "
                      "server's authorized_keys",
                      fingerprint, client->user, login->refused > 1 ? " (nor the other keys)" : "");
    }
    alk_session_end(client->session, ALK_SSH_BY_NO_MORE_METHODS, "no more keys to offer");
}

bool login_blames_keys(struct alk_client *client, const char *why)
{
    const struct login *login = &client->login;

    if (login->refused < 2)
        return false;
    alk_error_set(&client->trouble, ALK_E_AUTH, "no login at %s port %u after %u keys: %s; %s",
                  client->host, client->options.port, login->refused, why, name_one);
    return true;
}

/* Chooses what the server is to see of this key: each of its certificates, at last the key itself.
 * False when more is to come. */
static bool show(struct alk_client *client, const uint8_t *blob, size_t len)
{
    const struct alk_client_options *o = &client->options;
    struct login *login = &client->login;

    login->offered = blob;
    login->offered_len = len;
    while (login->next_certificate < o->certificate_count) {
        const struct alk_client_certificate *c = &o->certificates[login->next_certificate++];
        uint8_t plain[ALK_PLAIN_KEY_MAX];
        struct alk_user_key key;
        if (alk_user_key_parse(c->blob, c->len, &key) && alk_user_key_plain(&key, plain) == len &&
            memcmp(plain, blob, len) == 0) {
            login->shown = c->blob;
            login->shown_len = c->len;
            login->certified = true;
            return false;
        }
    }
    login->next_certificate = 0;
    login->shown = blob;
    login->shown_len = len;
    return true;
}

static void sign_with(struct alk_client *client, const struct alk_key *key)
{
    const struct alk_engine *engine = engine_of(client);
    struct login *login = &client->login;
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE];
    const uint8_t *data;
    size_t len;

    if (engine->auth_to_sign(ssh_of(client), client->user, login->shown, login->shown_len, &data,
                             &len) != ALK_OK)
        return;
    alk_key_sign(key, data, len, signature);
    engine->auth_signed(ssh_of(client), signature, sizeof(signature));
}

static void use_own_key(struct alk_client *client, const struct alk_key *key)
{
    const struct alk_engine *engine = engine_of(client);
    struct login *login = &client->login;

    if (show(client, alk_key_blob(key), ALK_KEY_BLOB_SIZE))
        login->next++;
    login->own = key;
    if (engine->probes_first)
        engine->auth_probe(ssh_of(client), client->user, login->shown, login->shown_len);
    else
        sign_with(client, key);
}

/* The one that only the engine can use. */
static void use_foreign_key(struct alk_client *client)
{
    const struct alk_foreign_key *key = client->options.foreign_key;
    struct login *login = &client->login;

    login->foreign_offered = true;
    login->offered = alk_foreign_key_blob(key, &login->offered_len);
    engine_of(client)->auth_file(ssh_of(client), client->user, alk_foreign_key_text(key),
                                 alk_foreign_key_passphrase(key));
}

static void probe_agent_key(struct alk_client *client, const struct agent_key *key)
{
    struct login *login = &client->login;

    if (show(client, key->blob, key->len))
        login->next++;
    login->own = NULL;
    engine_of(client)->auth_probe(ssh_of(client), client->user, login->shown, login->shown_len);
}

/* As ssh does with IdentitiesOnly: of the agent's keys the one that was named, if one was; and only
 * those that the engine can log in with. */
static bool is_wanted(const void *user, const uint8_t *blob, size_t len)
{
    const struct alk_client *client = user;

    if (client->agent_key != NULL &&
        (len != client->options.agent_key_len || memcmp(client->agent_key, blob, len) != 0))
        return false;
    return alk_session_engine(client->session)->takes_key(blob, len);
}

static void keep_agent_keys(struct alk_client *client, const struct alk_agent_identity *keys,
                            size_t count)
{
    struct login *login = &client->login;

    login->agent_keys = calloc(count + 1, sizeof(*login->agent_keys));
    for (size_t i = 0; i < count && login->agent_keys != NULL; i++) {
        struct agent_key *kept = &login->agent_keys[login->agent_count];
        kept->blob = malloc(keys[i].blob_len);
        if (kept->blob == NULL)
            return;
        memcpy(kept->blob, keys[i].blob, keys[i].blob_len);
        kept->len = keys[i].blob_len;
        login->agent_count++;
    }
}

static void on_agent_keys(void *user, int status, const struct alk_agent_identity *keys,
                          size_t count)
{
    struct alk_client *client = user;
    struct login *login = &client->login;

    if (status != ALK_OK)
        alk_log(client->options.log, ALK_LOG_WARN, "the ssh-agent cannot be used", "reason",
                alk_status_text(status), NULL);
    else
        keep_agent_keys(client, keys, count);
    if (login->wants_key)
        login_next(client);
}

/* Offers the next key; with an agent, its keys come after our own. */
static void offer(struct alk_client *client)
{
    struct login *login = &client->login;
    size_t own = client->options.key_count;

    login->wants_key = false;
    if (login->next < own) {
        use_own_key(client, client->options.keys[login->next]);
    } else if (client->options.foreign_key != NULL && !login->foreign_offered) {
        use_foreign_key(client);
    } else if (client->agent != NULL && !login->agent_asked) {
        login->agent_asked = login->wants_key = true;
        int status = agent_talk_start(&login->agent, client->loop, client->agent, is_wanted,
                                      on_agent_keys, client);
        if (status != ALK_OK)
            on_agent_keys(client, status, NULL, 0);
    } else if (login->next - own < login->agent_count && login->refused < REFUSALS_MAX) {
        probe_agent_key(client, &login->agent_keys[login->next - own]);
    } else {
        give_up(client);
    }
}

void login_begin(struct alk_client *client)
{
    offer(client);
}

void login_next(struct alk_client *client)
{
    if (!client->login.wants_key)
        client->login.refused++;
    offer(client);
    alk_session_touch(client->session);
}

/* The user may have said no: goes on with the next key. */
static void not_signed(struct alk_client *client)
{
    struct login *login = &client->login;

    alk_key_fingerprint(login->offered, login->offered_len, login->unsigned_key);
    login_next(client);
}

static void on_agent_signature(void *user, int status, const uint8_t *signature, size_t len)
{
    struct alk_client *client = user;

    if (status != ALK_OK) {
        not_signed(client);
        return;
    }
    engine_of(client)->auth_signed(ssh_of(client), signature, len);
    alk_session_touch(client->session);
}

void login_sign(struct alk_client *client)
{
    struct login *login = &client->login;
    const uint8_t *data;
    size_t len;

    if (login->own != NULL) {
        sign_with(client, login->own);
        alk_session_touch(client->session);
        return;
    }
    if (engine_of(client)->auth_to_sign(ssh_of(client), client->user, login->shown,
                                        login->shown_len, &data, &len) != ALK_OK ||
        agent_talk_sign(login->agent, login->offered, login->offered_len, data, len,
                        on_agent_signature) != ALK_OK)
        not_signed(client);
}
