/* Reading a certificate's file: one line, "TYPE AAAA... comment". */
#include "auth/certificate.h"
#include "auth/key_internal.h"
#include "base/read_file.h"

#include <stdlib.h>
#include <string.h>

static int refuse(struct alk_error *error, const char *path, const char *why)
{
    return alk_error_set(error, ALK_E_PARSE, "%s is not a usable certificate: %s", path, why);
}

static size_t word_length(const char *at, const char *end)
{
    size_t len = 0;

    while (at + len < end && strchr(" \t\r\n", at[len]) == NULL)
        len++;
    return len;
}

/* text ends with a NUL. */
static int decode(uint8_t *blob, size_t *len, const char *path, const char *text, size_t text_len,
                  struct alk_error *error)
{
    const char *end = text + text_len, *type = text + strspn(text, " \t");
    size_t type_len = word_length(type, end);
    const char *base64 = type + type_len + strspn(type + type_len, " \t");
    struct alk_certificate certificate;

    if (!alk_key_type_known(type, type_len))
        return refuse(error, path, "a line is TYPE AAAA... [comment], as ssh-keygen -s writes it");
    if (memmem(type, type_len, "-cert-", 6) == NULL)
        return refuse(error, path, "it is a plain public key; sign it with ssh-keygen -s");
    if (memmem(type, type_len, "ssh-ed25519-cert-v01@openssh.com", 32) == NULL)
        return alk_error_set(error, ALK_E_UNSUPPORTED,
                             "%s is a certificate of type %.*s; alknet uses "
                             "ssh-ed25519-cert-v01@openssh.com",
                             path, (int)type_len, type);
    if (sodium_base642bin(blob, ALK_USER_KEY_MAX, base64, word_length(base64, end), NULL, len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return refuse(error, path, "it is not valid base64, or longer than 8192 bytes");
    if (alk_certificate_parse(blob, *len, &certificate) != ALK_OK ||
        strlen(certificate.key.algorithm) != type_len ||
        memcmp(certificate.key.algorithm, type, type_len) != 0)
        return refuse(error, path, "it is malformed");
    return ALK_OK;
}

int alk_user_certificate_load(uint8_t **blob, size_t *len, const char *path,
                              struct alk_error *error)
{
    char *text, *whole;
    size_t text_len;
    int status = alk_file_load(path, ALK_KEY_FILE_MAX, 0, &text, &text_len, error);

    *blob = NULL;
    if (status != ALK_OK)
        return status;
    whole = strndup(text, text_len);
    free(text);
    *blob = malloc(ALK_USER_KEY_MAX);
    if (whole == NULL || *blob == NULL)
        status = alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", path);
    else
        status = decode(*blob, len, path, whole, strlen(whole), error);
    free(whole);
    if (status != ALK_OK) {
        free(*blob);
        *blob = NULL;
    }
    return status;
}
