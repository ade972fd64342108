#include "uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_scheme(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && !(later && i > 0))
            return false;
    }
    return length > 0;
}

static size_t span_until(const char *text, size_t length, const char *stops)
{
    size_t n = 0;
    while (n < length && !(text[n] && strchr(stops, text[n])))
        n++;
    return n;
}

void uri_split(const char *text, size_t length, struct uri *out)
{
    memset(out, 0, sizeof *out);
    size_t n = span_until(text, length, ":/?#");
    if (n < length && text[n] == ':' && is_scheme(text, n)) {
        out->scheme = (struct uri_part){text, n};
        text += n + 1, length -= n + 1;
    }
    if (length >= 2 && text[0] == '/' && text[1] == '/') {
        n = span_until(text + 2, length - 2, "/?#");
        out->authority = (struct uri_part){text + 2, n};
        text += n + 2, length -= n + 2;
    }
    n = span_until(text, length, "?#");
    out->path = (struct uri_part){text, n};
    text += n, length -= n;
    if (length && text[0] == '?') {
        n = span_until(text + 1, length - 1, "#");
        out->query = (struct uri_part){text + 1, n};
        text += n + 1, length -= n + 1;
    }
    if (length)
        out->fragment = (struct uri_part){text + 1, length - 1};
}

/* RFC 3986 section 5.2.4, in place. */
static void remove_dot_segments(char *path)
{
    bool absolute = path[0] == '/';
    char *in = path + absolute, *start = in, *out = in;
    while (*in) {
        size_t n = strcspn(in, "/");
        bool last = in[n] == '\0';
        if (n == 1 && in[0] == '.') {
            /* dropped */
        } else if (n == 2 && in[0] == '.' && in[1] == '.') {
            if (out > start)
                out--;
            while (out > start && out[-1] != '/')
                out--;
        } else {
            memmove(out, in, n);
            out += n;
            if (!last)
                *out++ = '/';
        }
        in += last ? n : n + 1;
    }
    *out = '\0';
}

/* RFC 3986 section 5.2.3 */
static char *merge_paths(const struct uri *base, const struct uri_part *path)
{
    char *merged = NULL;
    if (base->authority.at && base->path.length == 0) {
        if (asprintf(&merged, "/%.*s", (int)path->length, path->at) < 0)
            return NULL;
        return merged;
    }
    size_t keep = base->path.length;
    while (keep > 0 && base->path.at[keep - 1] != '/')
        keep--;
    if (asprintf(&merged, "%.*s%.*s", (int)keep, base->path.length ? base->path.at : "",
                 (int)path->length, path->at) < 0)
        return NULL;
    return merged;
}

static char *compose(const struct uri *u, const char *path)
{
    char *text = NULL;
    if (asprintf(&text, "%.*s%s%s%.*s%s%s%.*s%s%.*s", (int)u->scheme.length,
                 u->scheme.at ? u->scheme.at : "", u->scheme.at ? ":" : "",
                 u->authority.at ? "//" : "", (int)u->authority.length,
                 u->authority.at ? u->authority.at : "", path, u->query.at ? "?" : "",
                 (int)u->query.length, u->query.at ? u->query.at : "", u->fragment.at ? "#" : "",
                 (int)u->fragment.length, u->fragment.at ? u->fragment.at : "") < 0)
        return NULL;
    return text;
}

char *uri_resolve(const char *base_text, const char *reference)
{
    struct uri base, ref;
    uri_split(base_text, strlen(base_text), &base);
    uri_split(reference, strlen(reference), &ref);

    char *path = NULL;
    bool clean = true;
    if (!ref.scheme.at) {
        ref.scheme = base.scheme;
        if (!ref.authority.at) {
            ref.authority = base.authority;
            if (ref.path.length == 0) {
                path = strndup(base.path.at, base.path.length);
                clean = false;
                if (!ref.query.at)
                    ref.query = base.query;
            } else if (ref.path.at[0] != '/') {
                path = merge_paths(&base, &ref.path);
            }
        }
    }
    if (!path && clean)
        path = strndup(ref.path.at, ref.path.length);
    if (!path)
        return NULL;
    if (clean && memchr(path, '/', strlen(path)))
        remove_dot_segments(path);
    char *text = compose(&ref, path);
    free(path);
    return text;
}

char *uri_cut_fragment(char *uri)
{
    char *hash = strchr(uri, '#');
    if (!hash)
        return NULL;
    *hash = '\0';
    return hash + 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uri_percent_decode(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text != '%') {
            *out++ = *text;
            continue;
        }
        int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
        if (low < 0 || (high | low) == 0)
            return false;
        *out++ = (char)(high << 4 | low);
        text += 2;
    }
    *out = '\0';
    return true;
}
