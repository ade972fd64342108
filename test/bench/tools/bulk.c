/*
 * Bulk throughput to a target of its own, through a SOCKS5 proxy (or straight, without
 * --socks), counted where the bytes arrive. Prints one JSON object.
 */
#include "pump.h"
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CONNECTIONS_MAX = 1024 };

struct transfer {
    unsigned socks, connections;
    double warmup, seconds;
    bool upload, verify;
};

/* A proxy may answer before the target has accepted. */
static void wait_for_all(struct pump *sink, unsigned connections)
{
    uint64_t bytes[CONNECTIONS_MAX], end = tool_now() + 5000000000u;

    while (pump_snapshot(sink, bytes, CONNECTIONS_MAX) < connections) {
        if (tool_now() > end)
            tool_die("not every connection reached the target");
        tool_sleep(0.001);
    }
}

static void report(struct pump *sink, const struct transfer *t)
{
    uint64_t before[CONNECTIONS_MAX], after[CONNECTIONS_MAX], total = 0;

    wait_for_all(sink, t->connections);
    tool_sleep(t->warmup);
    uint64_t start = tool_now();
    size_t count = pump_snapshot(sink, before, CONNECTIONS_MAX);
    tool_sleep(t->seconds);
    uint64_t end = tool_now();
    if (pump_snapshot(sink, after, CONNECTIONS_MAX) != count || count != t->connections)
        tool_die("a connection broke during the transfer");
    if (pump_faults(sink) != 0)
        tool_die("%" PRIu64 " blocks arrived changed", pump_faults(sink));
    double seconds = (double)(end - start) / 1e9;
    printf("{\"each\": [");
    for (size_t i = 0; i < count; i++) {
        printf("%s%.6f", i == 0 ? "" : ", ", (double)(after[i] - before[i]) / seconds / 1e9);
        total += after[i] - before[i];
    }
    printf("], \"gbytes_per_s\": %.6f, \"bytes\": %" PRIu64 "}\n", (double)total / seconds / 1e9,
           total);
}

int main(int argc, char **argv)
{
    struct transfer t = {.connections = 1, .warmup = 0.3, .seconds = 2};
    const struct tool_option options[] = {
        {"--socks", TOOL_NUMBER, &t.socks},
        {"--connections", TOOL_NUMBER, &t.connections},
        {"--seconds", TOOL_REAL, &t.seconds},
        {"--warmup", TOOL_REAL, &t.warmup},
        {"--upload", TOOL_FLAG, &t.upload},
        {"--verify", TOOL_FLAG, &t.verify},
        {NULL, TOOL_FLAG, NULL},
    };

    tool_start();
    tool_options(argc, argv, options);
    if (t.connections == 0 || t.connections > CONNECTIONS_MAX)
        tool_die("--connections wants 1 to %d", CONNECTIONS_MAX);
    struct pump *target = pump_new(t.upload ? PUMP_SINK : PUMP_SOURCE, t.verify);
    struct pump *near = pump_new(t.upload ? PUMP_SOURCE : PUMP_SINK, t.verify);
    uint16_t port = pump_listen(target);
    for (unsigned i = 0; i < t.connections; i++)
        pump_add(near, tool_reach((uint16_t)t.socks, port));
    report(t.upload ? target : near, &t);
    return 0;
}
