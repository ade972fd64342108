#include "transport/address.h"

#include <alk/status.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void listen_specs_become_addresses(void **state)
{
    static const struct {
        const char *spec, *text;
    } rows[] = {
        {"127.0.0.1:22", "127.0.0.1:22"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"localhost:1080", "127.0.0.1:1080"},
        {"*:65535", "0.0.0.0:65535"},
        {"[::]:22", "[::]:22"},
        {"[0:0:0:0:0:0:0:1]:022", "[::1]:22"},
        {"[::ffff:192.0.2.1]:5", "192.0.2.1:5"},
        {"unix:/run/alknet.sock", "unix:/run/alknet.sock"},
        {"unix:a:b", "unix:a:b"},
    };
    struct alk_address address;
    struct alk_error error;
    char text[ALK_ADDRESS_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (alk_address_parse_listen(rows[i].spec, &address, &error) != ALK_OK)
            fail_msg("%s: %s", rows[i].spec, error.text);
        alk_address_text(&address, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void bad_listen_specs_get_one_sentence(void **state)
{
    static const char *const rows[] = {
        "",
        "22",
        ":22",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "1.2.3.4:-1",
        "1.2.3.4:2x",
        "1.2.3.4: 22",
        "::1:22",
        "[::1]22",
        "[::1]",
        "[::1:22",
        "[1.2.3.4]:5",
        "[]:22",
        "1.2.3.256:1",
        "example.com:1",
        "unix:",
        "1.2.3.4:1:2",
        "[::1]:1:2",
        "1.2.3.4:000001",
        "[fe80::1%nosuchif0]:22",
        "127.1:22",
    };
    struct alk_address address;
    struct alk_error error;
    char path[200] = "unix:";

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&error, 0, sizeof(error));
        if (alk_address_parse_listen(rows[i], &address, &error) != ALK_E_PARSE)
            fail_msg("\"%s\": expected ALK_E_PARSE", rows[i]);
        assert_non_null(strstr(error.text, rows[i]));
    }
    memset(path + 5, 'p', ALK_PATH_MAX + 1);
    assert_int_equal(alk_address_parse_listen(path, &address, &error), ALK_E_PARSE);
    path[5 + ALK_PATH_MAX] = '\0';
    assert_int_equal(alk_address_parse_listen(path, &address, &error), ALK_OK);
}

static void targets_may_be_names(void **state)
{
    struct alk_endpoint endpoint;
    char spec[300];

    (void)state;
    assert_int_equal(alk_endpoint_parse("example.com:443", &endpoint, NULL), ALK_OK);
    assert_string_equal(endpoint.host, "example.com");
    assert_int_equal(endpoint.port, 443);
    assert_false(endpoint.is_path);
    assert_int_equal(alk_endpoint_parse("[2001:db8::1]:22", &endpoint, NULL), ALK_OK);
    assert_string_equal(endpoint.host, "2001:db8::1");
    assert_int_equal(alk_endpoint_parse("unix:/x", &endpoint, NULL), ALK_OK);
    assert_true(endpoint.is_path);
    assert_string_equal(endpoint.path, "/x");
    assert_int_equal(alk_endpoint_parse("example.com:0", &endpoint, NULL), ALK_E_PARSE);
    assert_int_equal(alk_endpoint_parse("exa mple.com:1", &endpoint, NULL), ALK_E_PARSE);
    assert_int_equal(alk_endpoint_parse("exa\nmple.com:1", &endpoint, NULL), ALK_E_PARSE);
    memset(spec, 'h', sizeof(spec));
    memcpy(spec + ALK_HOST_MAX, ":1", 3);
    assert_int_equal(alk_endpoint_parse(spec, &endpoint, NULL), ALK_OK);
    assert_int_equal(strlen(endpoint.host), ALK_HOST_MAX);
    memcpy(spec + ALK_HOST_MAX, "h:1", 4);
    assert_int_equal(alk_endpoint_parse(spec, &endpoint, NULL), ALK_E_PARSE);
}

static void mapped_addresses_are_ipv4(void **state)
{
    struct alk_address address = {.len = sizeof(struct sockaddr_in6)};
    char host[64];

    (void)state;
    address.sa.v6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:203.0.113.9", &address.sa.v6.sin6_addr), 1);
    alk_address_set_port(&address, 77);
    alk_address_host(&address, host, sizeof(host));
    assert_string_equal(host, "203.0.113.9");
    alk_address_unmap(&address);
    assert_int_equal(address.sa.any.sa_family, AF_INET);
    assert_int_equal(alk_address_port(&address), 77);
    alk_address_host(&address, host, sizeof(host));
    assert_string_equal(host, "203.0.113.9");
}

static void only_true_numerics_are_numeric(void **state)
{
    static const char *const names[] = {"",           "localhost",  "127.1", "0x7f.0.0.1",
                                        "2130706433", "1.2.3.4 ",   "::1%",  "[::1]",
                                        "1.2.3.4.",   "example.com"};
    struct alk_address address;
    char host[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (alk_address_numeric(names[i], 1, &address))
            fail_msg("\"%s\": expected a name, got an address", names[i]);
    }
    assert_true(alk_address_numeric("::ffff:192.0.2.1", 1, &address));
    assert_int_equal(address.sa.any.sa_family, AF_INET);
    assert_true(alk_address_numeric("fe80::1%lo", 1, &address));
    alk_address_host(&address, host, sizeof(host));
    assert_string_equal(host, "fe80::1%lo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_specs_become_addresses),
        cmocka_unit_test(bad_listen_specs_get_one_sentence),
        cmocka_unit_test(targets_may_be_names),
        cmocka_unit_test(mapped_addresses_are_ipv4),
        cmocka_unit_test(only_true_numerics_are_numeric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
