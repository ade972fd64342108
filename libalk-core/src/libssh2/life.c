/* Making and freeing the engine. */
#include "libssh2/internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_MAX = 64 * 1024 * 1024 }; /* never reached: input and output are bounded below it */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_result;

static void init(void)
{
    init_result = libssh2_init(0);
}

static void use_defaults(struct alk_ssh_options *o)
{
    if (o->max_channels == 0)
        o->max_channels = 1024;
    if (o->grace_ms == 0)
        o->grace_ms = 30000;
    if (o->keepalive_ms == 0)
        o->keepalive_ms = 30000;
    if (o->keepalive_misses == 0)
        o->keepalive_misses = 3;
}

static void set_callbacks(LIBSSH2_SESSION *session)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
    libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_SEND,
                                  (libssh2_cb_generic *)lib_take_output);
    libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV,
                                  (libssh2_cb_generic *)lib_give_input);
#else
    union {
        LIBSSH2_SEND_FUNC((*send));
        LIBSSH2_RECV_FUNC((*receive));
        void *any; /* a pointer to a function, as POSIX lets it be passed */
    } callback;

    callback.send = lib_take_output;
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, callback.any);
    callback.receive = lib_give_input;
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, callback.any);
#endif
}

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* What would not fit is left out. */
static void append(char *list, size_t size, const char *name)
{
    size_t len = strlen(list);

    if (len + 1 + strlen(name) < size)
        snprintf(list + len, size - len, "%s%s", len > 0 ? "," : "", name);
}

/* A host may have several keys: one of a type on record is wanted, so that it can be judged. libssh2
 * must be told nothing that it does not have: it strikes that out with overlapping copies. */
static int prefer_host_keys(LIBSSH2_SESSION *session, const char *on_record)
{
    static const struct {
        const char *type, *algorithm;
    } all[] = {
        {"ssh-ed25519", "ssh-ed25519"},
        {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
        {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
        {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
        {"ssh-rsa", "rsa-sha2-512"},
        {"ssh-rsa", "rsa-sha2-256"},
        {"ssh-rsa", "ssh-rsa"},
    };
    char list[256] = "";
    const char **has = NULL;
    int count = libssh2_session_supported_algs(session, LIBSSH2_METHOD_HOSTKEY, &has);

    for (int wanted = 1; wanted >= 0; wanted--) {
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            if (is_listed(on_record, all[i].type) != (wanted == 1))
                continue;
            for (int k = 0; k < count; k++) {
                if (strcmp(has[k], all[i].algorithm) == 0)
                    append(list, sizeof(list), all[i].algorithm);
            }
        }
    }
    if (count > 0)
        libssh2_free(session, has);
    return libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, list);
}

enum rank { FIRST, THEN, NEVER };

/* When a packet of this cipher is not authentic, libssh2 1.11 tries it over and over, and forgets a
 * packet's memory each time. */
static enum rank rank_cipher(const char *name)
{
    return strcmp(name, "chacha20-poly1305@openssh.com") == 0 ? NEVER : FIRST;
}

/* Where a packet is decrypted before it is known to be authentic, a length that makes no sense ends
 * the program: libssh2 asserts that it does. */
static enum rank rank_mac(const char *name)
{
    return strstr(name, "-etm@") != NULL ? FIRST : THEN;
}

/* Of what libssh2 has, in its order where the rank is the same. */
static int prefer(LIBSSH2_SESSION *session, int out, int in, enum rank (*rank)(const char *name))
{
    char list[512] = "";
    const char **has = NULL;
    int count = libssh2_session_supported_algs(session, out, &has);

    for (enum rank r = FIRST; r < NEVER; r++) {
        for (int i = 0; i < count; i++) {
            if (rank(has[i]) == r)
                append(list, sizeof(list), has[i]);
        }
    }
    if (count > 0)
        libssh2_free(session, has);
    int status = libssh2_session_method_pref(session, out, list);
    return status != 0 ? status : libssh2_session_method_pref(session, in, list);
}

static void free_channels(struct lib_channels *list)
{
    struct lib_channel *c;

    while ((c = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, c, entry);
        lib_channel_free(c);
    }
}

static void free_forwards(struct lib_forwards *list)
{
    struct lib_forward *f;

    while ((f = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, f, entry);
        lib_forward_free(f);
    }
}

/* libssh2 frees its channels and listeners as well, and wants to hear from the peer of each; at the
 * end of the input it waits for nobody. */
static void free_session(struct lib_engine *e)
{
    enum { TRIES = 100000 };

    e->input_ended = true;
    alk_buffer_free(&e->in);
    for (int i = 0; i < TRIES && libssh2_session_free(e->session) == LIBSSH2_ERROR_EAGAIN; i++)
        ;
}

void lib_destroy(struct alk_ssh *ssh)
{
    struct lib_engine *e = lib_of(ssh);

    if (e->session != NULL)
        free_session(e);
    lib_channel_free(e->doomed);
    free_channels(&e->opening);
    free_channels(&e->channels);
    free_forwards(&e->asked);
    free_forwards(&e->forwards);
    lib_login_clear(e);
    if (e->null_fd >= 0)
        close(e->null_fd);
    alk_buffer_free(&e->in);
    alk_buffer_free(&e->out);
    free(e->pieces);
    sodium_memzero(e, sizeof(*e));
    free(e);
}

int lib_create(struct alk_ssh **out, const struct alk_ssh_options *options, uint64_t now)
{
    struct lib_engine *e = calloc(1, sizeof(*e));

    if (e == NULL)
        return ALK_E_NOMEM;
    pthread_once(&once, init);
    e->options = *options;
    use_defaults(&e->options);
    e->now = e->started = e->heard = now;
    e->in = e->out = alk_buffer(BUFFER_MAX);
    TAILQ_INIT(&e->opening);
    TAILQ_INIT(&e->channels);
    TAILQ_INIT(&e->asked);
    TAILQ_INIT(&e->forwards);
    snprintf(e->cipher, sizeof(e->cipher), "none");
    e->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    e->pieces = malloc((size_t)LIB_PIECES * LIB_PIECE);
    e->session = init_result == 0 ? libssh2_session_init_ex(NULL, NULL, NULL, e) : NULL;
    struct alk_ssh *ssh = (struct alk_ssh *)(void *)e;
    if (e->session == NULL || e->null_fd < 0 || e->pieces == NULL) {
        lib_destroy(ssh);
        return ALK_E_NOMEM;
    }
    libssh2_session_set_blocking(e->session, 0);
    set_callbacks(e->session);
    if (prefer_host_keys(e->session, options->host_key_types) != 0 ||
        prefer(e->session, LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC, rank_cipher) != 0 ||
        prefer(e->session, LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC, rank_mac) != 0) {
        lib_destroy(ssh);
        return ALK_E_NOMEM;
    }
    e->options.host_key_types = NULL;
    *out = ssh;
    return ALK_OK;
}
