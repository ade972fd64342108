/*
 * Draws the calls of a log: one line of JSON per envelope, {"at": ms, "last": bool,
 * "envelope": {type, id, payload}}, on standard input; a Mermaid flowchart, or with
 * --summary the durations by operation, on standard output.
 *
 *   cc callgraph.c -o callgraph $(pkg-config --cflags --libs libalk-flowgraph)
 *   ./callgraph < callgraph.jsonl
 */
#include <alk/callgraph.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_log(struct alk_callgraph *calls, FILE *log)
{
    char *line = NULL;
    size_t size = 0;
    int status = 0;
    for (int number = 1; !status && getline(&line, &size, log) > 0; number++) {
        struct alk_graph_error error = {"not JSON"};
        json_t *entry = json_loads(line, 0, NULL);
        int64_t at = json_integer_value(json_object_get(entry, "at"));
        bool last = json_is_true(json_object_get(entry, "last"));
        status = alk_callgraph_apply_envelope(calls, json_object_get(entry, "envelope"), at, NULL,
                                              last, &error);
        if (status)
            fprintf(stderr, "line %d: %s\n", number, error.text);
        json_decref(entry);
    }
    free(line);
    return status;
}

int main(int argc, char **argv)
{
    struct alk_callgraph *calls = alk_callgraph_new(NULL);
    if (!calls || read_log(calls, stdin))
        return 1;
    if (argc > 1 && strcmp(argv[1], "--summary") == 0) {
        json_t *summary = alk_callgraph_summary(calls);
        json_dumpf(summary, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(summary);
    } else {
        char *picture = alk_callgraph_to_mermaid(calls);
        fputs(picture ? picture : "", stdout);
        free(picture);
    }
    alk_callgraph_free(calls);
    return 0;
}
