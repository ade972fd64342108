/* What a TLS peer may send. An even first byte: the rest comes to a server as it is, in pieces. An
 * odd one: a client of ours and the server shake hands and talk, and triples of the rest say which
 * byte of the wire is changed, and how. */
#include "transport/tls.h"

#include <alk/status.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made for this program; protects nothing. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBiDCCAS6gAwIBAgIUQTzbWINu7YIeFmo2tqwiR4v63a4wCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjYwMjAzMzhaGA8yMTI2MTEwMjAyMDMz\n"
    "OFowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPF5\n"
    "S4iAyHT2N0vgTM1nEsKLsVMSZhIHk9bPtIBRs8PPfMgkTV6CiiNAdXYd36NaHvQ1\n"
    "aXwW1V9T9/b95OYI0WSjZjBkMB0GA1UdDgQWBBSwdve0FBq4zjUa9jtUA4bYNTRN\n"
    "2zAfBgNVHSMEGDAWgBSwdve0FBq4zjUa9jtUA4bYNTRN2zAPBgNVHRMBAf8EBTAD\n"
    "AQH/MBEGA1UdEQQKMAiCBmEudGVzdDAKBggqhkjOPQQDAgNIADBFAiEAux/J18XI\n"
    "PRG+alTqpARNJta/R4pAeO9UlRoFgaF1oMsCIEouFSvMIiEozSOTU1P+pTg3qO1r\n"
    "amO3L/+uSFsN0gnT\n"
    "-----END CERTIFICATE-----\n";
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgS4ZLZYFVdKkLwI2S\n"
                          "hgR9mu8KKP0ILhQlReDi2U0K722hRANCAATxeUuIgMh09jdL4EzNZxLCi7FTEmYS\n"
                          "B5PWz7SAUbPDz3zIJE1egoojQHV2Hd+jWh70NWl8FtVfU/f2/eTmCNFk\n"
                          "-----END PRIVATE KEY-----\n";

enum { WIRE = 64 * 1024, TURNS = 64 };

struct wire {
    const uint8_t *changes; /* triples: offset (2 bytes), and what is mixed into the byte there */
    size_t change_count;
    uint8_t data[WIRE];
    size_t head, tail, step;
    bool ended;
};

struct end {
    struct wire *in, *out; /* out NULL: nobody listens */
};

static struct alk_tls_context *server_context, *client_context;

static ssize_t receive(void *user, void *data, size_t len)
{
    struct wire *in = ((struct end *)user)->in;
    size_t n = in->tail - in->head;

    n = n < len ? n : len;
    n = n < in->step ? n : in->step;
    if (n == 0)
        return in->ended ? 0 : ALK_E_AGAIN;
    memcpy(data, in->data + in->head, n);
    in->head += n;
    return (ssize_t)n;
}

static ssize_t send_bytes(void *user, const void *data, size_t len)
{
    struct wire *out = ((struct end *)user)->out;

    if (out == NULL)
        return (ssize_t)len;
    if (len > WIRE - out->tail)
        return ALK_E_CLOSED;
    memcpy(out->data + out->tail, data, len);
    for (size_t i = 0; i < out->change_count; i++) {
        size_t at = (size_t)(out->changes[3 * i] << 8 | out->changes[3 * i + 1]) % 2048;
        if (at >= out->tail && at < out->tail + len)
            out->data[at] ^= out->changes[3 * i + 2];
    }
    out->tail += len;
    return (ssize_t)len;
}

/* As far as it goes; a failure stays one. */
static int step(struct alk_tls *tls, bool *open)
{
    uint8_t data[512];
    int status = *open ? (int)alk_tls_read(tls, data, sizeof(data)) : alk_tls_handshake(tls);

    if (!*open && status == ALK_OK)
        *open = true;
    if (status < 0 && status != ALK_E_AGAIN &&
        (alk_tls_read(tls, data, 1) != status || alk_tls_write(tls, "x", 1) != status))
        abort();
    return status;
}

static void feed_server(const uint8_t *data, size_t size, size_t piece)
{
    static struct wire in;
    struct end end = {.in = &in};
    const struct alk_tls_io io = {receive, send_bytes, &end};
    struct alk_tls *tls = NULL;
    bool open = false;
    int status = ALK_E_AGAIN;

    if (size > WIRE)
        return;
    memcpy(in.data, data, size);
    in.head = 0;
    in.tail = size;
    in.step = piece;
    in.ended = true;
    if (alk_tls_new(&tls, server_context, NULL, &io) != ALK_OK)
        return;
    for (size_t turn = 0; turn < size + TURNS && (status == ALK_E_AGAIN || status > 0); turn++)
        status = step(tls, &open);
    alk_tls_free(tls);
}

static void disturb(const uint8_t *data, size_t size)
{
    static struct wire up, down;
    struct end client = {.in = &down, .out = &up}, server = {.in = &up, .out = &down};
    const struct alk_tls_io c = {receive, send_bytes, &client}, s = {receive, send_bytes, &server};
    struct alk_tls *client_tls = NULL, *server_tls = NULL;
    bool client_open = false, server_open = false;

    up = (struct wire){.step = WIRE, .changes = data, .change_count = size / 6};
    down = (struct wire){.step = WIRE, .changes = data + size / 6 * 3, .change_count = size / 6};
    if (alk_tls_new(&client_tls, client_context, "a.test", &c) == ALK_OK &&
        alk_tls_new(&server_tls, server_context, NULL, &s) == ALK_OK) {
        for (int turn = 0; turn < TURNS; turn++) {
            (void)step(client_tls, &client_open);
            (void)step(server_tls, &server_open);
            if (turn == 8 && client_open)
                (void)alk_tls_write(client_tls, "SSH-2.0-x\r\n", 11);
            if (turn == 16 && server_open)
                (void)alk_tls_finish(server_tls);
        }
    }
    alk_tls_free(client_tls);
    alk_tls_free(server_tls);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct alk_tls_pem chain_pem = {"chain", certificate, sizeof(certificate) - 1};
    const struct alk_tls_pem key_pem = {"key", key, sizeof(key) - 1};
    const struct alk_tls_trust trust = {.insecure = true};

    (void)argc;
    (void)argv;
    if (alk_tls_server_context(&server_context, &chain_pem, &key_pem, NULL) != ALK_OK ||
        alk_tls_client_context(&client_context, &trust, NULL) != ALK_OK)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (data[0] % 2 == 0)
        feed_server(data + 2, size - 2, data[1] == 0 ? WIRE : data[1]);
    else
        disturb(data + 2, size - 2);
    return 0;
}
