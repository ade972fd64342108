#include "tunnel/forward_spec.h"

#include <alk/status.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct side {
    const char *host;
    unsigned port;
    const char *path;
};

static const struct {
    const char *spec;
    struct side listen, target;
} good[] = {
    {"8080:example.com:80", {"", 8080, ""}, {"example.com", 80, ""}},
    {"localhost:8080:example.com:80", {"localhost", 8080, ""}, {"example.com", 80, ""}},
    {"*:8080:example.com:80", {"*", 8080, ""}, {"example.com", 80, ""}},
    {":8080:example.com:80", {"*", 8080, ""}, {"example.com", 80, ""}},
    {"[::1]:8080:[2001:db8::1]:80", {"::1", 8080, ""}, {"2001:db8::1", 80, ""}},
    {"10:20:30", {"", 10, ""}, {"20", 30, ""}},
    {"1:2:3:4", {"1", 2, ""}, {"3", 4, ""}},
    {"8080:/run/app.sock", {"", 8080, ""}, {"", 0, "/run/app.sock"}},
    {"127.0.0.1:8080:/run/a:b", {"127.0.0.1", 8080, ""}, {"", 0, "/run/a:b"}},
    {"/run/l.sock:example.com:80", {"", 0, "/run/l.sock"}, {"example.com", 80, ""}},
    {"/run/l.sock:/run/t.sock", {"", 0, "/run/l.sock"}, {"", 0, "/run/t.sock"}},
    {"/run/l.sock:[::1]:80", {"", 0, "/run/l.sock"}, {"::1", 80, ""}},
};

static void compare(const char *spec, const struct alk_endpoint *got, const struct side *want)
{
    if (strcmp(got->host, want->host) != 0 || got->port != want->port ||
        strcmp(got->path, want->path) != 0 || got->is_path != (want->path[0] != '\0'))
        fail_msg("%s: expected \"%s\" %u \"%s\", got \"%s\" %u \"%s\"", spec, want->host,
                 want->port, want->path, got->host, got->port, got->path);
}

static void openssh_forms_are_read(void **state)
{
    struct alk_forward_spec out;
    struct alk_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        for (int remote = 0; remote < 2; remote++) {
            if (alk_forward_spec_parse(good[i].spec,
                                       remote ? ALK_FORWARD_REMOTE : ALK_FORWARD_LOCAL, &out,
                                       &error) != ALK_OK)
                fail_msg("%s", error.text);
            compare(good[i].spec, &out.listen, &good[i].listen);
            compare(good[i].spec, &out.target, &good[i].target);
        }
    }
}

static void malformed_specs_are_quoted(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        "::",
        ":::",
        "8080",
        "8080:",
        "8080:host",
        "8080:host:",
        "8080:host:0",
        "8080:host:65536",
        "8080::80",
        "65536:host:80",
        "-1:host:80",
        "8080:host:80:",
        "a:host:80",
        "8080:host:http",
        "8080:ho st:80",
        "::1:8080:host:80",
        "[::1]:host:80",
        "[::1:8080:host:80",
        "[::1]8080:host:80",
        "[]:8080:host:80",
        "[localhost]:8080:host:80",
        "8080:::1:80",
        "8080:[host]:80",
        "a:b:c:d:e",
        "/run/l.sock",
        "/run/l.sock:",
        "/run/l.sock:80",
        "/run/l.sock:host",
        "8080:host:/run/x",
        "host:/run/x",
        "[::1]:/run/x",
        " 8080:host:80",
        "8080:host:80 ",
        "8080:host\n:80",
        "+1:host:80",
    };
    struct alk_forward_spec out;
    struct alk_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (alk_forward_spec_parse(bad[i], ALK_FORWARD_REMOTE, &out, &error) != ALK_E_PARSE)
            fail_msg("\"%s\": expected ALK_E_PARSE", bad[i]);
        assert_non_null(strstr(error.text, bad[i]));
        assert_non_null(strstr(error.text, "[BIND:]PORT:HOST:PORT"));
    }
}

static void only_a_remote_forward_may_listen_on_port_0(void **state)
{
    struct alk_forward_spec out;
    struct alk_error error;

    (void)state;
    assert_int_equal(alk_forward_spec_parse("0:h:1", ALK_FORWARD_REMOTE, &out, &error), ALK_OK);
    assert_int_equal(out.listen.port, 0);
    assert_int_equal(alk_forward_spec_parse("*:0:h:1", ALK_FORWARD_REMOTE, &out, NULL), ALK_OK);
    assert_int_equal(alk_forward_spec_parse("0:h:1", ALK_FORWARD_LOCAL, &out, &error), ALK_E_PARSE);
    assert_string_equal(error.text, "\"0:h:1\": a local forward listens on a port from 1 to 65535, "
                                    "as in 8080:HOST:PORT");
}

static void lengths_are_bounded(void **state)
{
    struct alk_forward_spec out;
    char spec[1024];

    (void)state;
    for (int over = 0; over < 2; over++) {
        int want = over ? ALK_E_PARSE : ALK_OK;
        snprintf(spec, sizeof(spec), "1:%0*d:1", ALK_HOST_MAX + over, 7);
        assert_int_equal(alk_forward_spec_parse(spec, ALK_FORWARD_LOCAL, &out, NULL), want);
        snprintf(spec, sizeof(spec), "%0*d:1:h:1", ALK_HOST_MAX + over, 7);
        assert_int_equal(alk_forward_spec_parse(spec, ALK_FORWARD_LOCAL, &out, NULL), want);
        snprintf(spec, sizeof(spec), "1:/%0*d", (int)ALK_PATH_MAX - 1 + over, 7);
        assert_int_equal(alk_forward_spec_parse(spec, ALK_FORWARD_LOCAL, &out, NULL), want);
        snprintf(spec, sizeof(spec), "/%0*d:h:1", (int)ALK_PATH_MAX - 1 + over, 7);
        assert_int_equal(alk_forward_spec_parse(spec, ALK_FORWARD_LOCAL, &out, NULL), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssh_forms_are_read),
        cmocka_unit_test(malformed_specs_are_quoted),
        cmocka_unit_test(only_a_remote_forward_may_listen_on_port_0),
        cmocka_unit_test(lengths_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
