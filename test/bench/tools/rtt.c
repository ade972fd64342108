/*
 * Round-trip time of 64 bytes through a SOCKS5 proxy to an echo target of its own, idle or
 * with bulk downloads beside it through the same proxy. Prints one JSON object.
 */
#include "pump.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 64, SAMPLES_MAX = 1 << 22, BULK_MAX = 64 };

static size_t measure(int fd, double seconds, double *samples)
{
    uint8_t out[MESSAGE], in[MESSAGE];
    uint64_t now = tool_now(), end = now + (uint64_t)(seconds * 1e9);
    size_t count = 0;

    memset(out, 'x', sizeof(out));
    while (now < end && count < SAMPLES_MAX) {
        uint64_t start = now;
        tool_write_all(fd, out, sizeof(out), "echo");
        tool_read_all(fd, in, sizeof(in), "echo");
        if (memcmp(out, in, sizeof(in)) != 0)
            tool_die("the echo came back changed");
        now = tool_now();
        samples[count++] = (double)(now - start) / 1e3;
    }
    return count;
}

static double total(struct pump *sink)
{
    uint64_t bytes[BULK_MAX];
    size_t count = pump_snapshot(sink, bytes, BULK_MAX);
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)bytes[i];
    return sum;
}

int main(int argc, char **argv)
{
    unsigned socks = 0, bulk = 0;
    double seconds = 2, warmup = 0.3;
    const struct tool_option options[] = {
        {"--socks", TOOL_NUMBER, &socks},
        {"--bulk", TOOL_NUMBER, &bulk},
        {"--seconds", TOOL_REAL, &seconds},
        {"--warmup", TOOL_REAL, &warmup},
        {NULL, TOOL_FLAG, NULL},
    };

    tool_start();
    tool_options(argc, argv, options);
    if (bulk > BULK_MAX)
        tool_die("--bulk wants at most %d", BULK_MAX);
    struct pump *echo = pump_new(PUMP_ECHO, false);
    int fd = tool_reach((uint16_t)socks, pump_listen(echo));
    struct pump *sink = pump_new(PUMP_SINK, false);
    if (bulk > 0) {
        uint16_t source = pump_listen(pump_new(PUMP_SOURCE, false));
        for (unsigned i = 0; i < bulk; i++)
            pump_add(sink, tool_reach((uint16_t)socks, source));
    }
    double *samples = tool_alloc(SAMPLES_MAX, sizeof(*samples));
    measure(fd, warmup, samples);
    double before = total(sink);
    uint64_t start = tool_now();
    size_t count = measure(fd, seconds, samples);
    double rate = (total(sink) - before) / (double)(tool_now() - start);
    tool_sort(samples, count);
    printf("{\"median_us\": %.2f, \"p99_us\": %.2f, \"count\": %zu, \"bulk_gbytes_per_s\": %.4f}\n",
           tool_quantile(samples, count, 0.5), tool_quantile(samples, count, 0.99), count, rate);
    free(samples);
    return 0;
}
