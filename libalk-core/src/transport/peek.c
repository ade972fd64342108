#include "transport/peek.h"

#include <string.h>

enum alk_peeked alk_peek_tls(const uint8_t *data, size_t len)
{
    enum { HANDSHAKE = 0x16, SSL_2 = 0x80 };

    if (len == 0)
        return ALK_PEEKED_MORE;
    return data[0] == HANDSHAKE || (data[0] & SSL_2) != 0 ? ALK_PEEKED_TLS : ALK_PEEKED_OTHER;
}

enum alk_peeked alk_peek_ssh(const uint8_t *data, size_t len)
{
    static const char identification[] = "SSH-2.0-";
    size_t whole = sizeof(identification) - 1;

    if (memcmp(data, identification, len < whole ? len : whole) != 0)
        return ALK_PEEKED_OTHER;
    return len < whole ? ALK_PEEKED_MORE : ALK_PEEKED_SSH;
}
