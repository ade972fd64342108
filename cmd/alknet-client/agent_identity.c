#include "agent_identity.h"

#include <alk/agent.h>

#include <stdio.h>
#include <stdlib.h>

/* A public key is of use only with an agent that holds the private one. */
static int require(const uint8_t blob[ALK_KEY_BLOB_SIZE], const char *path, const char *agent,
                   struct alk_error *error)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];

    if (agent == NULL)
        return alk_error_set(error, ALK_E_NOTFOUND,
                             "%s is a public key, and there is no ssh-agent that could hold the "
                             "private one: name the private key's file, or set SSH_AUTH_SOCK",
                             path);
    int status = alk_agent_holds(agent, blob);
    if (status == ALK_OK)
        return ALK_OK;
    alk_key_fingerprint(blob, ALK_KEY_BLOB_SIZE, fingerprint);
    if (status == ALK_E_NOTFOUND)
        return alk_error_set(error, status,
                             "the ssh-agent does not hold the private key of %s (%s): add it with "
                             "ssh-add",
                             path, fingerprint);
    return alk_error_set(error, status, "the ssh-agent cannot be asked for the key of %s: %s", path,
                         alk_status_text(status));
}

int agent_identity_find(bool *in_agent, uint8_t blob[ALK_KEY_BLOB_SIZE], const char *path,
                        const char *agent, struct alk_error *error)
{
    enum alk_key_file_kind kind;
    struct alk_error ignored;
    char public_path[4096];
    int status = alk_key_load_public(blob, &kind, path, error);

    *in_agent = false;
    if (status == ALK_E_NOTFOUND) {
        int len = snprintf(public_path, sizeof(public_path), "%s.pub", path);
        if (len >= (int)sizeof(public_path) ||
            alk_key_load_public(blob, &kind, public_path, &ignored) != ALK_OK ||
            kind != ALK_KEY_FILE_PUBLIC)
            return status;
        path = public_path;
    } else if (status != ALK_OK) {
        return ALK_OK; /* reading the private key will say what is wrong */
    }
    if (kind == ALK_KEY_FILE_PUBLIC) {
        *in_agent = true;
        return require(blob, path, agent, error);
    }
    *in_agent = kind == ALK_KEY_FILE_ENCRYPTED && agent != NULL &&
                getenv("ALKNET_IDENTITY_PASSPHRASE") == NULL &&
                alk_agent_holds(agent, blob) == ALK_OK;
    return ALK_OK;
}
