#include "transport/tls_files.h"
#include "base/read_file.h"
#include "transport/tls.h"

#include <alk/status.h>

#include <sodium.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int read_pem(struct alk_tls_pem *pem, const char *path, struct alk_error *error)
{
    char *text = NULL;
    int status = alk_file_load(path, ALK_TLS_FILE_MAX, S_IWGRP | S_IWOTH, &text, &pem->len, error);

    pem->name = path;
    pem->text = text;
    return status;
}

static void forget(struct alk_tls_pem *pem)
{
    union { /* it was ours from malloc; the struct only reads */
        const char *in;
        char *out;
    } text = {.in = pem->text};

    if (text.out != NULL)
        sodium_memzero(text.out, pem->len);
    free(text.out);
}

static int check_secrecy(const char *path, struct alk_error *error)
{
    struct stat st;
    int fd = alk_file_open(path, &st, error);

    if (fd < 0)
        return fd;
    close(fd);
    return (st.st_mode & S_IROTH) == 0
               ? ALK_OK
               : alk_error_set(error, ALK_E_DENIED,
                               "the private key %s can be read by others; run: chmod o-r %s", path,
                               path);
}

int alk_tls_server_load(struct alk_tls_context **out, const char *chain, const char *key,
                        struct alk_error *error)
{
    struct alk_tls_pem chain_pem = {.text = NULL}, key_pem = {.text = NULL};
    int status = check_secrecy(key, error);

    if (status == ALK_OK)
        status = read_pem(&chain_pem, chain, error);
    if (status == ALK_OK)
        status = read_pem(&key_pem, key, error);
    if (status == ALK_OK)
        status = alk_tls_server_context(out, &chain_pem, &key_pem, error);
    forget(&key_pem);
    forget(&chain_pem);
    return status;
}

int alk_tls_check_validity(const struct alk_tls_context *context, const char *file, int64_t now,
                           struct alk_error *error)
{
    int64_t from, until;
    char when[32] = "";
    struct tm parts;

    alk_tls_validity(context, &from, &until);
    if (now >= from && now <= until)
        return ALK_OK;
    time_t edge = (time_t)(now < from ? from : until);
    if (gmtime_r(&edge, &parts) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &parts);
    return now < from ? alk_error_set(error, ALK_E_CERT,
                                      "the certificate in %s is valid only from %s; is the clock "
                                      "right?",
                                      file, when)
                      : alk_error_set(error, ALK_E_CERT,
                                      "the certificate in %s expired on %s; renew it", file, when);
}

int alk_tls_client_load(struct alk_tls_context **out, const char *authorities, const char *pins,
                        bool insecure, struct alk_error *error)
{
    struct alk_tls_pem pem = {.text = NULL};
    struct alk_tls_trust trust = {.pins = pins, .insecure = insecure};
    int status = authorities != NULL ? read_pem(&pem, authorities, error) : ALK_OK;

    if (authorities != NULL)
        trust.authorities = &pem;
    if (status == ALK_OK)
        status = alk_tls_client_context(out, &trust, error);
    forget(&pem);
    return status;
}
