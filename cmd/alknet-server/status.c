#include "status.h"

#include <alk/server.h>

#include <jansson.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LIST_MAX = 1000 }; /* of identities, and of addresses; their number is told besides */

static json_t *listeners(const struct alk_server *server)
{
    json_t *array = json_array();
    const char *address;

    for (unsigned i = 0; (address = alk_server_address(server, i)) != NULL; i++) {
        const struct alk_listen_options *options = alk_server_listen_options(server, i);
        bool tls = options->transport == ALK_TRANSPORT_TLS;
        json_array_append_new(array, json_pack("{s:s, s:s, s:b}", "address", address, "transport",
                                               tls ? "tls" : "tcp", "stealth", options->stealth));
    }
    return array;
}

static json_t *workers(const struct alk_server *server, unsigned count)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:i}", "connections",
                                               (int)alk_server_worker_connections(server, i)));
    return array;
}

/* An identity of a provider's own may have any bytes as its id. */
static json_t *text_of(const char *text)
{
    json_t *string = json_string(text);

    return string != NULL ? string : json_string("(not UTF-8)");
}

static json_t *identities(struct alk_server *server, size_t *count)
{
    struct alk_identity_use *uses = calloc(LIST_MAX, sizeof(*uses));
    json_t *array = json_array();

    *count = alk_server_identity_uses(server, uses, uses != NULL ? LIST_MAX : 0);
    for (size_t i = 0; uses != NULL && i < *count && i < LIST_MAX; i++) {
        const struct alk_identity_use *use = &uses[i];
        json_array_append_new(
            array, json_pack("{s:o, s:i, s:i, s:I, s:I}", "id", text_of(use->id), "sessions",
                             (int)use->sessions, "channels", (int)use->channels, "bytes_up",
                             (json_int_t)use->bytes_up, "bytes_down", (json_int_t)use->bytes_down));
    }
    free(uses);
    return array;
}

static json_t *penalties(struct alk_server *server, size_t *count)
{
    struct alk_penalty *all = calloc(LIST_MAX, sizeof(*all));
    json_t *array = json_array();

    *count = alk_server_penalties(server, all, all != NULL ? LIST_MAX : 0);
    for (size_t i = 0; all != NULL && i < *count && i < LIST_MAX; i++)
        json_array_append_new(array,
                              json_pack("{s:s, s:i, s:i}", "address", all[i].address, "failures",
                                        (int)all[i].failures, "left_s", (int)all[i].left_s));
    free(all);
    return array;
}

static json_t *reloads(const struct alk_server_figures *figures)
{
    json_t *object = json_pack("{s:i, s:i}", "done", (int)figures->reloads, "failed",
                               (int)figures->reloads_failed);
    time_t last = (time_t)figures->last_reload;
    char when[32];
    struct tm tm;

    if (last == 0 || gmtime_r(&last, &tm) == NULL)
        return object;
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_object_set_new(object, "last", json_string(when));
    json_object_set_new(object, "last_result",
                        json_string(figures->last_reload_failed ? "failed" : "done"));
    if (figures->last_reload_failed)
        json_object_set_new(object, "reason", text_of(figures->last_reload_reason));
    return object;
}

char *status_text(void *user, size_t *len)
{
    struct alk_server *server = user;
    struct alk_server_figures figures;
    size_t identity_count, penalty_count;

    alk_server_figures(server, &figures);
    json_t *who = identities(server, &identity_count),
           *shut_out = penalties(server, &penalty_count);
    json_t *root = json_pack(
        "{s:s, s:i, s:I, s:o, s:o, s:i, s:i, s:i, s:I, s:I, s:o, s:I, s:o, s:o}", "version",
        ALK_VERSION, "pid", (int)getpid(), "uptime_s", (json_int_t)figures.uptime_s, "listeners",
        listeners(server), "workers", workers(server, figures.workers), "connections",
        (int)figures.connections, "unauthenticated", (int)figures.unauthenticated, "sessions",
        (int)figures.sessions, "memory", (json_int_t)figures.memory, "identity_count",
        (json_int_t)identity_count, "identities", who, "penalty_count", (json_int_t)penalty_count,
        "penalties", shut_out, "reloads", reloads(&figures));
    char *text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(root);
    *len = 0;
    while (text != NULL && text[*len] != '\0')
        (*len)++;
    return text;
}
