/* Figures of libalk-secret, one JSON line each: {"name","unit","value"}.
 *
 * Each figure is the best of ROUNDS rounds of about two milliseconds, short enough to find the
 * processor free between other work. OpenSSL's PBKDF2 is measured here as well, in turn with
 * ours, so that both see the same machine.
 */
#include <alk/secret_keys.h>
#include <alk/secret_mnemonic.h>
#include <alk/secret_service.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 500

static const char phrase[] =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
static struct alk_secret_service *service;
static uint8_t seed[ALK_SEED_SIZE];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(int r)
{
    if (r != 0) {
        fprintf(stderr, "secret_bench: %s\n", alk_secret_strerror(r));
        exit(1);
    }
}

static void our_seed(unsigned i)
{
    (void)i;
    check(alk_mnemonic_to_seed(phrase, "TREZOR", seed, NULL));
}

static void openssl_seed(unsigned i)
{
    static const char salt[] = "mnemonicTREZOR";
    (void)i;
    if (PKCS5_PBKDF2_HMAC(phrase, sizeof phrase - 1, (const unsigned char *)salt, sizeof salt - 1,
                          2048, EVP_sha512(), sizeof seed, seed) != 1)
        exit(1);
}

static struct alk_secret_path path_of(unsigned i, bool ed25519)
{
    struct alk_secret_path path = {
        .depth = 5,
        .index = {44 | ALK_SECRET_HARDENED, 60 | ALK_SECRET_HARDENED, ALK_SECRET_HARDENED, 0, i}};
    for (unsigned level = 0; ed25519 && level < path.depth; level++)
        path.index[level] |= ALK_SECRET_HARDENED;
    return path;
}

static void ed25519_derivation(unsigned i)
{
    struct alk_secret_path path = path_of(i, true);
    struct alk_slip10_key key;
    uint8_t public_key[32];

    check(alk_slip10_derive(seed, sizeof seed, &path, &key));
    check(alk_slip10_public(&key, public_key));
}

static void secp256k1_derivation(unsigned i)
{
    struct alk_secret_path path = path_of(i, false);
    struct alk_bip32_key key;

    check(alk_bip32_derive(seed, sizeof seed, &path, &key));
}

static void cached_derivation(unsigned i)
{
    struct alk_secret_ed25519 key;

    (void)i;
    check(alk_secret_service_derive_ed25519(service, "t", ALK_SECRET_PATH_IDENTITY, &key, NULL));
}

static char text[1024];

static void encryption(unsigned i)
{
    char *record;

    (void)i;
    check(alk_secret_service_encrypt(service, "t", text, sizeof text, 1, &record));
    free(record);
}

static char *sealed;

static void decryption(unsigned i)
{
    char out[sizeof text];
    size_t len;

    (void)i;
    check(alk_secret_service_decrypt(service, "t", sealed, strlen(sealed), out, sizeof out, &len));
}

static double rate(void (*work)(unsigned), unsigned count)
{
    double start = now();

    for (unsigned i = 0; i < count; i++)
        work(i);
    return count / (now() - start);
}

static const struct figure {
    const char *name;
    void (*work)(unsigned);
    unsigned count;
} figures[] = {
    {"mnemonic to seed", our_seed, 2},
    {"OpenSSL PBKDF2", openssl_seed, 2},
    {"Ed25519 derivation, 5 levels", ed25519_derivation, 60},
    {"secp256k1 derivation, 5 levels", secp256k1_derivation, 20},
    {"cached derivation", cached_derivation, 5000},
    {"encryption, 1 KiB", encryption, 200},
    {"decryption, 1 KiB", decryption, 60},
};
#define FIGURES (sizeof figures / sizeof figures[0])

int main(void)
{
    double best[FIGURES] = {0};

    check(alk_secret_service_new(NULL, &service));
    check(alk_secret_service_unlock(service, "t", phrase, "", NULL));
    check(alk_secret_service_encrypt(service, "t", text, sizeof text, 1, &sealed));
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < FIGURES; i++) {
            double r = rate(figures[i].work, figures[i].count);
            best[i] = r > best[i] ? r : best[i];
        }
    }
    for (size_t i = 0; i < FIGURES; i++)
        printf("{\"name\":\"%s\",\"unit\":\"1/s\",\"value\":%.1f}\n", figures[i].name, best[i]);
    free(sealed);
    alk_secret_service_free(service);
    return 0;
}
