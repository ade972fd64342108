/* What the server is doing, in numbers, for whoever asks. Nothing here is more than a sum of what is
 * kept anyway. */
#include "server/internal.h"

#include <stdio.h>
#include <string.h>

uint64_t server_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int figures_note_reload(struct alk_server *server, int status, const char *reason)
{
    struct reloads *reloads = &server->reloads;

    pthread_mutex_lock(&reloads->lock);
    reloads->done += status == ALK_OK;
    reloads->failed += status != ALK_OK;
    reloads->last_failed = status != ALK_OK;
    snprintf(reloads->reason, sizeof(reloads->reason), "%s", status != ALK_OK ? reason : "");
    reloads->last = time(NULL);
    pthread_mutex_unlock(&reloads->lock);
    return status;
}

void alk_server_reload_failed(struct alk_server *server, const char *reason)
{
    (void)figures_note_reload(server, ALK_E_PARSE, reason);
}

void alk_server_figures(struct alk_server *server, struct alk_server_figures *out)
{
    struct reloads *reloads = &server->reloads;

    *out = (struct alk_server_figures){
        .uptime_s = (server_now_ms() - server->started_at) / 1000,
        .workers = server->worker_count,
        .memory = atomic_load(&server->memory),
    };
    for (unsigned i = 0; i < server->worker_count; i++)
        out->connections += alk_server_worker_connections(server, i);
    alk_admission_count(server->admission, &out->unauthenticated, &out->sessions);
    pthread_mutex_lock(&reloads->lock);
    out->reloads = reloads->done;
    out->reloads_failed = reloads->failed;
    out->last_reload_failed = reloads->last_failed;
    memcpy(out->last_reload_reason, reloads->reason, sizeof(out->last_reload_reason));
    out->last_reload = (uint64_t)reloads->last;
    pthread_mutex_unlock(&reloads->lock);
}

unsigned alk_server_worker_connections(const struct alk_server *server, unsigned index)
{
    return index < server->worker_count
               ? atomic_load_explicit(&server->workers[index].connection_count,
                                      memory_order_relaxed)
               : 0;
}

size_t alk_server_identity_uses(struct alk_server *server, struct alk_identity_use *out,
                                size_t room)
{
    return alk_identities_list(server->identities, out, room);
}

size_t alk_server_penalties(struct alk_server *server, struct alk_penalty *out, size_t room)
{
    return alk_admission_penalties(server->admission, out, room, server_now_ms());
}

size_t alk_server_memory(struct alk_server *server)
{
    return atomic_load(&server->memory);
}
