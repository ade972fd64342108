#include "server_name.h"

#include "program.h"

#include <alk/config.h>
#include <alk/status.h>

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *login_name(void)
{
    const struct passwd *me = getpwuid(getuid());

    return me != NULL ? me->pw_name : "alknet";
}

bool server_name_is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return false;
    }
    return true;
}

int server_name_parse(const char *text, size_t len, unsigned default_port,
                      struct alk_server_name *out)
{
    struct alk_error error;

    if (alk_server_name_parse(text, len, out, &error) != ALK_OK)
        return program_usage("%s", program_shown(error.text));
    if (out->user[0] == '\0')
        snprintf(out->user, sizeof(out->user), "%s", login_name());
    if (out->port == 0)
        out->port = default_port;
    return -1;
}
