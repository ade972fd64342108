/* Identification lines (RFC 4253 section 4.2). */
#include "ssh/engine.h"

#include <stdlib.h>
#include <string.h>

#define ALKNET_VERSION "SSH-2.0-alknet_"

int ssh_ident_start(struct alk_ssh *ssh)
{
    ssh->my_version = strdup(ALKNET_VERSION ALK_VERSION);
    if (ssh->my_version == NULL ||
        alk_buffer_append(&ssh->out, ssh->my_version, strlen(ssh->my_version)) != ALK_OK)
        return ALK_E_NOMEM;
    return alk_buffer_append(&ssh->out, "\r\n", 2);
}

static bool is_printable(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            return false;
    }
    return true;
}

static int take_version(struct alk_ssh *ssh, const char *line, size_t len)
{
    bool v2 = len > 8 && strncmp(line, "SSH-2.0-", 8) == 0;
    /* a server that still speaks version 1 beside 2 says 1.99 */
    bool v199 = !ssh_is_server(ssh) && len > 9 && strncmp(line, "SSH-1.99-", 9) == 0;

    if ((!v2 && !v199) || !is_printable(line, len))
        return ssh_fail(ssh, 0, ALK_E_PROTO, "the peer does not speak SSH version 2");
    ssh->peer_version = strndup(line, len);
    if (ssh->peer_version == NULL)
        return ssh_fail(ssh, 0, ALK_E_NOMEM, "out of memory");
    ssh->phase = PHASE_KEX;
    ssh->kex_wait = KEX_WAIT_INIT;
    return ssh_kex_start(ssh) == ALK_OK ? 1 : ssh->error.code;
}

int ssh_ident_read(struct alk_ssh *ssh)
{
    size_t have = alk_buffer_len(&ssh->in);
    const char *line = (const char *)alk_buffer_head(&ssh->in);
    const char *end = have == 0 ? NULL : memchr(line, '\n', have < IDENT_MAX ? have : IDENT_MAX);

    /* a server can tell after four bytes that this is no SSH client */
    if (ssh_is_server(ssh) && have > 0 && strncmp(line, "SSH-", have < 4 ? have : 4) != 0)
        return ssh_fail(ssh, 0, ALK_E_PROTO, "the peer does not speak SSH");
    if (end == NULL) {
        if (have < IDENT_MAX)
            return 0;
        return ssh_fail(ssh, 0, ALK_E_PROTO, "the peer's identification is too long");
    }
    size_t len = (size_t)(end - line);
    size_t text = len > 0 && line[len - 1] == '\r' ? len - 1 : len;
    int status = 1;
    if (text >= 4 && strncmp(line, "SSH-", 4) == 0)
        status = take_version(ssh, line, text);
    else if (ssh_is_server(ssh) || ++ssh->banner_lines > BANNER_LINES)
        status = ssh_fail(ssh, 0, ALK_E_PROTO, "the peer does not speak SSH");
    alk_buffer_consume(&ssh->in, len + 1);
    return status;
}
