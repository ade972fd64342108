#include "support/ssh_driver.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "the engine broke a promise: %s\n", what);
        abort();
    }
}

/* ---- randomness that repeats ---- */

static const char *random_name(void)
{
    return "repeating";
}

static uint32_t random_next(void)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 32);
}

static void random_fill(void *const out, const size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)random_next();
}

static struct randombytes_implementation repeating = {
    .implementation_name = random_name,
    .random = random_next,
    .buf = random_fill,
};

const struct alk_key *driver_host_key(void)
{
    static const uint8_t seed[ALK_KEY_SEED_SIZE] = {7};
    static struct alk_key *key;

    if (key == NULL) {
        randombytes_set_implementation(&repeating);
        require(alk_crypto_init() == 0 && alk_key_from_seed(&key, seed) == 0, "a key can be made");
    }
    return key;
}

void driver_start(struct driver *d, enum alk_ssh_role role, struct alk_ssh_options options)
{
    memset(d, 0, sizeof(*d));
    options.role = role;
    options.host_key = driver_host_key();
    random_state = (uint64_t)role;
    d->role = role;
    d->now = 1000;
    require(alk_ssh_new(&d->ssh, &options, d->now) == 0, "an engine can be made");
}

void driver_free(struct driver *d)
{
    alk_ssh_free(d->ssh);
}

static uint8_t choose(struct driver *d)
{
    return d->policy[d->policy_at++ % DRIVER_POLICY];
}

/* ---- the list of channels, to compare with the engine's ---- */

static struct driver_channel *find(struct driver *d, const struct alk_ssh_channel *channel)
{
    for (unsigned i = 0; i < DRIVER_CHANNELS; i++) {
        if (d->channels[i].channel == channel)
            return &d->channels[i];
    }
    return NULL;
}

static struct driver_channel *known(struct driver *d, const struct alk_ssh_channel *channel)
{
    struct driver_channel *c = channel == NULL ? NULL : find(d, channel);

    require(c != NULL, "an event is about a channel that lives");
    require(alk_ssh_channel_user(channel) == c, "a channel keeps its user");
    return c;
}

static struct driver_channel *add(struct driver *d, struct alk_ssh_channel *channel)
{
    struct driver_channel *c = find(d, NULL);

    require(channel != NULL && find(d, channel) == NULL, "a new channel is new");
    require(c != NULL, "the number of channels is bounded");
    *c = (struct driver_channel){.channel = channel};
    alk_ssh_channel_set_user(channel, c);
    return c;
}

static struct driver_channel *pick(struct driver *d, unsigned which)
{
    unsigned count = alk_ssh_channel_count(d->ssh);

    which = count == 0 ? 0 : which % count;
    for (unsigned i = 0; i < DRIVER_CHANNELS; i++) {
        if (d->channels[i].channel != NULL && which-- == 0)
            return &d->channels[i];
    }
    return NULL;
}

static void check_count(struct driver *d)
{
    unsigned count = 0;

    for (unsigned i = 0; i < DRIVER_CHANNELS; i++)
        count += d->channels[i].channel != NULL;
    require(count == alk_ssh_channel_count(d->ssh), "every channel was told of");
}

/* ---- events ---- */

static void offer_key(struct driver *d)
{
    uint8_t signature[ALK_SIGNATURE_BLOB_SIZE] = {0};
    const uint8_t *blob = alk_key_blob(driver_host_key()), *data;
    size_t len;

    if (d->login_tries++ > 20)
        return;
    if (choose(d) & 1) {
        alk_ssh_auth_probe(d->ssh, "user", blob, ALK_KEY_BLOB_SIZE);
    } else if (alk_ssh_auth_to_sign(d->ssh, "user", blob, ALK_KEY_BLOB_SIZE, &data, &len) == 0) {
        alk_key_sign(driver_host_key(), data, len, signature);
        alk_ssh_auth_signed(d->ssh, signature, sizeof(signature));
    }
}

static void on_request(struct driver *d, const struct alk_ssh_event *event)
{
    struct driver_channel *c = add(d, event->channel);

    require(event->host != NULL && strlen(event->host) <= ALK_SSH_HOST_MAX, "a host has a bound");
    require(event->origin != NULL && event->port <= 65535, "a request is complete");
    c->asked = true;
    switch (choose(d) % 4) {
    case 0:
    case 1:
        c->asked = false;
        alk_ssh_channel_accept(d->ssh, event->channel);
        break;
    case 2:
        c->channel = NULL;
        alk_ssh_channel_reject(d->ssh, event->channel, ALK_SSH_OPEN_CONNECT_FAILED, "refused");
        break;
    default:
        break; /* later */
    }
}

static void consume(struct driver *d, struct driver_channel *c, size_t len)
{
    if (len > c->held)
        len = c->held;
    c->held -= len;
    alk_ssh_channel_consumed(d->ssh, c->channel, len);
}

static void on_data(struct driver *d, const struct alk_ssh_event *event)
{
    struct driver_channel *c = known(d, event->channel);

    require(!c->ended && !c->asked && !c->closing, "data comes for an open channel");
    require(event->len > 0 && event->len <= ALK_SSH_DATA_MAX, "data has the announced size");
    for (size_t i = 0; d->numbered && i < event->len; i++) {
        uint8_t expected = driver_byte(d->role == ALK_SSH_SERVER ? ALK_SSH_CLIENT : ALK_SSH_SERVER,
                                       c->received + i);
        require(event->data[i] == expected, "data arrives as it was sent");
    }
    c->received += event->len;
    c->held += event->len;
    require(c->held <= 64U << 20, "a window bounds what comes");
    if (choose(d) & 1)
        consume(d, c, c->held);
}

static void on_gone(struct driver *d, const struct alk_ssh_event *event)
{
    known(d, event->channel)->channel = NULL;
}

static void handle(struct driver *d, const struct alk_ssh_event *event)
{
    switch (event->type) {
    case ALK_SSH_HOST_KEY:
        require(event->len == ALK_KEY_BLOB_SIZE, "a host key has its size");
        if (choose(d) < 250)
            alk_ssh_host_key_accept(d->ssh);
        break;
    case ALK_SSH_AUTH_READY:
    case ALK_SSH_AUTH_KEY_OK:
    case ALK_SSH_AUTH_FAILED:
        offer_key(d);
        break;
    case ALK_SSH_AUTH_REQUEST:
        require(strlen(event->user) <= ALK_SSH_USER_MAX, "a user name has a bound");
        alk_ssh_auth_reply(d->ssh, choose(d) & 1);
        break;
    case ALK_SSH_AUTH_REFUSED:
        require(d->role == ALK_SSH_SERVER, "only a server refuses a login");
        break;
    case ALK_SSH_AUTHENTICATED:
        require(d->role == ALK_SSH_CLIENT, "a server is not told what it decided");
        break;
    case ALK_SSH_CHANNEL_REQUEST:
        on_request(d, event);
        break;
    case ALK_SSH_CHANNEL_OPENED:
    case ALK_SSH_CHANNEL_ROOM:
        require(!known(d, event->channel)->closing, "a closed channel is quiet");
        break;
    case ALK_SSH_CHANNEL_DATA:
        on_data(d, event);
        break;
    case ALK_SSH_CHANNEL_EOF:
        require(!known(d, event->channel)->ended, "there is one end of data");
        known(d, event->channel)->ended = true;
        break;
    case ALK_SSH_CHANNEL_FAILED:
    case ALK_SSH_CHANNEL_CLOSED:
        on_gone(d, event);
        break;
    case ALK_SSH_FORWARD_REQUEST:
        require(d->role == ALK_SSH_SERVER && event->host != NULL, "only a server listens");
        alk_ssh_forward_reply(d->ssh, choose(d) & 1, 4242);
        break;
    case ALK_SSH_FORWARD_REPLY:
        require(event->tag == d && event->port <= 65535, "a reply belongs to its request");
        break;
    case ALK_SSH_AUTH_BANNER:
        break;
    }
}

void driver_events(struct driver *d)
{
    struct alk_ssh_event event;

    while ((d->status = alk_ssh_next(d->ssh, &event)) > 0)
        handle(d, &event);
    if (d->status < 0) {
        require(alk_ssh_next(d->ssh, &event) == d->status, "the end is the end");
        require(alk_ssh_error(d->ssh)->code == d->status, "the end has its reason");
        require(alk_ssh_error(d->ssh)->text[0] != '\0', "the end has a sentence");
    } else {
        check_count(d);
    }
}

void driver_input(struct driver *d, const uint8_t *data, size_t len, size_t piece)
{
    unsigned stuck = 0;

    while (len > 0 && d->status >= 0 && stuck < 3) {
        size_t n = alk_ssh_input(d->ssh, data, piece == 0 || piece > len ? len : piece, d->now);
        data += n;
        len -= n;
        driver_events(d);
        stuck = n == 0 ? stuck + 1 : 0;
        if (stuck > 0)
            driver_drain(d, SIZE_MAX);
    }
}

/* What goes out without a cipher is whole packets with legal lengths. */
static void check_output(const uint8_t *bytes, size_t len)
{
    while (len >= 4 && memcmp(bytes, "SSH-", 4) != 0) {
        size_t packet = (size_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
        require(packet + 4 <= len && (packet + 4) % 8 == 0 && packet <= 40000 && bytes[4] >= 4 &&
                    bytes[4] + 1U < packet,
                "packets are well-formed");
        bytes += packet + 4;
        len -= packet + 4;
    }
}

void driver_drain(struct driver *d, size_t len)
{
    const uint8_t *bytes;
    size_t have = alk_ssh_output(d->ssh, &bytes);

    require(have <= 9U << 20, "output has a bound");
    if (d->clear_output && len >= have)
        check_output(bytes, have);
    alk_ssh_output_done(d->ssh, d->clear_output && len < have ? 0 : len < have ? len : have);
}

/* ---- of its own accord ---- */

void driver_open(struct driver *d, unsigned kind, const char *host, uint32_t port)
{
    struct alk_ssh_channel *channel;

    if (alk_ssh_channel_count(d->ssh) < DRIVER_CHANNELS / 4 &&
        alk_ssh_channel_open(d->ssh, kind % 4, host, port, NULL, 0, &channel) == 0)
        add(d, channel);
}

uint8_t driver_byte(enum alk_ssh_role sender, uint64_t position)
{
    return (uint8_t)(position * 31 + (position >> 8) + (unsigned)sender * 101);
}

void driver_write(struct driver *d, unsigned which, size_t len)
{
    struct driver_channel *c = pick(d, which);

    while (c != NULL && len > 0) {
        struct iovec parts[ALK_SSH_PARTS_MAX];
        int count = alk_ssh_channel_reserve(d->ssh, c->channel, parts, ALK_SSH_PARTS_MAX);
        if (count == 0)
            break;
        size_t total = 0;
        for (int i = 0; i < count && total < len; i++) {
            uint8_t *at = parts[i].iov_base;
            for (size_t k = 0; k < parts[i].iov_len && total < len; k++)
                at[k] = driver_byte(d->role, c->sent + total++);
        }
        alk_ssh_channel_commit(d->ssh, c->channel, total);
        c->sent += total;
        len -= total;
    }
}

void driver_eof(struct driver *d, unsigned which)
{
    struct driver_channel *c = pick(d, which);

    if (c != NULL)
        alk_ssh_channel_eof(d->ssh, c->channel);
}

void driver_close(struct driver *d, unsigned which)
{
    struct driver_channel *c = pick(d, which);

    if (c == NULL)
        return;
    c->closing = true;
    struct alk_ssh_channel *channel = c->channel;
    if (c->asked)
        c->channel = NULL; /* closing is rejecting */
    alk_ssh_channel_close(d->ssh, channel);
}

void driver_consume(struct driver *d, unsigned which, size_t len)
{
    struct driver_channel *c = pick(d, which);

    if (c != NULL)
        consume(d, c, len);
}

void driver_answer(struct driver *d, unsigned which, bool accept)
{
    struct driver_channel *c = pick(d, which);

    if (c == NULL || !c->asked)
        return;
    c->asked = false;
    if (accept) {
        alk_ssh_channel_accept(d->ssh, c->channel);
        return;
    }
    struct alk_ssh_channel *channel = c->channel;
    c->channel = NULL;
    alk_ssh_channel_reject(d->ssh, channel, ALK_SSH_OPEN_PROHIBITED, "no");
}

void driver_tick(struct driver *d, uint64_t ms)
{
    d->now += ms;
    alk_ssh_tick(d->ssh, d->now);
    /* a timer that fires again at once would be a busy loop */
    require(alk_ssh_deadline(d->ssh) > d->now, "a tick does what was due");
}
