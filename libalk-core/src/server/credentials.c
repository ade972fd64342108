/* The credentials that a server presents: a provider that answers from those in force. */
#include "server/internal.h"

static void resolve(void *user, struct alk_credential_question *question)
{
    struct alk_server *server = user;
    const char *service = alk_credential_question_request(question)->service;
    struct alk_credential_answer answer = {.status = ALK_OK};

    pthread_mutex_lock(&server->lock);
    answer.set = alk_credential_store_get(server->credentials, service);
    pthread_mutex_unlock(&server->lock);
    if (answer.set == NULL)
        answer.status = ALK_E_NOTFOUND;
    alk_credential_question_answer(question, &answer); /* may call back: not under the lock */
}

void credential_provider_init(struct alk_server *server)
{
    static const struct alk_credential_provider_ops ops = {.resolve = resolve};

    server->credential_provider = (struct alk_credential_provider){.ops = &ops, .user = server};
}

const struct alk_credential_provider *alk_server_credential_provider(struct alk_server *server)
{
    return &server->credential_provider;
}
