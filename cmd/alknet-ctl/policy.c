/* alknet-ctl policy test: what the forwarding rules decide, and by which rule. */
#include "ctl.h"
#include "program.h"

#include <alk/config.h>
#include <alk/policy.h>

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: alknet-ctl policy test [OPTION]... TARGET\n"
    "Tell whether the forwarding rules let a session reach TARGET, and which rule decides.\n"
    "Nothing is connected to, and no name is looked up.\n"
    "\n"
    "TARGET is HOST:PORT, [IPV6]:PORT, unix:PATH or alknet-NAME; a remote listener is written\n"
    "with listen: before it.\n"
    "\n"
    "      --config FILE           take rules and defaults from a server's file, and whether\n"
    "                              it has a proxy\n"
    "      --behind-proxy          the server has a proxy, which alone sees what a name\n"
    "                              resolves to\n"
    "      --rule RULE             a further rule, after those of the file; repeatable\n"
    "      --default allow|deny    what no rule decides (default allow)\n"
    "      --allow-loopback yes|no\n"
    "                              the same for loopback (as --default)\n"
    "      --allow-link-local yes|no\n"
    "                              and for link-local and metadata addresses (default no)\n"
    "      --identity ID           who asks: a fingerprint, or the id of an API key\n"
    "      --scopes A,B            with which scopes (default relay:connect)\n"
    "      --transport NAME        tcp (default), tls, iroh or unix\n"
    "      --interface NAME        ssh (default), raw, http or dns\n"
    "      --resolves-to ADDR      an address that TARGET's name has; repeatable\n"
    "      --json                  print a JSON array, an object for each address\n"
    "      --help                  print this text\n"
    "\n"
    "Exit status: 0 allowed (one of the addresses, at least), 1 not, or the rules are faulty,\n"
    "2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl policy test --config /etc/alknet/server.conf db.example.com:5432 \\\n"
    "                         --resolves-to 10.0.0.5\n"
    "  alknet-ctl policy test --default deny --rule 'allow *.example.com:443' example.com:443\n";

enum { RULES_MAX = 256, ADDRESSES_MAX = 16 };

struct request {
    const char *file;
    struct alk_policy_rule_text rules[RULES_MAX];
    size_t rule_count;
    struct alk_policy_defaults defaults;
    struct alk_policy_subject subject;
    const char *scopes[ALK_POLICY_LIST_MAX];
    const char *addresses[ADDRESSES_MAX];
    struct alk_policy_address resolved[ADDRESSES_MAX];
    size_t address_count;
    struct alk_policy_target target;
    bool behind_proxy;
    bool json;
};

enum option_code {
    OPT_CONFIG = 256,
    OPT_RULE,
    OPT_DEFAULT,
    OPT_LOOPBACK,
    OPT_LINK_LOCAL,
    OPT_IDENTITY,
    OPT_SCOPES,
    OPT_TRANSPORT,
    OPT_INTERFACE,
    OPT_RESOLVES_TO,
    OPT_BEHIND_PROXY,
    OPT_JSON,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"rule", required_argument, NULL, OPT_RULE},
    {"default", required_argument, NULL, OPT_DEFAULT},
    {"allow-loopback", required_argument, NULL, OPT_LOOPBACK},
    {"allow-link-local", required_argument, NULL, OPT_LINK_LOCAL},
    {"identity", required_argument, NULL, OPT_IDENTITY},
    {"scopes", required_argument, NULL, OPT_SCOPES},
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"interface", required_argument, NULL, OPT_INTERFACE},
    {"resolves-to", required_argument, NULL, OPT_RESOLVES_TO},
    {"behind-proxy", no_argument, NULL, OPT_BEHIND_PROXY},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* ---- options; each returns -1 to go on, else the exit code ---- */

static int take_choice(const char *option, const char *allow, const char *deny,
                       enum alk_policy_choice *out)
{
    if (strcmp(optarg, allow) != 0 && strcmp(optarg, deny) != 0)
        return program_usage("%s wants %s or %s, not '%s'", option, allow, deny, optarg);
    *out = strcmp(optarg, allow) == 0 ? ALK_POLICY_ALLOW : ALK_POLICY_DENY;
    return -1;
}

static int take_one_of(const char *option, const char *const *names, const char **out)
{
    for (; *names != NULL; names++) {
        if (strcmp(optarg, *names) == 0) {
            *out = optarg;
            return -1;
        }
    }
    return program_usage("%s: there is no '%s'; see --help", option, optarg);
}

/* Cuts optarg, which is ours to change. */
static int take_scopes(struct request *r)
{
    char *rest = NULL;

    r->subject.scope_count = 0;
    for (char *scope = strtok_r(optarg, ",", &rest); scope != NULL;
         scope = strtok_r(NULL, ",", &rest)) {
        if (r->subject.scope_count == ALK_POLICY_LIST_MAX)
            return program_usage("--scopes takes %d at most", (int)ALK_POLICY_LIST_MAX);
        r->scopes[r->subject.scope_count++] = scope;
    }
    return -1;
}

static int take_rule(struct request *r)
{
    if (r->rule_count == RULES_MAX)
        return program_usage("--rule may be given %d times at most", (int)RULES_MAX);
    r->rules[r->rule_count].text = optarg;
    r->rules[r->rule_count++].file = NULL;
    return -1;
}

static int take_address(struct request *r)
{
    if (r->address_count == ADDRESSES_MAX)
        return program_usage("--resolves-to may be given %d times at most", (int)ADDRESSES_MAX);
    if (!alk_policy_address_parse(&r->resolved[r->address_count], optarg))
        return program_usage("--resolves-to wants a numeric address, not '%s'", optarg);
    r->addresses[r->address_count++] = optarg;
    return -1;
}

static int take(int code, struct request *r)
{
    static const char *const transports[] = {"tcp", "tls", "iroh", "unix", NULL};
    static const char *const interfaces[] = {"ssh", "raw", "http", "dns", NULL};

    switch (code) {
    case OPT_CONFIG:
        r->file = optarg;
        return -1;
    case OPT_RULE:
        return take_rule(r);
    case OPT_DEFAULT:
        return take_choice("--default", "allow", "deny", &r->defaults.action);
    case OPT_LOOPBACK:
        return take_choice("--allow-loopback", "yes", "no", &r->defaults.loopback);
    case OPT_LINK_LOCAL:
        return take_choice("--allow-link-local", "yes", "no", &r->defaults.link_local);
    case OPT_IDENTITY:
        r->subject.id = optarg;
        return -1;
    case OPT_SCOPES:
        return take_scopes(r);
    case OPT_TRANSPORT:
        return take_one_of("--transport", transports, &r->subject.transport);
    case OPT_INTERFACE:
        return take_one_of("--interface", interfaces, &r->subject.interface);
    case OPT_RESOLVES_TO:
        return take_address(r);
    case OPT_BEHIND_PROXY:
        r->behind_proxy = true;
        return -1;
    case OPT_JSON:
        r->json = true;
        return -1;
    case OPT_HELP:
        fputs(help, stdout);
        return EXIT_SUCCESS;
    default:
        fprintf(stderr, "Try 'alknet-ctl policy --help'.\n"); /* getopt has named the fault */
        return EXIT_USAGE;
    }
}

static int parse(int argc, char **argv, struct request *r)
{
    struct alk_error error;
    int code;

    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int result = take(code, r);
        if (result >= 0)
            return result;
    }
    if (argc - optind < 1 || strcmp(argv[optind], "test") != 0)
        return program_usage("alknet-ctl policy knows one command: test");
    if (argc - optind != 2)
        return program_usage("alknet-ctl policy test wants one target, such as example.com:443");
    if (alk_policy_target_parse(&r->target, argv[optind + 1], &error) != ALK_OK)
        return program_usage("%s", error.text);
    if (r->address_count > 0 && r->target.kind != ALK_POLICY_NAME)
        return program_usage("--resolves-to is for host names; this target is none");
    return -1;
}

/* ---- the rules ---- */

static void use_unless_given(enum alk_policy_choice *given, enum alk_policy_choice file)
{
    if (*given == ALK_POLICY_UNSET)
        *given = file;
}

/* Those of the file, then those of the command line. */
static int compile(struct alk_policy **out, struct request *r,
                   const struct alk_server_options *options, struct alk_error *error)
{
    size_t from_file = options != NULL ? options->rule_count : 0;
    struct alk_policy_rule_text *rules = calloc(from_file + r->rule_count + 1, sizeof(*rules));

    if (rules == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory");
    if (options != NULL) {
        if (from_file > 0)
            memcpy(rules, options->rules, from_file * sizeof(*rules));
        r->behind_proxy |= options->proxy != NULL;
        use_unless_given(&r->defaults.action, options->forwarding.action);
        use_unless_given(&r->defaults.loopback, options->forwarding.loopback);
        use_unless_given(&r->defaults.link_local, options->forwarding.link_local);
    }
    memcpy(rules + from_file, r->rules, r->rule_count * sizeof(*rules));
    int status = alk_policy_new(out, rules, from_file + r->rule_count, &r->defaults, error);
    free(rules);
    return status;
}

static int load(struct alk_policy **out, struct request *r, struct alk_error *error)
{
    struct alk_config *config = NULL;

    if (r->file == NULL)
        return compile(out, r, NULL, error);
    int status = alk_config_load(&config, ALK_CONFIG_SERVER, r->file, NULL, error);
    if (status == ALK_OK && alk_config_fault_count(config) > 0)
        status = alk_error_set(error, ALK_E_PARSE, "%s", alk_config_fault(config, 0));
    if (status == ALK_OK)
        status = compile(out, r, &alk_config_server(config)->options, error);
    alk_config_free(config);
    return status;
}

/* ---- the answer ---- */

/* What the server asks its proxy for, as a name: Unix sockets and listeners are its own. */
static bool is_behind_proxy(const struct request *r)
{
    return r->behind_proxy && r->target.kind == ALK_POLICY_NAME && !r->target.listen;
}

static const char *outcome_text(enum alk_policy_outcome outcome)
{
    static const char *const texts[] = {"allowed", "denied", "depends"};

    return texts[outcome];
}

static const char *default_text(enum alk_policy_reason reason)
{
    switch (reason) {
    case ALK_POLICY_BY_LOOPBACK:
        return "no rule matches; allow_loopback decides";
    case ALK_POLICY_BY_LINK_LOCAL:
        return "no rule matches; allow_link_local decides";
    case ALK_POLICY_BY_LISTENER:
        return "only a rule opens a listener that is not on loopback or has a port below 1024";
    default:
        return "no rule matches; the default decides";
    }
}

static void print_line(const struct alk_policy *policy, const struct alk_policy_verdict *v,
                       const char *address)
{
    const struct alk_policy_rule_text *rule = alk_policy_rule(policy, v->rule);

    if (address != NULL)
        printf("%s: ", address);
    fputs(outcome_text(v->outcome), stdout);
    if (v->outcome == ALK_POLICY_DEPENDS)
        fputs(" on the name's addresses (see --resolves-to)", stdout);
    if (rule == NULL)
        printf(": %s\n", default_text(v->reason));
    else if (rule->file != NULL)
        printf(" by %s:%u: %s\n", rule->file, rule->line, rule->text);
    else
        printf(" by rule %zu: %s\n", v->rule + 1, rule->text);
}

static json_t *to_json(const struct request *r, const struct alk_policy *policy,
                       const struct alk_policy_verdict *v, const char *address)
{
    const struct alk_policy_rule_text *rule = alk_policy_rule(policy, v->rule);
    json_t *object = json_pack("{s:s}", "outcome", outcome_text(v->outcome));

    if (is_behind_proxy(r))
        json_object_set_new(object, "behind_proxy", json_true());
    if (address != NULL)
        json_object_set_new(object, "address", json_string(address));
    if (rule == NULL) {
        json_object_set_new(object, "why", json_string(default_text(v->reason)));
        return object;
    }
    json_object_set_new(object, "rule", json_string(rule->text));
    if (rule->file != NULL) {
        json_object_set_new(object, "file", json_string(rule->file));
        json_object_set_new(object, "line", json_integer(rule->line));
    }
    return object;
}

static struct alk_policy_verdict judge(const struct request *r, const struct alk_policy *policy,
                                       const struct alk_policy_address *resolved)
{
    if (is_behind_proxy(r))
        return alk_policy_judge_unseen(policy, &r->subject, &r->target);
    return alk_policy_judge(policy, &r->subject, &r->target, resolved);
}

/* Judges the target with each address; the exit code. */
static int answer(const struct request *r, const struct alk_policy *policy)
{
    json_t *array = r->json ? json_array() : NULL;
    bool allowed = false;

    for (size_t i = 0; i == 0 || i < r->address_count; i++) {
        bool resolved = r->address_count > 0;
        const char *address = resolved ? r->addresses[i] : NULL;
        struct alk_policy_verdict v = judge(r, policy, resolved ? &r->resolved[i] : NULL);
        allowed = allowed || v.outcome == ALK_POLICY_ALLOWED;
        if (array != NULL)
            json_array_append_new(array, to_json(r, policy, &v, address));
        else
            print_line(policy, &v, address);
    }
    if (array == NULL && is_behind_proxy(r))
        puts("judged without addresses: the server's proxy alone sees what the name resolves to");
    if (array != NULL) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(array);
    }
    return allowed ? EXIT_SUCCESS : EXIT_RUN;
}

int ctl_policy(int argc, char **argv)
{
    struct request r = {.subject = {.transport = "tcp", .interface = "ssh", .scope_count = 1}};
    struct alk_policy *policy = NULL;
    struct alk_error error;

    r.scopes[0] = "relay:connect";
    r.subject.scopes = r.scopes;
    int code = parse(argc, argv, &r);
    if (code >= 0)
        return code;
    if (load(&policy, &r, &error) != ALK_OK)
        return program_fail(EXIT_RUN, "%s", error.text);
    if (is_behind_proxy(&r) && r.address_count > 0)
        code =
            program_usage("--resolves-to has no meaning here: the server's proxy alone sees what "
                          "a name resolves to");
    else
        code = answer(&r, policy);
    alk_policy_free(policy);
    return code;
}
