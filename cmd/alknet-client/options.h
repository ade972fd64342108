/* The options of alknet-client's command line. */
#ifndef ALKNET_CLIENT_OPTIONS_H
#define ALKNET_CLIENT_OPTIONS_H

#include "settings.h"

/* Takes all options into *settings, and leaves optind at what follows them. Returns -1 to go on,
 * else the exit code: --help and --version have printed, or what is wrong has been told. */
int options_read(struct settings *settings, int argc, char **argv);

/* Adds what an option that may be repeated was given; the list holds SPECS_MAX. Returns as
 * above. */
int spec_list_add(struct spec_list *list, const char *option, const char *spec);

#endif
