/*
 * The ceiling that a tunnel is measured against: two relays in a row that do nothing but
 * frame and encrypt. A thread per direction, reads of 256 KiB, packets of 32 KiB, many packets
 * per write. No SSH, no channels, no windows. The near relay takes SOCKS5, so that the same
 * load tools drive it; the destination is the first thing it sends to the far one.
 *
 *     bare_pair --cipher libcrypto|libsodium|plain     prints the SOCKS port
 *
 * Both are AES-256-GCM; plain relays the bytes as they are.
 */
#include "tool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    READ_SIZE = 256 * 1024,
    PACKET = 32 * 1024, /* plaintext of one packet */
    HEAD = 4,
    TAG = 16,
    KEY = 32,
    NONCE = 12,
    PACKETS = READ_SIZE / PACKET,
    SEALED_SIZE = PACKETS * (HEAD + PACKET + TAG),
    IN_SIZE = READ_SIZE + HEAD + PACKET + TAG, /* one read behind an unfinished packet */
};

enum cipher { LIBCRYPTO, LIBSODIUM, PLAIN };

static enum cipher cipher;
static uint8_t keys[2][KEY]; /* one per direction: towards the far relay, and back */

/* One direction's cipher state. */
struct crypt {
    EVP_CIPHER_CTX *evp;
    crypto_aead_aes256gcm_state *sodium;
    uint64_t packets;
    uint8_t nonce[NONCE];
};

struct lane {
    int from, to;
    bool seal; /* encrypts what it reads; else it decrypts */
    int key;
};

static void crypt_init(struct crypt *c, const struct lane *lane)
{
    memset(c, 0, sizeof(*c));
    if (cipher == LIBSODIUM) {
        c->sodium = aligned_alloc(64, (sizeof(*c->sodium) + 63) / 64 * 64);
        if (c->sodium == NULL || crypto_aead_aes256gcm_beforenm(c->sodium, keys[lane->key]) != 0)
            tool_die("libsodium has no AES-256-GCM here");
        return;
    }
    c->evp = EVP_CIPHER_CTX_new();
    if (c->evp == NULL ||
        EVP_CipherInit_ex(c->evp, EVP_aes_256_gcm(), NULL, keys[lane->key], NULL, lane->seal) != 1)
        tool_die("libcrypto has no AES-256-GCM");
}

static void next_nonce(struct crypt *c)
{
    c->packets++;
    memcpy(c->nonce + 4, &c->packets, sizeof(c->packets));
}

/* text -> sealed with the tag behind it */
static void seal(struct crypt *c, const uint8_t *text, size_t len, uint8_t *sealed)
{
    int n = 0;

    next_nonce(c);
    if (cipher == LIBSODIUM) {
        crypto_aead_aes256gcm_encrypt_afternm(sealed, NULL, text, len, NULL, 0, NULL, c->nonce,
                                              c->sodium);
        return;
    }
    if (EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, c->nonce, 1) != 1 ||
        EVP_CipherUpdate(c->evp, sealed, &n, text, (int)len) != 1 ||
        EVP_CipherFinal_ex(c->evp, sealed + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_GCM_GET_TAG, TAG, sealed + len) != 1)
        tool_die("encryption failed");
}

/* in place; the tag stands behind the len bytes */
static void unseal(struct crypt *c, uint8_t *sealed, size_t len)
{
    int n = 0;

    next_nonce(c);
    if (cipher == LIBSODIUM) {
        if (crypto_aead_aes256gcm_decrypt_afternm(sealed, NULL, NULL, sealed, len + TAG, NULL, 0,
                                                  c->nonce, c->sodium) != 0)
            tool_die("a packet did not verify");
        return;
    }
    if (EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, c->nonce, 0) != 1 ||
        EVP_CipherUpdate(c->evp, sealed, &n, sealed, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_GCM_SET_TAG, TAG, sealed + len) != 1 ||
        EVP_CipherFinal_ex(c->evp, sealed + len, &n) != 1)
        tool_die("a packet did not verify");
}

/* false: the other side has gone, which ends the lane and nothing else */
static bool send_all(int fd, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)data + done, len - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static void run_plain(const struct lane *lane)
{
    uint8_t *in = tool_alloc(1, READ_SIZE);
    ssize_t n;

    while ((n = read(lane->from, in, READ_SIZE)) > 0 && send_all(lane->to, in, (size_t)n))
        ;
    free(in);
}

static void run_seal(const struct lane *lane)
{
    uint8_t *in = tool_alloc(1, READ_SIZE), *out = tool_alloc(1, SEALED_SIZE);
    struct crypt c;
    size_t used;
    ssize_t n;

    crypt_init(&c, lane);
    do {
        n = read(lane->from, in, READ_SIZE);
        used = 0;
        for (size_t at = 0; n > 0 && at < (size_t)n;) {
            uint32_t len = (size_t)n - at < PACKET ? (uint32_t)((size_t)n - at) : PACKET;
            memcpy(out + used, &len, HEAD);
            seal(&c, in + at, len, out + used + HEAD);
            used += HEAD + len + TAG;
            at += len;
        }
    } while (n > 0 && send_all(lane->to, out, used));
    free(in);
    free(out);
}

/* Decrypts what is whole in place; one writev for all of it. Returns bytes used, -1 at the end. */
static ssize_t pass_on(const struct lane *lane, struct crypt *c, uint8_t *in, size_t have)
{
    struct iovec parts[64];
    size_t at = 0, total = 0;
    int count = 0;
    uint32_t len;

    while (have - at >= HEAD && count < 64) {
        memcpy(&len, in + at, HEAD);
        if (len > PACKET)
            tool_die("a packet is too long");
        if (have - at < HEAD + len + TAG)
            break;
        unseal(c, in + at + HEAD, len);
        parts[count++] = (struct iovec){in + at + HEAD, len};
        total += len;
        at += HEAD + len + TAG;
    }
    for (struct iovec *part = parts; total > 0;) {
        ssize_t n = writev(lane->to, part, count);
        if (n <= 0)
            return -1;
        total -= (size_t)n;
        while (count > 0 && (size_t)n >= part->iov_len) {
            n -= (ssize_t)part->iov_len;
            part++;
            count--;
        }
        if (count > 0) {
            part->iov_base = (uint8_t *)part->iov_base + n;
            part->iov_len -= (size_t)n;
        }
    }
    return (ssize_t)at;
}

static void run_unseal(const struct lane *lane)
{
    uint8_t *in = tool_alloc(1, IN_SIZE);
    size_t have = 0;
    struct crypt c;
    ssize_t n;

    crypt_init(&c, lane);
    while ((n = read(lane->from, in + have, READ_SIZE)) > 0) {
        have += (size_t)n;
        ssize_t done = pass_on(lane, &c, in, have);
        if (done < 0)
            break;
        have -= (size_t)done;
        memmove(in, in + done, have);
    }
    free(in);
}

static void *run_lane(void *user)
{
    struct lane *lane = user;

    if (cipher == PLAIN)
        run_plain(lane);
    else if (lane->seal)
        run_seal(lane);
    else
        run_unseal(lane);
    /* either direction's end is the end of both: enough for a bench */
    shutdown(lane->from, SHUT_RDWR);
    shutdown(lane->to, SHUT_RDWR);
    free(lane);
    return NULL;
}

static void start_lane(int from, int to, bool sealing, int key)
{
    struct lane *lane = tool_alloc(1, sizeof(*lane));
    pthread_t thread;

    *lane = (struct lane){.from = from, .to = to, .seal = sealing, .key = key};
    if (pthread_create(&thread, NULL, run_lane, lane) != 0)
        tool_die("cannot start a thread");
    pthread_detach(thread);
}

static void serve_near(int fd, uint16_t far_port)
{
    uint8_t request[TOOL_SOCKS_REQUEST], reply[TOOL_SOCKS_REPLY] = {5, 0, 0, 1};

    tool_read_all(fd, request, TOOL_SOCKS_GREETING, "SOCKS greeting");
    tool_write_all(fd, (const uint8_t[]){5, 0}, 2, "SOCKS method");
    tool_read_all(fd, request, sizeof(request), "SOCKS request");
    int far = tool_connect(far_port);
    tool_write_all(far, request + 8, 2, "destination");
    tool_write_all(fd, reply, sizeof(reply), "SOCKS reply");
    start_lane(fd, far, true, 0);
    start_lane(far, fd, false, 1);
}

static void serve_far(int fd)
{
    uint8_t port[2];

    tool_read_all(fd, port, sizeof(port), "destination");
    int target = tool_connect((uint16_t)(port[0] << 8 | port[1]));
    start_lane(fd, target, false, 0);
    start_lane(target, fd, true, 1);
}

static void serve(int listener, bool near, uint16_t far_port)
{
    int one = 1;

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            tool_die("accept: %s", strerror(errno));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (near)
            serve_near(fd, far_port);
        else
            serve_far(fd);
    }
}

int main(int argc, char **argv)
{
    const char *name = "libcrypto";
    const struct tool_option options[] = {{"--cipher", TOOL_TEXT, &name}, {NULL, TOOL_FLAG, NULL}};
    uint16_t near_port = 0, far_port = 0;

    tool_start();
    tool_options(argc, argv, options);
    cipher = strcmp(name, "plain") == 0       ? PLAIN
             : strcmp(name, "libsodium") == 0 ? LIBSODIUM
                                              : LIBCRYPTO;
    if (sodium_init() < 0)
        tool_die("libsodium could not be set up");
    randombytes_buf(keys, sizeof(keys));
    int near = tool_listen(&near_port), far = tool_listen(&far_port);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(near);
        serve(far, false, 0);
    }
    close(far);
    printf("listening on 127.0.0.1:%u\n", near_port);
    fflush(stdout);
    serve(near, true, far_port);
}
