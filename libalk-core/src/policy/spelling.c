#include "policy/rule.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const char INTERNAL[] = "alknet-";

bool policy_name(const char *text, size_t len, char out[ALK_POLICY_HOST_MAX + 1])
{
    if (len > 1 && text[len - 1] == '.')
        len--;
    if (len < 1 || len > ALK_POLICY_HOST_MAX || text[0] == '.' || text[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if ((unsigned char)c <= ' ' || c == 0x7f || (c == '.' && text[i + 1] == '.'))
            return false;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out[len] = '\0';
    return true;
}

bool policy_name_ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *label = dot != NULL ? dot + 1 : name;

    if (strncasecmp(label, "0x", 2) == 0)
        return strspn(label + 2, "0123456789abcdefABCDEF") == strlen(label + 2);
    return label[0] != '\0' && strspn(label, "0123456789") == strlen(label);
}

bool policy_path_is_plain(const char *path)
{
    if (path[0] != '/' || path[1] == '\0')
        return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        size_t len = strcspn(++part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

bool policy_is_internal(const char *name)
{
    return strncasecmp(name, INTERNAL, sizeof(INTERNAL) - 1) == 0;
}

bool policy_glob_matches(const char *glob, const char *path)
{
    const char *star = NULL, *retry = NULL; /* of the part between two slashes */

    while (*path != '\0') {
        if (*glob == '*') {
            star = ++glob;
            retry = path;
        } else if (*glob == *path || (*glob == '?' && *path != '/')) {
            if (*path == '/')
                star = NULL; /* no star reaches back over a slash */
            glob++;
            path++;
        } else if (star != NULL && *retry != '/') {
            glob = star;
            path = ++retry;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool alk_policy_address_parse(struct alk_policy_address *out, const char *text)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, out->bytes) == 1)
        return true;
    if (inet_pton(AF_INET6, text, out->bytes) != 1)
        return false;
    out->v6 = memcmp(out->bytes, mapped, sizeof(mapped)) != 0;
    if (!out->v6) {
        memmove(out->bytes, out->bytes + 12, 4);
        memset(out->bytes + 4, 0, 12);
    }
    return true;
}

void policy_any_to_loopback(struct alk_policy_address *address)
{
    static const uint8_t none[16];

    if (memcmp(address->bytes, none, sizeof(none)) != 0)
        return;
    if (address->v6) {
        address->bytes[15] = 1;
    } else {
        address->bytes[0] = 127;
        address->bytes[3] = 1;
    }
}

bool policy_embedded_v4(const struct alk_policy_address *address, struct alk_policy_address *v4)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}, compatible[12] = {0};
    const uint8_t *bytes = address->bytes;
    size_t at = 12;

    if (!address->v6)
        return false;
    if (bytes[0] == 0x20 && bytes[1] == 0x02)
        at = 2;
    else if (memcmp(bytes, nat64, sizeof(nat64)) != 0 &&
             /* :: and ::1 are what they are */
             (memcmp(bytes, compatible, sizeof(compatible)) != 0 || bytes[12] == 0))
        return false;
    *v4 = (struct alk_policy_address){0};
    memcpy(v4->bytes, bytes + at, 4);
    return true;
}
