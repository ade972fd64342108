#include <alk/status.h>

#include <stdarg.h>
#include <stdio.h>

const char *alk_status_text(int status)
{
    static const char *const texts[] = {
        [-ALK_OK] = "success",
        [-ALK_E_NOMEM] = "out of memory",
        [-ALK_E_INVAL] = "invalid argument",
        [-ALK_E_AGAIN] = "not ready",
        [-ALK_E_CLOSED] = "connection closed",
        [-ALK_E_PROTO] = "protocol error",
        [-ALK_E_LIMIT] = "limit reached",
        [-ALK_E_DENIED] = "permission denied",
        [-ALK_E_NOTFOUND] = "not found",
        [-ALK_E_IO] = "input/output error",
        [-ALK_E_CRYPTO] = "verification failed",
        [-ALK_E_TIMEOUT] = "timed out",
        [-ALK_E_REFUSED] = "connection refused",
        [-ALK_E_UNREACHABLE] = "host unreachable",
        [-ALK_E_RESOLVE] = "name not resolved",
        [-ALK_E_PARSE] = "malformed input",
        [-ALK_E_UNSUPPORTED] = "not supported",
        [-ALK_E_EXISTS] = "already exists",
        [-ALK_E_AUTH] = "authentication failed",
        [-ALK_E_HOSTKEY] = "host key not trusted",
        [-ALK_E_CERT] = "TLS certificate not trusted",
        [-ALK_E_PROXY] = "the proxy failed",
    };
    int index = -status;

    if (index < 0 || index >= (int)(sizeof(texts) / sizeof(texts[0])))
        return "unknown error";
    return texts[index];
}

int alk_error_set(struct alk_error *error, int code, const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return code;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}
