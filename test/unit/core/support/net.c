#include "support/net.h"
#include "transport/address.h"

#include <alk/loop.h>

#include <dirent.h>
#include <event2/event.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void on_guard(void *user)
{
    *(bool *)user = true;
}

void net_run_until(struct alk_loop *loop, const bool *flag)
{
    bool late = false;
    struct alk_timer *guard;

    assert_int_equal(alk_timer_new(&guard, loop, on_guard, &late), 0);
    assert_int_equal(alk_timer_set(guard, 10000), 0);
    while (!*flag && !late)
        event_base_loop(alk_loop_base(loop), EVLOOP_ONCE);
    alk_timer_free(guard);
    if (late)
        fail_msg("expected an event, got none in ten seconds");
}

void net_run_ready(struct alk_loop *loop)
{
    event_base_loop(alk_loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

int net_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -1; /* the directory itself */

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

int net_connect(const struct alk_address *address)
{
    int fd = socket(address->sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connect(fd, &address->sa.any, address->len) != 0)
        fail_msg("expected to connect, got %s", strerror(errno));
    return fd;
}

int net_refusing(bool v6, struct alk_address *address)
{
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_true(alk_address_numeric(v6 ? "::1" : "127.0.0.1", 0, address));
    assert_int_equal(bind(fd, &address->sa.any, address->len), 0);
    assert_int_equal(getsockname(fd, &address->sa.any, &address->len), 0);
    return fd;
}

int net_listen(bool v6, struct alk_address *address)
{
    int fd = net_refusing(v6, address);

    assert_int_equal(listen(fd, 16), 0);
    return fd;
}
